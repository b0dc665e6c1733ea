/** The bytes of one instruction in order: prefixes (SDM vol. 2A sections 2.1.1, 2.2.1) and little-endian numbers. */
import type { CodeSize } from './instruction';
import { SEG } from '../x86/registers';

const SEGMENT_PREFIX: Record<number, number> = { 0x26: SEG.ES, 0x2e: SEG.CS, 0x36: SEG.SS, 0x3e: SEG.DS, 0x64: SEG.FS, 0x65: SEG.GS }; // prettier-ignore

class Truncated {}
/** Thrown where more bytes are needed than there are. */
export const TRUNCATED = new Truncated();

/** A cursor over the bytes, and what the prefixes said. */
export abstract class InstructionBytes {
  protected at = 0;
  protected opsize = false;
  protected adsize = false;
  protected repPrefix = 0;
  protected lock = false;
  protected override = -1;
  protected rex = 0;

  constructor(
    protected readonly bytes: Uint8Array,
    protected readonly rip: bigint,
    protected readonly codeSize: CodeSize,
  ) {}

  protected u8(): number {
    if (this.at >= this.bytes.length) throw TRUNCATED;
    return this.bytes[this.at++];
  }
  protected u16(): number {
    return this.u8() | (this.u8() << 8);
  }
  protected s32(): number {
    return this.u16() | (this.u16() << 16);
  }
  protected s8(): number {
    return (this.u8() << 24) >> 24;
  }

  /** Takes all prefixes; returns the first byte of the opcode. */
  protected prefixes(): number {
    for (;;) {
      const byte = this.u8();
      if (byte in SEGMENT_PREFIX) {
        // In 64-bit mode only FS and GS count (SDM vol. 1 section 3.4.2.1); a later null override changes nothing.
        if (this.codeSize !== 64 || byte >= 0x64) this.override = SEGMENT_PREFIX[byte];
      } else if (byte === 0x66) this.opsize = true;
      else if (byte === 0x67) this.adsize = true;
      else if (byte === 0xf0) this.lock = true;
      else if (byte === 0xf2 || byte === 0xf3) this.repPrefix = byte;
      else if (this.codeSize === 64 && (byte & 0xf0) === 0x40) {
        // Only a REX directly before the opcode counts.
        this.rex = byte;
        continue;
      } else return byte;
      this.rex = 0;
    }
  }
}
