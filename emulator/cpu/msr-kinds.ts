/** What rows of the tables of model-specific registers are made of (msr.ts, msr-ranges.ts, msr-vendor.ts). */
import type { SystemRegister } from '../execution/layout';
import { gp } from './faults';
import type { Cpu } from './cpu';

export interface MsrRegister {
  /** Undefined: write-only, reading is #GP(0). */
  read?(cpu: Cpu): bigint;
  /** Undefined: read-only, writing is #GP(0). */
  write?(cpu: Cpu, value: bigint): void;
  /** There at all: otherwise both are #GP(0), and nothing is lacking. Always, if undefined. */
  exists?(cpu: Cpu): boolean;
}
export type MsrRow = readonly [msr: number, register: MsrRegister];

/** Kept as written. `valid` says what may be: otherwise #GP(0). */
export const plain = (name: SystemRegister, valid: (value: bigint, cpu: Cpu) => boolean = () => true): MsrRegister => ({
  read: (cpu) => cpu.state.system(name),
  write(cpu, value) {
    if (!valid(value, cpu)) throw gp(0);
    cpu.state.setSystem(name, value);
  },
});
export const constant = (value: bigint): MsrRegister => ({ read: () => value });
/** Writes are accepted and change nothing. */
export const fixed = (value: bigint): MsrRegister => ({ read: () => value, write: () => {} });
/** Only 0 may be written. */
export const zero = (): MsrRegister => ({
  read: () => 0n,
  write(_, value) {
    if (value !== 0n) throw gp(0);
  },
});

export const below = (bits: number) => (value: bigint) => value >> BigInt(bits) === 0n;
export const only = (mask: bigint) => (value: bigint) => (value & ~mask) === 0n;

export const withFeature = (feature: string, register: MsrRegister): MsrRegister => ({
  ...register,
  exists: (cpu) => cpu.model.has(feature),
});
export const isIntel = (cpu: Cpu): boolean => cpu.model.vendor === 'GenuineIntel';
export const isAmd = (cpu: Cpu): boolean => cpu.model.vendor === 'AuthenticAMD';
