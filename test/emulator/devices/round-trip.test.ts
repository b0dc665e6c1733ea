/** Every chip: whatever a guest does to it, it does not throw, its state is plain data, and a restored copy goes on alike. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { AcpiPm } from '../../../emulator/devices/acpi-pm';
import { ApicBus } from '../../../emulator/devices/apic-bus';
import type { Device } from '../../../emulator/devices/bus';
import { DebugExit } from '../../../emulator/devices/debug-exit';
import { Dma } from '../../../emulator/devices/dma';
import { Hpet } from '../../../emulator/devices/hpet';
import { IoApic } from '../../../emulator/devices/io-apic';
import { KeyboardController } from '../../../emulator/devices/keyboard';
import { LocalApic } from '../../../emulator/devices/local-apic';
import { PciHost } from '../../../emulator/devices/pci';
import { Pic } from '../../../emulator/devices/pic';
import { Pit } from '../../../emulator/devices/pit';
import { Port92 } from '../../../emulator/devices/port92';
import { Rtc } from '../../../emulator/devices/rtc';
import { SystemBus } from '../../../emulator/devices/system-bus';
import { Uart } from '../../../emulator/devices/uart';
import { Vga } from '../../../emulator/devices/vga';
import { TestClock, TestLine, checkPlain } from './support';

type Lines = TestLine[];
/** A chip, its outgoing wires, and what a test may do to it besides port and MMIO accesses. */
interface Sample {
  chip: Device;
  lines: Lines;
  poke?(n: number): void;
}

const quiet = (): void => {};
const wires = (count: number): Lines => Array.from({ length: count }, () => new TestLine());

function localApic(clock: TestClock): Sample {
  const bus = new ApicBus(quiet);
  const apic: LocalApic = new LocalApic(0, {
    clock, attention: quiet, acknowledgeExternal: () => 0x20, send: (m, e) => bus.send(m, e), endOfInterrupt: quiet,
    accessed: quiet, unsupported: quiet, tscOffset: () => 0n,
  }); // prettier-ignore
  bus.addLocal(apic);
  // The page as a range of addresses for this test.
  const chip: Device = {
    name: apic.name, mmio: [{ first: 0, last: 0xfff }],
    readMmio: (gpa, bytes) => apic.readPage(gpa & 0xff0, bytes),
    writeMmio: (gpa, _bytes, value) => apic.writePage(gpa & 0xff0, 4, value),
    deadline: () => apic.deadline(), tick: () => apic.tick(), reset: () => apic.reset(), save: () => apic.save(),
    restore: (saved) => apic.restore(saved as ReturnType<typeof apic.save>), inspect: () => apic.inspect(),
  }; // prettier-ignore
  const poke = (n: number): void => {
    if (n & 1 && apic.pending()) apic.acknowledge();
    else if (n & 2) apic.lint((n >> 2) & 1 ? 1 : 0).set((n & 8) !== 0);
    else if (n & 4) apic.writeMsr(0x800 + (n >> 8), BigInt(n));
    else apic.writeMsr(0x1b, 0xfee0_0000n | BigInt(n & 0xc00));
    apic.readMsr(0x800 + (n >> 8));
  };
  return { chip, lines: [], poke };
}

const CHIPS: Record<string, (clock: TestClock) => Sample> = {
  pit: (clock) => {
    const lines = wires(1);
    return { chip: new Pit(clock, lines[0]!), lines };
  },
  hpet: (clock) => {
    const lines = wires(6);
    const chip = new Hpet(0xfed0_0000, clock, { legacy: [lines[0]!, lines[1]!], route: (pin) => lines[pin - 18]! });
    return { chip, lines, poke: (n) => (n & 1 ? chip.fromPit : chip.fromRtc).set((n & 2) !== 0) };
  },
  pic: () => {
    const lines = wires(1);
    const chip = new Pic(lines[0]!, quiet);
    return { chip, lines, poke: (n) => (n & 0x100 ? void chip.acknowledge() : chip.setLine(n & 15, (n & 16) !== 0)) };
  },
  uart: (clock) => {
    const lines = wires(1);
    const chip = new Uart('com1', 0x3f8, clock, lines[0]!, quiet);
    return { chip, lines, poke: (n) => chip.type([n & 0xff, n >> 8]) };
  },
  rtc: (clock) => {
    const lines = wires(1);
    return { chip: new Rtc({ startSeconds: 1e9, memoryBytes: { low: 2 ** 28, high: 0 }, cpus: 1 }, clock, lines[0]!), lines };
  },
  keyboard: () => {
    const lines = wires(2);
    const chip = new KeyboardController({ irq1: lines[0]!, irq12: lines[1]!, a20: quiet, resetPulse: quiet, unsupported: quiet });
    return { chip, lines, poke: (n) => (n & 1 ? chip.moveMouse(n & 15, -3, n & 7) : chip.typeText('k')) };
  },
  vga: (clock) => ({ chip: new Vga(clock, quiet), lines: [] }),
  dma: () => ({ chip: new Dma(quiet), lines: [] }),
  port92: () => ({ chip: new Port92(quiet, quiet), lines: [] }),
  debugExit: () => ({ chip: new DebugExit(quiet, quiet), lines: [] }),
  pm: (clock) => {
    const lines = wires(1);
    const chip = new AcpiPm(0x600, clock, lines[0]!, quiet, quiet);
    return { chip, lines, poke: () => chip.pressPowerButton() };
  },
  pci: () => {
    const lines = wires(20);
    const pins = { decoder: new SystemBus(quiet), isaIrq: (n: number) => lines[n]!, pirq: (n: number) => lines[16 + n]!, resetPulse: quiet, shadow: quiet };
    return { chip: new PciHost(pins), lines };
  },
  ioApic: () => {
    const chip = new IoApic(0xfec0_0000, 1, quiet);
    return { chip, lines: [], poke: (n) => (n & 0x100 ? chip.endOfInterrupt(n & 0xff) : chip.setLine(n % 24, (n & 0x80) !== 0)) };
  },
  localApic,
}; // prettier-ignore

type Op = [kind: number, place: number, bytes: number, value: number];
const ops = fc.array(
  fc.tuple(fc.integer({ min: 0, max: 9 }), fc.nat(0xffff), fc.constantFrom(1, 2, 4), fc.integer({ min: 0, max: 0xffff_ffff })),
  { maxLength: 60 },
); // prettier-ignore

/** What the guest and the board can see. */
function play({ chip, lines, poke }: Sample, clock: TestClock, list: Op[]): unknown[] {
  const seen: unknown[] = [];
  const places = [...(chip.ports ?? []), ...(chip.mmio ?? [])].flatMap(({ first, last }) =>
    Array.from({ length: Math.min(64, last - first + 1) }, (_, i) => first + i * Math.max(1, Math.floor((last - first + 1) / 64))),
  );
  for (const [kind, place, width, raw] of list) {
    const at = places[place % places.length]!;
    const isPort = (chip.ports ?? []).some((r) => at >= r.first && at <= r.last);
    const bytes = Math.min(width, isPort ? (chip.portBytes ?? 1) : (chip.mmioBytes ?? 4));
    const value = bytes === 4 ? raw : raw % 2 ** (bytes * 8);
    if (kind < 4) isPort ? chip.writePort?.(at, bytes, value) : chip.writeMmio?.(at, bytes, value);
    else if (kind < 7) {
      const read = isPort ? chip.readPort?.(at, bytes) : chip.readMmio?.(at, bytes);
      if (read !== undefined) assert.ok(Number.isInteger(read) && read >>> 0 < 2 ** (bytes * 8), `${chip.name} read ${read} of ${bytes} bytes`);
      seen.push(read);
    } else if (kind < 9) {
      clock.ns += raw % 5_000_000;
      chip.tick?.();
    } else poke?.(raw & 0xffff);
    seen.push(chip.deadline?.(), ...lines.map((l) => l.level));
    assert.ok((chip.deadline?.() ?? Infinity) > -1);
  }
  return seen;
} // prettier-ignore

describe('every chip', () => {
  for (const [name, make] of Object.entries(CHIPS)) {
    it(`survives anything and restores exactly: ${name}`, () => {
      fc.assert(
        fc.property(ops, ops, (before, after) => {
          const clock = new TestClock();
          const original = make(clock);
          original.chip.reset();
          play(original, clock, before as Op[]);
          const saved: unknown = structuredClone(original.chip.save());
          checkPlain(saved, name);
          const clock2 = Object.assign(new TestClock(), { ns: clock.ns });
          const copy = make(clock2);
          copy.chip.restore(saved);
          original.lines.forEach((line, i) => (copy.lines[i]!.level = line.level));
          assert.deepEqual(copy.chip.save(), saved);
          copy.chip.inspect?.();
          assert.deepEqual(copy.chip.save(), saved, 'inspecting changes nothing');
          assert.deepEqual(play(copy, clock2, after as Op[]), play(original, clock, after as Op[]));
          assert.deepEqual(copy.chip.save(), original.chip.save());
        }),
        { numRuns: 150 },
      );
    });
  }
});
