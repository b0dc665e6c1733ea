/**
 * The token table of kallsyms, by which an unpacked Linux kernel is recognised: 256 pieces of text, each ended by a zero
 * byte, and after it an index of where each begins. Digits are in so many names that they stand for themselves.
 */

export interface TokenTable {
  /** Offset of the first token. */
  start: number;
  /** Offset behind the index. */
  end: number;
  tokens: string[];
}

const TOKENS = 256;
const DIGIT_0 = 0x30;
/** `0`, zero byte, `1`, zero byte ... `9`, zero byte. */
const RUN_BYTES = 20;
/** A run of 20 bytes covers a whole aligned word at every fourth place. */
const STRIDE_WORDS = 4;
/** The kernel's names are shorter (KSYM_NAME_LEN was 128, then 512), hence tokens are, too. */
const LONGEST_TOKEN = 512;

/** Offsets at which the ten digits stand as tokens. `bytes` begins at a multiple of 4 in its buffer. */
export function* digitRuns(bytes: Uint8Array): Generator<number> {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2);
  let last = -1;
  for (let i = 0; i < words.length; i += STRIDE_WORDS) {
    const word = words[i]!;
    const low = word & 0xff;
    const digit = (word & 0xff00ff00) === 0 ? low : (word & 0x00ff00ff) === 0 ? (word >>> 8) & 0xff : 0;
    if (digit < DIGIT_0 || digit > DIGIT_0 + 9) continue;
    const at = i * 4 + (low === 0 ? 1 : 0) - 2 * (digit - DIGIT_0);
    if (at === last || !isDigitRun(bytes, at)) continue;
    last = at;
    yield at;
  }
}

function isDigitRun(bytes: Uint8Array, at: number): boolean {
  if (at < 0 || at + RUN_BYTES > bytes.length) return false;
  for (let n = 0; n < 10; n++) if (bytes[at + 2 * n] !== DIGIT_0 + n || bytes[at + 2 * n + 1] !== 0) return false;
  return true;
}

/** The table around its digits, confirmed by the index that follows it; undefined: something else. */
export function tokenTableAt(bytes: Uint8Array, digits: number): TokenTable | undefined {
  const start = firstToken(bytes, digits);
  if (start === undefined) return undefined;
  const tokens: string[] = [];
  const offsets: number[] = [];
  let at = start;
  while (tokens.length < TOKENS) {
    const end = bytes.indexOf(0, at);
    if (end < 0 || end - at > LONGEST_TOKEN) return undefined;
    offsets.push(at - start);
    tokens.push(String.fromCharCode(...bytes.subarray(at, end)));
    at = end + 1;
  }
  for (const alignment of [8, 4, 2]) {
    const index = Math.ceil(at / alignment) * alignment;
    if (isIndex(bytes, index, offsets)) return { start, end: index + 2 * TOKENS, tokens };
  }
  return undefined;
}

/** Back over the tokens before the digits. The table is aligned, and what precedes it ends with a zero byte. */
function firstToken(bytes: Uint8Array, digits: number): number | undefined {
  let at = digits;
  for (let token = DIGIT_0; token > 0; token--) {
    const lowest = Math.max(0, at - 1 - LONGEST_TOKEN);
    let begin = at - 1;
    while (begin > lowest && bytes[begin - 1] !== 0) begin--;
    if (begin <= lowest && begin !== 0) return undefined;
    at = begin;
  }
  return at % 4 === 0 ? at : undefined;
}

function isIndex(bytes: Uint8Array, at: number, offsets: readonly number[]): boolean {
  if (at + 2 * TOKENS > bytes.length) return false;
  return offsets.every((offset, n) => (bytes[at + 2 * n]! | (bytes[at + 2 * n + 1]! << 8)) === offset);
}
