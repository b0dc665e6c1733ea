/** Task switches: what is saved and loaded, busy bits and links, what is refused in which task. */
import assert from 'node:assert/strict';
import { GuestFault } from '../../../emulator/cpu/ports';
import { GPR, RFLAGS, SEG } from '../../../emulator/x86/registers';
import { Bench, GDT, TSS, farCall, farJump } from './fixture';

describe('task switches', () => {
  const TSS2 = 0x5000;
  /** Selector 50h: a 32-bit TSS of a task at 1B:2222 on 23:3330. */
  const two = (cpl = 0): Bench => {
    const b = new Bench().protect(cpl);
    b.descriptor(0x28, TSS, 0x67, 0x8b);
    b.descriptor(0x50, TSS2, 0x67, 0xe9);
    b.put(TSS2 + 4, 4, 0xa000);
    b.put(TSS2 + 8, 2, 0x10);
    b.put(TSS2 + 0x20, 4, 0x2222);
    b.put(TSS2 + 0x24, 4, 0x202);
    b.put(TSS2 + 0x28, 4, 0xaaaa);
    b.put(TSS2 + 0x38, 4, 0x3330);
    [0x23, 0x1b, 0x23, 0x23, 0, 0].forEach((selector, i) => b.put(TSS2 + 0x48 + i * 4, 2, selector));
    return b;
  };
  const busy = (b: Bench, selector: number): boolean => (b.get(GDT + selector + 5, 1) & 2) !== 0;

  it('JMP: saves the old task, loads the new, moves the busy bit, sets TS', () => {
    const b = two();
    b.state.setGpr(GPR.RAX, 0x1_1111n);
    assert.equal(b.execute(farJump(0x50)), 'ok');
    assert.equal(b.selectors(), '1b:2222 23:3330');
    assert.equal(b.state.gpr(GPR.RAX), 0xaaaan);
    assert.equal(b.state.cpl, 3);
    assert.equal(b.state.selector(SEG.TR), 0x50);
    assert.deepEqual([busy(b, 0x28), busy(b, 0x50)], [false, true]);
    assert.equal(b.get(TSS + 0x20, 4), 0x7007);
    assert.equal(b.get(TSS + 0x28, 4), 0x1_1111);
    assert.equal(b.get(TSS + 0x4c, 2), 8);
    assert.equal(b.state.system('cr0') & 8n, 8n);
    assert.equal(b.state.rflags & RFLAGS.NT, 0);
  });
  it('CALL nests: back link, NT, both busy; IRET goes back', () => {
    const b = two();
    assert.equal(b.execute(farCall(0x50)), 'ok');
    assert.equal(b.get(TSS2, 2), 0x28);
    assert.equal(b.state.rflags & RFLAGS.NT, RFLAGS.NT);
    assert.deepEqual([busy(b, 0x28), busy(b, 0x50)], [true, true]);
    assert.equal(b.execute('cf'), 'ok');
    assert.equal(b.selectors(), '8:7007 10:8000');
    assert.deepEqual([busy(b, 0x28), busy(b, 0x50)], [true, false]);
    assert.equal(b.get(TSS2 + 0x24, 4) & RFLAGS.NT, 0);
    assert.equal(b.state.cpl, 0);
  });
  it('an exception through a task gate pushes its error code in the new task', () => {
    const c = two();
    c.put(TSS2 + 0x4c, 2, 8);
    c.put(TSS2 + 0x50, 2, 0x10);
    c.put(TSS2 + 0x48, 2, 0);
    c.put(TSS2 + 0x54, 2, 0);
    c.idt(10, 0x50, 0, 0x85);
    c.cpu.raise(new GuestFault(10, 0x123));
    assert.equal(c.selectors(), '8:2222 10:332c');
    assert.equal(c.get(0x332c, 4), 0x123);
  });
  const refusals: [string, (b: Bench) => void, string][] = [
    ['TSS of a deeper level', (b) => b.descriptor(0x50, TSS2, 0x67, 0x89), '#GP(50)'],
    ['TSS absent', (b) => b.descriptor(0x50, TSS2, 0x67, 0x69), '#NP(50)'],
    ['TSS too short', (b) => b.descriptor(0x50, TSS2, 0x66, 0xe9), '#TS(50)'],
    ['CS null in the new task', (b) => b.put(TSS2 + 0x4c, 2, 0), '#TS(0)'],
    ['CS of the wrong level in the new task', (b) => b.put(TSS2 + 0x4c, 2, 0x08 | 3), '#TS(8)'],
    ['SS of another level in the new task', (b) => b.put(TSS2 + 0x50, 2, 0x10), '#TS(10)'],
    ['DS is no data segment', (b) => b.put(TSS2 + 0x54, 2, 0x28), '#TS(28)'],
    ['LDT is no LDT', (b) => b.put(TSS2 + 0x60, 2, 0x10), '#TS(10)'],
    ['EIP beyond CS', (b) => (b.descriptor(0x40, 0, 0xff, 0xfa, 0x4), b.put(TSS2 + 0x4c, 2, 0x43)), '#GP(0)'],
  ];
  for (const [name, prepare, want] of refusals)
    it(`${name}: ${want}`, () => {
      const b = two(3);
      prepare(b);
      assert.equal(b.execute(farJump(0x50)), want);
    });
  it('the T bit traps after the switch', () => {
    const b = two();
    b.put(TSS2 + 0x64, 2, 1);
    assert.throws(
      () => b.cpu.farJump(0x50, 0n, b.state.rip),
      (fault) => fault instanceof GuestFault && fault.trap && fault.conditions === 0x8000,
    );
  });
});
