/** The same numbers for the same seed. */
export class Random {
  constructor(private state: number) {}
  /** Below 2^32. */
  next(): number {
    let x = (this.state += 0x9e37_79b9);
    x = Math.imul(x ^ (x >>> 16), 0x21f0_aaad);
    x = Math.imul(x ^ (x >>> 15), 0x735a_2d97);
    return (x ^ (x >>> 15)) >>> 0;
  }
  below(n: number): number {
    return this.next() % n;
  }
  one<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }
}
