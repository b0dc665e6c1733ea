/** Debug registers: fixed bits, breakpoints on code and data, single steps. */
import assert from 'node:assert/strict';
import { GuestExit, GuestFault } from '../../../emulator/cpu/ports';
import type { Overseer } from '../../../emulator/cpu/ports';
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
    assert.throws(
      () => b.cpu.readDebug(7),
      (fault) => (fault as GuestFault).conditions === 0x2000,
    );
  });
  it('an instruction breakpoint faults before the instruction, unless RF', () => {
    const b = new Bench().protect();
    b.state.setSystem('dr1', 0x7000n);
    b.cpu.writeDebug(7, 0x404n);
    assert.ok(b.cpu.debug.armed());
    assert.equal(b.cpu.debug.checkInstruction()?.conditions, 2);
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
    const trap = b.cpu.debug.afterInstruction(false, false);
    assert.deepEqual([trap?.trap, trap?.conditions], [true, 1]);
    assert.equal(b.cpu.debug.afterInstruction(false, false), undefined);
    b.cpu.read(0x6004n, 1);
    assert.equal(b.cpu.debug.afterInstruction(false, false), undefined, 'reads do not count for a write breakpoint');
  });
  it('TF traps with BS', () => {
    const b = new Bench().protect();
    assert.equal(b.cpu.debug.afterInstruction(true, false)?.conditions, 0x4000);
  });

  // SDM vol. 3B 17.2.4, 17.4.1, 17.4.3; vol. 3C 28.1, 27.6.1.1.
  describe('on its way to its handler', () => {
    const STEP = new GuestFault(1, undefined, undefined, true, 0x4000);
    const INJECTED = new GuestFault(1, undefined, undefined, true);
    const leave = { event: () => { throw new GuestExit({ reason: 'hlt' }); } } as unknown as Overseer; // prettier-ignore
    const OLD = { dr6: 0xffff_0ff1n, dr7: 0x2400n, debugctl: 3n };
    const rows: readonly [what: string, fault: GuestFault, overseer: Overseer | undefined, after: typeof OLD][] = [
      ['tells why in DR6, and ends recording and stepping of branches', STEP, undefined, { dr6: 0xffff_4ff0n, dr7: 0x400n, debugctl: 0n }],
      ['has changed nothing where it leaves for a hypervisor', STEP, leave, OLD],
      ['changes nothing where a hypervisor injects it', INJECTED, undefined, OLD],
    ]; // prettier-ignore
    for (const [what, fault, overseer, after] of rows)
      it(`a debug exception ${what}`, () => {
        const b = new Bench().protect();
        b.idt(1, 8, 0x7900, 0x8e);
        for (const name of ['dr6', 'dr7', 'debugctl'] as const) b.state.setSystem(name, OLD[name]);
        b.cpu.overseer = overseer;
        if (overseer) assert.throws(() => b.cpu.raise(fault));
        else assert.equal(b.cpu.raise(fault), 'delivered');
        const { state } = b;
        const now = { dr6: state.system('dr6'), dr7: state.system('dr7'), debugctl: state.system('debugctl') };
        assert.deepEqual(now, after);
      });
  });

  describe('a single step from branch to branch', () => {
    const ZF = 0x40;
    const rows: readonly [what: string, code: string, flags: number, outcome: string, rip: number][] = [
      ['MOV is none', '4889c0', 0, 'ok', 0x7003],
      ['JMP', 'eb05', 0, '#DB', 0x7007],
      ['JMP to the next instruction', 'eb00', 0, '#DB', 0x7002],
      ['JZ that goes on', '7405', 0, 'ok', 0x7002],
      ['JZ that branches', '7405', ZF, '#DB', 0x7007],
      ['LOOP', 'e205', 0, '#DB', 0x7007],
      ['CALL', 'e805000000', 0, '#DB', 0x700a],
      ['RET', 'c3', 0, '#DB', 0x7400],
      ['a repetition', 'f3a4', 0, 'ok', 0x7000],
    ];
    for (const [what, code, flags, outcome, rip] of rows)
      it(`${what}: ${outcome}`, () => {
        const b = new Bench().long();
        b.state.setSystem('debugctl', 2n);
        b.state.setGpr(GPR.RCX, 2n);
        b.put(0x8000, 8, 0x7400);
        b.state.rflags = RFLAGS.FIXED | RFLAGS.TF | flags;
        assert.equal(b.stretch(code, 10), outcome);
        assert.equal(b.state.rip, BigInt(rip));
      });
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
