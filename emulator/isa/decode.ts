/**
 * Bytes to Instruction, by the rows (SDM vol. 2A chapter 2). Knows no meaning.
 */
import { ROWS } from './opcodes';
import { parseEncoding, specificity } from './encoding';
import type { Encoding, OperandNotation } from './encoding';
import type { CodeSize, Instruction, MemoryAddress, Operand, OperandSize } from './instruction';
import { AddressBytes } from './address-bytes';
import { TRUNCATED } from './instruction-bytes';
import { SEG } from '../x86/registers';

/** One-byte opcodes, the three escapes, and those again with a VEX prefix. */
const VEX_MAPS = 4;
const TABLE: Encoding[][][] = [0, 1, 2, 3, 4, 5, 6, 7].map(() => Array.from({ length: 256 }, () => []));
for (const row of ROWS) {
  const encoding = parseEncoding(row);
  const map = encoding.map + (encoding.vex ? VEX_MAPS : 0);
  for (let i = 0; i < (encoding.plusRegister ? 8 : 1); i++) TABLE[map][encoding.opcode + i].push(encoding);
}
for (const map of TABLE) for (const list of map) list.sort((a, b) => specificity(b) - specificity(a));
/** Opcodes that carry a ModRM byte in some row: read it even to refuse the instruction. */
const HAS_MODRM = TABLE.map((map) => map.map((list) => list.some((e) => e.modrm)));

/** Why there is no instruction: `truncated` means that more bytes are needed. */
export type DecodeFailure = 'invalid' | 'truncated' | 'too-long';

const MAX_LENGTH = 15;

/** Operands that are the same in every instruction: made once, by size and number. */
const each = <T>(count: number, make: (index: number) => T): readonly T[] =>
  Array.from({ length: count }, (_, i) => make(i));
const registers = (size: OperandSize): readonly Operand[] => each(20, (index) => ({ kind: 'gpr', index, size }));
const GPRS = { 8: registers(8), 16: registers(16), 32: registers(32), 64: registers(64) };
const vectors = (size: 128 | 256): readonly Operand[] => each(16, (index) => ({ kind: 'xmm', index, size }));
const VECTORS = { 128: vectors(128), 256: vectors(256) };
const MEMORY: readonly Operand[] = each(257, (size) => ({ kind: 'memory', size }));

class Decoder extends AddressBytes {
  private opcode = 0;
  private operandSize: OperandSize = 32;
  private memory: MemoryAddress | undefined = undefined;

  private candidate(map: number): Encoding | undefined {
    for (const e of TABLE[map][this.opcode]) if (this.matches(e)) return e;
    return undefined;
  }
  private matches(e: Encoding): boolean {
    const { attributes } = e.row;
    if (e.vex && !this.matchesVex(e)) return false;
    if (this.codeSize === 64 ? attributes.not64 : attributes.only64) return false;
    if (e.modrm) {
      if (e.modrmByte !== undefined && e.modrmByte !== this.modrm) return false;
      if (e.extension !== undefined && e.extension !== ((this.modrm >> 3) & 7)) return false;
      if (attributes.form && (attributes.form === 'register') !== this.modrm >= 0xc0) return false;
    }
    if (e.rexW && !(this.rex & 8)) return false;
    if (e.noRexB && this.rex & 1) return false;
    switch (e.prefix) {
      case undefined: return true;
      case 'np': return !this.repPrefix && !this.opsize;
      case 'nfx': return !this.repPrefix;
      case '66': return this.opsize && !this.repPrefix;
      case 'f3': return this.repPrefix === 0xf3;
      case 'f2': return this.repPrefix === 0xf2;
    } // prettier-ignore
  }

  private matchesVex(e: Encoding): boolean {
    const { l, w, vvvv } = this.vex!;
    return (e.vexL ?? l) === l && (e.vexW ?? w) === w && (e.usesVvvv || vvvv === 0);
  }

  private sizes(e: Encoding): void {
    const { attributes } = e.row;
    const c = this.codeSize;
    const opsize = this.opsize && e.prefix !== '66';
    if (c === 64 && (attributes.force64 || this.rex & 8)) this.operandSize = 64;
    else if (c === 64 && attributes.default64) this.operandSize = opsize ? 16 : 64;
    else this.operandSize = (c === 16) !== opsize ? 16 : 32;
    this.addressSize = this.addressSizeOf();
    if (e.bytes) this.operandSize = 8;
  }

  private gpr(index: number, size: OperandSize): Operand {
    if (size === 8 && !this.rex && index >= 4 && index < 8) index += 12;
    return GPRS[size][index];
  }
  private gprSize(letter: string): OperandSize {
    switch (letter) {
      case 'b': return 8;
      case 'w': return 16;
      case 'd': return 32;
      case 'q': return 64;
      case 'z': return this.operandSize === 16 ? 16 : 32;
      case 'n': return this.codeSize === 64 ? 64 : 32;
      case 'y': return this.rex & 8 ? 64 : 32;
      default: return this.operandSize;
    } // prettier-ignore
  }
  /** Of vector operands without a size of their own. */
  private get vectorBits(): 128 | 256 {
    return this.vex?.l ? 256 : 128;
  }
  private get vvvv(): number {
    return this.vex!.vvvv & (this.codeSize === 64 ? 15 : 7);
  }
  private vector(index: number, letters: string): Operand {
    return VECTORS[letters === '' ? this.vectorBits : 128][index];
  }
  private memorySize(letter: string): number {
    switch (letter) {
      case '': case 'i': case 'ix': return 0;
      case 't': return 80;
      case 'dq': case 'x': return 128;
      case 'h': return this.vectorBits / 2;
      case 'k': return this.vectorBits / 4;
      case 'e': return this.vectorBits / 8;
      case 'p': return this.operandSize + 16;
      case 's': return this.codeSize === 64 ? 80 : 48;
      default: return this.gprSize(letter);
    } // prettier-ignore
  }
  private immediate(letter: string): Operand {
    const signed = (value: number): bigint => BigInt.asUintN(this.operandSize, BigInt(value));
    switch (letter) {
      case 'b': return { kind: 'immediate', value: BigInt(this.u8()), size: 8 };
      case 'bs': return { kind: 'immediate', value: signed(this.s8()), size: this.operandSize };
      case 'w': return { kind: 'immediate', value: BigInt(this.u16()), size: 16 };
    } // prettier-ignore
    if (this.operandSize === 16) return { kind: 'immediate', value: BigInt(this.u16()), size: 16 };
    if (letter === 'v' && this.operandSize === 64) {
      const low = BigInt(this.s32() >>> 0);
      return { kind: 'immediate', value: (BigInt(this.s32() >>> 0) << 32n) | low, size: 64 };
    }
    return { kind: 'immediate', value: signed(this.s32()), size: this.operandSize };
  }
  private relative(letter: string): Operand {
    const displacement = letter === 'b' ? this.s8() : this.operandSize === 16 ? (this.u16() << 16) >> 16 : this.s32();
    const target = this.rip + BigInt(this.at + displacement);
    return { kind: 'relative', target: BigInt.asUintN(this.operandSize, target) };
  }
  /** The source of a string instruction is its memory operand where there are two: only it can be overridden. */
  private implicitMemory(base: 6 | 7, segment: number, size: string): Operand {
    if (!this.memory || base === 6)
      this.memory = {
        base,
        index: -1,
        scale: 0,
        displacement: 0n,
        segment,
        size: this.addressSize,
        ripRelative: false,
      };
    return MEMORY[this.memorySize(size)];
  }

  /** Immediates come last in the bytes whatever their place among the operands, so they are read in operand order. */
  private operand({ where, size }: OperandNotation): Operand | undefined {
    const reg = ((this.modrm >> 3) & 7) | ((this.rex & 4) << 1);
    const rm = (this.modrm & 7) | ((this.rex & 1) << 3);
    const inMemory = this.modrm < 0xc0;
    switch (where) {
      case 'E': return inMemory ? MEMORY[this.memorySize(size)] : this.gpr(rm, this.gprSize(size));
      case 'M': return inMemory ? MEMORY[this.memorySize(size)] : undefined;
      case 'R': return inMemory ? undefined : this.gpr(rm, this.gprSize(size));
      case 'G': return this.gpr(reg, this.gprSize(size));
      case 'Z': return this.gpr((this.opcode & 7) | ((this.rex & 1) << 3), this.gprSize(size));
      case 'I': return this.immediate(size);
      case 'J': return this.relative(size);
      case 'A': {
        const offset = this.operandSize === 16 ? this.u16() : this.s32() >>> 0;
        return { kind: 'far', offset, selector: this.u16() };
      }
      case 'O': return this.absolute(size);
      case 'S': return (reg & 7) < 6 ? { kind: 'segment', index: reg & 7 } : undefined;
      case 'C': return { kind: 'control', index: reg };
      case 'D': return { kind: 'debug', index: reg };
      case 'P': return { kind: 'mmx', index: reg & 7 };
      case 'Q': return inMemory ? MEMORY[size === '' ? 64 : this.memorySize(size)] : { kind: 'mmx', index: rm & 7 };
      case 'N': return inMemory ? undefined : { kind: 'mmx', index: rm & 7 };
      case 'V': return this.vector(reg, size);
      case 'W': return inMemory ? MEMORY[size === '' ? this.vectorBits : this.memorySize(size)] : this.vector(rm, size);
      case 'U': return inMemory ? undefined : this.vector(rm, size);
      case 'H': return this.vector(this.vvvv, size);
      case 'L': return this.vector((this.u8() >> 4) & (this.codeSize === 64 ? 15 : 7), size);
      case 'B': return this.gpr(this.vvvv, this.gprSize(size));
      case 'X': return this.implicitMemory(6, this.override >= 0 ? this.override : SEG.DS, size);
      case 'Y': return this.implicitMemory(7, SEG.ES, size);
      case 'AL': return GPRS[8][0];
      case 'CL': return GPRS[8][1];
      case 'AX': return GPRS[16][0];
      case 'DX': return GPRS[16][2];
      case 'rAX': return GPRS[this.operandSize][0];
      case '1': return { kind: 'immediate', value: 1n, size: 8 };
      case 'XMM0': return VECTORS[128][0];
      case 'ST0': return { kind: 'st', index: 0 };
      case 'STi': return { kind: 'st', index: this.modrm & 7 };
      case 'ES': case 'CS': case 'SS': case 'DS': case 'FS': case 'GS': return { kind: 'segment', index: SEG[where] };
    } // prettier-ignore
    return undefined;
  }
  private absolute(size: string): Operand {
    const bits = this.addressSize;
    const low = bits === 16 ? this.u16() : this.s32() >>> 0;
    const displacement = bits === 64 ? (BigInt(this.s32() >>> 0) << 32n) | BigInt(low) : BigInt(low);
    this.memory = { base: -1, index: -1, scale: 0, displacement, segment: this.segmentOf(-1), size: bits, ripRelative: false }; // prettier-ignore
    return MEMORY[this.memorySize(size)];
  }

  /**
   * A gather's memory operand needs SIB; the indices are vectors as long as the lanes, or of 128 bits. Destination, indices and
   * mask are three registers (SDM vol. 2C, VPGATHERDD).
   */
  private vectorIndex(e: Encoding): boolean {
    if (!this.memory || this.addressSize === 16 || (this.modrm & 7) !== 4) return false;
    const target = ((this.rex & 4) << 1) | ((this.modrm >> 3) & 7);
    if (new Set([target, this.memory.index, this.vvvv]).size < 3) return false;
    this.memory.vectorIndex = e.row.operands.includes('Mix') ? 128 : this.vectorBits;
    return true;
  }

  /** From the beginning; see `begin`. */
  decode(): Instruction | DecodeFailure {
    let map = 0;
    this.memory = undefined;
    this.modrm = 0;
    this.opcode = this.prefixes();
    if (this.isVex(this.opcode)) {
      if (this.rex || this.opsize || this.repPrefix || this.lock) return 'invalid';
      map = this.vexPrefix(this.opcode);
      if (map < 1 || map > 3) return 'invalid';
      [map, this.opcode] = [map + VEX_MAPS, this.u8()];
    } else if (this.opcode === 0x0f) {
      [map, this.opcode] = [1, this.u8()];
      if (this.opcode === 0x38 || this.opcode === 0x3a) [map, this.opcode] = [this.opcode === 0x38 ? 2 : 3, this.u8()];
    }
    if (HAS_MODRM[map][this.opcode]) this.modrm = this.u8();
    const encoding = this.candidate(map);
    if (!encoding) return 'invalid';
    if (HAS_MODRM[map][this.opcode] && !encoding.modrm) this.at--;
    this.sizes(encoding);
    if (encoding.modrm && this.modrm < 0xc0 && !encoding.namesControl) this.memory = this.address(encoding.vsib);
    // MOV to and from control and debug registers ignores ModRM.mod (SDM vol. 2, MOV).
    else if (encoding.namesControl) this.modrm |= 0xc0;
    if (encoding.vsib && !this.vectorIndex(encoding)) return 'invalid';
    const operands: Operand[] = [];
    for (const notation of encoding.operands) {
      const operand = this.operand(notation);
      if (!operand) return 'invalid';
      operands.push(operand);
    }
    if (this.at > MAX_LENGTH) return 'too-long';
    if (this.lock && !(encoding.row.attributes.lock && operands[0]?.kind === 'memory')) return 'invalid';
    const length = this.at;
    const { memory } = this;
    if (memory?.ripRelative) memory.displacement = BigInt.asUintN(64, this.rip + BigInt(length) + memory.displacement);
    return {
      row: encoding.row, rip: this.rip, length, codeSize: this.codeSize, operandSize: this.operandSize,
      addressSize: this.addressSize, operands, memory, lock: this.lock,
      rep: this.repPrefix === 0xf3 ? 'rep' : this.repPrefix === 0xf2 ? 'repne' : 'none',
      segmentOverride: this.override, rex: this.rex, vex: this.vex ? this.vectorBits : 0,
    }; // prettier-ignore
  }
}

const decoder = new Decoder();

/**
 * One instruction from `from` on in `bytes`, of which those before `end` can be read (give at least 15). `rip` is its offset in
 * CS. A failure says what hardware would do: `invalid` #UD, `too-long` #GP, `truncated` a fetch from the next page.
 */
export function decode(
  bytes: Uint8Array,
  rip: bigint,
  codeSize: CodeSize,
  from = 0,
  end = bytes.length,
): Instruction | DecodeFailure {
  const room = Math.min(end - from, MAX_LENGTH + 1);
  try {
    decoder.begin(bytes, from, room, rip, codeSize);
    return decoder.decode();
  } catch (e) {
    if (e !== TRUNCATED) throw e;
    return room > MAX_LENGTH ? 'too-long' : 'truncated';
  } finally {
    decoder.end();
  }
}
