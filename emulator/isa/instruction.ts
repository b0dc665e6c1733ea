/**
 * What decoding yields, and what a row of the opcode table says. Types only: the rows are in opcodes.ts, their meanings
 * in semantics/.
 */
import type { Emitter } from '../execution/builder';
import type { Processor } from '../cpu/ports';

export type OperandSize = 8 | 16 | 32 | 64;
export type CodeSize = 16 | 32 | 64;

/** An operand of one decoded instruction. */
export type Operand =
  /** `index`: 0-15 by encoding; AH, CH, DH, BH are 16-19. `size` in bits. */
  | { kind: 'gpr'; index: number; size: OperandSize }
  | { kind: 'segment'; index: number }
  | { kind: 'control'; index: number }
  | { kind: 'debug'; index: number }
  | { kind: 'st'; index: number }
  | { kind: 'mmx'; index: number }
  | { kind: 'xmm'; index: number; size: 128 | 256 }
  /** At Instruction.memory. `size` in bits: 0 where only the address matters (LEA, INVLPG). */
  | { kind: 'memory'; size: number }
  /** Sign-extended to 64 bits where the manual says so; otherwise zero-extended. */
  | { kind: 'immediate'; value: bigint; size: OperandSize }
  /** A branch target, as an offset in CS, already truncated to the operand size. */
  | { kind: 'relative'; target: bigint }
  /** A far pointer in the code stream. */
  | { kind: 'far'; selector: number; offset: number };

/** base + index * 2**scale + displacement in segment; -1 where there is none. RIP-relative is already folded in. */
export interface MemoryAddress {
  base: number;
  index: number;
  scale: 0 | 1 | 2 | 3;
  displacement: bigint;
  segment: number;
  /** Width in which the offset is computed and wraps. */
  size: CodeSize;
  ripRelative: boolean;
  /** `index` names a vector of so many bits: a gather's. */
  vectorIndex?: 128 | 256;
}

export interface Instruction {
  row: Row;
  /** Offset in CS of the first byte, and of the next instruction. */
  rip: bigint;
  length: number;
  codeSize: CodeSize;
  operandSize: OperandSize;
  addressSize: CodeSize;
  operands: readonly Operand[];
  memory?: MemoryAddress;
  /** Prefixes as written; whether they mean anything is the row's affair. */
  lock: boolean;
  rep: 'none' | 'rep' | 'repne';
  /** Segment override that was written, -1 for none. */
  segmentOverride: number;
  /** REX, or what a VEX prefix says of the same bits. */
  rex: number;
  /** Bits of the vectors of an instruction with a VEX prefix; 0 without one. */
  vex: 0 | 128 | 256;
}

/**
 * A meaning is either emitted code, from which every tier is generated, or plain TypeScript that the generated code
 * calls. Choose the second for what is rare: descriptor loads, control registers, I/O.
 */
export type Meaning =
  | { kind: 'emit'; emit: (e: Emitter) => void; /** What Emitter.plain calls. */ plain?: SystemMeaning }
  /** Throws GuestFault; RIP is still that of the instruction and is moved past it when the function returns normally,
   *  unless it returned 'jumped'. */
  | { kind: 'call'; call: SystemMeaning };
export type SystemMeaning = (cpu: Processor, instruction: Instruction) => void | 'jumped';

/** One encoding of one instruction. */
export interface Row {
  /** Position in the table: stable within a build. */
  index: number;
  mnemonic: string;
  /** As the manual writes it: `0f b6 /r`, `f3 0f b8 /r`, `f7 /4`, `b8+r`. */
  opcode: string;
  /** `Ev,Gv`: the addressing letters of SDM vol. 2D appendix A.2. */
  operands: string;
  meaning: Meaning;
  attributes: RowAttributes;
}

export interface RowAttributes {
  /** Flags written, left undefined, read: letters of OSZAPC and D, I, T. */
  writes?: string;
  undefined?: string;
  reads?: string;
  /** Faults (#GP, or #UD outside) unless CPL is 0. */
  privileged?: boolean;
  /** Allowed by IOPL or the I/O bitmap. */
  io?: boolean;
  /** Reveals or changes privileged state without trapping when deprivileged: the lecture's second problem. */
  sensitive?: boolean;
  /** What a hypervisor may ask to exit on: the name of an intercept, tested once before executing. */
  intercept?: string;
  /** LOCK is allowed when the destination is memory. */
  lock?: boolean;
  /** REP repeats it: string instructions. */
  repeat?: 'rep' | 'repe';
  /** Where it exists. */
  only64?: boolean;
  not64?: boolean;
  /** #UD outside of 64-bit mode on Intel's processors alone; in IA-32e mode on AMD's alone. */
  only64OnIntel?: boolean;
  notLongOnAmd?: boolean;
  /** #UD in real and virtual-8086 mode. */
  protectedOnly?: boolean;
  /** 64-bit operands by default in 64-bit mode (PUSH, near branches), or forced (d64, f64 in appendix A). */
  default64?: boolean;
  force64?: boolean;
  /** Memory form or register form only; default both. */
  form?: 'memory' | 'register';
  /** Ends a block: changes RIP, the mode, the TLB or what may interrupt. */
  ends?: boolean;
  /** CPUID feature without which the encoding is #UD. */
  feature?: string;
}
