/** A 64-bit hash of everything that a guest could notice: equal for equal runs, on every platform and in every tier. */

/** Two 32-bit lanes of multiply-and-mix; not cryptographic. */
class Hash {
  private a = 0x9e37_79b9;
  private b = 0x85eb_ca6b;

  word(value: number): void {
    this.a = Math.imul(this.a ^ value, 0x0100_0193);
    this.a ^= this.a >>> 15;
    this.b = (Math.imul(this.b, 0x2c1b_3c6d) + (value ^ this.a)) | 0;
    this.b ^= this.b >>> 13;
  }
  text(value: string): void {
    for (let i = 0; i < value.length; i++) this.word(value.charCodeAt(i));
    this.word(value.length);
  }
  digits(): string {
    const part = (value: number): string => (value >>> 0).toString(16).padStart(8, '0');
    return part(this.a) + part(this.b);
  }
}

const WORDS_A_PAGE = 1024;

export interface Hashed {
  /** Processors and devices: plain data. */
  state: unknown;
  /** Linear memory as 32-bit words, and the addresses in it of the pages of guest RAM, in order. */
  words: Int32Array;
  pages: Iterable<number>;
}

export function stateHash({ state, words, pages }: Hashed): string {
  const hash = new Hash();
  hash.text(JSON.stringify(state, plain));
  // Pages of zeros are most of memory, and need not be mixed one word at a time.
  let page = 0;
  for (const address of pages) {
    const first = address >>> 2;
    let any = 0;
    for (let i = first; i < first + WORDS_A_PAGE; i++) any |= words[i];
    if (any !== 0) {
      hash.word(page);
      for (let i = first; i < first + WORDS_A_PAGE; i++) hash.word(words[i]);
    }
    page += WORDS_A_PAGE;
  }
  return hash.digits();
}

/** What was written to a disk may be large: bytes are mixed, not spelt out. */
function digest(bytes: Uint8Array): string {
  const hash = new Hash();
  hash.word(bytes.length);
  for (let i = 0; i < bytes.length; i++) hash.word(bytes[i]!);
  return hash.digits();
}

function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`;
  if (ArrayBuffer.isView(value)) return digest(value as Uint8Array);
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  // Which device was plugged in first is no state.
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
