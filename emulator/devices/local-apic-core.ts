/**
 * The interrupt logic of a local APIC: pending and serviced vectors, priorities, pins, messages. Its registers, as the
 * page and as MSRs, are local-apic.ts. Source: SDM vol. 3A chapter 10 (325384-080).
 */
import { DELIVERY } from './bus';
import type { Clock, InterruptMessage, Line, Unsupported } from './bus';
import { APIC, APIC_BASE, APIC_DEFAULT_GPA, ESR_BITS, LVT, LVT_ORDER, SVR_ENABLE } from './local-apic-registers';
import { clearBit, hasBit, highest, setBit, words } from './vector-set';
import { ApicTimer } from './local-apic-timer';
import type { TimerSaved } from './local-apic-timer';

/** What the board connects. */
export interface LocalApicPins {
  clock: Clock;
  /** An interrupt of deliverable priority, NMI, INIT or SIPI is pending. */
  attention(): void;
  /** INTA cycles to the 8259: the vector. */
  acknowledgeExternal(): number;
  send(message: InterruptMessage, except?: LocalApicCore): void;
  endOfInterrupt(vector: number): void;
  /** A register was written: deadlines may have moved. */
  accessed(): void;
  unsupported: Unsupported;
  /** What the guest's writes added to its TSC. */
  tscOffset(): bigint;
}

export interface LocalApicSaved {
  baseMsr: number;
  xapicId: number;
  tpr: number;
  ldr: number;
  dfr: number;
  svr: number;
  isr: number[];
  tmr: number[];
  irr: number[];
  esr: number;
  errors: number;
  icrLow: number;
  icrHigh: number;
  /** In the order of LVT_ORDER. */
  lvt: number[];
  /** Levels of LINT0, LINT1. */
  lint: boolean[];
  /** An I/O APIC said ExtINT: the 8259 is asked once. */
  external: boolean;
  nmi: boolean;
  init: boolean;
  sipi: number;
  timer: TimerSaved;
}

export abstract class LocalApicCore {
  protected s: LocalApicSaved;
  protected readonly timer: ApicTimer;
  /** Derived: a fixed interrupt outranks the processor's priority. */
  private ready = false;

  constructor(
    readonly id: number,
    protected readonly pins: LocalApicPins,
  ) {
    this.timer = new ApicTimer(pins.clock, pins.tscOffset, () => this.raiseLocal(APIC.LVT_TIMER));
    this.s = this.initial();
  }

  protected initial(): LocalApicSaved {
    return {
      baseMsr: APIC_DEFAULT_GPA + APIC_BASE.ENABLE + (this.id === 0 ? APIC_BASE.BSP : 0),
      xapicId: this.id, tpr: 0, ldr: 0, dfr: 0xffff_ffff, svr: 0xff, isr: words(), tmr: words(), irr: words(), esr: 0,
      errors: 0, icrLow: 0, icrHigh: 0, lvt: LVT_ORDER.map(() => LVT.MASK), lint: [false, false], external: false,
      nmi: false, init: false, sipi: -1, timer: this.timer.save(),
    }; // prettier-ignore
  }

  reset(): void {
    const { lint } = this.s;
    this.timer.reset();
    this.s = { ...this.initial(), lint };
    this.update();
  }
  save(): LocalApicSaved {
    return structuredClone({ ...this.s, timer: this.timer.save() });
  }
  restore(saved: LocalApicSaved): void {
    this.s = structuredClone(saved);
    this.timer.restore(this.s.timer);
    this.ready = this.isReady();
  }

  deadline(): number {
    return this.timer.deadline();
  }
  tick(): void {
    this.timer.tick();
  }

  // --- The processor's side

  pending(): boolean {
    return this.ready || this.externalPending();
  }

  /** The external controller first: its request cannot be held in IRR. */
  acknowledge(): number {
    if (this.externalPending()) {
      this.s.external = false;
      return this.pins.acknowledgeExternal();
    }
    const vector = highest(this.s.irr);
    if (!this.ready || vector < 0) return this.s.svr & 0xff; // spurious
    clearBit(this.s.irr, vector);
    setBit(this.s.isr, vector);
    this.update();
    return vector;
  }

  signals(): { nmi: boolean; init: boolean; sipi: boolean } {
    const { nmi, init, sipi } = this.s;
    return { nmi, init, sipi: sipi >= 0 };
  }
  takeNmi(): boolean {
    const { nmi } = this.s;
    this.s.nmi = false;
    return nmi;
  }
  takeInit(): boolean {
    const { init } = this.s;
    this.s.init = false;
    return init;
  }
  takeSipi(): number {
    const { sipi } = this.s;
    this.s.sipi = -1;
    return sipi;
  }

  /** The 8-bit task-priority register; CR8 is its high half (SDM vol. 3A section 10.8.6). */
  getTpr(): number {
    return this.s.tpr;
  }
  setTpr(value: number): void {
    this.s.tpr = value & 0xff;
    this.update();
  }

  // --- Pins and messages

  /** LINT0: INTR of the 8259, where the board connects it. LINT1: NMI. */
  lint(pin: 0 | 1): Line {
    return { set: (level) => this.setLint(pin, level) };
  }

  get enabled(): boolean {
    return (this.s.baseMsr & APIC_BASE.ENABLE) !== 0 && (this.s.svr & SVR_ENABLE) !== 0;
  }
  get arbitration(): number {
    const top = (set: readonly number[]): number => Math.max(0, highest(set)) & 0xf0;
    return Math.max(this.s.tpr & 0xf0, top(this.s.isr), top(this.s.irr));
  }

  matches(destination: number, logical: boolean): boolean {
    if (!(this.s.baseMsr & APIC_BASE.ENABLE)) return false;
    if (!logical) return destination === (this.x2apic ? this.id : this.s.xapicId);
    if (this.x2apic) {
      const ldr = this.x2apicLdr();
      return destination >>> 16 === ldr >>> 16 && (destination & ldr & 0xffff) !== 0;
    }
    const own = this.s.ldr >>> 24;
    if (this.s.dfr >>> 28 === 0xf) return (own & destination) !== 0;
    const cluster = destination >> 4;
    return (cluster === 0xf || cluster === own >> 4) && (own & destination & 0xf) !== 0;
  }

  accept(message: InterruptMessage): void {
    switch (message.delivery) {
      case DELIVERY.FIXED:
        return this.acceptFixed(message.vector, message.level);
      case DELIVERY.NMI:
        this.s.nmi = true;
        return this.pins.attention();
      case DELIVERY.INIT:
        return this.acceptInit();
      case DELIVERY.STARTUP:
        this.s.sipi = message.vector;
        return this.pins.attention();
      case DELIVERY.EXTINT:
        this.s.external = true;
        if (this.externalPending()) this.pins.attention();
        return;
    }
  }

  // --- Inside

  protected get x2apic(): boolean {
    return (this.s.baseMsr & APIC_BASE.X2APIC) !== 0;
  }

  protected x2apicLdr(): number {
    return (((this.id >>> 4) << 16) | (1 << (this.id & 15))) >>> 0;
  }

  protected lvtOf(offset: number): number {
    return this.s.lvt[(offset - APIC.LVT_TIMER) >> 4]!;
  }

  protected ppr(): number {
    const serving = highest(this.s.isr) & 0xf0;
    return this.s.tpr >> 4 >= serving >> 4 || highest(this.s.isr) < 0 ? this.s.tpr : serving;
  }

  private isReady(): boolean {
    const vector = highest(this.s.irr);
    return vector >= 0 && vector >> 4 > this.ppr() >> 4 && (this.s.baseMsr & APIC_BASE.ENABLE) !== 0;
  }

  protected update(): void {
    this.ready = this.isReady();
    if (this.pending()) this.pins.attention();
  }

  private externalPending(): boolean {
    if (!this.s.lint[0]) return false;
    // Disabled, LINT0 is the INTR pin (section 10.4.3).
    if (!(this.s.baseMsr & APIC_BASE.ENABLE) || this.s.external) return true;
    const entry = this.lvtOf(APIC.LVT_LINT0);
    return !(entry & LVT.MASK) && ((entry >> 8) & 7) === DELIVERY.EXTINT;
  }

  private setLint(pin: 0 | 1, level: boolean): void {
    if (this.s.lint[pin] === level) return;
    this.s.lint[pin] = level;
    if (pin === 0 && this.externalPending()) return this.pins.attention();
    if (!level) return;
    if (!(this.s.baseMsr & APIC_BASE.ENABLE)) {
      if (pin === 1) this.accept({ ...NMI_MESSAGE });
      return;
    }
    const offset = pin === 0 ? APIC.LVT_LINT0 : APIC.LVT_LINT1;
    if (this.lvtOf(offset) & 0x8000 && ((this.lvtOf(offset) >> 8) & 7) === DELIVERY.FIXED) {
      this.pins.unsupported('local APIC: level-triggered interrupt on a LINT pin');
    }
    this.raiseLocal(offset);
  }

  private raiseLocal(offset: number): void {
    const entry = this.lvtOf(offset);
    if (entry & LVT.MASK) return;
    const delivery = offset === APIC.LVT_TIMER || offset === APIC.LVT_ERROR ? DELIVERY.FIXED : (entry >> 8) & 7;
    if (delivery === DELIVERY.SMI) return this.pins.unsupported('system management interrupt');
    if (delivery === DELIVERY.EXTINT) return; // a level, asked for by externalPending()
    this.accept({ ...NMI_MESSAGE, delivery, vector: entry & 0xff });
  }

  protected acceptFixed(vector: number, level: boolean): void {
    if (!this.enabled) return;
    if (vector < 16) return this.error(ESR_BITS.RECEIVE_VECTOR);
    setBit(this.s.irr, vector);
    if (level) setBit(this.s.tmr, vector);
    else clearBit(this.s.tmr, vector);
    this.update();
  }

  /** State after INIT: as after power-up, but for the id and IA32_APIC_BASE (section 10.4.7.3). */
  private acceptInit(): void {
    const { baseMsr, xapicId, lint } = this.s;
    this.timer.reset();
    this.s = { ...this.initial(), baseMsr, xapicId, lint, init: true };
    this.ready = false;
    this.pins.attention();
  }

  protected error(bit: number): void {
    const fresh = !(this.s.errors & bit);
    this.s.errors |= bit;
    // A bad vector in LVT error would recurse: it reports itself only once.
    if (fresh) this.raiseLocal(APIC.LVT_ERROR);
  }

  endOfInterrupt(): void {
    const vector = highest(this.s.isr);
    if (vector < 0) return;
    clearBit(this.s.isr, vector);
    const level = hasBit(this.s.tmr, vector);
    this.update();
    if (level) this.pins.endOfInterrupt(vector);
  }
}

const NMI_MESSAGE: InterruptMessage = {
  destination: 0, logical: false, broadcast: false, delivery: DELIVERY.NMI, vector: 0, level: false,
}; // prettier-ignore
