/**
 * The second stage of translation, from guest-physical to host-physical: EPT and NPT. The same loop as for guests' tables
 * (walk.ts) walks it; what a refusal means is told to whoever owns the processor, by a GuestExit.
 */
import { GuestExit } from '../cpu/exit-cause';
import { PF } from '../x86/registers';
import { ENTRY } from './guest-paging';
import type { PagingContext } from './guest-paging';
import type { PhysicalMemory } from './physical-memory';
import { ACCESS, RIGHTS, Walker } from './walk';
import type { AccessCode, NextStage, WalkRecorder } from './walk';

const NAMES = ['read', 'write', 'execute'] as const;

export class SecondStage implements NextStage {
  /** log2 of the page that the last translation used. */
  pageShift = 12;
  private readonly walker: Walker;
  /** How a guest's paging structures are accessed: NPT and EPT with dirty flags count it as a write (APM vol. 2 15.25.5, SDM vol. 3C 29.3.3.2). */
  private readonly tableAccess: AccessCode;

  /** `paging`: EPT, or NPT, which are the processor's own format, entered as a user. */
  constructor(
    memory: PhysicalMemory,
    readonly paging: PagingContext,
    /** For a walk that only looks. */
    private readonly recorder: WalkRecorder | null = null,
  ) {
    this.walker = new Walker(memory);
    const { rights, dirtyMask } = paging.format;
    this.tableAccess = rights && dirtyMask === 0 ? ACCESS.read : ACCESS.write;
  }

  translate(gpa: number, access: AccessCode, lo: number, hi: number): number {
    const hpa = this.walk(gpa, access, false, lo, hi);
    this.pageShift = this.walker.pageShift;
    return hpa;
  }
  translateTable(gpa: number, lo: number, hi: number, marks = false): number {
    return this.walk(gpa, marks ? ACCESS.write : this.tableAccess, true, lo, hi);
  }
  translatePdpte(gpa: number): number {
    return this.walk(gpa, this.tableAccess, true);
  }
  private walk(gpa: number, access: AccessCode, table: boolean, lo?: number, hi = 0): number {
    const high = Math.floor(gpa / 0x1_0000_0000);
    const hpa = this.walker.walk(this.paging, gpa | 0, high, access, RIGHTS.user, this.recorder);
    if (hpa < 0) throw this.refused(gpa, access, table, -1 - hpa, lo, hi);
    return hpa;
  }

  private refused(gpa: number, access: AccessCode, table: boolean, code: number, lo?: number, hi = 0): GuestExit {
    const present = (code & PF.P) !== 0;
    const { allowed, denied } = this.walker;
    const { rights } = this.paging.format;
    const [read, write, execute] = rights
      ? rights.map((mask) => (allowed & mask) !== 0)
      : [true, (allowed & ENTRY.W) !== 0, denied === 0];
    return new GuestExit({
      reason: 'nested-fault',
      access: NAMES[access],
      gpa,
      ...(lo === undefined ? {} : { gva: (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0) }),
      table,
      allowed: { read: present && read, write: present && write, execute: present && execute },
      misconfigured: (code & PF.RSVD) !== 0,
      user: true,
    });
  }
}
