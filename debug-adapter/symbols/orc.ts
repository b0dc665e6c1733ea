/**
 * ORC: how Linux unwinds its own stack on x86-64 (kernel: Documentation/arch/x86/orc-unwinder.rst). One table of sorted
 * addresses, one of what to do there; both are part of the kernel's image, so that a stripped one has them as well.
 */
import type { Target, UnwoundFrame } from './api';
import { littleEndian } from './location-expressions';
import { toAddress } from './reader';
import { lastAtMost } from './slices';

const ENTRY_BYTES = 6;
/** DWARF numbers (psABI figure 3.36) of what a `struct pt_regs` holds, in its order; -1: not a register of the caller. */
const PT_REGS = [15, 14, 13, 12, 6, 3, 11, 10, 9, 8, 0, 2, 1, 4, 5, -1, 16, -1, -1, 7] as const;
const PT_REGS_IP = 16;
const WORD = 8;
const RIP = 16;
const RSP = 7;
const RBP = 6;

/** What an entry's offset counts from, by its number: since Linux 7.2, and before (kernel: arch/x86/include/asm/orc_types.h). */
const PLACES = ['undefined', 'ax', 'dx', 'sp', 'bp', 'di', 'r10', 'r13', 'previous-sp', 'sp-indirect', 'bp-indirect'] as const; // prettier-ignore
type Place = (typeof PLACES)[number];
const OLDER_PLACES: readonly Place[] = ['undefined', 'previous-sp', 'dx', 'di', 'bp', 'sp', 'r10', 'r13', 'bp-indirect', 'sp-indirect']; // prettier-ignore
const DWARF_NUMBER: Readonly<Partial<Record<Place, number>>> = {
  ax: 0,
  dx: 1,
  di: 5,
  bp: RBP,
  sp: RSP,
  r10: 10,
  r13: 13,
  'bp-indirect': RBP,
  'sp-indirect': RSP,
};

type Kind = 'call' | 'registers' | 'partial' | 'end' | 'unknown';
/** By type: since Linux 6.4, and before. */
const KINDS: readonly Kind[] = ['unknown', 'end', 'call', 'registers', 'partial'];
const OLDER_KINDS: readonly Kind[] = ['call', 'registers', 'partial'];

interface Entry {
  spOffset: number;
  bpOffset: number;
  spPlace: Place;
  bpPlace: Place;
  kind: Kind;
}

export class Orc {
  private readonly view: DataView;
  private readonly places: readonly Place[];
  private readonly since64: boolean;

  private constructor(
    private readonly addresses: Float64Array,
    entries: Uint8Array,
  ) {
    this.view = new DataView(entries.buffer, entries.byteOffset, entries.byteLength);
    // Most code has been called and finds its frame by the stack pointer.
    const byPlace = Array.from({ length: 16 }, () => [0, 0, 0, 0, 0, 0, 0, 0]);
    for (let n = 0; n < this.count; n++) {
      const how = this.how(n);
      byPlace[how & 15]![(how >>> 8) & 7]!++;
    }
    const [since72, before] = [PLACES, OLDER_PLACES].map((places) => Math.max(...byPlace[places.indexOf('sp')]!));
    this.places = since72! > before! ? PLACES : OLDER_PLACES;
    const types = byPlace[this.places.indexOf('sp')]!;
    this.since64 = types.indexOf(Math.max(...types)) === KINDS.indexOf('call');
  }

  /** `addressBytes` lie at `address`, a word for each entry, relative to itself. Undefined: they are not sorted or not as many. */
  static read(address: bigint, addressBytes: Uint8Array, entries: Uint8Array): Orc | undefined {
    const count = addressBytes.length >>> 2;
    if (count === 0 || entries.length < count * ENTRY_BYTES) return undefined;
    const view = new DataView(addressBytes.buffer, addressBytes.byteOffset, addressBytes.byteLength);
    const start = toAddress(address);
    const addresses = new Float64Array(count);
    for (let n = 0; n < count; n++) {
      addresses[n] = start + n * 4 + view.getInt32(n * 4, true);
      if (n > 0 && addresses[n]! < addresses[n - 1]!) return undefined;
    }
    return new Orc(addresses, entries);
  }

  get count(): number {
    return this.addresses.length;
  }

  /** Places of both pointers, and the type. */
  private how(n: number): number {
    return this.view.getUint16(n * ENTRY_BYTES + 4, true);
  }

  private entry(n: number): Entry {
    const at = n * ENTRY_BYTES;
    const how = this.how(n);
    const spPlace = this.places[how & 15] ?? 'undefined';
    return {
      spOffset: this.view.getInt16(at, true),
      bpOffset: this.view.getInt16(at + 2, true),
      spPlace,
      bpPlace: this.places[(how >>> 4) & 15] ?? 'undefined',
      kind: this.kindOf(how, spPlace),
    };
  }
  private kindOf(how: number, spPlace: Place): Kind {
    if (this.since64) return KINDS[(how >>> 8) & 7] ?? 'unknown';
    // The flag that ends a stack was bit 10, and bit 11 in the two versions before it went away.
    if (spPlace === 'undefined') return (how >>> 10) & 3 ? 'end' : 'unknown';
    return OLDER_KINDS[(how >>> 8) & 3] ?? 'unknown';
  }

  /** One step up. Undefined: no entry covers the address, or what it needs is not known or not mapped. */
  unwind(pc: bigint, target: Target): UnwoundFrame | undefined {
    const n = lastAtMost(this.addresses, toAddress(pc));
    if (n < 0) return undefined;
    const entry = this.entry(n);
    if (entry.kind === 'end') return { cfa: 0n, registers: new Map(), outermost: true, signalFrame: false };
    const sp = stackPointer(entry, target);
    if (sp === undefined) return undefined;
    const switched = entry.spPlace !== 'sp' && entry.spPlace !== 'bp';
    const frame = entry.kind === 'call' ? called(entry, sp, target) : interrupted(entry, sp, target);
    return frame && { ...frame, ...(switched && { stackSwitched: true }) };
  }
}

function stackPointer({ spPlace, spOffset }: Entry, target: Target): bigint | undefined {
  const number = DWARF_NUMBER[spPlace];
  const base = number === undefined ? undefined : target.register(number);
  if (base === undefined) return undefined;
  const offset = BigInt(spOffset);
  if (spPlace === 'bp-indirect') return word(base + offset, target);
  if (spPlace === 'sp-indirect') {
    const sp = word(base, target);
    return sp === undefined ? undefined : wrap(sp + offset);
  }
  // The offset counts for stack and frame pointer; the others hold the stack pointer itself.
  return spPlace === 'sp' || spPlace === 'bp' ? wrap(base + offset) : base;
}

/** The return address lies below the caller's stack pointer; registers that a callee keeps are the caller's. */
function called(entry: Entry, sp: bigint, target: Target): UnwoundFrame | undefined {
  const pc = word(sp - 8n, target);
  if (pc === undefined) return undefined;
  const registers = new Map<number, bigint>([[RIP, pc], [RSP, sp]]); // prettier-ignore
  for (const number of [3, 12, 13, 14, 15]) keep(registers, number, target.register(number));
  keep(registers, RBP, framePointer(entry, sp, target));
  return { cfa: sp, registers, outermost: false, signalFrame: false };
}
function framePointer({ bpPlace, bpOffset }: Entry, sp: bigint, target: Target): bigint | undefined {
  if (bpPlace === 'undefined') return target.register(RBP);
  const base = bpPlace === 'previous-sp' ? sp : target.register(RBP);
  return base === undefined ? undefined : word(base + BigInt(bpOffset), target);
}

/** A `struct pt_regs`, or the part of it that the processor itself pushed. */
function interrupted({ kind }: Entry, at: bigint, target: Target): UnwoundFrame | undefined {
  const first = kind === 'registers' ? 0 : PT_REGS_IP;
  const base = kind === 'registers' ? at : at - BigInt(PT_REGS_IP * WORD);
  const registers = new Map<number, bigint>();
  // An entry stub has pushed the frame and changed nothing yet.
  if (kind === 'partial') for (let n = 0; n < RIP; n++) keep(registers, n, target.register(n));
  for (let n = first; n < PT_REGS.length; n++) {
    if (PT_REGS[n]! < 0) continue;
    const value = word(base + BigInt(n * WORD), target);
    if (value === undefined) return undefined;
    registers.set(PT_REGS[n]!, value);
  }
  return { cfa: base + BigInt((PT_REGS.length + 1) * WORD), registers, outermost: false, signalFrame: true };
}

const keep = (registers: Map<number, bigint>, number: number, value: bigint | undefined): void => {
  if (value !== undefined) registers.set(number, value);
};
const wrap = (value: bigint): bigint => BigInt.asUintN(64, value);
const word = (gva: bigint, target: Target): bigint | undefined => {
  const bytes = target.memory(wrap(gva), WORD);
  return bytes.length < WORD ? undefined : littleEndian(bytes);
};
