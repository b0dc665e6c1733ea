import assert from 'node:assert/strict';
import { ApicBus } from '../../../emulator/devices/apic-bus';
import { DELIVERY } from '../../../emulator/devices/bus';
import { IoApic } from '../../../emulator/devices/io-apic';
import { LocalApic } from '../../../emulator/devices/local-apic';
import { APIC } from '../../../emulator/devices/local-apic-registers';
import { NS_PER_INSTRUCTION } from '../../../emulator/util/time';
import { TestClock, nobody } from './support';

function bench(cpus = 1) {
  const clock = new TestClock();
  const bus = new ApicBus(nobody);
  const attention = new Array<number>(cpus).fill(0);
  const state = { external: 0, tscOffset: 0n };
  const apics = Array.from({ length: cpus }, (_, cpu) => {
    const apic: LocalApic = new LocalApic(cpu, {
      clock,
      attention: () => void attention[cpu]!++,
      acknowledgeExternal: () => (apic.lint(0).set(false), 0x33),
      send: (message, except) => bus.send(message, except),
      endOfInterrupt: (vector) => bus.endOfInterrupt(vector),
      accessed: () => {},
      unsupported: nobody,
      tscOffset: () => state.tscOffset,
    });
    bus.addLocal(apic);
    apic.writePage(APIC.SVR, 4, 0x1ff);
    return apic;
  });
  const ioApic = new IoApic(0xfec0_0000, cpus, (message) => bus.send(message));
  bus.onEoi((vector) => ioApic.endOfInterrupt(vector));
  const redirect = (pin: number, low: number, destination: number): void => {
    for (const [index, value] of [[0x11 + pin * 2, (destination << 24) >>> 0], [0x10 + pin * 2, low]] as const) {
      ioApic.writeMmio(0xfec0_0000, 4, index);
      ioApic.writeMmio(0xfec0_0010, 4, value);
    }
  }; // prettier-ignore
  const entry = (pin: number): number => {
    ioApic.writeMmio(0xfec0_0000, 4, 0x10 + pin * 2);
    return ioApic.readMmio(0xfec0_0010);
  };
  const fixed = (apic: LocalApic, vector: number): void =>
    apic.accept({ destination: 0, logical: false, broadcast: false, delivery: DELIVERY.FIXED, vector, level: false });
  const eoi = (apic: LocalApic): void => apic.writePage(APIC.EOI, 4, 0);
  return { clock, bus, attention, state, apics, apic: apics[0]!, ioApic, redirect, entry, fixed, eoi };
}

describe('local apic', () => {
  it('takes vectors by priority class, nests higher ones, ends the highest', () => {
    const { apic, fixed, eoi } = bench();
    fixed(apic, 0x41);
    fixed(apic, 0x52);
    assert.equal(apic.acknowledge(), 0x52);
    assert.equal(apic.pending(), false, '41h waits for class 5');
    assert.equal(apic.readPage(APIC.PPR, 4), 0x50);
    fixed(apic, 0x5f);
    assert.equal(apic.pending(), false, 'the same class does not nest');
    fixed(apic, 0x61);
    assert.equal(apic.acknowledge(), 0x61);
    eoi(apic);
    eoi(apic);
    assert.equal(apic.acknowledge(), 0x5f);
    eoi(apic);
    assert.equal(apic.acknowledge(), 0x41);
  });
  it('obeys the task priority', () => {
    const { apic, fixed, attention } = bench();
    apic.setTpr(0x40);
    fixed(apic, 0x4f);
    assert.equal(apic.pending(), false);
    attention[0] = 0;
    apic.setTpr(0x30);
    assert.equal(apic.pending(), true);
    assert.equal(attention[0], 1);
  });
  it('shows IRR, ISR and TMR in their words', () => {
    const { apic, bus } = bench();
    bus.send({ destination: 0, logical: false, broadcast: false, delivery: DELIVERY.FIXED, vector: 0x93, level: true });
    assert.equal(apic.readPage(APIC.IRR + 0x40, 4), 1 << 19);
    assert.equal(apic.readPage(APIC.TMR + 0x40, 4), 1 << 19);
    apic.acknowledge();
    assert.equal(apic.readPage(APIC.IRR + 0x40, 4), 0);
    assert.equal(apic.readPage(APIC.ISR + 0x40, 4), 1 << 19);
  });
  it('refuses vectors below 16 and says so in ESR', () => {
    const { apic, fixed } = bench();
    apic.writePage(APIC.LVT_ERROR, 4, 0xfe);
    fixed(apic, 0x0f);
    assert.equal(apic.readPage(APIC.ESR, 4), 0, 'only after a write');
    apic.writePage(APIC.ESR, 4, 0);
    assert.equal(apic.readPage(APIC.ESR, 4), 0x40);
    assert.equal(apic.acknowledge(), 0xfe);
  });
  it('takes nothing while software-disabled, and masks its local vectors', () => {
    const { apic, fixed } = bench();
    apic.writePage(APIC.LVT_LINT0, 4, 0x700);
    apic.writePage(APIC.SVR, 4, 0xff);
    fixed(apic, 0x55);
    assert.equal(apic.pending(), false);
    assert.equal(apic.readPage(APIC.LVT_LINT0, 4), 0x1_0700);
    apic.writePage(APIC.LVT_LINT0, 4, 0x700);
    assert.equal(apic.readPage(APIC.LVT_LINT0, 4), 0x1_0700, 'the mask cannot be cleared');
  });
  it('passes the 8259 through LINT0, and directly when disabled in IA32_APIC_BASE', () => {
    const { apic } = bench();
    apic.lint(0).set(true);
    assert.equal(apic.pending(), false, 'masked after reset');
    apic.writePage(APIC.LVT_LINT0, 4, 0x700);
    assert.equal(apic.pending(), true);
    apic.setTpr(0xff);
    assert.equal(apic.pending(), true, 'ExtINT has no priority');
    assert.equal(apic.acknowledge(), 0x33);
    assert.equal(apic.pending(), false);
    assert.equal(apic.writeMsr(0x1b, 0xfee0_0100n), true);
    apic.lint(0).set(true);
    assert.equal(apic.pending(), true);
    assert.equal(apic.pageGpa, -1);
  });
  it('counts down once, or again and again, at any division', () => {
    for (const [code, divisor] of [[0xb, 1], [0x0, 2], [0x3, 16], [0xa, 128]] as const) {
      const { apic, clock } = bench();
      apic.writePage(APIC.TIMER_DIVIDE, 4, code);
      apic.writePage(APIC.LVT_TIMER, 4, 0x40);
      clock.ns = 1000;
      apic.writePage(APIC.TIMER_INITIAL, 4, 100);
      clock.ns += 10 * divisor;
      assert.equal(apic.readPage(APIC.TIMER_CURRENT, 4), 90);
      assert.equal(apic.deadline(), 1000 + 100 * divisor);
      clock.ns = apic.deadline();
      apic.tick();
      assert.equal(apic.acknowledge(), 0x40);
      assert.equal(apic.deadline(), Infinity);
      assert.equal(apic.readPage(APIC.TIMER_CURRENT, 4), 0);
    }
    const { apic, clock, eoi } = bench();
    apic.writePage(APIC.TIMER_DIVIDE, 4, 0xb);
    apic.writePage(APIC.LVT_TIMER, 4, 0x2_0040);
    apic.writePage(APIC.TIMER_INITIAL, 4, 500);
    for (const [now, next] of [[500, 1000], [1000, 1500], [2999, 3000], [3000, 3500]] as const) {
      clock.ns = now;
      apic.tick();
      assert.equal(apic.acknowledge(), 0x40);
      eoi(apic);
      assert.equal(apic.deadline(), next);
    }
  }); // prettier-ignore
  it("fires when the TSC reaches the deadline, the guest's offset included", () => {
    const { apic, clock, state } = bench();
    apic.writePage(APIC.LVT_TIMER, 4, 0x4_0040);
    state.tscOffset = 5000n;
    apic.writeMsr(0x6e0, 6000n);
    assert.equal(apic.readMsr(0x6e0), 6000n);
    assert.equal(apic.deadline(), 1000 * NS_PER_INSTRUCTION);
    clock.ns = apic.deadline();
    apic.tick();
    assert.equal(apic.acknowledge(), 0x40);
    assert.equal(apic.readMsr(0x6e0), 0n);
    apic.writePage(APIC.LVT_TIMER, 4, 0x40);
    apic.writeMsr(0x6e0, 9000n);
    assert.equal(apic.readMsr(0x6e0), 0n, 'ignored in other modes');
  });
  it('sends to all, all but itself, itself', () => {
    const { apics, apic } = bench(3);
    const pending = (): boolean[] => apics.map((a) => a.pending() && (a.acknowledge(), a.writePage(APIC.EOI, 4, 0), true));
    for (const [shorthand, expected] of [[1, [true, false, false]], [2, [true, true, true]], [3, [false, true, true]]] as const) {
      apic.writePage(APIC.ICR_LOW, 4, (shorthand << 18) | 0x77);
      assert.deepEqual(pending(), expected);
    }
    apic.writePage(APIC.ICR_HIGH, 4, 2 << 24);
    apic.writePage(APIC.ICR_LOW, 4, 0x77);
    assert.deepEqual(pending(), [false, false, true]);
    apic.writePage(APIC.ICR_HIGH, 4, 0xff00_0000);
    apic.writePage(APIC.ICR_LOW, 4, 0x77);
    assert.deepEqual(pending(), [true, true, true]);
  }); // prettier-ignore
  it('matches logical destinations, flat and by cluster', () => {
    const { apics } = bench(2);
    const [a, b] = apics as [LocalApic, LocalApic];
    a.writePage(APIC.LDR, 4, 0x0100_0000);
    b.writePage(APIC.LDR, 4, 0x0200_0000);
    assert.deepEqual([1, 2, 3, 4, 0xff].map((d) => [a.matches(d, true), b.matches(d, true)]), [
      [true, false], [false, true], [true, true], [false, false], [true, true],
    ]);
    for (const apic of apics) apic.writePage(APIC.DFR, 4, 0x0fff_ffff);
    a.writePage(APIC.LDR, 4, 0x2100_0000);
    b.writePage(APIC.LDR, 4, 0x3100_0000);
    assert.deepEqual([0x21, 0x31, 0x23, 0xf1, 0x11].map((d) => [a.matches(d, true), b.matches(d, true)]), [
      [true, false], [false, true], [true, false], [true, true], [false, false],
    ]);
  }); // prettier-ignore
  it('gives lowest-priority interrupts to the least busy', () => {
    const { apics, bus } = bench(3);
    apics[0]!.setTpr(0x50);
    apics[1]!.setTpr(0x20);
    apics[2]!.setTpr(0x20);
    bus.send({ destination: 0, logical: false, broadcast: true, delivery: DELIVERY.LOWEST, vector: 0x99, level: false });
    assert.deepEqual(apics.map((a) => a.pending()), [false, true, false]);
  }); // prettier-ignore
  it('starts another processor: INIT, then SIPI', () => {
    const { apics, apic, attention } = bench(2);
    apic.writePage(APIC.ICR_HIGH, 4, 1 << 24);
    apic.writePage(APIC.ICR_LOW, 4, 0xc500);
    assert.equal(apics[1]!.readPage(APIC.SVR, 4), 0xff, 'INIT resets the local APIC');
    apic.writePage(APIC.ICR_LOW, 4, 0x8500); // de-assert: nothing
    assert.deepEqual([apics[1]!.takeInit(), apics[1]!.takeInit()], [true, false]);
    apic.writePage(APIC.ICR_LOW, 4, 0x0699);
    assert.deepEqual([apics[1]!.takeSipi(), apics[1]!.takeSipi()], [0x99, -1]);
    apic.writePage(APIC.ICR_LOW, 4, 0x0400);
    assert.deepEqual([apics[1]!.takeNmi(), apics[1]!.takeNmi()], [true, false]);
    assert.ok(attention[1]! >= 3);
  });
  it('changes modes only as figure 10-27 allows', () => {
    const base = 0xfee0_0000n;
    const rows: [from: bigint[], value: bigint, ok: boolean][] = [
      [[], base | 0xd00n, true],
      [[], base | 0x500n, false],
      [[base | 0xc00n], base | 0x800n, false],
      [[base | 0xc00n], base, true],
      [[base], base | 0xc00n, false],
      [[base], base | 0x800n, true],
      [[], base | 0x801n, false],
      [[], (1n << 53n) | 0x800n, false],
      [[], 0xfed0_0000n | 0x800n, true],
    ];
    for (const [from, value, ok] of rows) {
      const { apic } = bench();
      for (const step of from) assert.equal(apic.writeMsr(0x1b, step), true);
      assert.equal(apic.writeMsr(0x1b, value), ok, value.toString(16));
    }
  });
  it('has x2APIC registers, which fault where the manual says', () => {
    const { apic, apics } = bench(2);
    assert.equal(apic.readMsr(0x802), undefined, 'not in xAPIC mode');
    for (const a of apics) a.writeMsr(0x1b, 0xfee0_0c00n);
    assert.equal(apic.pageGpa, -1);
    assert.deepEqual([apics[1]!.readMsr(0x802), apics[1]!.readMsr(0x80d), apic.readMsr(0x803)], [1n, 2n, 0x5_0014n]);
    assert.deepEqual([0x80e, 0x831, 0x80b, 0x83f].map((msr) => apic.readMsr(msr)), [undefined, undefined, undefined, undefined]);
    assert.equal(apic.writeMsr(0x830, (1n << 32n) | 0x66n), true);
    assert.equal(apics[1]!.acknowledge(), 0x66);
    assert.equal(apics[1]!.writeMsr(0x80b, 1n), false);
    assert.equal(apics[1]!.writeMsr(0x80b, 0n), true);
    assert.equal(apic.writeMsr(0x80f, 1n << 12n), false);
    assert.equal(apic.writeMsr(0x83f, 0x71n), true);
    assert.equal(apic.acknowledge(), 0x71);
    assert.equal(apic.writeMsr(0x802, 0n), false);
  }); // prettier-ignore
});

describe('io apic', () => {
  it('delivers an edge once, and not while masked', () => {
    const { ioApic, redirect, apic, eoi } = bench();
    redirect(4, 0x1_0034, 0);
    ioApic.setLine(4, true);
    redirect(4, 0x34, 0);
    assert.equal(apic.pending(), false, 'a masked edge is lost');
    ioApic.setLine(4, false);
    ioApic.setLine(4, true);
    ioApic.setLine(4, true);
    assert.equal(apic.acknowledge(), 0x34);
    eoi(apic);
    assert.equal(apic.pending(), false);
  });
  it('holds a level until the EOI, and repeats it while it lasts', () => {
    const { ioApic, redirect, entry, apic, eoi } = bench();
    redirect(16, 0xa035, 0);
    ioApic.setLine(16, true);
    assert.equal(entry(16), 0xe035, 'remote IRR');
    assert.equal(apic.acknowledge(), 0x35);
    eoi(apic);
    assert.equal(apic.acknowledge(), 0x35, 'again');
    ioApic.setLine(16, false);
    eoi(apic);
    assert.equal(apic.pending(), false);
    assert.equal(entry(16), 0xa035);
  });
  it('ends a level by its EOI register', () => {
    const { ioApic, redirect, entry } = bench();
    redirect(17, 0x8036, 0);
    ioApic.setLine(17, true);
    ioApic.setLine(17, false);
    ioApic.writeMmio(0xfec0_0040, 4, 0x36);
    assert.equal(entry(17), 0x8036);
  });
  it('identifies itself', () => {
    const { ioApic } = bench(3);
    const read = (index: number): number => (ioApic.writeMmio(0xfec0_0000, 4, index), ioApic.readMmio(0xfec0_0010));
    assert.deepEqual([read(0), read(1), read(0x10)], [0x0300_0000, 0x0017_0020, 0x1_0000]);
    ioApic.writeMmio(0xfec0_0000, 4, 0);
    ioApic.writeMmio(0xfec0_0010, 4, 0x0700_0000);
    assert.equal(read(0), 0x0700_0000);
  });
  it('delivers message-signalled interrupts', () => {
    const { apics, bus } = bench(2);
    bus.sendMsi(0xfee0_1000, 0x4055);
    assert.deepEqual(
      apics.map((a) => a.pending()),
      [false, true],
    );
  });
});
