/** A hypercall on its way: who makes it, its arguments, and what handlers may reach. */
import type { Cpu } from '../../cpu/cpu';
import type { ArgumentKind } from '../exit';
import type { PvCaller } from '../xen/caller';
import type { PvDomain } from '../xen/domain';
import type { DomainParts } from '../xen/parts';
import type { VcpuState } from '../xen/vcpu';

export interface Call {
  readonly caller: PvCaller;
  readonly domain: PvDomain;
  readonly parts: DomainParts;
  readonly cpu: Cpu;
  readonly vcpu: VcpuState;
  /** As many as the ABI has: unsigned words of the guest. */
  readonly args: readonly bigint[];
}

/**
 * The result, 0 unless said; `set`: registers are as they are to be (iret), no result. A refusal is a HypercallError.
 */
export type Handler = (call: Call) => number | bigint | void | 'set';

export interface HypercallRow {
  readonly name: string;
  readonly args: readonly (readonly [name: string, kind: ArgumentKind])[];
  /** Without one the answer is -ENOSYS. */
  readonly handler?: Handler;
  /** Domains with privileges alone; others get -EPERM. */
  readonly privileged?: boolean;
  /** Names of its commands, by number. */
  readonly commands?: Readonly<Record<number, string>>;
}

export const asInt = (value: bigint): number => Number(BigInt.asIntN(32, value));
export const asUint = (value: bigint): number => Number(BigInt.asUintN(32, value));
/** 64-bit arguments take two words of a 32-bit guest: the value at `index`, and the index behind it. */
export function wide({ args, domain }: Call, index: number): { value: bigint; next: number } {
  if (domain.word === 8) return { value: args[index], next: index + 1 };
  return { value: args[index] | (args[index + 1] << 32n), next: index + 2 };
}
