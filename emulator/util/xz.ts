/**
 * Files compressed with xz (The .xz File Format 1.1.0): the first stream's blocks of LZMA2, with or without the filter for x86 code,
 * and their CRC-32. What follows the stream is not looked at.
 */
import { UserError } from './assert';
import { Damaged, decodeLzma2 } from './lzma';

const HEADER_BYTES = 12;
const FILTER = { X86: 4, LZMA2: 0x21 } as const;
/** Bytes of the check behind a block, by its kind. */
const CHECK_BYTES = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64];
const CRC32 = 1;

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let i = 0; i < 8; i++) n = n & 1 ? (n >>> 1) ^ 0xedb8_8320 : n >>> 1;
  return n >>> 0;
});
function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ TABLE[(crc ^ bytes[i]) & 0xff];
  return ~crc >>> 0;
}

/** UserError: `name` is damaged, or compressed in a way that is not known here. */
export function unxz(name: string, file: Uint8Array): Uint8Array {
  try {
    return new Stream(file).read();
  } catch (damaged) {
    if (!(damaged instanceof Damaged)) throw damaged;
    throw new UserError(`${name}: its xz data is damaged (${damaged.why}); build or download it again.`);
  }
}

class Stream {
  private at = HEADER_BYTES;
  private readonly view: DataView;

  constructor(private readonly file: Uint8Array) {
    this.view = new DataView(file.buffer, file.byteOffset, file.byteLength);
    if (file.length < HEADER_BYTES) throw new Damaged('it ends in the middle');
  }

  read(): Uint8Array {
    const check = this.file[7] & 15;
    const blocks: Uint8Array[] = [];
    // A size of 0 begins the index, which comes after the last block.
    while (this.byte(this.at) !== 0) blocks.push(this.block(check));
    if (blocks.length === 1) return blocks[0];
    const out = new Uint8Array(blocks.reduce((sum, block) => sum + block.length, 0));
    blocks.reduce((at, block) => (out.set(block, at), at + block.length), 0);
    return out;
  }
  private byte(at: number): number {
    const value = this.file[at];
    if (value === undefined) throw new Damaged('it ends in the middle');
    return value;
  }
  private block(check: number): Uint8Array {
    const begin = this.at;
    const headerBytes = (this.byte(begin) + 1) * 4;
    const flags = this.byte(begin + 1);
    this.at = begin + 2;
    if (flags & 0x40) this.number();
    if (flags & 0x80) this.number();
    const filters = Array.from({ length: (flags & 3) + 1 }, () => this.filter());
    if (filters.at(-1) !== FILTER.LZMA2 || filters.slice(0, -1).some((id) => id !== FILTER.X86))
      throw new Damaged(`it uses filters that are not known here: ${filters.join(', ')}`);
    const { end, output } = decodeLzma2(this.file, begin + headerBytes);
    if (filters.length > 1) undoX86(output);
    this.at = begin + Math.ceil((end - begin) / 4) * 4;
    if (check === CRC32 && this.at + 4 <= this.file.length && this.view.getUint32(this.at, true) !== crc32(output))
      throw new Damaged('its checksum is another');
    this.at += CHECK_BYTES[check];
    return output;
  }
  /** A variable-length integer. */
  private number(): number {
    let value = 0;
    for (let i = 0; i < 9; i++) {
      const byte = this.byte(this.at++);
      value += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) break;
    }
    return value;
  }
  private filter(): number {
    const id = this.number();
    const properties = this.number();
    this.at += properties;
    return id;
  }
}

/** Whether a byte of the operand can be that of a near address, by the operand bytes before that looked like opcodes. */
const ALLOWED = [true, true, true, false, true, false, false, false];
const BIT_NUMBER = [0, 1, 2, 2, 3, 3, 3, 3];
const nearByte = (byte: number): boolean => byte === 0 || byte === 0xff;

/** Targets of calls and jumps, which the compressor made absolute, become relative again. */
function undoX86(code: Uint8Array): void {
  let mask = 0;
  let previous = -1;
  for (let at = 0; at + 4 < code.length; at++) {
    if ((code[at] & 0xfe) !== 0xe8) continue;
    const gap = at - previous;
    previous = at;
    if (gap > 3) mask = 0;
    else {
      mask = (mask << (gap - 1)) & 7;
      if (mask !== 0 && (!ALLOWED[mask] || nearByte(code[at + 4 - BIT_NUMBER[mask]]))) {
        mask = (mask << 1) | 1;
        continue;
      }
    }
    if (!nearByte(code[at + 4])) {
      mask = (mask << 1) | 1;
      continue;
    }
    let source = (code[at + 1] | (code[at + 2] << 8) | (code[at + 3] << 16) | (code[at + 4] << 24)) >>> 0;
    let target: number;
    for (;;) {
      target = (source - (at + 5)) >>> 0;
      if (mask === 0) break;
      const shift = BIT_NUMBER[mask] * 8;
      if (!nearByte((target >>> (24 - shift)) & 0xff)) break;
      source = (target ^ (2 ** (32 - shift) - 1)) >>> 0;
    }
    code[at + 1] = target;
    code[at + 2] = target >>> 8;
    code[at + 3] = target >>> 16;
    code[at + 4] = (target >>> 24) & 1 ? 0xff : 0;
    at += 4;
    mask = 0;
    previous = at;
  }
}
