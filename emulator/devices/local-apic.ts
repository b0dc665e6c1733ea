/**
 * Local APIC of one processor: the xAPIC page and the x2APIC registers in front of local-apic-core.ts, which is the
 * processor's whole interrupt side (the 8259 behind LINT0, NMI, INIT, start-up).
 * Source: SDM vol. 3A chapter 10 (325384-080).
 *
 * Not emulated: SMI, the thermal and performance interrupts (their LVT entries are kept, nothing raises them), CMCI,
 * focus processor checking, level-triggered fixed interrupts on LINT pins (reported).
 */
import { DELIVERY } from './bus';
import type { Device, Inspection } from './bus';
import { LocalApicCore } from './local-apic-core';
import { hasBit } from './vector-set';
import type { LocalApicPins, LocalApicSaved } from './local-apic-core';
import {
  APIC, APIC_BASE, APIC_VERSION, ESR_BITS, LVT, LVT_NAMES, LVT_ORDER, LVT_WRITABLE, MSR_APIC_BASE, MSR_TSC_DEADLINE, MSR_X2APIC,
  SVR_ENABLE, SVR_WRITABLE, X2APIC_WRITABLE,
} from './local-apic-registers'; // prettier-ignore

/** Registers that a debugger may set, by their names in `inspect`. */
const EDITABLE: Readonly<Record<string, number>> = {
  tpr: APIC.TPR,
  svr: APIC.SVR,
  timerInitial: APIC.TIMER_INITIAL,
  ...Object.fromEntries(LVT_ORDER.map((offset) => [LVT_NAMES[offset], offset])),
};

export class LocalApic extends LocalApicCore implements Device<LocalApicSaved> {
  readonly name: string;

  constructor(id: number, pins: LocalApicPins) {
    super(id, pins);
    this.name = `local-apic${id}`;
  }

  // --- Model-specific registers

  readMsr(msr: number): bigint | undefined {
    if (msr === MSR_APIC_BASE) return BigInt(this.s.baseMsr);
    if (msr === MSR_TSC_DEADLINE) return this.timer.tscDeadline;
    const offset = (msr - MSR_X2APIC) * 16;
    if (!this.x2apic || offset < 0 || offset > APIC.SELF_IPI) return undefined;
    if (offset === APIC.ICR_LOW) return (BigInt(this.s.icrHigh) << 32n) | BigInt(this.s.icrLow);
    if (offset === APIC.DFR || offset === APIC.ICR_HIGH || offset === APIC.EOI || offset === APIC.APR) return undefined;
    const value = this.readRegister(offset);
    return value === undefined ? undefined : BigInt(value);
  }

  /** False: #GP. */
  writeMsr(msr: number, value: bigint): boolean {
    const done = this.setMsr(msr, value);
    this.pins.accessed();
    return done;
  }

  private setMsr(msr: number, value: bigint): boolean {
    if (msr === MSR_APIC_BASE) return this.writeBase(value);
    if (msr === MSR_TSC_DEADLINE) {
      this.timer.tscDeadline = value;
      return true;
    }
    const offset = (msr - MSR_X2APIC) * 16;
    if (!this.x2apic) return false;
    if (offset === APIC.ICR_LOW) {
      if (value & 0xfff3_3000n) return false;
      this.s.icrHigh = Number(value >> 32n);
      this.writeIcr(Number(value & 0xffff_ffffn));
      return true;
    }
    const writable = X2APIC_WRITABLE[offset];
    if (writable === undefined || value & ~BigInt(writable)) return false;
    if (offset === APIC.SELF_IPI) this.acceptFixed(Number(value), false);
    else this.writeRegister(offset, Number(value));
    return true;
  }

  // --- The page, when it is in force

  /** Guest-physical address of the xAPIC page; -1: disabled or in x2APIC mode. */
  get pageGpa(): number {
    if (!(this.s.baseMsr & APIC_BASE.ENABLE) || this.x2apic) return -1;
    return this.s.baseMsr - (this.s.baseMsr % 0x1000);
  }

  /** Registers are the low 4 bytes of each 16; the rest reads as 0. */
  readPage(offset: number, bytes: number): number {
    const shift = (offset & 15) * 8;
    if (shift >= 32) return 0;
    const value = this.readRegister(offset & 0xff0);
    if (value === undefined) this.error(ESR_BITS.REGISTER);
    const wide = (value ?? 0) >>> shift;
    return bytes === 4 ? wide : wide & ((1 << (bytes * 8)) - 1);
  }

  writePage(offset: number, bytes: number, value: number): void {
    if (bytes !== 4 || offset & 15) return this.pins.unsupported('local APIC: access other than 32 bits');
    if (offset === APIC.ICR_HIGH) this.s.icrHigh = (value & 0xff00_0000) >>> 0;
    else if (offset === APIC.ICR_LOW) this.writeIcr(value);
    else if (offset === APIC.ID) this.s.xapicId = value >>> 24;
    else if (offset === APIC.LDR) this.s.ldr = (value & 0xff00_0000) >>> 0;
    else if (offset === APIC.DFR) this.s.dfr = (value | 0x0fff_ffff) >>> 0;
    else if (offset !== APIC.SELF_IPI && offset in X2APIC_WRITABLE) this.writeRegister(offset, value);
    else if (this.readRegister(offset) === undefined) this.error(ESR_BITS.REGISTER);
    this.pins.accessed();
  }

  inspect(): Inspection {
    const vectors = (set: readonly number[]): string =>
      Array.from({ length: 256 }, (_, v) => v).filter((v) => hasBit(set, v)).join(' '); // prettier-ignore
    const result: Inspection = {
      mode: this.x2apic ? 'x2APIC' : this.s.baseMsr & APIC_BASE.ENABLE ? 'xAPIC' : 'disabled',
      enabled: this.enabled, base: this.s.baseMsr, tpr: this.s.tpr, ppr: this.ppr(), svr: this.s.svr, ldr: this.s.ldr,
      irr: vectors(this.s.irr), isr: vectors(this.s.isr), tmr: vectors(this.s.tmr), esr: this.s.esr,
      icr: this.s.icrLow, timerInitial: this.timer.initial, timerCurrent: this.timer.current,
      tscDeadline: this.timer.tscDeadline.toString(), nmi: this.s.nmi, init: this.s.init, sipi: this.s.sipi,
    }; // prettier-ignore
    LVT_ORDER.forEach((offset, i) => (result[LVT_NAMES[offset]] = this.s.lvt[i]!));
    return result;
  }
  readonly editable = Object.keys(EDITABLE);
  edit(register: string, value: number): void {
    this.writeRegister(EDITABLE[register]!, value >>> 0);
    this.update();
  }

  // --- Registers

  /** Undefined: no such register. */
  private readRegister(offset: number): number | undefined {
    if (offset >= APIC.ISR && offset < APIC.ESR) {
      const set = offset < APIC.TMR ? this.s.isr : offset < APIC.IRR ? this.s.tmr : this.s.irr;
      return set[(offset >> 4) & 7]!;
    }
    if (offset in LVT_WRITABLE) return this.lvtOf(offset);
    switch (offset) {
      case APIC.ID:
        return this.x2apic ? this.id : (this.s.xapicId << 24) >>> 0;
      case APIC.VERSION:
        return APIC_VERSION;
      case APIC.TPR:
        return this.s.tpr;
      case APIC.APR:
        return this.arbitration;
      case APIC.PPR:
        return this.ppr();
      case APIC.EOI:
        return 0;
      case APIC.LDR:
        return this.x2apic ? this.x2apicLdr() : this.s.ldr;
      case APIC.DFR:
        return this.s.dfr;
      case APIC.SVR:
        return this.s.svr;
      case APIC.ESR:
        return this.s.esr;
      case APIC.ICR_LOW:
        return this.s.icrLow;
      case APIC.ICR_HIGH:
        return this.s.icrHigh;
      case APIC.TIMER_INITIAL:
        return this.timer.initial;
      case APIC.TIMER_CURRENT:
        return this.timer.current;
      case APIC.TIMER_DIVIDE:
        return this.timer.divideRegister;
    }
    return undefined;
  }

  /** Registers that both interfaces write alike. */
  private writeRegister(offset: number, value: number): void {
    if (offset in LVT_WRITABLE) return this.writeLvt(offset, value);
    switch (offset) {
      case APIC.TPR:
        return this.setTpr(value);
      case APIC.EOI:
        return this.endOfInterrupt();
      case APIC.SVR:
        this.s.svr = value & SVR_WRITABLE;
        if (!(value & SVR_ENABLE)) this.s.lvt = this.s.lvt.map((entry) => entry | LVT.MASK);
        return;
      case APIC.ESR:
        this.s.esr = this.s.errors;
        this.s.errors = 0;
        return;
      case APIC.TIMER_INITIAL:
        return this.timer.start(value);
      case APIC.TIMER_DIVIDE:
        this.timer.divideRegister = value;
    }
  }

  private writeLvt(offset: number, value: number): void {
    const entry = (value & LVT_WRITABLE[offset]!) | (this.s.svr & SVR_ENABLE ? 0 : LVT.MASK);
    this.s.lvt[(offset - APIC.LVT_TIMER) >> 4] = entry;
    if (offset === APIC.LVT_TIMER) this.timer.mode = (entry >> 17) & 3;
    if (offset === APIC.LVT_LINT0) this.update();
  }

  /** Figure 10-12; in x2APIC mode the destination has 32 bits (figure 10-28). */
  private writeIcr(low: number): void {
    this.s.icrLow = low & 0xc_cfff;
    const delivery = (low >> 8) & 7;
    const vector = low & 0xff;
    // INIT level de-assert only resets arbitration ids, which nothing has any more.
    if (delivery === DELIVERY.INIT && (low & 0xc000) === 0x8000) return;
    if (vector < 16 && (delivery === DELIVERY.FIXED || delivery === DELIVERY.LOWEST)) {
      return this.error(ESR_BITS.SEND_VECTOR);
    }
    const shorthand = (low >> 18) & 3;
    const destination = this.x2apic ? this.s.icrHigh : this.s.icrHigh >>> 24;
    const logical = (low & 0x800) !== 0;
    const everyone = destination === (this.x2apic ? 0xffff_ffff : 0xff) && (this.x2apic || !logical);
    const message = {
      destination,
      logical,
      broadcast: shorthand >= 2 || (shorthand === 0 && everyone),
      delivery,
      vector,
      level: false,
    };
    if (shorthand === 1) this.accept({ ...message, delivery: DELIVERY.FIXED });
    else this.pins.send(message, shorthand === 3 ? this : undefined);
  }

  /** False: #GP. Transitions of figure 10-27. */
  private writeBase(value: bigint): boolean {
    if (value & ~0xf_ffff_ffff_fd00n || value >= 1n << 52n) return false;
    const next = Number(value);
    const mode = next & (APIC_BASE.ENABLE | APIC_BASE.X2APIC);
    const before = this.s.baseMsr & (APIC_BASE.ENABLE | APIC_BASE.X2APIC);
    if (mode === APIC_BASE.X2APIC) return false;
    if (before & APIC_BASE.X2APIC && mode === APIC_BASE.ENABLE) return false;
    if (before === 0 && mode & APIC_BASE.X2APIC) return false;
    if (mode === 0 && before !== 0) {
      const { lint } = this.s;
      this.timer.reset();
      this.s = { ...this.initial(), lint };
    }
    // The BSP flag is the hardware's.
    this.s.baseMsr = next - (next & APIC_BASE.BSP) + (this.id === 0 ? APIC_BASE.BSP : 0);
    this.update();
    return true;
  }
}
