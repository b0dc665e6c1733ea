/** SYSCALL, SYSRET, SYSENTER, SYSEXIT: levels, flags, what they refuse. */
import assert from 'node:assert/strict';
import { GPR, SEG } from '../../../emulator/x86/registers';
import { Bench } from './fixture';

describe('fast system calls', () => {
  const kernel = (cpl: number): Bench => {
    const b = new Bench().long(cpl);
    b.state.setSystem('star', 0x0023_0008_0000_0000n);
    b.state.setSystem('lstar', 0xffff_8000_0000_1000n);
    b.state.setSystem('fmask', 0x200n);
    return b;
  };
  it('SYSCALL and SYSRET', () => {
    const b = kernel(3);
    b.state.rflags = 0x246;
    assert.equal(b.execute('0f05'), 'ok');
    assert.equal(b.state.rip, 0xffff_8000_0000_1000n);
    assert.equal(b.state.gpr(GPR.RCX), 0x7002n);
    assert.equal(b.state.gpr(11), 0x246n);
    assert.deepEqual(
      [b.state.selector(SEG.CS), b.state.selector(SEG.SS), b.state.cpl, b.state.rflags],
      [8, 0x10, 0, 0x46],
    );
    assert.equal(b.execute('480f07'), 'ok');
    assert.deepEqual(
      [b.state.selector(SEG.CS), b.state.selector(SEG.SS), b.state.cpl, b.state.rflags],
      [0x33, 0x2b, 3, 0x246],
    );
    assert.equal(b.state.rip, 0x7002n);
  });
  it('SYSRET refuses level 3, and a non-canonical RIP while still at level 0', () => {
    assert.equal(kernel(3).execute('480f07'), '#GP(0)');
    const b = kernel(0);
    b.state.setGpr(GPR.RCX, 0x8000_0000_0000n);
    assert.equal(b.execute('480f07'), '#GP(0)');
    assert.equal(b.state.cpl, 0);
  });
  it('SYSCALL without EFER.SCE: #UD', () => {
    const b = kernel(3);
    b.state.setSystem('efer', 0x500n);
    assert.equal(b.execute('0f05'), '#UD');
  });
  it('SYSENTER and SYSEXIT', () => {
    const b = new Bench().protect(3);
    assert.equal(b.execute('0f34'), '#GP(0)');
    b.state.setSystem('sysenter_cs', 8n);
    b.state.setSystem('sysenter_esp', 0x9990n);
    b.state.setSystem('sysenter_eip', 0x5550n);
    assert.equal(b.execute('0f35'), '#GP(0)');
    assert.equal(b.execute('0f34'), 'ok');
    assert.equal(b.selectors(), '8:5550 10:9990');
    b.state.setGpr(GPR.RDX, 0x7002n);
    b.state.setGpr(GPR.RCX, 0x8000n);
    assert.equal(b.execute('0f35'), 'ok');
    assert.equal(b.selectors(), '1b:7002 23:8000');
  });

  // APM vol. 3, SYSCALL, SYSRET, SYSENTER, SYSEXIT; SDM vol. 2, the same.
  describe('by vendor and mode', () => {
    const [INTEL, AMD] = ['haswell', 'epyc'] as const;
    const [SYSCALL, SYSRET, SYSENTER, SYSEXIT] = ['0f05', '0f07', '0f34', '0f35'] as const;
    type Mode = '64-bit' | 'compatibility' | 'legacy';
    /** `where`: CS:RIP SS, the level, the flags, R11. */
    const rows: readonly [cpu: string, mode: Mode, cpl: number, code: string, outcome: string, where?: string][] = [
      [INTEL, 'compatibility', 3, SYSCALL, '#UD'],
      [INTEL, 'compatibility', 3, SYSRET, '#UD'],
      [INTEL, 'legacy', 3, SYSCALL, '#UD'],
      [INTEL, 'legacy', 0, SYSRET, '#UD'],
      [INTEL, 'compatibility', 3, SYSENTER, 'ok', '8:7770000000001111 10 0 46 0'],
      [INTEL, '64-bit', 3, SYSENTER, 'ok', '8:7770000000001111 10 0 46 0'],
      [INTEL, 'legacy', 3, SYSENTER, 'ok', '8:1111 10 0 46 0'],
      [INTEL, 'compatibility', 0, SYSEXIT, 'ok', '1b:3333 23 3 246 0'],
      [AMD, '64-bit', 3, SYSCALL, 'ok', '8:ffff800000001000 10 0 46 246'],
      [AMD, 'compatibility', 3, SYSCALL, 'ok', '8:ffff800000002000 10 0 46 246'],
      [AMD, 'legacy', 3, SYSCALL, 'ok', '8:5550 10 0 46 0'],
      [AMD, 'compatibility', 0, SYSRET, 'ok', '23:7002 2b 3 246 0'],
      [AMD, 'legacy', 0, SYSRET, 'ok', '23:7002 2b 3 246 0'],
      [AMD, 'legacy', 3, SYSRET, '#GP(0)'],
      [AMD, '64-bit', 3, SYSENTER, '#UD'],
      [AMD, 'compatibility', 3, SYSENTER, '#UD'],
      [AMD, 'legacy', 3, SYSENTER, 'ok', '8:1111 10 0 46 0'],
      [AMD, '64-bit', 0, SYSEXIT, '#UD'],
      [AMD, '64-bit', 3, SYSEXIT, '#UD'],
      [AMD, 'legacy', 0, SYSEXIT, 'ok', '1b:3333 23 3 246 0'],
    ];
    for (const [cpu, mode, cpl, code, outcome, where] of rows)
      it(`${cpu}, ${mode} mode, level ${cpl}, ${code}: ${where ?? outcome}`, () => {
        const b = new Bench(cpu);
        const { state } = b;
        if (mode === 'legacy') b.protect(cpl);
        else b.long(cpl);
        if (mode === 'compatibility') {
          state.setSegment(SEG.CS, { ...state.segment(SEG.CS), attributes: 0xc09b | (cpl << 5) });
          b.cpu.modeChanged();
        }
        state.setSystem('efer', state.system('efer') | 1n);
        state.setSystem('star', 0x0023_0008_0000_5550n);
        state.setSystem('lstar', 0xffff_8000_0000_1000n);
        state.setSystem('cstar', 0xffff_8000_0000_2000n);
        state.setSystem('fmask', 0x200n);
        state.setSystem('sysenter_cs', 8n);
        state.setSystem('sysenter_eip', 0x7770_0000_0000_1111n);
        state.setGpr(GPR.RCX, 0x7002n);
        state.setGpr(GPR.RDX, 0x3333n);
        state.rflags = 0x246;
        assert.equal(b.execute(code), outcome);
        if (where === undefined) return;
        const numbers = [state.selector(SEG.SS), state.cpl, state.rflags, state.gpr(11)].map((n) => n.toString(16));
        assert.equal(`${state.selector(SEG.CS).toString(16)}:${state.rip.toString(16)} ${numbers.join(' ')}`, where);
      });
  });
});
