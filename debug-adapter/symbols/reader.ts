/** A cursor over one section of debug information. Little-endian. Every read is checked against the section's end. */

/** Damaged or unsupported debug information: caught at the doors of SymbolFile, which turn it into a warning. */
export class DwarfError extends Error {
  override readonly name = 'DwarfError';
}

/**
 * Addresses inside symbols/ are numbers: the 64-bit address read as signed. Canonical addresses (48 bits, sign-extended)
 * are exact that way, and typed arrays of them need no bigint. The order is that of signed numbers.
 */
export const toAddress = (gva: bigint): number => Number(BigInt.asIntN(64, gva));
export const toGva = (address: number): bigint => BigInt.asUintN(64, BigInt(address));

const decoder = new TextDecoder();
/** The first multiple of groups of 7 bits that holds 64. */
const LEB_END = 2 ** 70;

export class Reader {
  readonly view: DataView;

  constructor(
    readonly bytes: Uint8Array,
    /** The section's name, for messages. */
    readonly section: string,
    public at = 0,
    public end = bytes.length,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (this.end > bytes.length) this.end = bytes.length;
    if (at < 0 || at > this.end) this.beyond(at);
  }

  beyond(at = this.at): never {
    throw new DwarfError(`${this.section} ends at 0x${this.end.toString(16)}, and 0x${at.toString(16)} is read`);
  }
  private take(bytes: number): number {
    const at = this.at;
    if (at + bytes > this.end) this.beyond();
    this.at = at + bytes;
    return at;
  }
  get done(): boolean {
    return this.at >= this.end;
  }

  u8(): number {
    return this.bytes[this.take(1)]!;
  }
  i8(): number {
    return (this.u8() << 24) >> 24;
  }
  u16(): number {
    return this.view.getUint16(this.take(2), true);
  }
  u24(): number {
    return this.u16() | (this.u8() << 16);
  }
  u32(): number {
    return this.view.getUint32(this.take(4), true);
  }
  u64(): bigint {
    return this.view.getBigUint64(this.take(8), true);
  }
  /** An offset or length of 8 bytes; beyond 2^53 it is inexact, and beyond any section's end anyway. */
  u64Number(): number {
    const at = this.take(8);
    return this.view.getUint32(at, true) + this.view.getUint32(at + 4, true) * 0x1_0000_0000;
  }
  /** An unsigned integer of 1, 2, 3, 4 or 8 bytes. */
  unsigned(bytes: number): number {
    if (bytes === 4) return this.u32();
    if (bytes === 8) return this.u64Number();
    if (bytes === 1) return this.u8();
    if (bytes === 2) return this.u16();
    if (bytes === 3) return this.u24();
    throw new DwarfError(`${this.section} at 0x${this.at.toString(16)}: integers of ${bytes} bytes do not exist`);
  }
  big(bytes: number): bigint {
    return bytes === 8 ? this.u64() : BigInt(this.unsigned(bytes));
  }
  /** A target address, in the form that toAddress gives. */
  address(bytes: number): number {
    if (bytes === 8) {
      const at = this.take(8);
      return this.view.getInt32(at + 4, true) * 0x1_0000_0000 + this.view.getUint32(at, true);
    }
    return this.unsigned(bytes);
  }
  /** A section offset: 4 bytes in the 32-bit format, 8 in the 64-bit format (DWARF 5 section 7.4). */
  offset(offsetSize: number): number {
    return offsetSize === 4 ? this.u32() : this.u64Number();
  }

  /** Of what is padded, groups behind 64 bits say nothing. They are not added: 0 times infinity is no number. */
  uleb(): number {
    let byte = this.u8();
    if (byte < 0x80) return byte;
    let value = byte & 0x7f;
    for (let scale = 0x80; ; scale *= 0x80) {
      byte = this.u8();
      if (scale < LEB_END) value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }
  sleb(): number {
    let byte = this.u8();
    if (byte < 0x80) return (byte << 25) >> 25;
    // A negative number is its complement's complement: exact, however many ones stand before it.
    let [value, complement] = [byte & 0x7f, ~byte & 0x7f];
    for (let scale = 0x80; ; scale *= 0x80) {
      byte = this.u8();
      if (scale < LEB_END) {
        value += (byte & 0x7f) * scale;
        complement += (~byte & 0x7f) * scale;
      }
      if (byte < 0x80) return byte & 0x40 ? -1 - complement : value;
    }
  }
  ulebBig(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.u8();
      if (shift < 128n) value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }
  slebBig(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.u8();
      if (shift < 128n) value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return byte & 0x40 && shift < 128n ? value - (1n << (shift + 7n)) : value;
    }
  }
  skipLeb(): void {
    while (this.u8() & 0x80);
  }

  skip(bytes: number): void {
    if (this.at + bytes > this.end) this.beyond(this.at + bytes);
    this.at += bytes;
  }
  /** Not a copy. */
  block(bytes: number): Uint8Array {
    const at = this.at;
    this.skip(bytes);
    return this.bytes.subarray(at, at + bytes);
  }
  skipString(): void {
    const end = this.bytes.indexOf(0, this.at);
    if (end < 0 || end >= this.end) this.beyond(this.end);
    this.at = end + 1;
  }
  string(): string {
    const start = this.at;
    this.skipString();
    return decoder.decode(this.bytes.subarray(start, this.at - 1));
  }
  /** The length at the head of a unit: its bytes, and whether the 64-bit format follows (DWARF 5 section 7.2.2). */
  initialLength(): { length: number; offsetSize: 4 | 8 } {
    const length = this.u32();
    if (length < 0xffff_fff0) return { length, offsetSize: 4 };
    if (length !== 0xffff_ffff)
      throw new DwarfError(
        `${this.section} at 0x${(this.at - 4).toString(16)}: unit length 0x${length.toString(16)} is reserved`,
      );
    return { length: this.u64Number(), offsetSize: 8 };
  }
}

/** The zero-terminated string at an offset of a string section. */
export const stringAt = (bytes: Uint8Array, section: string, offset: number): string => {
  if (offset >= bytes.length) throw new DwarfError(`${section} has no string at 0x${offset.toString(16)}`);
  let end = offset;
  while (end < bytes.length && bytes[end] !== 0) end++;
  return decoder.decode(bytes.subarray(offset, end));
};
