/** A VMCS where it lies: one page of physical memory, in our layout of it (SDM vol. 3C 25.2: the format is the processor's). */
import type { PhysicalMemory } from '../mmu/physical-memory';
import { assert } from '../util/assert';
import { VMCS, vmcsFieldName, VMCS_REVISION } from '../x86/vmcs';
import type { VmcsFieldName } from '../x86/vmcs';

const ABORT = 4;
const LAUNCHED = 8;
const EVENTS = 12;
const FIELDS = 16;
const OFFSET = Object.fromEntries(Object.keys(VMCS).map((name, i) => [name, FIELDS + i * 8])) as Record<
  VmcsFieldName,
  number
>;
const bit = (n: number): bigint => 1n << BigInt(n); // prettier-ignore

export class Vmcs {
  private readonly at: number;
  constructor(
    private readonly memory: PhysicalMemory,
    /** Physical address. */
    readonly gpa: number,
  ) {
    this.at = memory.hostAddress(gpa);
    assert(this.at >= 0, `a VMCS at 0x${gpa.toString(16)}, where there is no RAM`);
  }
  get revision(): number {
    return this.memory.view.getUint32(this.at, true);
  }
  /** As a hypervisor does before its first VMPTRLD. */
  format(): void {
    this.memory.view.setUint32(this.at, VMCS_REVISION, true);
  }
  set abort(indicator: number) {
    this.memory.view.setUint32(this.at + ABORT, indicator, true);
  }
  get launched(): boolean {
    return this.memory.view.getUint32(this.at + LAUNCHED, true) === 1;
  }
  set launched(value: boolean) {
    this.memory.view.setUint32(this.at + LAUNCHED, value ? 1 : 0, true);
  }

  /** What a guest's virtual APIC has begun (vmx-apic.ts): the processor's own note, in no field. */
  get events(): number {
    return this.memory.view.getUint32(this.at + EVENTS, true);
  }
  set events(value: number) {
    this.memory.view.setUint32(this.at + EVENTS, value, true);
  }

  read(field: VmcsFieldName): bigint {
    return this.memory.view.getBigUint64(this.at + OFFSET[field], true);
  }
  /** The low 32 bits, signed. */
  read32(field: VmcsFieldName): number {
    return this.memory.view.getInt32(this.at + OFFSET[field], true);
  }
  /** Negative numbers are 32-bit words whose top bit is set. */
  write(field: VmcsFieldName, value: bigint | number): void {
    const wide = typeof value === 'bigint' ? value : BigInt(value < 0 ? value >>> 0 : value);
    this.memory.view.setBigUint64(this.at + OFFSET[field], BigInt.asUintN(64, wide), true);
  }
  /** Physical address of a field, for who edits memory. */
  addressOf(field: VmcsFieldName): number {
    return this.gpa + OFFSET[field];
  }
  /** A control bit, by number. */
  has(field: VmcsFieldName, number: number): boolean {
    return (this.read(field) & bit(number)) !== 0n;
  }
}

/** By encoding; undefined: there is no such field. */
export const fieldOf = (encoding: number): VmcsFieldName | undefined => vmcsFieldName(encoding);
/** 64-bit words of memory, for who only looks. Nothing drives an address without RAM: it reads as ones. */
export const wordsOf =
  (memory: PhysicalMemory) =>
  (gpa: number): bigint => {
    const at = memory.hostAddress(gpa);
    return at < 0 ? 0xffff_ffff_ffff_ffffn : memory.view.getBigUint64(at, true);
  };
