/**
 * The one page-table loop. What an entry means is data (guest-paging.ts); the loop does not know the formats' names.
 * Hot: no allocation, no bigint. An address is two 32-bit words (`lo`, `hi`); results that do not fit the return value
 * are left in fields.
 *
 * Accessed and dirty bits: set only for accesses that the rights allow, in every entry used, before the access (SDM
 * vol. 3A 4.8 demands them for translations that are used, and leaves open what a faulting walk does).
 */
import { PF } from '../x86/registers';
import type { PhysicalMemory } from './physical-memory';
import { PAGE } from './physical-memory';
import { ENTRY } from './guest-paging';
import type { PagingContext, PagingFormat, PagingLevel } from './guest-paging';

export const ACCESS = { read: 0, write: 1, execute: 2 } as const;
export type AccessCode = (typeof ACCESS)[keyof typeof ACCESS];

/** Sees every entry that the walk reads. A walk with a recorder changes nothing. */
export interface WalkRecorder {
  step(
    format: PagingFormat,
    level: PagingLevel,
    gpa: number,
    low: number,
    high: number,
    leaf: boolean,
    reservedLow: number,
    reservedHigh: number,
  ): void;
}

/** Whose rights an access has. `smapOff`: explicit supervisor access with RFLAGS.AC set. */
export const RIGHTS = { supervisor: 0, user: 1, smapOff: 2 } as const;
export type Rights = (typeof RIGHTS)[keyof typeof RIGHTS];

/** What lies behind a guest's own tables. Addresses that it gives are host-physical; it throws GuestExit. */
export interface NextStage {
  /** Its tables, where it has some. */
  readonly paging?: PagingContext;
  /** log2 of the page that the last translation used; below 12: it holds for that access alone. */
  readonly pageShift: number;
  /** `lo`, `hi`: the gva that the access is for. */
  translate(gpa: number, access: AccessCode, lo: number, hi: number): number;
  /** Of a PDPTE, when CR3 or what decides about it is loaded. */
  translatePdpte(gpa: number): number;
  /** Of an entry of the guest's paging structures; `marks`: its accessed or dirty flag is about to be set. */
  translateTable(gpa: number, lo: number, hi: number, marks?: boolean): number;
}

export class Walker {
  /** Of the last walk that succeeded: log2 of the page size, AND of the entries' low words, OR of their high words. */
  pageShift = 12;
  allowed = 0;
  denied = 0;
  /** The leaf's low word. */
  leaf = 0;
  /** Of the access that the next walk is for, set by who makes it; 0: it is only asked where it would go. */
  bytes = 0;
  /** Where guests' tables lie is found by it, and what their leaves mean. */
  second: NextStage | null = null;
  private readonly hosts = new Float64Array(5);
  private readonly gpas = new Float64Array(5);
  private depth = 0;

  constructor(private readonly memory: PhysicalMemory) {}

  /** gpa, or -1 - error code of the page fault. */
  walk(
    paging: PagingContext,
    lo: number,
    hi: number,
    access: AccessCode,
    rights: Rights,
    recorder: WalkRecorder | null = null,
  ): number {
    const format = paging.format;
    const { memory, hosts } = this;
    const { words } = memory;
    let table = paging.root;
    let allowed = -1;
    let denied = 0;
    for (let depth = 0; ; depth++) {
      const level = format.levels[depth];
      const shift = level.shift;
      const index = (shift >= 32 ? hi >>> (shift - 32) : (lo >>> shift) | (hi << (32 - shift))) & level.indexMask;
      const gpa = table + index * format.entryBytes;
      let low: number;
      let high = 0;
      if (level.registers) {
        low = paging.pdptes[index * 2];
        high = paging.pdptes[index * 2 + 1];
        hosts[depth] = -1;
      } else {
        const host = memory.hostAddress(this.second ? this.second.translateTable(gpa, lo, hi) : gpa);
        hosts[depth] = host;
        this.gpas[depth] = gpa;
        // Tables outside RAM: an address that nothing drives reads as ones.
        low = host < 0 ? -1 : words[host >>> 2];
        if (format.entryBytes === 8) high = host < 0 ? -1 : words[(host >>> 2) + 1];
      }
      const leaf = level.last || (level.large && (low & format.largeMask) !== 0);
      const reservedLow = low & (leaf ? level.leafReservedLow : level.tableReservedLow);
      const reservedHigh = high & (leaf ? level.leafReservedHigh : level.tableReservedHigh);
      if (recorder) recorder.step(format, level, gpa, low, high, leaf, reservedLow, reservedHigh);
      if ((low & format.presentMask) === 0) return this.fault(paging, 0, access, rights);
      if ((reservedLow | reservedHigh) !== 0 || format.malformed?.(low, leaf))
        return this.fault(paging, PF.P | PF.RSVD, access, rights);
      if (level.rights) {
        allowed &= low;
        denied |= high & format.noExecuteMask;
      }
      if (!leaf) {
        table = (high & 0xf_ffff) * 0x1_0000_0000 + ((low & 0xffff_f000) >>> 0);
        continue;
      }
      this.allowed = allowed;
      this.denied = denied;
      if (!permits(paging, allowed, denied, access, rights)) return this.fault(paging, PF.P, access, rights);
      const dirtied = access === ACCESS.write && (low & format.dirtyMask) !== format.dirtyMask;
      if (!recorder && ((allowed & format.accessedMask) !== format.accessedMask || dirtied)) {
        this.depth = depth;
        this.mark(format, dirtied, lo, hi);
      }
      this.pageShift = shift;
      this.leaf = low;
      const target = leafAddress(level, low, high) + (lo & ((1 << shift) - 1));
      return this.behind(target, access, lo, hi);
    }
  }

  /** The next stage, if there is one. */
  behind(gpa: number, access: AccessCode, lo: number, hi: number): number {
    const { second } = this;
    if (!second) return gpa;
    const hpa = second.translate(gpa, access, lo, hi);
    this.pageShift = Math.min(this.pageShift, second.pageShift);
    return hpa;
  }
  private fault(paging: PagingContext, code: number, access: AccessCode, rights: Rights): number {
    if (access === ACCESS.write) code |= PF.W;
    if (rights === RIGHTS.user) code |= PF.U;
    // The I flag exists only where fetches can be forbidden (SDM vol. 3A 4.7).
    if (access === ACCESS.execute && (paging.smep || paging.format.noExecuteMask !== 0)) code |= PF.I;
    return -1 - code;
  }

  private mark(format: PagingFormat, dirty: boolean, lo: number, hi: number): void {
    const { memory, hosts, depth, second } = this;
    for (let i = 0; i <= depth; i++) {
      const host = hosts[i];
      if (host < 0) continue;
      const old = memory.words[host >>> 2];
      const now = old | format.accessedMask | (dirty && i === depth ? format.dirtyMask : 0);
      if (now === old) continue;
      // A second stage may let a table be read and not be written.
      second?.translateTable(this.gpas[i], lo, hi, true);
      const gpa = memory.gpaOf(host);
      const flags = memory.flags(gpa);
      if (flags & PAGE.ROM) continue;
      memory.words[host >>> 2] = now;
      if (flags & PAGE.CODE) memory.onCodeWrite(gpa, format.entryBytes);
    }
  }
}

/** Where a leaf maps to. */
export function leafAddress(level: PagingLevel, low: number, high: number): number {
  const base = (low & -(1 << level.shift)) >>> 0;
  // An entry at a level that has only small pages keeps its own meaning of bits 20:13.
  if (level.pse36) return ((low >>> 13) & 0xff) * 0x1_0000_0000 + base;
  return (high & 0xf_ffff) * 0x1_0000_0000 + base;
}

/** SDM vol. 3A 4.6.1. `allowed` and `denied` accumulate over the levels. */
export function permits(
  paging: PagingContext,
  allowed: number,
  denied: number,
  access: AccessCode,
  rights: Rights,
): boolean {
  const own = paging.format.rights;
  if (own) return (allowed & own[access]) !== 0;
  const userPage = (allowed & ENTRY.U) !== 0;
  if (rights === RIGHTS.user) {
    if (!userPage) return false;
    if (access === ACCESS.write) return (allowed & ENTRY.W) !== 0;
    return access === ACCESS.read || denied === 0;
  }
  if (access === ACCESS.execute) return denied === 0 && !(userPage && paging.smep);
  if (userPage && paging.smap && rights !== RIGHTS.smapOff) return false;
  return access === ACCESS.read || !paging.writeProtect || (allowed & ENTRY.W) !== 0;
}
