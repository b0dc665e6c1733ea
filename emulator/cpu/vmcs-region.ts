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
/** Where a field lies in the region: for who moves many. */
export const placeOf = (field: VmcsFieldName): number => OFFSET[field];
/** The fields, as 32-bit words from FIELDS on. */
export const FIELD_WORDS = Object.keys(VMCS).length * 2;
export const wordOf = (field: VmcsFieldName): number => (OFFSET[field] - FIELDS) >>> 2;

export class Vmcs {
  private readonly at: number;
  constructor(
    readonly memory: PhysicalMemory,
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
  /** Numbers are 32-bit words: negative ones have the top bit set. */
  write(field: VmcsFieldName, value: bigint | number): void {
    if (typeof value === 'number') this.put(OFFSET[field], value, 0);
    else this.memory.view.setBigUint64(this.at + OFFSET[field], BigInt.asUintN(64, value), true);
  }
  /** Physical address of a field, for who edits memory. */
  addressOf(field: VmcsFieldName): number {
    return this.gpa + OFFSET[field];
  }
  /** One of the low 32 bits, by number. */
  has(field: VmcsFieldName, number: number): boolean {
    return (this.read32(field) & (1 << number)) !== 0;
  }

  // In halves, by place: 64-bit integers of TypeScript are objects, and every entry and exit moves dozens.
  low(place: number): number {
    return this.memory.view.getInt32(this.at + place, true);
  }
  high(place: number): number {
    return this.memory.view.getInt32(this.at + place + 4, true);
  }
  put(place: number, low: number, high: number): void {
    const { view } = this.memory;
    view.setInt32(this.at + place, low, true);
    view.setInt32(this.at + place + 4, high, true);
  }
  /** Which of the fields' words are others than in `known`, which is brought up to date: calls back with what changed in them. */
  compare(known: Int32Array, changed: (word: number, bits: number) => void): void {
    const { view } = this.memory;
    for (let word = 0; word < FIELD_WORDS; word++) {
      const now = view.getInt32(this.at + FIELDS + word * 4, true);
      const bits = now ^ known[word];
      if (bits === 0) continue;
      known[word] = now;
      changed(word, bits);
    }
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
