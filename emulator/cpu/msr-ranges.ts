/** Registers that come in rows: memory types (SDM vol. 3A 11.11, 11.12) and machine-check banks (vol. 3B 16.3). */
import type { SystemRegister } from '../execution/layout';
import { MAXPHYADDR } from '../mmu/guest-paging';
import { MSR } from '../x86/registers';
import { constant, fixed, plain, withFeature, zero } from './msr-kinds';
import type { MsrRow } from './msr-kinds';

/** UC, WC, WT, WP, WB, and for the PAT also UC-. */
const memoryType = (type: number, pat = false): boolean =>
  type === 0 || type === 1 || (type >= 4 && type <= 6) || (pat && type === 7);
const allBytes = (value: bigint, test: (byte: number) => boolean): boolean => {
  for (let i = 0n; i < 64n; i += 8n) if (!test(Number((value >> i) & 0xffn))) return false;
  return true;
};

const MTRR_FIXED: readonly [number, SystemRegister][] = [
  [0x250, 'mtrr_fix_64k'], [0x258, 'mtrr_fix_16k_80000'], [0x259, 'mtrr_fix_16k_a0000'],
  [0x268, 'mtrr_fix_4k0'], [0x269, 'mtrr_fix_4k1'], [0x26a, 'mtrr_fix_4k2'], [0x26b, 'mtrr_fix_4k3'],
  [0x26c, 'mtrr_fix_4k4'], [0x26d, 'mtrr_fix_4k5'], [0x26e, 'mtrr_fix_4k6'], [0x26f, 'mtrr_fix_4k7'],
]; // prettier-ignore
const VARIABLE_MTRRS = 8;
/** Fixed ranges, write-combining, and the variable ones. */
const MTRRCAP_VALUE = BigInt(VARIABLE_MTRRS | (1 << 8) | (1 << 10));

const physical = (value: bigint): boolean => value >> BigInt(MAXPHYADDR) === 0n;
const rangeBase = (v: bigint): boolean => physical(v) && (v & 0xf00n) === 0n && memoryType(Number(v & 0xffn));
const rangeMask = (v: bigint): boolean => physical(v) && (v & 0x7ffn) === 0n;
const defaultType = (v: bigint): boolean => (v & ~0xcffn) === 0n && memoryType(Number(v & 0xffn));

const memoryTypes = (): MsrRow[] => {
  const rows: MsrRow[] = [
    [MSR.MTRRCAP, constant(MTRRCAP_VALUE)],
    [MSR.MTRR_DEF_TYPE, plain('mtrr_def_type', defaultType)],
    ...MTRR_FIXED.map(([msr, name]): MsrRow => [msr, plain(name, (v) => allBytes(v, (byte) => memoryType(byte)))]),
  ];
  for (let i = 0; i < VARIABLE_MTRRS; i++) {
    rows.push([MSR.MTRR_PHYS_BASE0 + i * 2, plain(`mtrr_base${i}` as SystemRegister, rangeBase)]);
    rows.push([MSR.MTRR_PHYS_BASE0 + i * 2 + 1, plain(`mtrr_mask${i}` as SystemRegister, rangeMask)]);
  }
  return rows.map(([msr, register]) => [msr, withFeature('mtrr', register)]);
};

/** Nothing ever goes wrong: the banks have controls, and their status is 0 and can be cleared. */
const MC_BANKS = 4;
const machineChecks = (): MsrRow[] => {
  const rows: MsrRow[] = [
    [MSR.MCG_CAP, constant(BigInt(MC_BANKS))],
    [MSR.MCG_STATUS, fixed(0n)],
  ];
  for (let i = 0; i < MC_BANKS; i++) {
    const at = MSR.MC0_CTL + i * 4;
    rows.push([at, plain(`mc${i}_ctl` as SystemRegister)], [at + 1, zero()], [at + 2, zero()], [at + 3, zero()]);
  }
  return rows.map(([msr, register]) => [msr, withFeature('mca', register)]);
};

export const msrRanges = (): MsrRow[] => [
  ...memoryTypes(),
  ...machineChecks(),
  [
    MSR.PAT,
    withFeature(
      'pat',
      plain('pat', (v) => allBytes(v, (byte) => memoryType(byte, true))),
    ),
  ],
];
