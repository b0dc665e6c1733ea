/**
 * Bytes for an encoding of the opcode table: one of its forms at random, with the registers that its address needs.
 */
import type { Encoding } from '../../emulator/isa/encoding';
import type { CodeSize } from '../../emulator/isa/instruction';
import { PLACE } from './oracle';
import { interestingInteger } from './random';
import type { Random } from './random';

export interface Encoded {
  bytes: number[];
  /** Sets the registers that the memory operand's address is made of. */
  address: (gprs: BigUint64Array) => void;
  /** Where the memory operand is: linear, or an alias of the area; -1n without one. */
  target: bigint;
  memoryBytes: number;
  /** In bits. */
  operandSize: number;
  rexW: boolean;
  /** The vector register that a gather takes its indices from. */
  vectorIndex?: number;
  /** Where in `bytes` a RIP-relative displacement is, still absolute: see placeRipRelative. */
  ripRelative?: number;
}

interface AddressForm {
  modrm: number;
  rex: number;
  bytes: number[];
  apply: (gprs: BigUint64Array) => void;
}

export const little = (value: bigint, count: number): number[] =>
  Array.from({ length: count }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
const PAIRS16 = [[3, 6], [3, 7], [5, 6], [5, 7], [6], [7], [5], [3]] as const; // prettier-ignore

function address16(random: Random, target: bigint): AddressForm {
  const rm = random.below(8);
  const mod = random.below(3);
  if (mod === 0 && rm === 6) return { modrm: 6, rex: 0, bytes: little(target, 2), apply: () => {} };
  const displacement = mod === 0 ? 0n : BigInt.asIntN(mod * 8, random.u64());
  const [base, index] = PAIRS16[rm];
  return {
    modrm: (mod << 6) | rm, rex: 0, bytes: little(displacement, mod),
    apply: (gprs) => {
      const rest = index === undefined ? 0n : gprs[index];
      gprs[base] = BigInt.asUintN(32, (gprs[base] & ~0xffffn) | BigInt.asUintN(16, target - displacement - rest));
    },
  }; // prettier-ignore
}

/** ModRM and SIB with a base register, perhaps an index: 32- and 64-bit addressing. */
function addressBased(random: Random, target: bigint, size: 32 | 64, codeSize: CodeSize): AddressForm {
  const registers = codeSize === 64 ? 16 : 8;
  const base = random.below(registers);
  const scale = random.below(4);
  let index = random.oneIn(2) ? random.below(registers) : -1;
  if (index === 4) index = -1;
  const same = index === base;
  let mod = same ? 2 : random.below(3);
  if (mod === 0 && (base & 7) === 5) mod = 1;
  const shared = BigInt(random.below(1 << 20));
  const displacement = same
    ? target - shared * BigInt(1 + (1 << scale))
    : mod === 0 ? 0n : BigInt.asIntN(mod === 1 ? 8 : 32, interestingInteger(random)); // prettier-ignore
  if (same && BigInt.asIntN(32, displacement) !== displacement) return addressBased(random, target, size, codeSize);
  const sib = index >= 0 || (base & 7) === 4 || random.oneIn(8);
  const bytes = sib ? [(scale << 6) | ((index < 0 ? 4 : index & 7) << 3) | (base & 7)] : [];
  bytes.push(...little(displacement, mod === 2 ? 4 : mod));
  return {
    modrm: (mod << 6) | (sib ? 4 : base & 7),
    rex: (base >= 8 ? 1 : 0) | (index >= 8 ? 2 : 0),
    bytes,
    apply: (gprs) => {
      if (same) gprs[base] = shared;
      else gprs[base] = target - displacement - (index < 0 ? 0n : gprs[index] << BigInt(scale));
      gprs[base] = BigInt.asUintN(size, gprs[base]);
      // With 32-bit addresses in 64-bit mode the upper half must not matter.
      if (size === 32 && codeSize === 64 && !same) gprs[base] |= BigInt(random.below(4)) << 32n;
    },
  };
}

/** A gather's: base, no displacement, and a vector as index. */
function addressVector(random: Random, registers: number): AddressForm & { vectorIndex: number } {
  const base = random.pick([0, 1, 2, 3, 6, 7]);
  const vectorIndex = random.below(registers);
  const sib = (random.below(4) << 6) | ((vectorIndex & 7) << 3) | base;
  return { modrm: 4, rex: vectorIndex >= 8 ? 2 : 0, bytes: [sib], vectorIndex, apply: (gprs) => void (gprs[base] = BigInt(PLACE.AREA + 256)) };
} // prettier-ignore

function addressAbsolute(target: bigint): AddressForm {
  return { modrm: 4, rex: 0, bytes: [0x25, ...little(target, 4)], apply: () => {} };
}

/** Bytes that a memory operand has, by its letter; a whole vector where the notation names none. */
function operandBytes(letters: string, mnemonic: string, operandSize: number, rexW: boolean, vector = 16): number {
  const special = { fxsave: 512, fxrstor: 512, fsave: 108, fnsave: 108, frstor: 108, fldenv: 28, fstenv: 28, fnstenv: 28 }[mnemonic]; // prettier-ignore
  if (special) return special;
  const fixed = { b: 1, w: 2, d: 4, q: 8, t: 10, dq: 16, ss: 4, sd: 8, z: operandSize === 16 ? 2 : 4, y: rexW ? 8 : 4, v: operandSize / 8, x: 16, h: vector / 2, k: vector / 4, e: vector / 8 }[letters]; // prettier-ignore
  return fixed ?? vector;
}

/** Where the operand should be: mostly aligned in the area, sometimes not, rarely where nothing or not all is mapped. */
function chooseTarget(random: Random, bytes: number, low: boolean): bigint {
  const { AREA, AREA_LOW, AREA_BYTES, DATA, DATA_LOW, DATA_BYTES } = PLACE;
  // Where in a wide operand a fault is reported is the processor's own affair.
  if (random.oneIn(50) && bytes <= 16) {
    const end = (low ? DATA_LOW : DATA) + DATA_BYTES;
    return BigInt(random.pick([end - random.below(bytes + 1), end + 0x1000]));
  }
  const offset = random.below(AREA_BYTES - bytes + 1);
  return BigInt((low ? AREA_LOW : AREA) + (random.oneIn(4) ? offset : offset & -16));
}

const SEGMENT_GS = 0x65;
/** Vendors differ in what 66 and the register form of 0F 0D mean here. */
const HINTS = /^0f (ae|0d|c7)/;

interface VexFields {
  rex: number;
  l: number;
  w: number;
  vvvv: number;
}
/** Two bytes where they can say it, or three. */
function vexPrefix(e: Encoding, random: Random, { rex, l, w, vvvv }: VexFields): number[] {
  const pp = { np: 0, nfx: 0, '66': 1, f3: 2, f2: 3 }[e.prefix ?? 'np'];
  const last = ((~vvvv & 15) << 3) | (l << 2) | pp;
  if (e.map === 1 && !(rex & 3) && !w && random.oneIn(2)) return [0xc5, (~rex & 4 ? 0x80 : 0) | last];
  return [0xc4, ((~rex & 7) << 5) | e.map, (w << 7) | last];
}

/** One form of an encoding; undefined where the choice has no encoding (try again). */
export function encode(e: Encoding, codeSize: CodeSize, random: Random): Encoded | undefined {
  const { attributes } = e.row;
  const long = codeSize === 64;
  const short = codeSize === 16;
  const prefixes: number[] = [];
  const sized = e.operands.some((o) => 'vz'.includes(o.size) && o.size) || e.operands.length === 0 || /^d[9d]/.test(e.row.opcode); // prettier-ignore
  const opsize =
    !e.vex && !e.prefix && sized && !HINTS.test(e.row.opcode) && !(long && attributes.force64) && random.oneIn(4);
  const adsize = random.oneIn(8);
  const vexW = e.vexW ?? random.below(2);
  const vexL = e.vexL ?? random.below(2);
  const rexW = e.vex ? long && vexW === 1 : e.rexW || (long && !e.noRexB && random.oneIn(4));
  let rex = rexW ? 8 : 0;
  const registerForm = e.row.opcode.startsWith('0f 0d') ? false : attributes.form === 'register' || e.operands.some((o) => 'RNU'.includes(o.where)) ? true
    : attributes.form === 'memory' || e.operands.some((o) => o.where === 'M') ? false : random.oneIn(2); // prettier-ignore
  const operandSize = long && (attributes.force64 || rexW) ? 64 : long && attributes.default64 ? (opsize ? 16 : 64) : opsize === short ? 32 : 16; // prettier-ignore
  const memory = e.modrm && e.modrmByte === undefined && !registerForm;
  const addressSize = long ? (adsize ? 32 : 64) : adsize === short ? 32 : 16;
  let target = -1n;
  let memoryBytes = 0;
  let form: AddressForm | undefined;
  let ripRelativeAt = -1;
  const letters = e.operands.find((o) => 'EMWQXYO'.includes(o.where))?.size ?? '';
  if (memory) {
    memoryBytes = operandBytes(letters, e.row.mnemonic, operandSize, rexW, e.vex && vexL ? 32 : 16);
    target = chooseTarget(random, memoryBytes, addressSize === 16 || short);
    const gs = long && random.oneIn(12);
    if (gs) prefixes.push(SEGMENT_GS);
    const offset = gs ? target - BigInt(PLACE.GS_BASE) : target;
    if (e.vsib && adsize) return undefined;
    if (e.vsib) form = addressVector(random, long ? 16 : 8);
    else if (addressSize === 16) form = address16(random, offset);
    else if (random.oneIn(12)) form = addressAbsolute(offset);
    else if (long && random.oneIn(10)) form = { modrm: 5, rex: 0, bytes: little(offset, 4), apply: () => {} };
    else if (long && addressSize === 64 && random.oneIn(100))
      form = addressBased(random, 1n << BigInt(47 + random.below(16)), 64, 64); // prettier-ignore
    else form = addressBased(random, offset, addressSize as 32 | 64, codeSize);
    if (form.modrm === 5 && long) ripRelativeAt = 0;
    rex |= form.rex;
  }
  if (adsize) prefixes.push(0x67);
  if (opsize) prefixes.push(0x66);
  if (attributes.lock && memory && 'E,M'.includes(e.operands[0]?.where ?? '-') && random.oneIn(6)) prefixes.push(0xf0);
  if (attributes.repeat && random.oneIn(2)) prefixes.push(random.pick([0xf3, 0xf2]));
  if (!e.vex && e.prefix && e.prefix !== 'np' && e.prefix !== 'nfx') prefixes.push(parseInt(e.prefix, 16));

  const register = random.below(long ? 16 : 8);
  const extension = e.extension ?? register & 7;
  if (e.extension === undefined && register >= 8) rex |= 4;
  const escapes = [...(e.map ? [0x0f] : []), ...(e.map === 2 ? [0x38] : e.map === 3 ? [0x3a] : [])];
  const bytes = e.vex ? [] : escapes;
  const low = random.below(long ? 16 : 8);
  if (e.plusRegister && low >= 8) rex |= 1;
  bytes.push(e.plusRegister ? e.opcode + (low & 7) : e.opcode);
  if (e.modrmByte !== undefined) bytes.push(e.modrmByte);
  else if (form) {
    bytes.push(form.modrm | (extension << 3));
    if (ripRelativeAt === 0) ripRelativeAt = bytes.length;
    bytes.push(...form.bytes);
  } else if (e.modrm) {
    if (low >= 8) rex |= 1;
    bytes.push(0xc0 | (extension << 3) | (low & 7));
  }
  if (e.noRexB && rex & 1) return undefined;
  if (!long) rex = 0;
  for (const { where, size } of e.operands) {
    if (where === 'O') {
      memoryBytes = operandBytes(size, '', operandSize, rexW);
      target = chooseTarget(random, memoryBytes, addressSize === 16 || short);
      bytes.push(...little(target, addressSize / 8));
    } else if (where === 'I') {
      const count = size === 'b' || size === 'bs' ? 1 : size === 'w' || operandSize === 16 ? 2 : size === 'v' && operandSize === 64 ? 8 : 4; // prettier-ignore
      bytes.push(...little(interestingInteger(random), count));
    } else if (where === 'L') {
      bytes.push(random.below(256));
    } else if (where === 'J') {
      const distance = BigInt(random.below(220) - 110);
      bytes.push(...little(distance, size === 'b' ? 1 : operandSize === 16 ? 2 : 4));
      // Into itself, where it would run for ever, or into the middle of the way back.
      if ((distance < 0n && distance > -20n) || (distance > 0n && distance < 5n)) return undefined;
    }
  }
  if (e.vex) {
    const vvvv = e.usesVvvv ? random.below(long ? 16 : 8) : 0;
    prefixes.push(...vexPrefix(e, random, { rex: long ? rex : 0, l: vexL, w: vexW, vvvv }));
    rex = 0;
  }
  const head = !e.vex && long && (rex || random.oneIn(8)) && !e.noRexB ? [...prefixes, 0x40 | rex] : prefixes;
  const all = [...head, ...bytes];
  return {
    bytes: all, vectorIndex: form && 'vectorIndex' in form ? (form as { vectorIndex: number }).vectorIndex : undefined, address: (gprs) => form?.apply(gprs), target, memoryBytes, operandSize, rexW,
    ripRelative: ripRelativeAt >= 0 ? head.length + ripRelativeAt : undefined,
  }; // prettier-ignore
}

/** Registers that an instruction goes through without naming them: frame pointer, source, destination, table, count. */
export function setPointers(
  { row, operands }: Encoding,
  { bytes }: Encoded,
  codeSize: CodeSize,
  random: Random,
  gprs: BigUint64Array,
): void {
  const { AREA, AREA_LOW } = PLACE;
  const low = codeSize === 16 || (codeSize === 32 && bytes.includes(0x67));
  const area = low ? AREA_LOW : AREA;
  const offset = random.below(256);
  if (/^(leave|enter|popa)/.test(row.mnemonic)) gprs[5] = BigInt(area + 64 + (random.oneIn(4) ? offset : offset & -8));
  if (!operands.some((o) => 'XY'.includes(o.where)) && !/^v?maskmov[dq]/.test(row.mnemonic)) return;
  for (const i of [6, 7, 3]) gprs[i] = BigInt(area + 200 + random.below(100));
  // The upper part of a count must not matter where it is none.
  gprs[1] = (random.u64() << 32n) | BigInt(random.below(5));
  if (codeSize === 64 && !bytes.includes(0x67)) gprs[1] &= 7n;
}

/** RIP-relative displacements are known once the instruction's place and length are. */
export function placeRipRelative(encoded: Encoded, start: number): void {
  const at = encoded.ripRelative;
  if (at === undefined) return;
  let absolute = 0n;
  for (let i = 3; i >= 0; i--) absolute = (absolute << 8n) | BigInt(encoded.bytes[at + i]);
  const relative = BigInt.asIntN(32, absolute) - BigInt(start + encoded.bytes.length);
  little(relative, 4).forEach((byte, i) => (encoded.bytes[at + i] = byte));
}
