/**
 * Reading an image that may be damaged: every access is checked, and every complaint is one sentence that names the
 * file, the field with its offset and value, and what to do.
 */
import { UserError } from '../../util/assert';

export const hex = (value: number | bigint): string => `0x${value.toString(16)}`;

export const DAMAGED = 'the file is damaged or cut short: build or download it again';

export class Fields {
  private readonly view: DataView;

  constructor(
    readonly name: string,
    readonly bytes: Uint8Array,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get length(): number {
    return this.bytes.length;
  }

  u8(offset: number, field: string): number {
    this.need(offset, 1, field);
    return this.view.getUint8(offset);
  }
  u16(offset: number, field: string): number {
    this.need(offset, 2, field);
    return this.view.getUint16(offset, true);
  }
  u32(offset: number, field: string): number {
    this.need(offset, 4, field);
    return this.view.getUint32(offset, true);
  }
  u64(offset: number, field: string): bigint {
    this.need(offset, 8, field);
    return this.view.getBigUint64(offset, true);
  }
  slice(offset: number, bytes: number, field: string): Uint8Array {
    this.need(offset, bytes, field);
    return this.bytes.subarray(offset, offset + bytes);
  }
  /** 0 where the file ends before: for probing, not for reading what must be there. */
  peek32(offset: number): number {
    return offset >= 0 && offset + 4 <= this.length ? this.view.getUint32(offset, true) : 0;
  }
  /** True where the bytes at `offset` are those of `text` (Latin-1). */
  has(offset: number, text: string): boolean {
    if (offset < 0 || offset + text.length > this.length) return false;
    for (let i = 0; i < text.length; i++) if (this.bytes[offset + i] !== text.charCodeAt(i)) return false;
    return true;
  }

  /** The user's mistake: `field` at `offset` (undefined: of the file as a whole) is wrong because `why`; `remedy`. */
  bad(
    field: string,
    offset: number | undefined,
    value: number | bigint | undefined,
    why: string,
    remedy: string,
  ): UserError {
    const place = offset === undefined ? '' : ` at offset ${hex(offset)}`;
    const is = value === undefined ? '' : ` is ${hex(value)},`;
    return new UserError(`${this.name}: ${field}${place}${is} ${why}; ${remedy}.`);
  }

  private need(offset: number, bytes: number, field: string): void {
    if (offset >= 0 && bytes >= 0 && offset + bytes <= this.length) return;
    const range = `${hex(offset)}-${hex(offset + bytes)}`;
    throw new UserError(
      `${this.name}: ${field} would lie at ${range}, but the file has ${this.length} bytes; ${DAMAGED}.`,
    );
  }
}

/** A little-endian record to be filled in: boot information structures. */
export class Structure {
  readonly bytes: Uint8Array;
  private readonly view: DataView;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.view = new DataView(this.bytes.buffer);
  }
  u8(offset: number, value: number): this {
    this.view.setUint8(offset, value);
    return this;
  }
  u16(offset: number, value: number): this {
    this.view.setUint16(offset, value, true);
    return this;
  }
  u32(offset: number, value: number): this {
    this.view.setUint32(offset, value, true);
    return this;
  }
  u64(offset: number, value: number | bigint): this {
    this.view.setBigUint64(offset, BigInt(value), true);
    return this;
  }
  set(offset: number, bytes: Uint8Array): this {
    this.bytes.set(bytes, offset);
    return this;
  }
}

/** UTF-8 with a closing 0, as C strings are handed to kernels. */
export const cString = (text: string): Uint8Array => new TextEncoder().encode(`${text}\0`);
