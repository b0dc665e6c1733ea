/** Memory images with kallsyms in them, laid out as kernels of several ages did, from symbols that the test knows. */

export interface KallsymsOptions {
  pointerBytes: 4 | 8;
  /** The order of tables and the form of addresses: up to 6.1, 6.2, since 6.4; without relative addresses; `narrow`: 7.2. */
  layout: 'pointers' | 'offsets' | 'per-cpu' | 'sequence' | 'behind' | 'places' | 'narrow';
  /** Bytes of a marker. */
  markerBytes: 4 | 8;
}
export interface KnownSymbol {
  name: string;
  type: string;
  gva: bigint;
}

/** Text that gets a token of its own, at numbers of characters that no name has. */
const PIECES = ['sys_', 'init', '__x64_', 'ta', 'sk', '_t', 'proc_'];
const FIRST_PIECE = 0x01;

export class Bytes {
  readonly bytes: number[] = [];
  get at(): number {
    return this.bytes.length;
  }
  align(n: number): this {
    while (this.bytes.length % n !== 0) this.bytes.push(0);
    return this;
  }
  number(value: bigint | number, bytes: number): this {
    for (let n = 0n, v = BigInt.asUintN(bytes * 8, BigInt(value)); n < bytes; n++) this.bytes.push(Number((v >> (n * 8n)) & 0xffn));
    return this;
  }
  put(...values: number[]): this {
    for (const value of values) this.bytes.push(value);
    return this;
  }
  text(value: string): this {
    return this.put(...Buffer.from(value, 'latin1'));
  }
} // prettier-ignore

function tokens(): string[] {
  const list = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code));
  // Numbers of characters that no name has stand for pieces; kernels leave none of them unused.
  for (let code = 0; code < 256; code++)
    if (!/[\w.$]/.test(list[code]!)) list[code] = PIECES[(code - FIRST_PIECE + 256) % PIECES.length]!;
  return list;
}

function compressed(text: string, list: readonly string[]): number[] {
  const codes: number[] = [];
  for (let at = 0; at < text.length;) {
    const piece = PIECES.find((each) => text.startsWith(each, at));
    const next = piece ?? text[at]!;
    codes.push(list.indexOf(next));
    at += next.length;
  }
  return codes;
}

/** Tables at `start`, with something else before and behind them. Symbols in order of their addresses. */
export function kallsymsImage(symbols: readonly KnownSymbol[], start: bigint, options: KallsymsOptions): Uint8Array {
  const { pointerBytes, layout, markerBytes } = options;
  const image = new Bytes();
  // All of it is in 32 bits, and at no multiple of eight.
  const narrow = layout === 'narrow';
  const align = (): Bytes => image.align(narrow ? 4 : pointerBytes);
  for (let n = 0; n < (narrow ? 501 : 500); n++) image.number(n * 2654435761, 4);
  const list = tokens();
  const base = symbols.find(({ gva }) => gva >= 0x8000_0000n)?.gva ?? 0n;

  const addresses = (): void => {
    align();
    if (layout === 'pointers') for (const { gva } of symbols) image.number(gva, pointerBytes);
    else if (layout === 'places' || narrow) for (const { gva } of symbols) image.number(gva - (start + BigInt(image.at)), 4);
    else for (const { gva } of symbols) image.number(layout === 'per-cpu' && gva >= base ? base - 1n - gva : layout === 'per-cpu' ? gva : gva - base, 4); // prettier-ignore
    align();
    if (layout !== 'pointers' && layout !== 'places' && !narrow) image.number(base, pointerBytes);
  };
  const sequence = (): void => {
    align();
    symbols.forEach((_, n) => image.put(n >> 16, (n >> 8) & 255, n & 255));
  };
  const names = (): void => {
    align().number(symbols.length, 4);
    align();
    const first = image.at;
    const markers: number[] = [];
    symbols.forEach(({ type, name }, n) => {
      if (n % 256 === 0) markers.push(image.at - first);
      const codes = compressed(type + name, list);
      if (codes.length < 128) image.put(codes.length);
      else image.put((codes.length & 127) | 128, codes.length >> 7);
      image.put(...codes);
    });
    if (markerBytes === 8) image.align(8);
    else align();
    for (const marker of markers) image.number(marker, markerBytes);
  };
  const tokenTables = (): void => {
    align();
    const first = image.at;
    const offsets = list.map((token) => {
      const at = image.at - first;
      image.text(token).put(0);
      return at;
    });
    align();
    for (const offset of offsets) image.number(offset, 2);
  };

  const behind = layout === 'behind' || narrow;
  if (!behind) addresses();
  if (layout === 'sequence') sequence();
  names();
  tokenTables();
  if (behind) {
    addresses();
    sequence();
  }
  align();
  for (let n = 0; n < 300; n++) image.number(n * 40503, 4);
  return Uint8Array.from(image.bytes);
}
