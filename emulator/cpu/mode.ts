/**
 * Which mode the processor is in, and the number under which the code cache files what it translated for it.
 * Source: SDM vol. 3A 2.2 and 5.2.1 (L and D bits).
 */
import { CR0, EFER, RFLAGS, SEG } from '../x86/registers';
import type { ExecutionMode } from '../execution/forms';
import * as layout from '../execution/layout';
import type { CodeSize } from '../isa/instruction';
import { ATTRIBUTE } from './state';
import type { CpuState } from './state';

const { cr0: CR0_AT, efer: EFER_AT } = layout.SYSTEM_ADDRESS;

export const isProtected = (state: CpuState): boolean => (state.word(CR0_AT) & CR0.PE) !== 0;
export const isVirtual8086 = (state: CpuState): boolean => (state.systemFlags & RFLAGS.VM) !== 0;
/** Real-address or virtual-8086: selectors are paragraphs. */
export const isReal = (state: CpuState): boolean => !isProtected(state) || isVirtual8086(state);
/** IA-32e mode: 64-bit or compatibility. */
export const isIa32e = (state: CpuState): boolean => (state.word(EFER_AT) & EFER.LMA) !== 0;
/** 64-bit mode. */
export const isLong = (state: CpuState): boolean =>
  isIa32e(state) && (state.segmentAttributes(SEG.CS) & ATTRIBUTE.L) !== 0;

/** Default size of operands and addresses in the code segment. */
export const codeSize = (state: CpuState): CodeSize => {
  const attributes = state.segmentAttributes(SEG.CS);
  if (attributes & ATTRIBUTE.L && isIa32e(state)) return 64;
  return attributes & ATTRIBUTE.DB ? 32 : 16;
};
/** Width of the stack pointer. */
export const stackSize = (state: CpuState): CodeSize =>
  isLong(state) ? 64 : state.segmentAttributes(SEG.SS) & ATTRIBUTE.DB ? 32 : 16;

/** As machine/api.ts names them. */
export const modeName = (state: CpuState): string => {
  if (!isProtected(state)) return 'real';
  if (isVirtual8086(state)) return 'virtual-8086';
  const size = codeSize(state);
  if (size === 64) return 'long';
  return `${isIa32e(state) ? 'compatibility' : 'protected'}-${size}`;
};

/** What translated code may assume of CS, DS, ES and SS. FS and GS are never assumed flat. */
export const KIND = {
  /** Nothing: every access adds the base and checks the limits. */
  general: 0,
  /** Base 0, limit 4 GiB - 1, 32-bit; CS readable, the others writable. Writes through a CS override need the check. */
  flat32: 1,
  /** 64-bit mode: no limits, no bases but those of FS and GS. */
  flat64: 2,
} as const;
export const FAMILY = { real: 0, protected: 1, virtual8086: 2, ia32e: 3 } as const;

export interface ModeKey {
  codeSize: CodeSize;
  stackSize: CodeSize;
  kind: (typeof KIND)[keyof typeof KIND];
  family: (typeof FAMILY)[keyof typeof FAMILY];
}
const SIZES: readonly CodeSize[] = [16, 32, 64];

/** Of a mode's number. */
export const ASKS = { rows: 1 << 9, sparingly: 1 << 10 } as const;
/** Bits 1:0 code size, 3:2 stack size (16, 32, 64), 5:4 kind, 7:6 family, 8 CPL 3: what one may fetch the other may not,
 *  9 rows that a hypervisor may want to see ask (Overseer), 10 but not those that guests spin on. */
export const modeKey = (state: CpuState, asks = 0): number => {
  const long = isLong(state);
  const family = !isProtected(state)
    ? FAMILY.real
    : isVirtual8086(state)
      ? FAMILY.virtual8086
      : isIa32e(state)
        ? FAMILY.ia32e
        : FAMILY.protected;
  const kind = long ? KIND.flat64 : flat32(state) ? KIND.flat32 : KIND.general;
  return (
    SIZES.indexOf(codeSize(state)) |
    (SIZES.indexOf(stackSize(state)) << 2) |
    (kind << 4) |
    (family << 6) |
    (state.cpl === 3 ? 256 : 0) |
    asks
  );
};
export const describeModeKey = (key: number): ModeKey => ({
  codeSize: SIZES[key & 3],
  stackSize: SIZES[(key >> 2) & 3],
  kind: ((key >> 4) & 3) as ModeKey['kind'],
  family: ((key >> 6) & 3) as ModeKey['family'],
});

const ADDRESSING = { [KIND.general]: 'general', [KIND.flat32]: 'flat32', [KIND.flat64]: 'flat64' } as const;
const described = new Map<number, ExecutionMode>();
/** The mode in force as the code cache wants it; `modeChanged` has left its key in the state. */
export const executionMode = (state: CpuState): ExecutionMode => {
  const key = state.view.getInt32(layout.MODE, true) & ((1 << layout.PROCESSOR_SHIFT) - 1);
  let mode = described.get(key);
  if (!mode) {
    const { codeSize, stackSize, kind } = describeModeKey(key);
    described.set(
      key,
      (mode = {
        key,
        codeSize,
        stackSize,
        addressing: ADDRESSING[kind],
        asks: (key & ASKS.rows) !== 0,
        spares: (key & ASKS.sparingly) !== 0,
      }),
    );
  }
  return mode;
};

const CODE_READABLE = 0x8 | 0x2;
const flat32 = (state: CpuState): boolean => {
  for (const index of [SEG.CS, SEG.DS, SEG.ES, SEG.SS]) {
    const { base, limit, attributes } = state.segment(index);
    if (base !== 0n || limit !== 0xffff_ffff || attributes & ATTRIBUTE.UNUSABLE || !(attributes & ATTRIBUTE.P))
      return false;
    if ((index === SEG.CS || index === SEG.SS) && !(attributes & ATTRIBUTE.DB)) return false;
    // Data: writable and not expand-down (bits 3:1 = 001); code: readable.
    const wanted = index === SEG.CS ? (attributes & CODE_READABLE) === CODE_READABLE : (attributes & 0xe) === 2;
    if (!wanted) return false;
  }
  return true;
};

/** Linear address of the next instruction. */
export const linearRip = (state: CpuState): bigint =>
  executionMode(state).codeSize === 64 ? state.rip : BigInt.asUintN(32, state.segmentBase(SEG.CS) + state.rip);
