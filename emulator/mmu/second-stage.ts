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
import type { AccessCode } from './walk';

const NAMES = ['read', 'write', 'execute'] as const;

export class SecondStage {
  /** log2 of the page that the last translation used. */
  pageShift = 12;
  private readonly walker: Walker;

  /** `paging`: nested tables as data: NPT are the processor's own format, entered as a user (APM vol. 2 15.25.5). */
  constructor(
    memory: PhysicalMemory,
    readonly paging: PagingContext,
  ) {
    this.walker = new Walker(memory);
  }

  /** hpa. `table`: the gpa is of a guest's paging structure, which counts as a write. Throws GuestExit. */
  translate(gpa: number, access: AccessCode, table: boolean, lo: number, hi: number): number {
    const { walker, paging } = this;
    const low = gpa | 0;
    const high = Math.floor(gpa / 0x1_0000_0000);
    const hpa = walker.walk(paging, low, high, table ? ACCESS.write : access, RIGHTS.user);
    if (hpa < 0) throw this.refused(gpa, access, table, lo, hi, -1 - hpa);
    this.pageShift = walker.pageShift;
    return hpa;
  }

  private refused(gpa: number, access: AccessCode, table: boolean, lo: number, hi: number, code: number): GuestExit {
    const present = (code & PF.P) !== 0;
    const { allowed, denied } = this.walker;
    return new GuestExit({
      reason: 'nested-fault',
      access: NAMES[table ? ACCESS.write : access],
      gpa,
      gva: (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0),
      table,
      allowed: {
        read: present,
        write: present && (allowed & ENTRY.W) !== 0,
        execute: present && denied === 0,
      },
      misconfigured: (code & PF.RSVD) !== 0,
      user: true,
    });
  }
}
