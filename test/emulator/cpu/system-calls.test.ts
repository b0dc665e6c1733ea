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
});
