/** Addresses as two 32-bit words, and what is asked of them on every path. */

/** Bits 63:47 equal (SDM vol. 1 3.3.7.1). */
export const canonical = (hi: number): boolean => (hi << 16) >> 16 === hi;
const address = new BigUint64Array(1);
const halves = new Int32Array(address.buffer);
/** Of a whole address. In words: 64-bit integers of TypeScript are objects, and every stack frame asks. */
export const isCanonical = (gva: bigint): boolean => {
  address[0] = gva;
  return canonical(halves[1]);
};
export const toBigint = (lo: number, hi: number): bigint => (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);
export const maskA20 = (gpa: number): number => (Math.floor(gpa / 0x10_0000) % 2 === 1 ? gpa - 0x10_0000 : gpa);
