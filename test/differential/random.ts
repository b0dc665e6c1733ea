/** Repeatable random numbers, and values at which instructions are wrong when they are wrong. */

export class Random {
  private a: number;
  private b: number;

  constructor(readonly seed: number) {
    this.a = seed | 0 || 1;
    this.b = (seed * 0x9e37_79b9) | 0 || 2;
    for (let i = 0; i < 8; i++) this.u32();
  }

  /** xorshift on 64 bits in two halves. */
  u32(): number {
    const t = this.a ^ (this.a << 10);
    this.a = this.b;
    this.b = this.b ^ (this.b >>> 10) ^ t ^ (t >>> 13);
    return (this.a + this.b) >>> 0;
  }
  u64(): bigint {
    return (BigInt(this.u32()) << 32n) | BigInt(this.u32());
  }
  /** 0 <= result < limit. */
  below(limit: number): number {
    return Math.floor((this.u32() / 2 ** 32) * limit);
  }
  /** True once in n. */
  oneIn(n: number): boolean {
    return this.below(n) === 0;
  }
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }
  bytes(count: number): Uint8Array {
    const bytes = new Uint8Array(count);
    for (let i = 0; i < count; i++) bytes[i] = this.u32();
    return bytes;
  }
}

const EDGES: readonly bigint[] = [8n, 16n, 32n, 64n].flatMap((bits) => {
  const top = 1n << (bits - 1n);
  return [top - 1n, top, top + 1n, 2n * top - 1n, BigInt.asUintN(64, -top), BigInt.asUintN(64, -top - 1n)];
});

/** A 64-bit integer: edges of every size, small, one bit, random, or close to what it was called with before. */
export function interestingInteger(random: Random, related = 0n): bigint {
  const near = BigInt(random.below(5) - 2);
  switch (random.below(8)) {
    case 0: return BigInt(random.below(4));
    case 1: return BigInt.asUintN(64, -BigInt(random.below(4)));
    case 2: return BigInt.asUintN(64, random.pick(EDGES));
    case 3: return 1n << BigInt(random.below(64));
    case 4: return BigInt.asUintN(64, related + near);
    case 5: return BigInt.asUintN(64, near - related);
    case 6: return BigInt(random.below(256));
    default: return random.u64();
  } // prettier-ignore
}

interface FloatFormat {
  exponentBits: bigint;
  fractionBits: bigint;
}
const FORMATS: Record<32 | 64, FloatFormat> = {
  32: { exponentBits: 8n, fractionBits: 23n },
  64: { exponentBits: 11n, fractionBits: 52n },
};

function interestingFraction(random: Random, bits: bigint): bigint {
  const ones = (1n << bits) - 1n;
  switch (random.below(6)) {
    case 0: return 0n;
    case 1: return ones;
    case 2: return (1n << BigInt(random.below(Number(bits)))) & ones;
    case 3: return ones ^ ((1n << BigInt(random.below(Number(bits)))) - 1n);
    default: return random.u64() & ones;
  } // prettier-ignore
}

/** Exponents where integers, precisions and ranges end, relative to the bias. */
const EXPONENTS = [0, 1, -1, 2, 7, 8, 14, 15, 16, 22, 23, 24, 30, 31, 32, 51, 52, 53, 61, 62, 63, 64, 126, 127, 128, -126, -127, -149, 1022, 1023, 1024, -1022, -1074]; // prettier-ignore

function interestingExponent(random: Random, bits: bigint): bigint {
  const top = (1n << bits) - 1n;
  const bias = top >> 1n;
  switch (random.below(8)) {
    case 0: return random.pick([0n, 0n, 1n, top, top, top - 1n]);
    case 1: return random.u64() & top;
    case 2: case 3: {
      const e = bias + BigInt(random.pick(EXPONENTS));
      return e < 0n ? 0n : e > top ? top : e;
    }
    default: return bias + BigInt(random.below(12) - 6);
  } // prettier-ignore
}

/** The bits of a binary32 or binary64: zeros, denormals, infinities, NaNs of both kinds, halves, integers, random. */
export function interestingFloat(random: Random, size: 32 | 64): bigint {
  const { exponentBits, fractionBits } = FORMATS[size];
  const sign = BigInt(random.below(2));
  const exponent = interestingExponent(random, exponentBits);
  return (
    (sign << (exponentBits + fractionBits)) | (exponent << fractionBits) | interestingFraction(random, fractionBits)
  );
}

/** The bits of an 80-bit extended: as interestingFloat, and pseudo-denormals, unnormals, pseudo-infinities and -NaNs. */
export function interestingExtended(random: Random): bigint {
  const sign = BigInt(random.below(2));
  const exponent = interestingExponent(random, 15n);
  const integer = (exponent === 0n) === random.oneIn(12) ? 1n : 0n;
  return (sign << 79n) | (exponent << 64n) | (integer << 63n) | interestingFraction(random, 63n);
}
