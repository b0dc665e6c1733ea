/**
 * The virtual APIC of a VMX guest (SDM vol. 3C chapter 30): what the processor does by itself with the virtual-APIC page. Accesses
 * come by CR8, by MSRs, or by the APIC-access page (vmx-apic-access.ts); virtual interrupts are evaluated and delivered here.
 * What an instruction leaves to do at its end, exits among it, is noted in the VMCS region: a snapshot holds it.
 */
import { PIN, PRIMARY, SECONDARY, VIRTUAL_APIC } from '../x86/vmcs';
import type { VmcsFieldName } from '../x86/vmcs';
import type { Cpu } from './cpu';
import type { ExitCause } from './exit-cause';
import { gp } from './faults';
import { GuestExit } from './ports';
import type { Vmcs } from './vmcs-region';

const { TPR, PPR, EOI, ISR, IRR, ICR_LOW, ICR_HIGH, SELF_IPI, ...OTHERS } = VIRTUAL_APIC;
const X2APIC = 0x800;
const MSR = { TPR: X2APIC + (TPR >> 4), EOI: X2APIC + (EOI >> 4), SELF_IPI: X2APIC + (SELF_IPI >> 4) } as const;
const isX2apic = (msr: number): boolean => msr >>> 8 === X2APIC >>> 8;

/** Eight words of bits, or six local vectors. */
const row = (first: number, count: number): number[] => Array.from({ length: count }, (_, i) => first + i * 16);
const { ID, VERSION, LDR, DFR, SVR, TMR, ESR, LVT, TIMER_INITIAL, TIMER_DIVIDE } = OTHERS;
/** With APIC-register virtualisation (30.4.2, 30.4.3.1). */
const WRITABLE = new Set<number>([ID, TPR, EOI, LDR, DFR, SVR, ESR, ICR_LOW, ICR_HIGH, ...row(LVT, 6), TIMER_INITIAL, TIMER_DIVIDE]); // prettier-ignore
const READABLE = new Set<number>([...WRITABLE, VERSION, ...row(ISR, 8), ...row(TMR, 8), ...row(IRR, 8)]);

/** Fixed, edge-triggered, to itself by shorthand, nothing reserved and not the delivery status, a vector from 16 on (30.4.3.2). */
const isSelfIpi = (icr: number): boolean => (icr & 0xffff_b700) >>> 0 === 0x4_0000 && (icr & 0xf0) !== 0;
const EOI_BITMAPS: readonly VmcsFieldName[] = ['EOI_EXIT_BITMAP0', 'EOI_EXIT_BITMAP1', 'EOI_EXIT_BITMAP2', 'EOI_EXIT_BITMAP3']; // prettier-ignore
/** Of a posted-interrupt descriptor: 256 requests, then whether a notification is outstanding. */
const OUTSTANDING = 32;

/** The note: a virtual interrupt is recognised; what is to be done at the end of the instruction, and with what. */
const RECOGNISED = 0x8000_0000;
const KIND_SHIFT = 12;
const KIND = { write: 1, 'tpr-below': 2, 'virtualized-eoi': 3, 'apic-write': 4 } as const;
const NOTED = 0x7fff_ffff;

export class VirtualApic {
  private readonly page: number;
  private readonly secondary: number;
  private readonly threshold: number;
  /** Interrupt-window exiting: no virtual interrupt is recognised (30.2.1). */
  private readonly window: boolean;
  /** The notification vector, -1 without posted interrupts. */
  readonly notification: number;

  constructor(
    private readonly cpu: Cpu,
    private readonly vmcs: Vmcs,
  ) {
    this.page = Number(vmcs.read('VIRTUAL_APIC_PAGE'));
    this.secondary = vmcs.has('PRIMARY_CONTROLS', PRIMARY.SECONDARY) ? vmcs.read32('SECONDARY_CONTROLS') : 0;
    this.threshold = vmcs.read32('TPR_THRESHOLD') & 15;
    this.window = vmcs.has('PRIMARY_CONTROLS', PRIMARY.INTERRUPT_WINDOW);
    this.notification = vmcs.has('PIN_CONTROLS', PIN.POSTED_INTERRUPTS) ? vmcs.read32('POSTED_INTERRUPT_VECTOR') : -1;
  }
  private has(number: number): boolean {
    return (this.secondary & (1 << number)) !== 0;
  }
  private get delivers(): boolean {
    return this.has(SECONDARY.INTERRUPT_DELIVERY);
  }

  // --- Registers: on the page, RVI and SVI in the VMCS (25.4.2).

  private read(offset: number): number {
    return Number(this.cpu.mmu.readPhysical(this.page + offset, 4));
  }
  private write(offset: number, value: number, bytes: 4 | 8 = 4): void {
    this.cpu.mmu.writePhysical(this.page + offset, bytes, BigInt(value >>> 0));
  }
  private setBit(set: number, vector: number, on: boolean): void {
    const at = set + (vector >>> 5) * 16;
    const mask = 1 << (vector & 31);
    this.write(at, on ? this.read(at) | mask : this.read(at) & ~mask);
  }
  /** 0 where none is set. */
  private highest(set: number): number {
    for (let i = 7; i >= 0; i--) {
      const word = this.read(set + i * 16);
      if (word !== 0) return i * 32 + 31 - Math.clz32(word);
    }
    return 0;
  }
  private get rvi(): number {
    return this.vmcs.read32('GUEST_INTERRUPT_STATUS') & 0xff;
  }
  private get svi(): number {
    return (this.vmcs.read32('GUEST_INTERRUPT_STATUS') >>> 8) & 0xff;
  }
  private setStatus(rvi: number, svi: number): void {
    this.vmcs.write('GUEST_INTERRUPT_STATUS', rvi | (svi << 8));
  }
  /** What CR8 reads as. */
  get priority(): bigint {
    return BigInt((this.read(TPR) >>> 4) & 15);
  }
  hpaOf(offset: number): number {
    return this.page + offset;
  }

  // --- Accesses

  /** Whether an access to the APIC-access page is virtualised: within the low 4 bytes of a register that is (30.4.2, 30.4.3.1). */
  virtualises(offset: number, bytes: number, write: boolean): boolean {
    const register = offset & ~15;
    if ((offset & 15) + bytes > 4) return false;
    if (register === TPR) return true;
    if (this.has(SECONDARY.APIC_REGISTERS)) return (write ? WRITABLE : READABLE).has(register);
    return this.delivers && (register === EOI || register === ICR_LOW);
  }
  /** A virtualised write has been done: its consequences come behind the instruction (30.4.3.2). */
  written(offset: number): void {
    this.later('write', offset);
  }
  /** MOV to CR8 (30.3). */
  writePriority(value: bigint): void {
    if (value > 15n) throw gp(0);
    this.write(TPR, Number(value) << 4);
    this.tprVirtualisation();
  }
  /** RDMSR (30.5). Undefined: it is not virtualised. */
  readMsr(msr: number): bigint | undefined {
    if (!this.has(SECONDARY.X2APIC) || !isX2apic(msr)) return undefined;
    if (!this.has(SECONDARY.APIC_REGISTERS) && msr !== MSR.TPR) return undefined;
    return this.cpu.mmu.readPhysical(this.page + ((msr & 0xff) << 4), 8);
  }
  /** WRMSR. False: it is not virtualised. */
  writeMsr(msr: number, value: bigint): boolean {
    if (!this.has(SECONDARY.X2APIC)) return false;
    const interrupts = this.delivers && (msr === MSR.EOI || msr === MSR.SELF_IPI);
    if (msr !== MSR.TPR && !interrupts) return false;
    if (value > (msr === MSR.EOI ? 0n : 0xffn)) throw gp(0);
    const small = Number(value);
    this.write((msr & 0xff) << 4, small, 8);
    if (msr === MSR.TPR) this.tprVirtualisation();
    else if (msr === MSR.EOI) this.eoiVirtualisation();
    else if (small >= 16) this.selfIpi(small);
    else this.later('apic-write', SELF_IPI);
    return true;
  }

  // --- What follows from them

  private later(kind: keyof typeof KIND, value = 0): void {
    this.vmcs.events = ((this.vmcs.events & RECOGNISED) | (KIND[kind] << KIND_SHIFT) | value) >>> 0;
    this.cpu.attention?.();
  }
  /** 30.1.2. */
  private tprVirtualisation(): void {
    if (this.delivers) {
      this.pprVirtualisation();
      this.evaluate();
    } else if (this.priority < this.threshold) this.later('tpr-below');
  }
  /** 30.1.3. */
  private pprVirtualisation(): void {
    const tpr = this.read(TPR) & 0xff;
    const { svi } = this;
    this.write(PPR, tpr >>> 4 >= svi >>> 4 ? tpr : svi & 0xf0);
  }
  /** 30.1.4. */
  private eoiVirtualisation(): void {
    const vector = this.svi;
    this.setBit(ISR, vector, false);
    this.setStatus(this.rvi, this.highest(ISR));
    this.pprVirtualisation();
    const asked = (this.vmcs.read(EOI_BITMAPS[vector >>> 6]) >> BigInt(vector & 63)) & 1n;
    if (asked) this.later('virtualized-eoi', vector);
    else this.evaluate();
  }
  /** 30.1.5. */
  private selfIpi(vector: number): void {
    this.setBit(IRR, vector, true);
    this.setStatus(Math.max(this.rvi, vector), this.svi);
    this.evaluate();
  }
  /** 30.6, steps 3 and 5 to 7. */
  post(): void {
    const { mmu } = this.cpu;
    const descriptor = Number(this.vmcs.read('POSTED_INTERRUPT_DESCRIPTOR'));
    mmu.writePhysical(descriptor + OUTSTANDING, 1, mmu.readPhysical(descriptor + OUTSTANDING, 1) & ~1n);
    let { rvi } = this;
    for (let i = 0; i < 8; i++) {
      const requests = Number(mmu.readPhysical(descriptor + i * 4, 4));
      if (requests === 0) continue;
      mmu.writePhysical(descriptor + i * 4, 4, 0n);
      this.write(IRR + i * 16, this.read(IRR + i * 16) | requests);
      rvi = Math.max(rvi, i * 32 + 31 - Math.clz32(requests));
    }
    this.setStatus(rvi, this.svi);
    this.evaluate();
  }
  /** 30.2.1. */
  private evaluate(): void {
    const recognised = !this.window && this.rvi >>> 4 > ((this.read(PPR) >>> 4) & 15);
    this.vmcs.events = ((this.vmcs.events & NOTED) | (recognised ? RECOGNISED : 0)) >>> 0;
    if (recognised) this.cpu.attention?.();
  }
  get recognised(): boolean {
    return this.vmcs.events >= RECOGNISED;
  }
  /** The vector to go through the guest's IDT (30.2.2). */
  deliver(): number {
    const vector = this.rvi;
    this.setBit(ISR, vector, true);
    this.write(PPR, vector & 0xf0);
    this.setBit(IRR, vector, false);
    this.setStatus(this.highest(IRR), vector);
    this.vmcs.events &= NOTED;
    return vector;
  }

  // --- When

  /** The guest has been entered (27.3.2.5, 27.7.7). */
  entered(): void {
    this.vmcs.events = 0;
    this.tprVirtualisation();
  }
  /** The guest leaves, or what an instruction began is void because it faulted. */
  forget(): void {
    this.vmcs.events &= RECOGNISED;
  }
  /** At the end of an instruction, before anything else that comes between two (30.4.3.2): the exit that is due. */
  settle(): GuestExit | undefined {
    let cause = this.take();
    if (cause === 'write') cause = this.take();
    return cause === undefined || cause === 'write' ? undefined : new GuestExit(cause);
  }
  private take(): ExitCause | 'write' | undefined {
    const { events } = this.vmcs;
    if ((events & NOTED) === 0) return undefined;
    this.vmcs.events = (events & RECOGNISED) >>> 0;
    const value = events & 0xfff;
    switch ((events & NOTED) >>> KIND_SHIFT) {
      case KIND.write:
        this.emulateWrite(value);
        return 'write';
      case KIND['virtualized-eoi']:
        return { reason: 'virtualized-eoi', vector: value };
      case KIND['apic-write']:
        return { reason: 'apic-write', offset: value };
      default:
        return { reason: 'tpr-below' };
    }
  }
  /** 30.4.3.2. */
  private emulateWrite(offset: number): void {
    const register = offset & ~15;
    if (register === TPR) {
      this.write(TPR, this.read(TPR) & 0xff);
      this.tprVirtualisation();
    } else if (register === EOI && this.delivers) {
      this.write(EOI, 0);
      this.eoiVirtualisation();
    } else if (register === ICR_LOW && this.delivers && isSelfIpi(this.read(ICR_LOW))) {
      this.selfIpi(this.read(ICR_LOW) & 0xff);
    } else if (register === ICR_HIGH) {
      this.write(ICR_HIGH, this.read(ICR_HIGH) & 0xff00_0000);
    } else this.later('apic-write', offset);
  }
}
