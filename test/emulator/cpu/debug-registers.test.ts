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

  // SDM vol. 3B 17.3.1.4. SYSCALL and SYSRET go by what they leave: the kernel's first instruction is not stepped on the user's stack.
  describe('a single step', () => {
    const { TF, FIXED } = RFLAGS;
    const kernelAt = 0x7800;
    type Row = [what: string, code: string, cpl: number, before: number, mask: number, after: number, outcome: string, rip: number]; // prettier-ignore
    const rows: Row[] = [
      ['MOV, TF', '4889c0', 0, TF, 0, 0, '#DB', 0x7003],
      ['SYSCALL, TF and masked', '0f05', 3, TF, TF, 0, 'ok', kernelAt],
      ['SYSCALL, TF and not masked', '0f05', 3, TF, 0, 0, '#DB', kernelAt],
      ['SYSCALL, no TF', '0f05', 3, 0, 0, 0, 'ok', kernelAt],
      ['SYSRET to TF', '480f07', 0, 0, 0, TF, '#DB', 0x7400],
      ['SYSRET from TF', '480f07', 0, TF, 0, 0, 'ok', 0x7400],
      ['POPF to TF: after the next one', '9d4889c0', 0, 0, 0, TF, 'ok', 0x7001],
    ];
    for (const [what, code, cpl, before, mask, after, outcome, rip] of rows)
      it(`${what}: ${outcome}`, () => {
        const b = new Bench().long(cpl);
        b.state.setSystem('star', 0x0023_0008_0000_0000n);
        b.state.setSystem('lstar', BigInt(kernelAt));
        b.state.setSystem('fmask', BigInt(mask));
        b.state.setGpr(GPR.RCX, 0x7400n);
        b.state.setGpr(11, BigInt(FIXED | after));
        b.put(0x8000, 8, FIXED | after);
        b.state.rflags = FIXED | before;
        assert.equal(b.stretch(code, before ? 10 : 1), outcome);
        assert.equal(b.state.rip, BigInt(rip));
      });
  });
});
