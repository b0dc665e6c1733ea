/** Debug registers: fixed bits, breakpoints on code and data, single steps. */
import assert from 'node:assert/strict';
import { CR4, GPR, RFLAGS } from '../../../emulator/x86/registers';
import { Bench } from './fixture';

describe('debug registers', () => {
  it('MOV DR: fixed bits, aliases, general detect', () => {
    const b = new Bench().protect();
    b.state.setGpr(GPR.RAX, 0xffff_ffffn & ~0x2000n);
    b.execute('0f23f8');
    assert.equal(b.state.system('dr7'), 0xffff_07ffn);
    b.execute('0f23e0');
    assert.equal(b.state.system('dr6'), 0xffff_cfffn);
    b.state.setSystem('cr4', BigInt(CR4.DE));
    assert.equal(b.execute('0f23e0'), '#UD');
    b.state.setSystem('dr7', 0x2400n);
    assert.equal(b.execute('0f21f8'), '#DB');
    assert.equal(b.state.system('dr6') & 0x2000n, 0x2000n);
  });
  it('an instruction breakpoint faults before the instruction, unless RF', () => {
    const b = new Bench().protect();
    b.state.setSystem('dr1', 0x7000n);
    b.cpu.writeDebug(7, 0x404n);
    assert.ok(b.cpu.debug.armed());
    assert.equal(b.cpu.debug.checkInstruction()?.vector, 1);
    assert.equal(b.state.system('dr6') & 15n, 2n);
    b.state.systemFlags |= RFLAGS.RF;
    assert.equal(b.cpu.debug.checkInstruction(), undefined);
  });
  it('a data breakpoint traps after the access, whatever the TLB held', () => {
    const b = new Bench().protect();
    b.cpu.write(0x6000n, 4, 1n);
    b.state.setSystem('dr0', 0x6004n);
    b.cpu.writeDebug(7, 0xd_0401n);
    b.cpu.write(0x6000n, 4, 2n);
    assert.equal(b.cpu.debug.afterInstruction(false, false), undefined);
    b.cpu.write(0x6006n, 1, 2n);
    assert.equal(b.cpu.debug.afterInstruction(false, false)?.trap, true);
    assert.equal(b.state.system('dr6') & 15n, 1n);
    assert.equal(b.cpu.debug.afterInstruction(false, false), undefined);
    b.cpu.read(0x6004n, 1);
    assert.equal(b.cpu.debug.afterInstruction(false, false), undefined, 'reads do not count for a write breakpoint');
  });
  it('TF traps with BS', () => {
    const b = new Bench().protect();
    assert.equal(b.cpu.debug.afterInstruction(true, false)?.vector, 1);
    assert.equal(b.state.system('dr6') & 0x4000n, 0x4000n);
  });
});
