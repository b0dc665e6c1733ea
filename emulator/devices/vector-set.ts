/** Sets of 256 interrupt vectors, as eight 32-bit words: IRR, ISR, TMR. */

/** The empty set. */
export const words = (): number[] => new Array<number>(8).fill(0);
/** The highest vector of a set; -1: it is empty. */
export const highest = (set: readonly number[]): number => {
  for (let i = 7; i >= 0; i--) if (set[i] !== 0) return i * 32 + 31 - Math.clz32(set[i]!);
  return -1;
};
export const setBit = (set: number[], vector: number): void => {
  set[vector >> 5] = (set[vector >> 5]! | (1 << (vector & 31))) >>> 0;
};
export const clearBit = (set: number[], vector: number): void => {
  set[vector >> 5] = (set[vector >> 5]! & ~(1 << (vector & 31))) >>> 0;
};
export const hasBit = (set: readonly number[], vector: number): boolean =>
  ((set[vector >> 5]! >>> (vector & 31)) & 1) !== 0;
