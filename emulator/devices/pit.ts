/**
 * 8254 programmable interval timer, and port 61h, which gates its third counter and reads its output.
 * Source: Intel 8254 data sheet (231164-005); port 61h: 82371AB (PIIX4) data sheet 290562, section "NMI status".
 *
 * Nothing ticks: every question about a counter is answered from the tick at which it was loaded.
 * Not emulated: the speaker's sound; NMI causes in port 61h (parity, IOCHK: never raised); the undefined first
 * value of a counter that is read before its count was loaded (reads as 0).
 */
import type { Clock, Device, Inspection, Line } from './bus';
import { nsOfTick, ticksAt } from './clock';
import { elapsed, fromBcd, idle, modulus, nextPhase, nextRise, output, value } from './pit-counter';
import type { Counter } from './pit-counter';

export const PIT_HZ = 1_193_182;
/** Port 61h bit 4 toggles with each DRAM refresh request, every 15.085 us. */
const REFRESH_NS = 15_085;
const MODE_PORT = 0x43;
const PORT_B = 0x61;

interface Saved {
  counters: Counter[];
  /** Tick up to which output edges of counter 0 were told. */
  seen: number;
  speaker: number;
}

export class Pit implements Device<Saved> {
  readonly name = 'pit';
  readonly ports = [
    { first: 0x40, last: 0x43 },
    { first: PORT_B, last: PORT_B },
  ];
  private state: Saved = Pit.initial();

  /** `irq0`: the output of counter 0. */
  constructor(
    private readonly clock: Clock,
    private readonly irq0: Line,
  ) {}

  private static initial(): Saved {
    return { counters: [idle(true), idle(true), idle(false)], seen: 0, speaker: 0 };
  }

  reset(): void {
    this.state = Pit.initial();
    this.state.seen = ticksAt(this.clock.now(), PIT_HZ);
    this.irq0.set(true);
  }
  save(): Saved {
    return structuredClone(this.state);
  }
  restore(saved: Saved): void {
    this.state = structuredClone(saved);
  }

  deadline(): number {
    const rise = nextRise(this.state.counters[0]!, this.state.seen);
    return rise === Infinity ? Infinity : nsOfTick(rise, PIT_HZ);
  }

  tick(): void {
    this.advance();
  }

  readPort(port: number): number {
    const tick = this.advance();
    if (port === PORT_B) {
      const refresh = (Math.floor(this.clock.now() / REFRESH_NS) & 1) << 4;
      return this.state.speaker | refresh | (output(this.state.counters[2]!, tick) ? 0x20 : 0);
    }
    if (port === MODE_PORT) return 0xff; // write-only: the bus floats
    return this.readCounter(this.state.counters[port & 3]!, tick);
  }

  writePort(port: number, _bytes: number, byte: number): void {
    const tick = this.advance();
    if (port === PORT_B) {
      this.state.speaker = byte & 0x0f;
      this.setGate(this.state.counters[2]!, (byte & 1) !== 0, tick);
    } else if (port === MODE_PORT) this.control(byte, tick);
    else this.writeCounter(this.state.counters[port & 3]!, byte, tick);
    this.irq0.set(output(this.state.counters[0]!, tick));
  }

  inspect(): Inspection {
    const tick = ticksAt(this.clock.now(), PIT_HZ);
    const result: Inspection = { port61: this.state.speaker };
    this.state.counters.forEach((c, i) => {
      result[`counter${i}`] =
        `mode ${c.mode}, count ${c.count}, now ${value(c, tick)}, OUT ${output(c, tick) ? 1 : 0}, GATE ${c.gate ? 1 : 0}`;
      result[`counter${i}.reload`] = c.written;
    });
    return result;
  }
  readonly editable = ['port61', 'counter0.reload', 'counter1.reload', 'counter2.reload'];
  /** A count as if written whole: in force when the counter would take it. */
  edit(register: string, value: number): void {
    if (register === 'port61') return this.writePort(PORT_B, 1, value);
    const tick = this.advance();
    const counter = this.state.counters[Number(register['counter'.length])]!;
    this.load(counter, value % modulus(counter) || modulus(counter), tick);
    this.irq0.set(output(this.state.counters[0]!, tick));
  }

  /** Loads what is due and tells edges of counter 0 up to now; the current tick. */
  private advance(): number {
    const tick = ticksAt(this.clock.now(), PIT_HZ);
    const first = this.state.counters[0]!;
    const rose = nextRise(first, this.state.seen) <= tick;
    for (const c of this.state.counters) {
      if (c.nextStart < 0 || c.nextStart > tick) continue;
      c.count = c.nextCount;
      c.start = nextPhase(c);
      c.nextStart = -1;
      c.frozen = (c.mode === 0 || c.mode === 4) && !c.gate ? 0 : -1;
    }
    this.state.seen = tick;
    if (rose) {
      // However many periods passed: one edge, which is all that an interrupt controller can hold.
      this.irq0.set(false);
      this.irq0.set(true);
    }
    this.irq0.set(output(first, tick));
    return tick;
  }

  private control(byte: number, tick: number): void {
    const select = byte >> 6;
    const rw = (byte >> 4) & 3;
    if (select === 3) {
      // Read-back: status and count are latched together, active low bits (figure 12).
      this.state.counters.forEach((c, i) => {
        if (!((byte >> (i + 1)) & 1)) return;
        if (!(byte & 0x20)) this.latchCount(c, tick);
        if (!(byte & 0x10) && c.status < 0) c.status = this.statusOf(c, tick);
      });
      return;
    }
    const c = this.state.counters[select]!;
    if (rw === 0) return this.latchCount(c, tick);
    const mode = (byte >> 1) & 7;
    const gate = c.gate;
    Object.assign(c, idle(gate), { mode: mode > 5 ? mode - 4 : mode, access: rw, bcd: (byte & 1) !== 0 });
  }

  private latchCount(c: Counter, tick: number): void {
    if (c.latch >= 0) return;
    c.latch = value(c, tick);
  }

  private statusOf(c: Counter, tick: number): number {
    const nullCount = c.count === 0 || c.nextStart >= 0;
    return (output(c, tick) ? 0x80 : 0) | (nullCount ? 0x40 : 0) | (c.access << 4) | (c.mode << 1) | (c.bcd ? 1 : 0);
  }

  private readCounter(c: Counter, tick: number): number {
    if (c.status >= 0) {
      const status = c.status;
      c.status = -1;
      return status;
    }
    const count = c.latch >= 0 ? c.latch : value(c, tick);
    const high = c.access === 2 || (c.access === 3 && c.readHigh);
    if (c.access === 3) c.readHigh = !c.readHigh;
    if (c.access !== 3 || high) c.latch = -1;
    return high ? count >> 8 : count & 0xff;
  }

  private writeCounter(c: Counter, byte: number, tick: number): void {
    if (c.access === 3 && c.low < 0) {
      c.low = byte;
      if (c.mode === 0) {
        // The first byte stops the counter and OUT falls at once (data sheet, mode 0).
        c.count = 0;
        c.nextStart = -1;
      }
      return;
    }
    const raw = c.access === 1 ? byte : c.access === 2 ? byte << 8 : c.low | (byte << 8);
    c.low = -1;
    const count = c.bcd ? fromBcd(raw) : raw;
    this.load(c, count === 0 ? modulus(c) : count, tick);
  }

  private load(c: Counter, count: number, tick: number): void {
    c.written = count;
    if (c.mode === 1 || c.mode === 5) return; // until the gate rises
    if (c.mode === 0) c.count = 0;
    if (c.mode === 0 || c.mode === 4) return this.schedule(c, tick + 1);
    if (!c.gate) return; // until the gate rises
    if (c.count === 0) return this.schedule(c, tick + 1);
    // Modes 2 and 3 finish the period, or half period, that is under way.
    const clocks = elapsed(c, tick);
    const period = clocks - (clocks % c.count);
    const half = Math.ceil(c.count / 2);
    if (c.mode === 3 && clocks % c.count < half) return this.schedule(c, c.start + period + half, true);
    this.schedule(c, c.start + period + c.count);
  }

  private schedule(c: Counter, tick: number, low = false): void {
    c.nextCount = c.written;
    c.nextStart = tick;
    c.nextLow = low;
  }

  private setGate(c: Counter, gate: boolean, tick: number): void {
    if (c.gate === gate) return;
    c.gate = gate;
    if (c.mode === 0 || c.mode === 4) {
      if (!gate) c.frozen = elapsed(c, tick);
      else {
        c.start = tick - Math.max(0, c.frozen);
        c.frozen = -1;
      }
    } else if (gate) {
      if (c.written !== 0) this.schedule(c, tick + 1);
    } else if (c.mode === 2 || c.mode === 3) {
      c.frozen = elapsed(c, tick);
      c.nextStart = -1; // the rising gate will load what was written
    }
  }
}
