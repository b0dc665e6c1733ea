import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Board } from '../../../emulator/machine/board';
import type { BoardSaved } from '../../../emulator/machine/board';
import { powerOnSelfTest } from '../../../emulator/machine/firmware/post';
import { APIC } from '../../../emulator/devices/local-apic-registers';
import { PciFunction } from '../../../emulator/devices/pci-function';
import { NO_MEMORY, TestClock, checkPlain } from '../devices/support';

const MIB = 0x10_0000;
const APIC_GPA = 0xfee0_0000;

function bench(cpus = 1) {
  const clock = new TestClock();
  const events: string[] = [];
  let console = '';
  const board = new Board(
    { memoryBytes: 64 * MIB, cpus },
    {
      clock,
      memory: NO_MEMORY,
      onConsole: (byte) => (console += String.fromCharCode(byte)),
      unsupported: (what) => events.push(what),
      powerOff: () => events.push('power off'),
      resetRequested: () => events.push('reset'),
      debugExit: (code) => events.push(`exit ${code}`),
      a20: (level) => events.push(`a20 ${level ? 1 : 0}`),
      cpuAttention: (cpu) => events.push(`attention ${cpu}`),
      deadlineMoved: () => events.push('deadline'),
    },
  );
  powerOnSelfTest(board.bus);
  events.length = 0;
  const { bus } = board;
  const cpu = board.interruptSource(0);
  const redirect = (pin: number, low: number): void => {
    bus.writeMmio(0xfec0_0000, 4, 0x10 + pin * 2);
    bus.writeMmio(0xfec0_0010, 4, low);
  };
  /** Waits for the next deadline. */
  const sleep = (): number => {
    clock.ns = board.nextDeadline();
    board.tick();
    return clock.ns;
  };
  return { clock, events, board, bus, cpu, redirect, sleep, console: () => console };
}

describe('board', () => {
  it('passes timer interrupts through the 8259 and LINT0 after power-on', () => {
    const { cpu, sleep, bus, events } = bench();
    assert.equal(cpu.pending(), false);
    const ns = sleep();
    assert.ok(Math.abs(ns - 54_925_400) < 10_000, `18.2 Hz, not ${ns}`);
    assert.equal(events.includes('attention 0'), true);
    assert.equal(cpu.pending(), true);
    assert.equal(cpu.acknowledge(), 0x08);
    assert.equal(cpu.pending(), false);
    bus.writePort(0x20, 1, 0x20);
    assert.ok(Math.abs(sleep() - 2 * ns) < 1000);
    assert.equal(cpu.acknowledge(), 0x08);
  });
  it('passes them through pin 2 of the I/O APIC', () => {
    const { cpu, sleep, bus, redirect } = bench();
    bus.writePort(0x21, 1, 0xff);
    redirect(2, 0x31);
    sleep();
    assert.equal(cpu.acknowledge(), 0x31);
    assert.equal(cpu.pending(), false);
  });
  it('passes the 8259 through pin 0 of the I/O APIC as ExtINT', () => {
    const { cpu, sleep, bus, redirect } = bench();
    bus.writeMmio(APIC_GPA + APIC.LVT_LINT0, 4, 0x1_0700);
    redirect(0, 0x700);
    for (let i = 0; i < 3; i++) {
      sleep();
      assert.equal(cpu.acknowledge(), 0x08);
      assert.equal(cpu.pending(), false);
      bus.writePort(0x20, 1, 0x20);
    }
  });
  it('leaves power-on with the keyboard working on IRQ1', () => {
    const { board, cpu, bus } = bench();
    board.typeKeyboard('a');
    assert.equal(cpu.acknowledge(), 0x09);
    assert.equal(bus.readPort(0x60, 1), 0x1e);
  });
  it('reaches IRQ8 and IRQ4 through the slave and the master', () => {
    const { bus, cpu, sleep, board } = bench();
    bus.writePort(0x21, 1, 0xe9); // IR1 off, cascade and COM1 on
    bus.writePort(0xa1, 1, 0xfe);
    bus.writePort(0x43, 1, 0x30); // timer silent
    bus.writePort(0x70, 1, 0x0b);
    bus.writePort(0x71, 1, 0x12);
    sleep();
    assert.equal(cpu.acknowledge(), 0x70);
    bus.writePort(0xa0, 1, 0x20);
    bus.writePort(0x20, 1, 0x20);
    bus.writePort(0x3fc, 1, 8);
    bus.writePort(0x3f9, 1, 1);
    board.typeConsole(Uint8Array.of(0x41));
    assert.equal(cpu.acknowledge(), 0x0c);
    assert.equal(bus.readPort(0x3f8, 1), 0x41);
  });
  it('sends console bytes out and shows the screen', () => {
    const { bus, console, board } = bench();
    for (const c of 'ok\n') bus.writePort(0x3f8, 1, c.charCodeAt(0));
    assert.equal(console(), 'ok\n');
    bus.writeMmio(0xb_8000, 4, 0x0742_0741);
    assert.equal(board.screen().text[0]!.slice(0, 2), 'AB');
  });
  it('opens A20 while either gate is open', () => {
    const { bus, events, board } = bench();
    assert.equal(board.a20Enabled, true);
    bus.writePort(0x92, 1, 2);
    bus.writePort(0x64, 1, 0xdd);
    assert.deepEqual(events, []);
    bus.writePort(0x92, 1, 0);
    bus.writePort(0x64, 1, 0xdf);
    assert.deepEqual(events, ['a20 0', 'a20 1']);
  });
  it('hears every way of asking for a reset, power-off and exit', () => {
    const { bus, events } = bench();
    bus.writePort(0x64, 1, 0xfe);
    bus.writePort(0x92, 1, 1);
    bus.writePort(0xcf9, 1, 6);
    bus.writePort(0x604, 2, 0x3400);
    bus.writePort(0xf4, 1, 0);
    assert.deepEqual(events, ['reset', 'reset', 'reset', 'power off', 'exit 1']);
  });
  it('is as new after power-on, whatever happened before', () => {
    const { board, clock, sleep, bus } = bench();
    const fresh = bench();
    fresh.board.powerOn();
    for (let i = 0; i < 30; i++) sleep();
    board.typeConsole(Uint8Array.of(1, 2, 3));
    bus.writePort(0x70, 1, 0x40);
    bus.writePort(0x71, 1, 0x77);
    clock.ns = 0;
    board.powerOn();
    assert.deepEqual(board.save(), fresh.board.save());
  });
  it('says when an access brings the deadline forward', () => {
    const { bus, events, board } = bench();
    const before = board.nextDeadline();
    bus.writeMmio(APIC_GPA + APIC.LVT_TIMER, 4, 0x40);
    assert.deepEqual(events, []);
    bus.writeMmio(APIC_GPA + APIC.TIMER_INITIAL, 4, 100);
    assert.deepEqual(events, ['deadline']);
    assert.equal(board.nextDeadline(), 200);
    assert.ok(before > 200);
    bus.writeMmio(0xb_8000, 4, 0);
    assert.deepEqual(events, ['deadline']);
  });
  it('gives each processor its own local APIC page', () => {
    const { board, events } = bench(2);
    const [a, b] = [board.busOf(0), board.busOf(1)];
    assert.deepEqual([a.readMmio(APIC_GPA + 0x20, 4), b.readMmio(APIC_GPA + 0x20, 4)], [0, 0x0100_0000]);
    a.writeMmio(APIC_GPA + APIC.ICR_HIGH, 4, 0x0100_0000);
    a.writeMmio(APIC_GPA + APIC.ICR_LOW, 4, 0x4500);
    assert.equal(board.interruptSource(1).takeInit(), true);
    assert.deepEqual(events, ['attention 1']);
    assert.equal(board.interruptSource(1).writeMsr(0x1b, 0xfee0_0000n), true);
    assert.equal(b.readMmio(APIC_GPA + 0x20, 4), 0xffff_ffff, 'disabled: nobody answers');
    assert.equal(board.interruptSource(0).readMsr(0x1b), 0xfee0_0900n, 'boot processor');
  });
  it('takes a PCI function and delivers its interrupt both ways', () => {
    const { board, cpu, bus, redirect } = bench();
    const card = new PciFunction({ name: 'card', slot: 20, function: 0, vendor: 1, device: 2, revision: 0, classCode: 0xff_0000, interruptPin: 1 });
    board.add(card);
    bus.writePort(0xa1, 1, 0x00);
    card.setInterrupt(true); // slot 20, INTA: PIRQD, IRQ11
    assert.equal(cpu.acknowledge(), 0x73);
    card.setInterrupt(false);
    redirect(19, 0xa044);
    bus.writePort(0xa1, 1, 0xff);
    card.setInterrupt(true);
    assert.equal(cpu.acknowledge(), 0x44);
  }); // prettier-ignore
  it('reports what is lacking once', () => {
    const { bus, events } = bench();
    for (let i = 0; i < 3; i++) {
      bus.readPort(0x300, 1);
      bus.readMmio(0xfed1_0000, 4);
      bus.readMmio(0xa_0000, 1);
    }
    assert.deepEqual(events, ['I/O port 0x300', 'memory-mapped I/O at gp:0xfed10000', 'VGA memory outside the mapped text window']);
  }); // prettier-ignore
  it('refuses a memory size that is none', () => {
    for (const memoryBytes of [0, MIB, 3 * MIB + 1, NaN]) {
      assert.throws(() => new Board({ memoryBytes, cpus: 1 }, {} as never), { name: 'UserError', message: /^memory: .* for example 256M/ });
    }
  }); // prettier-ignore

  it('survives any ports, and restores to the same future', () => {
    const port = fc.oneof(fc.constantFrom(0x20, 0x21, 0x40, 0x43, 0x60, 0x61, 0x64, 0x70, 0x71, 0xa0, 0xa1, 0x3f8, 0x3f9, 0x3fa, 0x3fc, 0x602, 0xcf8, 0xcfc), fc.nat(0xffff));
    const gpa = fc.oneof(fc.nat(0xff).map((n) => APIC_GPA + n * 16), fc.constantFrom(0xfec0_0000, 0xfec0_0010), fc.nat(0x1_ffff).map((n) => 0xa_0000 + n), fc.nat(0xffff_ffff));
    const op = fc.tuple(fc.nat(5), port, gpa, fc.constantFrom(1 as const, 2 as const, 4 as const), fc.nat(0xffff_ffff));
    const play = (b: ReturnType<typeof bench>, list: [number, number, number, 1 | 2 | 4, number][]): unknown[] => {
      const seen: unknown[] = [];
      for (const [kind, p, g, bytes, raw] of list) {
        const value = bytes === 4 ? raw : raw % 2 ** (bytes * 8);
        if (kind === 0) b.bus.writePort(p, bytes, value);
        else if (kind === 1) seen.push(b.bus.readPort(p, bytes));
        else if (kind === 2) b.bus.writeMmio(g, bytes, value);
        else if (kind === 3) seen.push(b.bus.readMmio(g, bytes));
        else if (kind === 4) {
          b.clock.ns = Math.min(b.board.nextDeadline(), b.clock.ns + raw % 100_000_000);
          b.board.tick();
        } else if (b.cpu.pending()) seen.push(b.cpu.acknowledge());
        seen.push(b.cpu.pending(), b.board.nextDeadline());
      }
      return seen;
    };
    fc.assert(
      fc.property(fc.array(op, { maxLength: 60 }), fc.array(op, { maxLength: 60 }), (before, after) => {
        const a = bench();
        play(a, before);
        const saved = structuredClone(a.board.save()) as BoardSaved;
        checkPlain(saved);
        const b = bench();
        b.clock.ns = a.clock.ns;
        b.board.restore(saved);
        assert.deepEqual(b.board.save(), saved);
        a.board.parts.forEach((part) => part.inspect?.());
        assert.deepEqual(a.board.save(), saved);
        assert.deepEqual(play(b, after), play(a, after));
        assert.deepEqual(b.board.save(), a.board.save());
      }),
      { numRuns: 100 },
    );
  }); // prettier-ignore
});
