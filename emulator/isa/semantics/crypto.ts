/** AES-NI and the SHA extensions as plain meanings on bytes and words. FIPS 197, FIPS 180-4; SDM vol. 2 and vol. 1 chapter 12. */
import type { Processor } from '../../cpu/ports';
import * as layout from '../../execution/layout';
import type { Instruction, SystemMeaning } from '../instruction';
import { immediateOf } from './sse-float';
import { available, readVector, vectorBytes, writeVector } from './vector-operands';

/** Times x in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1. */
const double = (a: number): number => ((a << 1) ^ (a & 0x80 ? 0x11b : 0)) & 0xff;
const SBOX = new Uint8Array(256);
const INVERSE = new Uint8Array(256);
{
  // Powers of 3 and of its inverse meet all elements; the box is the inverse and an affine map (FIPS 197 section 5.1.1).
  let [p, q] = [1, 1];
  do {
    p ^= double(p);
    q ^= q << 1;
    q ^= q << 2;
    q = (q ^ (q << 4)) & 0xff;
    if (q & 0x80) q ^= 9;
    const turned = (by: number): number => ((q << by) | (q >> (8 - by))) & 0xff;
    SBOX[p] = q ^ turned(1) ^ turned(2) ^ turned(3) ^ turned(4) ^ 0x63;
  } while (p !== 1);
  SBOX[0] = 0x63;
  SBOX.forEach((to, from) => (INVERSE[to] = from));
}

const bytesOf = (value: bigint): Uint8Array => {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt.asUintN(64, value), true);
  view.setBigUint64(8, BigInt.asUintN(64, value >> 64n), true);
  return bytes;
};
const valueOf = (bytes: Uint8Array): bigint => {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return view.getBigUint64(0, true) | (view.getBigUint64(8, true) << 64n);
};

/** Rows turned left by their number, or right. */
const shiftRows = (state: Uint8Array, by: 1 | -1): Uint8Array =>
  state.map((_, i) => state[((i >> 2) * 4 + by * (i & 3) * 4 + (i & 3) + 16) & 15]);
function mixColumns(s: Uint8Array): Uint8Array {
  return s.map((own, i) => {
    const column = i & ~3;
    const next = s[column + ((i + 1) & 3)];
    return double(own ^ next) ^ next ^ s[column + ((i + 2) & 3)] ^ s[column + ((i + 3) & 3)];
  });
}
/** The inverse is the map itself after a map of its own (the polynomial's third power). */
function unmixColumns(s: Uint8Array): Uint8Array {
  return mixColumns(s.map((own, i) => {
    const quadrupled = double(double(own ^ s[(i & ~3) + ((i + 2) & 3)]));
    return own ^ quadrupled;
  }));
} // prettier-ignore

/** destination = round(state, key), 128 bits at a time. */
const aes = (round: (state: Uint8Array, key: Uint8Array) => Uint8Array): SystemMeaning => (cpu, insn) => {
  available(cpu, insn);
  const bytes = vectorBytes(insn);
  const [key, state] = [readVector(cpu, insn, 1, bytes), readVector(cpu, insn, 0, bytes)];
  let result = 0n;
  for (let at = 0n; at < bytes * 8; at += 128n) result |= valueOf(round(bytesOf(state >> at), bytesOf(key >> at))) << at;
  writeVector(cpu, insn, result);
}; // prettier-ignore
const withKey = (state: Uint8Array, key: Uint8Array): Uint8Array => state.map((byte, i) => byte ^ key[i]);
const encrypt = (state: Uint8Array): Uint8Array => shiftRows(state, 1).map((byte) => SBOX[byte]);
const decrypt = (state: Uint8Array): Uint8Array => shiftRows(state, -1).map((byte) => INVERSE[byte]);
export const aesenc = aes((state, key) => withKey(mixColumns(encrypt(state)), key));
export const aesenclast = aes((state, key) => withKey(encrypt(state), key));
export const aesdec = aes((state, key) => withKey(unmixColumns(decrypt(state)), key));
export const aesdeclast = aes((state, key) => withKey(decrypt(state), key));
export const aesimc: SystemMeaning = (cpu, insn) => {
  available(cpu, insn);
  writeVector(cpu, insn, valueOf(unmixColumns(bytesOf(readVector(cpu, insn, 1, 16)))));
};
export const aeskeygenassist: SystemMeaning = (cpu, insn) => {
  available(cpu, insn);
  const boxed = bytesOf(readVector(cpu, insn, 1, 16)).map((byte) => SBOX[byte]);
  const from = [4, 5, 6, 7, 5, 6, 7, 4, 12, 13, 14, 15, 13, 14, 15, 12];
  const result = Uint8Array.from(from, (i) => boxed[i]);
  for (const at of [4, 12]) result[at] ^= immediateOf(insn);
  writeVector(cpu, insn, valueOf(result));
};

// --- SHA.
type Words = [number, number, number, number];
const wordsOf = (value: bigint): Words =>
  [0n, 32n, 64n, 96n].map((at) => Number((value >> at) & 0xffff_ffffn)) as Words;
const left = (x: number, by: number): number => (x << by) | (x >>> (32 - by));
const right = (x: number, by: number): number => left(x, 32 - by);
const choice = (x: number, y: number, z: number): number => (x & y) ^ (~x & z);
const majority = (x: number, y: number, z: number): number => (x & y) ^ (x & z) ^ (y & z);

/** Words of destination and source, from the lowest, to those of the destination. */
const sha = (f: (a: Words, b: Words, cpu: Processor, insn: Instruction) => readonly number[]): SystemMeaning => (cpu, insn) => {
  available(cpu, insn);
  const b = wordsOf(readVector(cpu, insn, 1, 16));
  const result = f(wordsOf(readVector(cpu, insn, 0, 16)), b, cpu, insn);
  writeVector(cpu, insn, result.reduceRight((all, word) => (all << 32n) | BigInt(word >>> 0), 0n));
}; // prettier-ignore

export const sha1msg1 = sha((a, b) => [a[0] ^ b[2], a[1] ^ b[3], a[2] ^ a[0], a[3] ^ a[1]]);
export const sha1msg2 = sha((a, b) => {
  const first = left(a[3] ^ b[2], 1);
  return [left(a[0] ^ first, 1), left(a[1] ^ b[0], 1), left(a[2] ^ b[1], 1), first].map((w, i, all) => (i === 0 ? left(a[0] ^ all[3], 1) : w)); // prettier-ignore
});
export const sha1nexte = sha((a, b) => [b[0], b[1], b[2], b[3] + left(a[3], 30)]);
const SHA1 = [
  { f: choice, k: 0x5a82_7999 },
  { f: (x: number, y: number, z: number): number => x ^ y ^ z, k: 0x6ed9_eba1 },
  { f: majority, k: 0x8f1b_bcdc },
  { f: (x: number, y: number, z: number): number => x ^ y ^ z, k: 0xca62_c1d6 },
] as const;
export const sha1rnds4 = sha((start, words, _, insn) => {
  const { f, k } = SHA1[immediateOf(insn) & 3];
  let [d, c, b, a] = start;
  let e = 0;
  for (const word of [...words].reverse()) {
    const next = (f(b, c, d) + left(a, 5) + word + e + k) | 0;
    [a, b, c, d, e] = [next, a, left(b, 30), c, d];
  }
  return [d, c, b, a];
});
const sigma0 = (x: number): number => right(x, 7) ^ right(x, 18) ^ (x >>> 3);
const sigma1 = (x: number): number => right(x, 17) ^ right(x, 19) ^ (x >>> 10);
export const sha256msg1 = sha((a, b) => [...a, b[0]].slice(1).map((next, i) => a[i] + sigma0(next)));
export const sha256msg2 = sha((a, b) => {
  const first = a[0] + sigma1(b[2]);
  const second = a[1] + sigma1(b[3]);
  return [first, second, a[2] + sigma1(first), a[3] + sigma1(second)];
});
/** Two rounds; their words with constants added are in XMM0. */
export const sha256rnds2 = sha((dest, source, cpu) => {
  let [f, e, b, a] = source;
  let [h, g, d, c] = dest;
  for (let i = 0; i < 2; i++) {
    const word = cpu.state.view.getUint32(layout.VECTORS + i * 4, true);
    const t = (choice(e, f, g) + (right(e, 6) ^ right(e, 11) ^ right(e, 25)) + word + h) | 0;
    const next = (t + majority(a, b, c) + (right(a, 2) ^ right(a, 13) ^ right(a, 22))) | 0;
    [a, b, c, d, e, f, g, h] = [next, a, b, c, (t + d) | 0, e, f, g];
  }
  return [f, e, b, a];
});
