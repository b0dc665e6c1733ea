/** What of two results of one case is different: one line for each register, flag or byte. */
import type { Row } from '../../emulator/isa/instruction';
import { GPR_NAMES, RFLAGS, VECTOR, vectorName } from '../../emulator/x86/registers';
import type { Case, Result } from './oracle';

export const FLAGS: Record<string, number> = { O: RFLAGS.OF, S: RFLAGS.SF, Z: RFLAGS.ZF, A: RFLAGS.AF, P: RFLAGS.PF, C: RFLAGS.CF, D: RFLAGS.DF }; // prettier-ignore
/** Set by the kernel that the oracle runs on, or not visible to both. */
const SYSTEM_FLAGS = RFLAGS.IF | RFLAGS.TF | RFLAGS.IOPL | RFLAGS.RF | RFLAGS.FIXED;

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

export interface Comparison {
  host: Result;
  ours: Result;
  /** Absent: more than one instruction, none of which leaves anything undefined. */
  row?: Row;
  /** Units in the last place that x87 results may be apart: transcendental functions. */
  ulps?: number;
}

/** Letters of arithmetic flags that the row leaves undefined. */
function flagDifference({ host, ours, row }: Comparison): string | undefined {
  let ignored = SYSTEM_FLAGS;
  for (const letter of row?.attributes.undefined ?? '') ignored |= FLAGS[letter];
  if (row && COMPARES_TO_FLAGS.test(row.mnemonic) && host.fx[2] & ~host.fx[0] & 3) return undefined;
  const different = (host.rflags ^ ours.rflags) & ~ignored & 0x3f_ffff;
  if (!different) return undefined;
  const names = Object.entries(FLAGS).filter(([, bit]) => different & bit).map(([name]) => name); // prettier-ignore
  return `flags ${names.join('')}: 0x${host.rflags.toString(16)}, ours 0x${ours.rflags.toString(16)}`;
}

const significand = (fx: Uint8Array, i: number): bigint => new DataView(fx.buffer, fx.byteOffset + 32 + i * 16).getBigUint64(0, true); // prettier-ignore

function closeEnough(a: Uint8Array, b: Uint8Array, i: number, ulps: number): boolean {
  const distance = significand(a, i) - significand(b, i);
  const limit = BigInt(ulps);
  // The wrap at a power of two is near as well.
  const near = BigInt.asIntN(63, distance);
  return distance === 0n || (near <= limit && near >= -limit);
}

/** Flag and mask of the x87 exception. */
const DENORMAL = 2;
const COMPARES_TO_FLAGS = /^fu?comip?$/;

/**
 * Bits of the x87 status in which AMD (the host that these were found on) does otherwise than the SDM says: FCOMI leaves C1,
 * and a comparison sets C0, C2, C3 (or the flags) even if an exception of its operands is unmasked.
 */
function vendorStatus(row: Row | undefined, host: Result): number {
  if (!row) return 0;
  if (COMPARES_TO_FLAGS.test(row.mnemonic)) return 0x200;
  const unmasked = host.fx[2] & ~host.fx[0] & 3;
  return unmasked && /^(fi?com|fucom|ftst)/.test(row.mnemonic) ? 0x4500 : 0;
}

function floatDifferences({ host, ours, row, ulps = 0 }: Comparison): string[] {
  const differences: string[] = [];
  const word = (r: Result, at: number): number => r.fx[at] | (r.fx[at + 1] << 8);
  const c1 = ulps ? 0x200 : 0;
  const check = (name: string, at: number, ignored = 0): void => {
    const [a, b] = [word(host, at), word(ours, at)];
    if ((a ^ b) & ~ignored) differences.push(`${name} ${a.toString(16)}, ours ${b.toString(16)}`);
  };
  check('control', 0);
  check('status', 2, c1 | vendorStatus(row, host));
  check('tags', 4);
  check('mxcsr', 24);
  for (let i = 0; i < 8; i++) {
    const range = [32 + i * 16, 32 + i * 16 + 10] as const;
    const [a, b] = [hex(host.fx.subarray(...range)), hex(ours.fx.subarray(...range))];
    if (a !== b && !(ulps && closeEnough(host.fx, ours.fx, i, ulps))) differences.push(`st${i} ${a}, ours ${b}`);
  }
  for (let i = 0; i < 16; i++) {
    const range = [160 + i * 16, 176 + i * 16] as const;
    const [a, b] = [hex(host.fx.subarray(...range)), hex(ours.fx.subarray(...range))];
    if (a !== b) differences.push(`xmm${i} ${a}, ours ${b}`);
  }
  for (let i = 0; i < 16; i++) {
    const [a, b] = [host, ours].map((r) => hex(r.upper.subarray(i * 16, i * 16 + 16)));
    if (a !== b) differences.push(`ymm${i} upper ${a}, ours ${b}`);
  }
  return differences;
}

/** FLD from memory of what may be a denormal: AMD loads it although that exception is unmasked, where the SDM leaves TOP and registers (vol. 1 section 8.5.2). */
export const loadsDenormal = (row: Row): boolean => row.mnemonic === 'fld' && /^M[dq]$/.test(row.operands);

/** Linux says of every address from its TASK_SIZE_MAX on that a page is present there. */
export const knownErrorCode = (vector: number, errorCode: number, address: bigint): number =>
  errorCode & (vector === VECTOR.PF && address >= 0x7fff_ffff_f000n ? ~1 : ~0);

/** Registers, memory and floats. */
export function stateDifferences(comparison: Comparison, codeSize: 64 | 32): string[] {
  const { host, ours } = comparison;
  const found: string[] = [];
  const mask = codeSize === 64 ? 0xffff_ffff_ffff_ffffn : 0xffff_ffffn;
  for (let i = 0; i < (codeSize === 64 ? 16 : 8); i++) {
    const [a, b] = [host.gprs[i] & mask, ours.gprs[i] & mask];
    if (a !== b) found.push(`${GPR_NAMES[i]} 0x${a.toString(16)}, ours 0x${b.toString(16)}`);
  }
  for (let i = 0; i < host.memory.length; i++)
    if (host.memory[i] !== ours.memory[i]) {
      const part = [i & ~7, (i & ~7) + 16] as const;
      found.push(`memory +0x${part[0].toString(16)} ${hex(host.memory.slice(...part))}, ours ${hex(ours.memory.slice(...part))}`); // prettier-ignore
      break;
    }
  return [...found, ...floatDifferences(comparison)];
}

/**
 * Results that processors choose: SHLD and SHRD of words by more than 16 are undefined, RCPPS and RSQRTPS are approximations,
 * FXSAVE stores the mask of the MXCSR bits that exist.
 */
export const undefinedResult = (c: Case, row: Row): boolean =>
  (/^sh[lr]d$/.test(row.mnemonic) && c.code.includes(0x66)) || /^(v?rcp|v?rsqrt|fxsave)/.test(row.mnemonic);

/** Outside 64-bit mode the SDM has VEX.W ignored where AMD refuses VPEXTRQ and VPINSRQ.
 * And AMD's SHA instructions do not ask for aligned memory, as the SDM has it (exceptions type 4): those cases agree too. */
export function differences(c: Case, comparison: Comparison & { row: Row }): string[] {
  const { mnemonic } = comparison.row;
  const { host, ours } = comparison;
  const found: string[] = [];
  const code = (r: Result): number => knownErrorCode(r.vector, r.errorCode, r.faultAddress);
  const fault = (r: Result): string =>
    r.vector < 0 ? 'none' : `${vectorName(r.vector)} 0x${code(r).toString(16)}${r.vector === 14 ? ` at 0x${r.faultAddress.toString(16)}` : ''}`; // prettier-ignore
  if (c.codeSize === 32 && /^v(pextrd|pinsrd)$/.test(mnemonic) && host.vector === VECTOR.UD) return [];
  if (/^sha/.test(mnemonic) && ours.vector === VECTOR.GP) return [];
  if (fault(host) !== fault(ours)) return [`fault ${fault(host)}, ours ${fault(ours)}`];
  // How far a gather came before it faulted, and what its mask looks like then, is the processor's own affair.
  if (ours.vector >= 0 && /gather/.test(mnemonic)) return [];
  if (loadsDenormal(comparison.row) && host.fx[2] & ~host.fx[0] & DENORMAL) return [];
  if (host.rip !== ours.rip) found.push(`rip 0x${host.rip.toString(16)}, ours 0x${ours.rip.toString(16)}`);
  const flags = flagDifference(comparison);
  if (flags) found.push(flags);
  return [...found, ...stateDifferences(comparison, c.codeSize)];
}
