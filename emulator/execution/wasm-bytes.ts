/** WebAssembly's binary format at its lowest: integers and vectors (core specification 2.0, section 5.2). */
/** A growing byte buffer with the format's integers. */
export class Bytes {
  private buffer = new Uint8Array(256);
  length = 0;

  private room(bytes: number): void {
    if (this.length + bytes <= this.buffer.length) return;
    const grown = new Uint8Array(Math.max(this.buffer.length * 2, this.length + bytes));
    grown.set(this.buffer.subarray(0, this.length));
    this.buffer = grown;
  }
  u8(value: number): void {
    this.room(1);
    this.buffer[this.length++] = value;
  }
  /** Unsigned LEB128. */
  u32(value: number): void {
    value >>>= 0;
    for (; value >= 0x80; value >>>= 7) this.u8((value & 0x7f) | 0x80);
    this.u8(value);
  }
  /** Signed LEB128, 32 bits. */
  s32(value: number): void {
    value |= 0;
    for (;;) {
      const byte = value & 0x7f;
      value >>= 7;
      if ((value === 0 && !(byte & 0x40)) || (value === -1 && byte & 0x40)) return this.u8(byte);
      this.u8(byte | 0x80);
    }
  }
  /** Signed LEB128, 64 bits. */
  s64(value: bigint): void {
    value = BigInt.asIntN(64, value);
    if (value === BigInt.asIntN(31, value)) return this.s32(Number(value));
    for (;;) {
      const byte = Number(value & 0x7fn);
      value >>= 7n;
      if ((value === 0n && !(byte & 0x40)) || (value === -1n && byte & 0x40)) return this.u8(byte);
      this.u8(byte | 0x80);
    }
  }
  append(bytes: ArrayLike<number>): void {
    this.room(bytes.length);
    this.buffer.set(bytes, this.length);
    this.length += bytes.length;
  }
  /** A vector of bytes: length first. */
  vector(bytes: Uint8Array): void {
    this.u32(bytes.length);
    this.append(bytes);
  }
  name(text: string): void {
    this.vector(Uint8Array.from(text, (c) => c.charCodeAt(0)));
  }
  bytes(): Uint8Array {
    return this.buffer.subarray(0, this.length);
  }
}
