/**
 * LZMA2: a range coder over adaptive bits, from which come literals and matches in what was written before. The format of its chunks
 * and the meaning of its symbols are those of the .xz format's specification and of the LZMA specification (I. Pavlov, 2015).
 */
import { assert } from './assert';

/** The data is no LZMA2: why, as a clause about it. */
export class Damaged {
  constructor(readonly why: string) {}
}

const PROBABILITY_BITS = 11;
const HALF = 1 << (PROBABILITY_BITS - 1);
const MOVE = 5;
/** Added to both, makes a comparison of signed words one of unsigned words. */
const SIGN = 1 << 31;
const STATES = 12;
const MAX_POSITION_STATES = 16;
const MATCH_MIN = 2;
const ALIGN_BITS = 4;
const FIRST_MODELLED = 4;
const FULL_DISTANCES = 128;

/** What has been decoded, which is the dictionary too. */
class Output {
  bytes = new Uint8Array(1 << 20);
  length = 0;
  /** Where the dictionary begins. */
  start = 0;

  need(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.length + more));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }
}

/** Range and code are unsigned words, kept as signed ones, which the host's engine handles fastest. */
class RangeDecoder {
  private range = -1;
  private code = 0;

  constructor(
    private readonly input: Uint8Array,
    private at: number,
  ) {
    this.at++;
    for (let i = 0; i < 4; i++) this.code = (this.code << 8) | this.next();
  }
  private next(): number {
    return this.input[this.at++] ?? 0;
  }
  private normalize(): void {
    if (this.range >>> 24 !== 0) return;
    this.range <<= 8;
    this.code = (this.code << 8) | this.next();
  }
  bit(probabilities: Uint16Array, index: number): number {
    this.normalize();
    const probability = probabilities[index];
    const bound = Math.imul(this.range >>> PROBABILITY_BITS, probability);
    if ((this.code ^ SIGN) < (bound ^ SIGN)) {
      this.range = bound;
      probabilities[index] = probability + (((1 << PROBABILITY_BITS) - probability) >>> MOVE);
      return 0;
    }
    this.range = (this.range - bound) | 0;
    this.code = (this.code - bound) | 0;
    probabilities[index] = probability - (probability >>> MOVE);
    return 1;
  }
  tree(probabilities: Uint16Array, base: number, bits: number): number {
    let symbol = 1;
    for (let i = 0; i < bits; i++) symbol = (symbol << 1) | this.bit(probabilities, base + symbol);
    return symbol - (1 << bits);
  }
  reverseTree(probabilities: Uint16Array, base: number, bits: number): number {
    let symbol = 1;
    let value = 0;
    for (let i = 0; i < bits; i++) {
      const bit = this.bit(probabilities, base + symbol);
      symbol = (symbol << 1) | bit;
      value |= bit << i;
    }
    return value;
  }
  direct(bits: number): number {
    let value = 0;
    for (let i = 0; i < bits; i++) {
      this.normalize();
      this.range >>>= 1;
      const bit = (this.code ^ SIGN) >= (this.range ^ SIGN) ? 1 : 0;
      if (bit) this.code = (this.code - this.range) | 0;
      value = (value << 1) | bit;
    }
    return value;
  }
}

const probabilities = (count: number): Uint16Array => new Uint16Array(count).fill(HALF);

class Lengths {
  private readonly choice = probabilities(2);
  private readonly low = probabilities(MAX_POSITION_STATES << 3);
  private readonly mid = probabilities(MAX_POSITION_STATES << 3);
  private readonly high = probabilities(256);

  decode(coder: RangeDecoder, position: number): number {
    if (!coder.bit(this.choice, 0)) return coder.tree(this.low, position << 3, 3);
    if (!coder.bit(this.choice, 1)) return 8 + coder.tree(this.mid, position << 3, 3);
    return 16 + coder.tree(this.high, 0, 8);
  }
}

/** The model: everything that adapts. */
class Model {
  state = 0;
  readonly repeats = [0, 0, 0, 0];
  readonly isMatch = probabilities(STATES * MAX_POSITION_STATES);
  readonly isRepeat = probabilities(STATES);
  readonly isRepeat0 = probabilities(STATES);
  readonly isRepeat1 = probabilities(STATES);
  readonly isRepeat2 = probabilities(STATES);
  readonly isLongRepeat0 = probabilities(STATES * MAX_POSITION_STATES);
  readonly slots = probabilities(4 << 6);
  readonly distances = probabilities(1 + FULL_DISTANCES);
  readonly align = probabilities(1 << ALIGN_BITS);
  readonly lengths = new Lengths();
  readonly repeatLengths = new Lengths();
  readonly literals: Uint16Array;

  constructor(
    readonly lc: number,
    readonly lp: number,
    readonly pb: number,
  ) {
    this.literals = probabilities(0x300 << (lc + lp));
  }

  /** `count` bytes more in `out`. */
  decode(coder: RangeDecoder, out: Output, count: number): void {
    out.need(count);
    const end = out.length + count;
    while (out.length < end) {
      const position = (out.length - out.start) & ((1 << this.pb) - 1);
      if (coder.bit(this.isMatch, (this.state << 4) + position)) this.match(coder, out, position, end);
      else this.literal(coder, out);
    }
  }
  private literal(coder: RangeDecoder, out: Output): void {
    const { bytes, length } = out;
    const previous = length > out.start ? bytes[length - 1] : 0;
    const where = (((length - out.start) & ((1 << this.lp) - 1)) << this.lc) + (previous >>> (8 - this.lc));
    const base = 0x300 * where;
    let symbol = 1;
    if (this.state >= 7) {
      let matched = bytes[length - this.repeats[0] - 1];
      do {
        const bit = (matched >>> 7) & 1;
        matched <<= 1;
        const decoded = coder.bit(this.literals, base + ((1 + bit) << 8) + symbol);
        symbol = (symbol << 1) | decoded;
        if (bit !== decoded) break;
      } while (symbol < 0x100);
    }
    while (symbol < 0x100) symbol = (symbol << 1) | coder.bit(this.literals, base + symbol);
    bytes[out.length++] = symbol & 0xff;
    this.state = this.state < 4 ? 0 : this.state < 10 ? this.state - 3 : this.state - 6;
  }
  private match(coder: RangeDecoder, out: Output, position: number, end: number): void {
    const { repeats, state } = this;
    let length: number;
    if (!coder.bit(this.isRepeat, state)) {
      repeats.copyWithin(1, 0, 3);
      length = this.lengths.decode(coder, position);
      this.state = state < 7 ? 7 : 10;
      repeats[0] = this.distance(coder, length);
    } else if (!coder.bit(this.isRepeat0, state)) {
      if (!coder.bit(this.isLongRepeat0, (state << 4) + position)) {
        this.state = state < 7 ? 9 : 11;
        return this.copy(out, 1, end);
      }
      length = this.repeatLengths.decode(coder, position);
      this.state = state < 7 ? 8 : 11;
    } else {
      this.bringForward(!coder.bit(this.isRepeat1, state) ? 1 : !coder.bit(this.isRepeat2, state) ? 2 : 3);
      length = this.repeatLengths.decode(coder, position);
      this.state = state < 7 ? 8 : 11;
    }
    this.copy(out, length + MATCH_MIN, end);
  }
  private bringForward(index: number): void {
    const { repeats } = this;
    const distance = repeats[index];
    repeats.copyWithin(1, 0, index);
    repeats[0] = distance;
  }
  private distance(coder: RangeDecoder, length: number): number {
    const slot = coder.tree(this.slots, Math.min(length, 3) << 6, 6);
    if (slot < FIRST_MODELLED) return slot;
    const bits = (slot >>> 1) - 1;
    const base = (2 | (slot & 1)) << bits;
    if (slot < 14) return base + coder.reverseTree(this.distances, base - slot, bits);
    const high = coder.direct(bits - ALIGN_BITS) * (1 << ALIGN_BITS);
    return (base >>> 0) + high + coder.reverseTree(this.align, 0, ALIGN_BITS);
  }
  private copy(out: Output, length: number, end: number): void {
    const distance = this.repeats[0] + 1;
    if (distance > out.length - out.start) throw new Damaged('it refers to what is before its beginning');
    if (out.length + length > end) throw new Damaged('a match is longer than its chunk');
    const { bytes } = out;
    for (let i = 0; i < length; i++) bytes[out.length] = bytes[out.length++ - distance];
  }
}

/** Bytes of input that the chunks took, and what they hold. Throws Damaged. */
export function decodeLzma2(input: Uint8Array, from: number): { end: number; output: Uint8Array } {
  const out = new Output();
  let model: Model | undefined;
  for (let at = from; ;) {
    const control = input[at++];
    if (control === undefined) throw new Damaged('it ends in the middle');
    if (control === 0) return { end: at, output: out.bytes.subarray(0, out.length) };
    if (control === 1 || control >= 0xe0) out.start = out.length;
    if (control < 0x80) {
      if (control > 2) throw new Damaged(`a chunk is of kind ${control}`);
      const size = ((input[at] << 8) | input[at + 1]) + 1;
      out.need(size);
      out.bytes.set(input.subarray(at + 2, at + 2 + size), out.length);
      out.length += size;
      at += 2 + size;
    } else {
      const size = (((control & 0x1f) << 16) | (input[at] << 8) | input[at + 1]) + 1;
      const packed = ((input[at + 2] << 8) | input[at + 3]) + 1;
      at += 4;
      if (control >= 0xc0) model = modelOf(input[at++]);
      else if (control >= 0xa0 && model) model = new Model(model.lc, model.lp, model.pb);
      if (!model) throw new Damaged('its first chunk has no properties');
      model.decode(new RangeDecoder(input, at), out, size);
      at += packed;
    }
    if (at > input.length) throw new Damaged('it ends in the middle');
  }
}
function modelOf(properties: number): Model {
  const lc = properties % 9;
  const lp = Math.floor(properties / 9) % 5;
  const pb = Math.floor(properties / 45);
  if (pb > 4 || lc + lp > 4) throw new Damaged(`its properties, ${properties}, are none`);
  assert(1 << pb <= MAX_POSITION_STATES, 'position states fit');
  return new Model(lc, lp, pb);
}
