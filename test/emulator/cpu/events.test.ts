/** What lies on the stack after delivery, and where the processor is, in every mode; faults on the way. */
import assert from 'node:assert/strict';
import { combine, deliver } from '../../../emulator/cpu/events';
import type { PendingEvent } from '../../../emulator/cpu/exit-cause';
import { GuestFault } from '../../../emulator/cpu/ports';
import { ACTIVITY } from '../../../emulator/cpu/turns';
import { modeName } from '../../../emulator/cpu/mode';
import { GPR, SEG, VECTOR } from '../../../emulator/x86/registers';
import { Bench, TSS } from './fixture';

describe('delivery: frames', () => {
  it('real mode pushes FLAGS, CS, IP and clears IF and TF', () => {
    const b = new Bench().real();
    b.put(0x21 * 4, 4, 0x0777_0123);
    b.state.rflags = 0x302;
    b.state.rip = 0x44n;
    assert.equal(b.execute('cd 21'), 'ok');
    assert.equal(b.selectors(), '777:123 200:fa');
    assert.deepEqual(b.frame(0x20fa, 2, 3), ['46', '100', '302']);
    assert.equal(b.state.rflags, 0x2);
  });
  it('protected mode, same level, 32-bit trap gate: no stack switch, IF stays', () => {
    const b = new Bench().protect();
    b.idt(13, 0x08, 0x1234, 0x8f);
    b.state.rflags = 0x202;
    assert.equal(b.cpu.raise(new GuestFault(VECTOR.GP, 0x40)), 'delivered');
    assert.equal(b.selectors(), '8:1234 10:7ff0');
    assert.deepEqual(b.frame(0x7ff0, 4, 4), ['40', '7000', '8', '10202']);
    assert.equal(b.state.rflags, 0x202);
  });
  it('protected mode, same level, 16-bit interrupt gate: words', () => {
    const b = new Bench().protect();
    b.idt(13, 0x08, 0x5_1234, 0x86);
    b.state.rflags = 0x202;
    assert.equal(b.cpu.raise(new GuestFault(VECTOR.GP, 0x40)), 'delivered');
    assert.equal(b.selectors(), '8:1234 10:7ff8');
    assert.deepEqual(b.frame(0x7ff8, 2, 4), ['40', '7000', '8', '202']);
    assert.equal(b.state.rflags, 0x2);
  });
  it('protected mode, to level 0 on the stack of the TSS', () => {
    const b = new Bench().protect(3);
    b.idt(0x80, 0x08, 0x1234, 0xee);
    b.state.rflags = 0x203;
    b.state.setGpr(GPR.RSP, 0x8888n);
    assert.equal(b.execute('cd 80'), 'ok');
    assert.equal(b.selectors(), '8:1234 10:8fec');
    assert.deepEqual(b.frame(0x8fec, 4, 5), ['7002', '1b', '203', '8888', '23']);
    assert.equal(b.state.cpl, 0);
  });
  it('protected mode, to level 0 by a 16-bit TSS', () => {
    const b = new Bench().protect(3);
    b.state.setSegment(SEG.TR, { selector: 0x28, base: BigInt(TSS), limit: 0x2b, attributes: 0x83 });
    b.put(TSS + 2, 2, 0x9800);
    b.put(TSS + 4, 2, 0x10);
    b.idt(14, 0x08, 0x1234, 0x8e);
    b.cpu.raise(new GuestFault(VECTOR.PF, 6, 0xdead_beefn));
    assert.equal(b.selectors(), '8:1234 10:97e8');
    assert.deepEqual(b.frame(0x97e8, 4, 6), ['6', '7000', '1b', '10002', '8000', '23']);
    assert.equal(b.state.system('cr2'), 0xdead_beefn);
  });
  it('virtual-8086 mode: segments first, all null afterwards', () => {
    const b = new Bench().virtual();
    b.idt(13, 0x08, 0x1234, 0x8e);
    b.cpu.raise(new GuestFault(VECTOR.GP, 0));
    assert.equal(b.selectors(), '8:1234 10:8fd8');
    const frame = ['0', '100', '1000', '33202', 'ff0', '2000', '3000', '4000', '5000', '6000'];
    assert.deepEqual(b.frame(0x8fd8, 4, 10), frame);
    assert.equal(modeName(b.state), 'protected-32');
    for (const index of [SEG.DS, SEG.ES, SEG.FS, SEG.GS]) assert.equal(b.state.selector(index), 0);
  });
  it('long mode, same level: aligned, SS:RSP always there', () => {
    const b = new Bench().long();
    b.idt(14, 0x08, 0x1234, 0x8e);
    b.state.setGpr(GPR.RSP, 0x7ff9n);
    b.cpu.raise(new GuestFault(VECTOR.PF, 2, 0xffff_8000_0000_0000n));
    assert.equal(b.selectors(), '8:1234 10:7fc0');
    assert.deepEqual(b.frame(0x7fc0, 8, 6), ['2', '7000', '8', '10002', '7ff9', '10']);
  });
  it('long mode, from level 3: RSP0 and a null SS', () => {
    const b = new Bench().long(3);
    b.idt(0x20, 0x08, 0x1234, 0x8e);
    b.state.rflags = 0x202;
    b.cpu.interrupt(0x20);
    assert.equal(b.selectors(), '8:1234 0:8fd8');
    assert.deepEqual(b.frame(0x8fd8, 8, 5), ['7000', '3b', '202', '8000', '23']);
    assert.equal(b.state.cpl, 0);
    assert.equal(b.state.rflags, 2);
  });
  it('long mode, IST 1: its stack, aligned, also at the same level; NMI stays blocked', () => {
    const b = new Bench().long();
    b.idt(2, 0x08, 0x1234, 0x8e, 1);
    b.cpu.interrupt(2, 'nmi');
    assert.equal(b.selectors(), '8:1234 10:9fd8');
    assert.deepEqual(b.frame(0x9fd8, 8, 5), ['7000', '8', '2', '8000', '10']);
    assert.equal(b.state.system('interruptibility'), 4n);
    assert.equal(b.execute('48 cf'), 'ok');
    assert.equal(b.selectors(), '8:7000 10:8000');
    assert.equal(b.state.system('interruptibility'), 0n);
  });
});

describe('delivery: refusals', () => {
  /** The first nested fault that a filter sees after INT 80h. */
  const nested = (
    prepare: (b: Bench) => void,
    event?: (b: Bench) => void,
    make = () => new Bench().protect(3),
  ): string => {
    const b = make();
    prepare(b);
    const seen: string[] = [];
    b.cpu.onEvent = (e) => {
      seen.push(`${e.vector}${e.errorCode === undefined ? '' : `:${e.errorCode.toString(16)}`}`);
      return seen.length === 2;
    };
    if (event) event(b);
    else b.execute('cd 80');
    return seen[1] ?? 'delivered';
  };
  const external = (b: Bench): void => void b.cpu.interrupt(0x80);
  const rows: [string, (b: Bench) => void, ((b: Bench) => void) | undefined, string][] = [
    ['beyond the IDT', (b) => b.state.setSystem('idtr.limit', 0x3ffn), undefined, '13:402'],
    ['beyond the IDT, from outside', (b) => b.state.setSystem('idtr.limit', 0x3ffn), external, '13:403'],
    ['no gate', (b) => b.idt(0x80, 8, 0, 0xe2), undefined, '13:402'],
    ['gate of a higher level', (b) => b.idt(0x80, 8, 0, 0x8e), undefined, '13:402'],
    ['gate of a higher level does not matter from outside', (b) => b.idt(0x80, 8, 0, 0x8e), external, 'delivered'],
    ['gate not present', (b) => b.idt(0x80, 8, 0, 0x6e), undefined, '11:402'],
    ['null code selector', (b) => b.idt(0x80, 0, 0, 0xee), undefined, '13:0'],
    ['null code selector, from outside', (b) => b.idt(0x80, 0, 0, 0xee), external, '13:1'],
    ['code beyond the GDT', (b) => b.idt(0x80, 0x200, 0, 0xee), undefined, '13:200'],
    ['code is data', (b) => b.idt(0x80, 0x10, 0, 0xee), external, '13:11'],
    ['code not present', (b) => (b.descriptor(8, 0, 0xf_ffff, 0x1a, 0xc), b.idt(0x80, 8, 0, 0xee)), undefined, '11:8'],
    ['TSS too short', (b) => (b.idt(0x80, 8, 0, 0xee), b.state.setSegment(SEG.TR, { ...b.state.segment(SEG.TR), limit: 8 })), undefined, '10:28'],
    ['null inner stack', (b) => (b.idt(0x80, 8, 0, 0xee), b.put(TSS + 8, 2, 0)), undefined, '10:0'],
    ['inner stack of another level', (b) => (b.idt(0x80, 8, 0, 0xee), b.put(TSS + 8, 2, 0x20)), undefined, '10:20'],
    ['inner stack not present', (b) => (b.idt(0x80, 8, 0, 0xee), b.descriptor(0x10, 0, 0xf_ffff, 0x12, 0xc)), external, '12:11'],
    ['no room on the inner stack', (b) => (b.idt(0x80, 8, 0, 0xee), b.descriptor(0x10, 0, 0xf, 0x92, 0x4)), undefined, '12:10'],
    ['handler beyond its segment', (b) => (b.idt(0x80, 8, 0x2000, 0xee), b.descriptor(8, 0, 0xfff, 0x9a, 0x4)), undefined, '13:0'],
  ]; // prettier-ignore
  for (const [name, prepare, event, want] of rows)
    it(`protected mode: ${name}: ${want}`, () => assert.equal(nested(prepare, event), want));

  it('virtual-8086 mode: INT n with IOPL 0 goes to the monitor as #GP(0), INT3 does not', () => {
    const make = () => new Bench().virtual(0);
    assert.equal(
      nested((b) => b.idt(0x80, 8, 0, 0xee), undefined, make),
      '13:0',
    );
    const b = make();
    b.idt(3, 8, 0x1234, 0xee);
    assert.equal(b.execute('cc'), 'ok');
    assert.equal(b.state.rip, 0x1234n);
  });
  it('virtual-8086 mode: the handler must be at level 0', () => {
    const make = () => new Bench().virtual();
    assert.equal(
      nested((b) => b.idt(0x80, 0x18, 0, 0xee), undefined, make),
      '13:18',
    );
  });
  it('long mode: the handler must be 64-bit code', () => {
    const prepare = (b: Bench): void => {
      b.descriptor(8, 0, 0xf_ffff, 0x9a, 0xc);
      b.idt(0x80, 8, 0, 0xee);
    };
    assert.equal(
      nested(prepare, undefined, () => new Bench().long(3)),
      '13:8',
    );
  });
  it('a fault on the way leaves registers as they were', () => {
    const b = new Bench().protect(3);
    b.idt(0x80, 8, 0x2000, 0xee);
    b.descriptor(8, 0, 0xfff, 0x9a, 0x4);
    b.idt(13, 0x18, 0x3000, 0x8f);
    b.state.rflags = 0x246;
    assert.equal(b.execute('cd 80'), 'ok');
    assert.equal(b.selectors(), '1b:3000 23:7ff0');
    assert.deepEqual(b.frame(0x7ff0, 4, 4), ['0', '7000', '1b', '10246']);
  });
});

describe('delivery: a fault while delivering one (SDM table 6-5)', () => {
  const at = (vector: number, kind: PendingEvent['kind'] = 'fault'): PendingEvent => ({ vector, kind, returnRip: 0n });
  const { GP, PF, UD, NP, DF, DE } = VECTOR;
  const rows: [PendingEvent, number, number | undefined][] = [
    [at(UD), GP, GP], [at(UD), PF, PF], [at(GP), UD, UD], [at(GP), NP, DF], [at(DE), GP, DF], [at(GP), PF, PF],
    [at(PF), GP, DF], [at(PF), PF, DF], [at(PF), UD, UD], [at(DF), GP, undefined], [at(DF), PF, undefined], [at(DF), UD, UD],
    [at(GP, 'int'), GP, GP], [at(PF, 'interrupt'), PF, PF],
  ]; // prettier-ignore
  for (const [first, second, want] of rows)
    it(`${first.vector} (${first.kind}), then ${second}: ${want ?? 'shutdown'}`, () =>
      assert.equal(combine(first, new GuestFault(second, 0), 0n)?.vector, want));

  it('an empty IDT is a triple fault', () => {
    const b = new Bench().protect();
    b.state.setSystem('idtr.limit', 0n);
    let fatal: number | undefined;
    b.cpu.onTripleFault = (e) => (fatal = e.vector);
    assert.equal(b.cpu.raise(new GuestFault(VECTOR.UD)), 'shutdown');
    assert.equal(fatal, VECTOR.DF);
    assert.equal(b.state.system('activity'), ACTIVITY.shutdown);
  });
  it('an event that a filter holds back is delivered later as it was', () => {
    const b = new Bench().protect();
    b.idt(0x40, 8, 0x1234, 0x8e);
    b.cpu.onEvent = () => true;
    assert.equal(b.cpu.interrupt(0x40), 'held');
    assert.equal(b.selectors(), '8:7000 10:8000');
    const saved = b.cpu.save();
    b.cpu.restore(saved);
    assert.equal(deliver(b.cpu, b.cpu.heldEvent!, true), 'delivered');
    assert.equal(b.selectors(), '8:1234 10:7ff4');
  });
});
