/**
 * The timer of a local APIC: one-shot, periodic, TSC-deadline. Source: SDM vol. 3A section 10.5.4.
 * Its input clock is 1 GHz, one tick a nanosecond, so that every division is exact.
 */
import { NS_PER_INSTRUCTION } from '../util/time';
import type { Clock } from './bus';

export interface TimerSaved {
  /** 0 one-shot, 1 periodic, 2 TSC-deadline, as in the LVT. */
  mode: number;
  initial: number;
  divideRegister: number;
  /** When the count reaches 0; -1: stopped. Not used by TSC-deadline. */
  expiryNs: number;
  /** Decimal: the counter has 64 bits. '0': not armed. */
  tscDeadline: string;
}

/** Divide configuration: bits 3, 1, 0 (figure 10-10). */
const divisorOf = (register: number): number => {
  const code = ((register >> 1) & 4) | (register & 3);
  return code === 7 ? 1 : 2 << code;
};

/** The TSC counts instructions; what the guest added to it is taken off. */
const inNs = (instructions: bigint): number => {
  const ns = Number(instructions) * NS_PER_INSTRUCTION;
  return ns > Number.MAX_SAFE_INTEGER ? Infinity : Math.max(0, ns);
};

export class ApicTimer {
  private s = ApicTimer.initial();

  constructor(
    private readonly clock: Clock,
    private readonly tscOffset: () => bigint,
    private readonly expire: () => void,
  ) {}

  private static initial(): TimerSaved {
    return { mode: 0, initial: 0, divideRegister: 0, expiryNs: -1, tscDeadline: '0' };
  }

  reset(): void {
    this.s = ApicTimer.initial();
  }
  save(): TimerSaved {
    return { ...this.s };
  }
  restore(saved: TimerSaved): void {
    this.s = { ...saved };
  }

  deadline(): number {
    if (this.s.mode !== 2) return this.s.expiryNs < 0 ? Infinity : this.s.expiryNs;
    if (this.s.tscDeadline === '0') return Infinity;
    const { due, s } = this;
    const offset = this.tscOffset();
    if (due.tsc !== s.tscDeadline || due.offset !== offset) this.due = { tsc: s.tscDeadline, offset, ns: inNs(BigInt(s.tscDeadline) - offset) }; // prettier-ignore
    return this.due.ns;
  }
  /** The last answer in TSC-deadline mode: the question comes with every access to a device. */
  private due = { tsc: '', offset: 0n, ns: Infinity };

  tick(): void {
    const now = this.clock.now();
    const deadline = this.deadline();
    if (deadline > now) return;
    if (this.s.mode === 2) this.s.tscDeadline = '0';
    else if (this.s.mode === 1 && this.s.initial > 0) {
      const period = this.s.initial * this.divisor;
      this.s.expiryNs = deadline + (Math.floor((now - deadline) / period) + 1) * period;
    } else this.s.expiryNs = -1;
    this.expire();
  }

  get mode(): number {
    return this.s.mode;
  }
  /** Entering or leaving TSC-deadline mode disarms (section 10.5.4.1). */
  set mode(mode: number) {
    if ((mode === 2) !== (this.s.mode === 2)) {
      this.s.expiryNs = -1;
      this.s.tscDeadline = '0';
    }
    this.s.mode = mode;
  }

  get initial(): number {
    return this.s.initial;
  }
  start(initial: number): void {
    if (this.s.mode === 2) return;
    this.s.initial = initial >>> 0;
    this.s.expiryNs = this.s.initial === 0 ? -1 : this.clock.now() + this.s.initial * this.divisor;
  }

  get current(): number {
    if (this.s.mode === 2 || this.s.expiryNs < 0) return 0;
    return Math.max(0, Math.ceil((this.s.expiryNs - this.clock.now()) / this.divisor));
  }

  get divideRegister(): number {
    return this.s.divideRegister;
  }
  set divideRegister(value: number) {
    const left = this.current;
    this.s.divideRegister = value & 0x0b;
    if (this.s.expiryNs >= 0) this.s.expiryNs = this.clock.now() + left * this.divisor;
  }

  get tscDeadline(): bigint {
    return BigInt(this.s.tscDeadline);
  }
  set tscDeadline(value: bigint) {
    if (this.s.mode === 2) this.s.tscDeadline = value.toString();
  }

  private get divisor(): number {
    return divisorOf(this.s.divideRegister);
  }
}
