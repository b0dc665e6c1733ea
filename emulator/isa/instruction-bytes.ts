/** The bytes of one instruction in order: prefixes (SDM vol. 2A sections 2.1.1, 2.2.1) and little-endian numbers. */
import type { CodeSize } from './instruction';
import { SEG } from '../x86/registers';

/** By byte; -1 for what is no segment prefix. */
const SEGMENT_PREFIX = new Int8Array(256).fill(-1);
for (const [byte, segment] of [[0x26, SEG.ES], [0x2e, SEG.CS], [0x36, SEG.SS], [0x3e, SEG.DS], [0x64, SEG.FS], [0x65, SEG.GS]] as const)
  SEGMENT_PREFIX[byte] = segment; // prettier-ignore

const NONE = new Uint8Array(0);

class Truncated {}
/** Thrown where more bytes are needed than there are. */
export const TRUNCATED = new Truncated();

/**
 * What a VEX prefix says besides REX's bits and the mandatory prefix (SDM vol. 2A section 2.3.5); `vvvv` not inverted, and all of it
 * in every mode: where it names nothing it must be all ones even outside 64-bit mode, where its top bit names nothing (as AMD's and iced-x86 have it).
 */
export interface VexPrefix {
  l: 0 | 1;
  w: 0 | 1;
  vvvv: number;
}

/** A cursor over the bytes, and what the prefixes said. One serves all instructions, one after the other. */
export abstract class InstructionBytes {
  private bytes: Uint8Array = NONE;
  private from = 0;
  private room = 0;
  protected rip = 0n;
  protected codeSize: CodeSize = 64;
  protected at = 0;
  protected opsize = false;
  protected adsize = false;
  protected repPrefix = 0;
  protected lock = false;
  protected override = -1;
  protected rex = 0;
  protected vex: VexPrefix | undefined = undefined;

  /** `from`, `room`: where in `bytes` the instruction begins, and how many bytes there are. */
  begin(bytes: Uint8Array, from: number, room: number, rip: bigint, codeSize: CodeSize): void {
    this.bytes = bytes;
    this.from = from;
    this.room = room;
    this.rip = rip;
    this.codeSize = codeSize;
    this.at = this.repPrefix = this.rex = 0;
    this.opsize = this.adsize = this.lock = false;
    this.override = -1;
    this.vex = undefined;
  }

  /** Whoever's memory they were may go. */
  end(): void {
    this.bytes = NONE;
  }

  protected u8(): number {
    if (this.at >= this.room) throw TRUNCATED;
    return this.bytes[this.from + this.at++];
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
      if (SEGMENT_PREFIX[byte] >= 0) {
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

  /** Outside 64-bit mode C4 and C5 are LES and LDS unless their ModRM byte would name a register. */
  protected isVex(byte: number): boolean {
    if (byte !== 0xc4 && byte !== 0xc5) return false;
    const next = this.u8();
    this.at--;
    return this.codeSize === 64 || next >= 0xc0;
  }
  /** Takes the rest of a VEX prefix; returns the opcode map that it names. */
  protected vexPrefix(byte: number): number {
    const first = this.u8();
    const second = byte === 0xc4 ? this.u8() : first;
    const long = this.codeSize === 64;
    const w = byte === 0xc4 && second & 0x80 ? 1 : 0;
    const extension = byte === 0xc4 ? (~first >> 5) & 7 : (~first >> 5) & 4;
    // Outside 64-bit mode only eight registers exist, and W chooses no general register's size.
    if (long) this.rex = extension | (w << 3);
    this.vex = { l: second & 4 ? 1 : 0, w, vvvv: (~second >> 3) & 15 };
    this.opsize = (second & 3) === 1;
    this.repPrefix = [0, 0, 0xf3, 0xf2][second & 3];
    return byte === 0xc4 ? first & 31 : 1;
  }
}
