/** Domains as others than the hypervisor's core see them: the command line, the debugger, and a domain 0 that manages the rest. */
import type { MachineConfig, Paging, Stop, Technique } from '../machine/api';
import type { Share } from './scheduler';

export type DomainState =
  /** Its turn has begun, or it is the one that is executing. */
  | 'running'
  /** Waits for its turn, or until the next period because it has had its cap. */
  | 'runnable'
  /** Halted until a timer of its own, or until something comes from outside. */
  | 'blocked'
  | 'paused'
  /** It will never run again; `why` says why. Its memory is there until it is destroyed. */
  | 'dead';

export interface VcpuInfo {
  cpu: number;
  /** `blocked`: halted, until an interrupt or until another processor starts it. */
  state: 'runnable' | 'blocked';
}

export interface DomainInfo extends Share {
  /** Never given to another domain of the same host. */
  id: number;
  /** Unique among those that there are. */
  name: string;
  technique: Technique;
  /** `none`: without a hypervisor's technique. */
  paging: Paging | 'none';
  state: DomainState;
  /** One sentence: why it is blocked or dead. */
  why?: string;
  /** Bytes of guest-physical memory. */
  memory: number;
  /** Host frames of 4 KiB, the guest's memory and the hypervisor's tables for it. */
  frames: { reserved: number; used: number };
  /** Retired so far. */
  instructions: number;
  vcpus: VcpuInfo[];
}

export interface DomainConfig extends MachineConfig, Partial<Share> {
  name: string;
}

/** What a domain 0, or a user, may do to others; at once, or when the turn of the one that asked is over. UserError: no such domain, or it is dead. */
export interface DomainControl {
  list(): DomainInfo[];
  /** Paused, and its memory as it was left. UserError: bad configuration, name taken, or more than the host has left. */
  create(config: DomainConfig): { readonly id: number };
  /** The same, for who fills it by hypercalls: a paravirtualised domain. */
  createEmpty(config: DomainConfig): { readonly id: number };
  pause(id: number): void;
  resume(id: number): void;
  /** Its frames go back to the host. */
  destroy(id: number): void;
  setShare(id: number, share: Partial<Share>): void;
  /** Something came from outside, an event of another domain for one: if it slept, it can run. */
  wake(id: number): void;
}

/** A stop that is the end of the domain, not of the others. */
export const isEnd = ({ kind }: Stop): boolean =>
  kind === 'triple-fault' ||
  kind === 'dead-halt' ||
  kind === 'power-off' ||
  kind === 'suspend' ||
  kind === 'reset' ||
  kind === 'debug-exit' ||
  kind === 'crash';
