/** What the builder and its tiers agree on: forms, operands, helpers. */
import { I32, I64, V128 } from './wasm';
import type { Callee, Value, ValueType } from './wasm';

export type Size = 8 | 16 | 32 | 64;

/** How segments enter an address: `flat64` only FS and GS have bases; `flat32` none has; `general` base and limit. */
export type Addressing = 'flat64' | 'flat32' | 'general';

/** What emitted code may depend on. Two instructions of one form share their code in the interpreter. */
export interface Form {
  operandSize: Size;
  addressSize: 16 | 32 | 64;
  stackSize: 16 | 32 | 64;
  /** Of the memory operand and of string operands. */
  addressing: Addressing;
  /** The stack's: SS is never overridden. */
  stackAddressing: Addressing;
  /** The memory operand uses FS or GS in flat64. */
  based: boolean;
  operands: readonly {
    kind: 'gpr' | 'memory' | 'absolute' | 'rip' | 'immediate' | 'target' | 'vector' | 'mmx' | 'segment';
    size: number;
  }[];
  rep: 'none' | 'rep' | 'repne';
}

/** CF, PF, AF, ZF, SF, OF: how an operation left them. Missing ones are unchanged. Values are I32, 0 or 1. */
export interface PartialFlags {
  carry?: Value;
  overflow?: Value;
  adjust?: Value;
  /** ZF, SF and PF follow from it. */
  result?: Value;
}

/** Memory that is read and then written, translated once. */
export interface Cell {
  value: Value;
  set(value: Value): void;
}

/** Condition codes in encoding order without the inverting low bit (SDM vol. 1 appendix B). */
export const CONDITION = { O: 0, B: 2, Z: 4, BE: 6, S: 8, P: 10, L: 12, LE: 14 } as const;

/** What `bulkString` is told: bytes of an element, and these bits. */
export const BULK = { BYTES: 0xf, MOVE: 0x10, FLAT: 0x20 } as const;

/** Functions that are out of line in every tier. The first three are answered by the processor (cpu/memory-port.ts). */
export const HELPERS = {
  /** (gva low, gva high, bytes, site) -> address in linear memory to read from; 0: fault. */
  slowRead: { parameters: [I32, I32, I32, I32], results: [I32] },
  /**
   * As slowRead, for writing; `bytes` | 0x100: the old value is wanted too. Memory that is not plain RAM is directed to a
   * slot of SCRATCH: call slowCommit with it after storing.
   */
  slowWrite: { parameters: [I32, I32, I32, I32], results: [I32] },
  /**
   * As the two above, for compiled regions: 0 also for accesses that only the interpreter carries out (devices, watched
   * pages, code that would be overwritten), with EXIT_FAULT = RETRY. What they answer is RAM: nothing is committed.
   */
  regionRead: { parameters: [I32, I32, I32, I32], results: [I32] },
  regionWrite: { parameters: [I32, I32, I32, I32], results: [I32] },
  /** (gva, bytes | 0x100 when writing, site) As regionRead and regionWrite, whatever the TLB knows; what STACK_PAGE says is new. */
  stackAddress: { parameters: [I64, I32, I32], results: [I32] },
  /** Carries out the write that slowWrite directed to SCRATCH. */
  slowCommit: { parameters: [I32], results: [] },
  /** (segment, offset, bytes, 1 when writing) -> linear address; -1 with the fault pending. */
  segmentLinear: { parameters: [I32, I64, I32, I32], results: [I64] },
  /** (site, BULK) Many iterations of REP MOVS or REP STOS at once, registers and budget included; 0: do one the plain way. */
  bulkString: { parameters: [I32, I32], results: [I32] },
  /** (site) The same, whatever the TLB knows. */
  bulkSlow: { parameters: [I32], results: [I32] },
  /** (site) PAUSE, while another processor can run: it has its turn after this instruction. */
  giveWay: { parameters: [I32], results: [] },
  /** (record of a guard) 0 to go on with the guarded block, else leave before it. */
  guard: { parameters: [I32], results: [I32] },
  /** (site) The row's plain meaning: 0 to go on with the next instruction, else LEAVE or GO_ON (record.ts). */
  called: { parameters: [I32], results: [I32] },
  /** (link word or 0, rip, record) The way on from a region: the next block | 1, or 0 with EXIT.LINK. */
  follow: { parameters: [I32, I64, I32], results: [I32] },
  /** After GO_ON: the block at RIP | 1, or 0 to leave, for EXIT.LINK. */
  resume: { parameters: [], results: [I32] },
  /** High halves of the 128-bit product. */
  mulHighU: { parameters: [I64, I64], results: [I64] },
  mulHighS: { parameters: [I64, I64], results: [I64] },
  /** (high, low, divisor) -> quotient, remainder in SCRATCH; the divisor is greater than high. */
  divideU: { parameters: [I64, I64, I64], results: [I64] },
} as const satisfies Record<string, { parameters: ValueType[]; results: ValueType[] }>;
export type Helper = keyof typeof HELPERS;
/** How each is called in the module that is being built. */
export type HelperCallees = Record<Helper, Callee>;

export const typeOf = (size: number): ValueType => (size === 128 ? V128 : size === 64 ? I64 : I32);
