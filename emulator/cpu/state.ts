/**
 * The registers of one processor, in the linear memory that generated code works on (execution/layout.ts).
 * Accessors only. General registers, RIP and system registers are 64-bit and handled as unsigned bigint here;
 * the hot paths are generated code and never come through this file.
 */
import * as layout from '../execution/layout';
import { assert } from '../util/assert';
import { GPR_NAMES, RFLAGS, SEG } from '../x86/registers';

/** Of the upper half of a 64-bit value. */
const SIGN = 0x8000_0000;

/** A segment register with its hidden part. `attributes` as in VMX (SDM vol. 3C table 25-2); `limit` in bytes. */
export interface Segment {
  selector: number;
  base: bigint;
  limit: number;
  attributes: number;
}

export const ATTRIBUTE = {
  TYPE: 0xf, S: 1 << 4, DPL: 3 << 5, P: 1 << 7, AVL: 1 << 12, L: 1 << 13, DB: 1 << 14, G: 1 << 15, UNUSABLE: 1 << 16,
} as const; // prettier-ignore

/**
 * Generated code works on one place, [STATE, STATE_END) of the linear memory. Of several processors one is *current* and
 * has its registers there; the others are parked in a buffer of their own, in which the same addresses hold.
 */
export class CpuState {
  /** The linear memory, or while parked the buffer: only addresses of the state mean anything then. */
  view: DataView;
  bytes: Uint8Array;
  private readonly current: { view: DataView; bytes: Uint8Array; block: Uint8Array };
  private readonly parking?: { view: DataView; bytes: Uint8Array; block: Uint8Array };

  /** `number`: its place among several processors; the first is current. */
  constructor(
    readonly memory: WebAssembly.Memory,
    number?: number,
  ) {
    this.current = placesOf(memory.buffer);
    if (number !== undefined) this.parking = placesOf(new ArrayBuffer(layout.STATE_END));
    ({ view: this.view, bytes: this.bytes } = number ? this.parking! : this.current);
  }
  /** Makes room for another processor. */
  park(): void {
    this.move(this.current, this.parking!);
  }
  /** The place is free: generated code now works on this processor. */
  unpark(): void {
    this.move(this.parking!, this.current);
  }
  /**
   * The registers where they are become another processor's, but for those in [first, end), of which each has its own. What else
   * the two had kept aside is void.
   */
  handTo(other: CpuState, first: number, end: number): void {
    assert(
      this.view === this.current.view && this.parking && other.parking,
      'who is not current has nothing to hand over',
    );
    if (first < end) {
      this.parking.bytes.set(this.bytes.subarray(first, end), first);
      this.bytes.set(other.parking.bytes.subarray(first, end), first);
    }
    ({ view: this.view, bytes: this.bytes } = this.parking);
    ({ view: other.view, bytes: other.bytes } = other.current);
  }
  private move(from: CpuState['current'], to: CpuState['current']): void {
    assert(this.view === from.view, 'a processor was parked twice, or never');
    to.block.set(from.block);
    ({ view: this.view, bytes: this.bytes } = to);
  }

  /** Takes over bytes of another processor's registers: addresses of the layout. */
  copyFrom(other: CpuState, first: number = layout.STATE, end: number = layout.STATE_END): void {
    this.bytes.set(other.bytes.subarray(first, end), first);
  }

  /** The whole value of a general register, by encoding number. */
  gpr(index: number): bigint {
    return this.view.getBigUint64(layout.GPRS + index * 8, true);
  }
  setGpr(index: number, value: bigint): void {
    this.view.setBigUint64(layout.GPRS + index * 8, value, true);
  }
  /** The low 32 bits, unsigned. */
  gpr32(index: number): number {
    return this.view.getUint32(layout.GPRS + index * 8, true);
  }
  /** As a 32-bit instruction writes it: the upper half becomes 0. */
  setGpr32(index: number, value: number): void {
    this.view.setBigUint64(layout.GPRS + index * 8, BigInt(value >>> 0), true);
  }
  gpr16(index: number): number {
    return this.view.getUint16(layout.GPRS + index * 8, true);
  }
  /** The upper 48 bits stay. */
  setGpr16(index: number, value: number): void {
    this.view.setUint16(layout.GPRS + index * 8, value, true);
  }

  get rip(): bigint {
    return this.view.getBigUint64(layout.RIP, true);
  }
  set rip(value: bigint) {
    this.view.setBigUint64(layout.RIP, value, true);
  }

  /** All of RFLAGS, the arithmetic flags computed from the words that the last operation left. */
  get rflags(): number {
    // In halves: 64-bit integers of TypeScript are objects, and this is asked at every interrupt.
    const v = this.view;
    const low = (at: number): number => v.getUint32(at, true);
    const high = (at: number): number => v.getUint32(at + 4, true);
    const [sLow, xLow, sHigh, xHigh] = [
      low(layout.FLAG_S),
      low(layout.FLAG_X),
      high(layout.FLAG_S),
      high(layout.FLAG_X),
    ];
    const signed = low(layout.FLAG_R) ^ low(layout.FLAG_P);
    let flags = low(layout.RFLAGS_SYSTEM) | RFLAGS.FIXED;
    if (sHigh < xHigh || (sHigh === xHigh && sLow < xLow)) flags |= RFLAGS.CF;
    if ((sHigh ^ xHigh) & (sHigh ^ high(layout.FLAG_Y)) & SIGN) flags |= RFLAGS.OF;
    if ((sLow ^ xLow ^ low(layout.FLAG_Y)) & 16) flags |= RFLAGS.AF;
    if ((low(layout.FLAG_R) | high(layout.FLAG_R)) === 0) flags |= RFLAGS.ZF;
    if ((high(layout.FLAG_R) ^ high(layout.FLAG_P)) & SIGN) flags |= RFLAGS.SF;
    const parity = (signed ^ (signed >> 4)) & 15;
    if (!((0x6996 >> parity) & 1)) flags |= RFLAGS.PF;
    return flags >>> 0;
  }
  /** Any combination is possible, also those that no result has: see FLAG_P. */
  set rflags(value: number) {
    const v = this.view;
    const arithmetic = RFLAGS.CF | RFLAGS.PF | RFLAGS.AF | RFLAGS.ZF | RFLAGS.SF | RFLAGS.OF;
    const put = (at: number, word: number): void => {
      v.setInt32(at, word, true);
      v.setInt32(at + 4, word >> 31, true);
    };
    v.setUint32(layout.RFLAGS_SYSTEM, (value & ~arithmetic) | RFLAGS.FIXED, true);
    v.setUint32(layout.RFLAGS_SYSTEM + 4, 0, true);
    const cf = value & RFLAGS.CF ? 1 : 0;
    const of = value & RFLAGS.OF ? 1 : 0;
    const af = value & RFLAGS.AF ? 1 : 0;
    const both = -(cf & of);
    const s = -(of & (cf ^ 1));
    const x = both | cf;
    put(layout.FLAG_S, s);
    put(layout.FLAG_X, x);
    put(layout.FLAG_Y, both ^ (((((s ^ x ^ both) >> 4) & 1) ^ af) << 4));
    const r = value & RFLAGS.ZF ? 0 : 1;
    put(layout.FLAG_R, r);
    // R's low byte is 0 (even parity) or 1 (odd): P's low bit turns it into what was asked for.
    const odd = value & RFLAGS.PF ? 0 : 1;
    v.setUint32(layout.FLAG_P, r ^ odd, true);
    v.setUint32(layout.FLAG_P + 4, value & RFLAGS.SF ? SIGN : 0, true);
  }
  /** RFLAGS without the arithmetic flags: cheap to test IF, TF, VM, IOPL... */
  get systemFlags(): number {
    return this.view.getUint32(layout.RFLAGS_SYSTEM, true);
  }
  set systemFlags(value: number) {
    this.view.setUint32(layout.RFLAGS_SYSTEM, value, true);
  }

  segment(index: number): Segment {
    const at = layout.SEGMENTS + index * layout.SEGMENT_SIZE;
    return {
      selector: this.view.getUint16(at + layout.SEGMENT.SELECTOR, true),
      base: this.view.getBigUint64(at + layout.SEGMENT.BASE, true),
      limit: this.view.getUint32(at + layout.SEGMENT.LIMIT, true),
      attributes: this.view.getUint32(at + layout.SEGMENT.ATTRIBUTES, true),
    };
  }
  /** It holds this already: `low`, `high` of its base. Unless it was never loaded. */
  isSegment(index: number, selector: number, low: number, high: number, limit: number, attributes: number): boolean {
    const at = layout.SEGMENTS + index * layout.SEGMENT_SIZE;
    const { view } = this;
    return (
      attributes !== 0 &&
      view.getInt32(at + layout.SEGMENT.ATTRIBUTES, true) === attributes &&
      view.getInt32(at + layout.SEGMENT.LIMIT, true) === (limit | 0) &&
      view.getUint16(at + layout.SEGMENT.SELECTOR, true) === selector &&
      view.getInt32(at + layout.SEGMENT.BASE, true) === (low | 0) &&
      view.getInt32(at + layout.SEGMENT.BASE + 4, true) === (high | 0)
    );
  }
  /** Also derives the ranges of offsets that may be read and written (SDM vol. 3A section 5.3). */
  setSegment(index: number, segment: Segment): void {
    const at = layout.SEGMENTS + index * layout.SEGMENT_SIZE;
    const { selector, base, limit, attributes } = segment;
    const { view } = this;
    // Returns mostly load what is there, and what is derived from it with it.
    if (
      attributes !== 0 &&
      view.getUint32(at + layout.SEGMENT.ATTRIBUTES, true) === attributes &&
      view.getUint32(at + layout.SEGMENT.LIMIT, true) === limit &&
      view.getUint16(at + layout.SEGMENT.SELECTOR, true) === selector &&
      view.getBigUint64(at + layout.SEGMENT.BASE, true) === base
    )
      return;
    view.setUint16(at + layout.SEGMENT.SELECTOR, selector, true);
    view.setBigUint64(at + layout.SEGMENT.BASE, base, true);
    view.setUint32(at + layout.SEGMENT.LIMIT, limit, true);
    view.setUint32(at + layout.SEGMENT.ATTRIBUTES, attributes, true);
    const type = attributes & ATTRIBUTE.TYPE;
    const usable = !(attributes & ATTRIBUTE.UNUSABLE) && (attributes & ATTRIBUTE.P) !== 0;
    const code = (type & 8) !== 0;
    const expandDown = !code && (type & 4) !== 0;
    const readable = usable && (!code || (type & 2) !== 0);
    const writable = usable && !code && (type & 2) !== 0;
    const top = attributes & ATTRIBUTE.DB ? 0xffff_ffff : 0xffff;
    // An expand-down segment with the largest limit holds nothing.
    const empty = expandDown && limit >= top;
    const low = expandDown ? limit + 1 : 0;
    const high = expandDown ? top : limit;
    const range = (allowed: boolean, lowAt: number, highAt: number): void => {
      view.setUint32(at + lowAt, allowed && !empty ? low : 1, true);
      view.setUint32(at + highAt, allowed && !empty ? high : 0, true);
    };
    range(readable, layout.SEGMENT.READ_LOW, layout.SEGMENT.READ_HIGH);
    range(writable, layout.SEGMENT.WRITE_LOW, layout.SEGMENT.WRITE_HIGH);
  }
  selector(index: number): number {
    return this.view.getUint16(layout.SEGMENTS + index * layout.SEGMENT_SIZE + layout.SEGMENT.SELECTOR, true);
  }
  segmentBase(index: number): bigint {
    return this.view.getBigUint64(layout.SEGMENTS + index * layout.SEGMENT_SIZE + layout.SEGMENT.BASE, true);
  }
  setSegmentBase(index: number, base: bigint): void {
    this.view.setBigUint64(layout.SEGMENTS + index * layout.SEGMENT_SIZE + layout.SEGMENT.BASE, base, true);
  }
  segmentAttributes(index: number): number {
    return this.view.getUint32(layout.SEGMENTS + index * layout.SEGMENT_SIZE + layout.SEGMENT.ATTRIBUTES, true);
  }
  /** The current privilege level: the DPL of SS (SDM vol. 3C section 25.4.1 for why it is there and not in CS). */
  get cpl(): number {
    return (this.segmentAttributes(SEG.SS) >> 5) & 3;
  }

  system(name: layout.SystemRegister): bigint {
    return this.view.getBigUint64(layout.SYSTEM_ADDRESS[name], true);
  }
  setSystem(name: layout.SystemRegister, value: bigint): void {
    this.view.setBigUint64(layout.SYSTEM_ADDRESS[name], value, true);
  }
  /** Low 32 bits of a system register: control registers, EFER and most limits fit. */
  system32(name: layout.SystemRegister): number {
    return this.view.getUint32(layout.SYSTEM_ADDRESS[name], true);
  }

  /** 32 bits at an address of the layout, unsigned. */
  word(address: number): number {
    return this.view.getUint32(address, true);
  }

  setWord(address: number, value: number): void {
    this.view.setUint32(address, value, true);
  }

  /** A vector register's 128 (or 256) bits. */
  vector(index: number, bytes: 16 | 32 = 16): bigint {
    let value = 0n;
    for (let i = bytes - 8; i >= 0; i -= 8)
      value = (value << 64n) | this.view.getBigUint64(layout.VECTORS + index * layout.VECTOR_SIZE + i, true);
    return value;
  }
  setVector(index: number, value: bigint, bytes: 16 | 32 = 16): void {
    for (let i = 0; i < bytes; i += 8, value >>= 64n)
      this.view.setBigUint64(layout.VECTORS + index * layout.VECTOR_SIZE + i, value, true);
  }

  /** A copy of everything that is architectural. */
  save(): Uint8Array {
    const copy = this.bytes.slice(layout.STATE, layout.STATE_END);
    copy.fill(0, layout.BUDGET - layout.STATE, layout.SEGMENTS - layout.STATE);
    return copy;
  }
  restore(saved: Uint8Array): void {
    this.bytes.set(saved, layout.STATE);
  }
}

const placesOf = (buffer: ArrayBuffer): CpuState['current'] => ({
  view: new DataView(buffer),
  bytes: new Uint8Array(buffer),
  block: new Uint8Array(buffer, layout.STATE, layout.STATE_END - layout.STATE),
});

export const gprNumber = (name: string): number => (GPR_NAMES as readonly string[]).indexOf(name);
