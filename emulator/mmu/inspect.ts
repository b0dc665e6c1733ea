/**
 * The MMU as a debugger reads it: every step of a walk, the entries of one table, the mappings of an address space.
 * The same loop as the processor's (walk.ts), with a recorder, which keeps it from setting any bit.
 */
import type { Translation, WalkStep } from '../machine/api';
import { PF } from '../x86/registers';
import { ENTRY, NO_PAGING } from './guest-paging';
import type { PagingContext, PagingFormat, PagingLevel } from './guest-paging';
import type { PhysicalMemory } from './physical-memory';
import { ACCESS, leafAddress, RIGHTS, Walker } from './walk';
import type { Rights } from './walk';

const word = (low: number, high: number): bigint => (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
const low32 = (gva: bigint): number => Number(BigInt.asIntN(32, gva));
const high32 = (gva: bigint): number => Number(BigInt.asIntN(32, gva >> 32n));

export function describeEntry(
  format: PagingFormat,
  level: PagingLevel,
  gpa: number,
  low: number,
  high: number,
): WalkStep {
  const leaf = level.last || (level.large && (low & format.largeMask) !== 0);
  const present = (low & format.presentMask) !== 0;
  const reservedLow = low & (leaf ? level.leafReservedLow : level.tableReservedLow);
  const reservedHigh = high & (leaf ? level.leafReservedHigh : level.tableReservedHigh);
  const { write, user, execute } = rightsOf(format, level.rights ? low : -1, level.rights ? high : 0);
  return {
    name: level.name,
    level: level.level,
    gpa,
    entry: word(low, high),
    bytes: format.entryBytes,
    present,
    writable: write,
    user,
    executable: execute,
    accessed: level.rights && (low & format.accessedMask) !== 0,
    dirty: leaf && (low & format.dirtyMask) !== 0,
    global: leaf && !format.rights && (low & ENTRY.G) !== 0,
    leaf: present && leaf,
    reserved: present ? word(reservedLow, reservedHigh) : 0n,
    target: leaf ? leafAddress(level, low, high) : leafAddress(TABLE_TARGET, low, high),
  };
}
export const WRITE = 1;
export const USER = 2;
export const EXECUTE = 4;
/** What the bits that all levels have in common allow, as bits; `allowed`: AND of low words, `denied`: OR of high words. */
export function rightBits(format: PagingFormat, allowed: number, denied: number): number {
  // EPT asks nobody who they are.
  if (format.rights)
    return USER | (allowed & format.rights[1] ? WRITE : 0) | (allowed & format.rights[2] ? EXECUTE : 0);
  return (
    (allowed & ENTRY.W ? WRITE : 0) | (allowed & ENTRY.U ? USER : 0) | (denied & format.noExecuteMask ? 0 : EXECUTE)
  );
}
export const rightsFrom = (bits: number): { write: boolean; user: boolean; execute: boolean } => ({
  write: (bits & WRITE) !== 0,
  user: (bits & USER) !== 0,
  execute: (bits & EXECUTE) !== 0,
});
export const rightsOf = (format: PagingFormat, allowed: number, denied: number): ReturnType<typeof rightsFrom> =>
  rightsFrom(rightBits(format, allowed, denied));
/** Where an entry that is no leaf points: bits 51:12. */
const TABLE_TARGET = { shift: 12, pse36: false } as PagingLevel;

/** An address space other than the current one: the tables at `cr3`, with the modes now in force. */
export function contextAt(current: PagingContext, physical: PhysicalMemory, cr3: bigint): PagingContext {
  const wide = current.format.name === '4-level';
  const root = Number(cr3 & (wide ? 0xf_ffff_ffff_f000n : current.format.name === 'PAE' ? 0xffff_ffe0n : 0xffff_f000n));
  const pdptes = new Int32Array(8);
  if (current.format.name === 'PAE') {
    const bytes = physical.readBytes(root, 32);
    if (bytes.length === 32) pdptes.set(new Int32Array(bytes.buffer));
  }
  return { ...current, root, pdptes };
}

export interface TranslateOptions {
  access?: Translation['access'];
  user: boolean;
  /** RFLAGS.AC lifts SMAP. */
  smapOff?: boolean;
}

export function translate(
  paging: PagingContext,
  physical: PhysicalMemory,
  gva: bigint,
  options: TranslateOptions,
): Translation {
  const access = options.access ?? 'read';
  const steps: WalkStep[] = [];
  const translation: Translation = { gva, access, format: paging.format.name, steps };
  if (paging.format === NO_PAGING) {
    const gpa = Number(BigInt.asUintN(32, gva));
    return { ...translation, gpa, pageBytes: 4096, rights: { write: true, user: true, execute: true } };
  }
  const lo = low32(gva);
  const hi = high32(gva);
  if (paging.format.name === '4-level' && (hi << 16) >> 16 !== hi)
    return { ...translation, fault: { errorCode: 0, reason: 'The address is not canonical: bits 63 to 47 differ.' } };
  const walker = new Walker(physical);
  const rights: Rights = options.user ? RIGHTS.user : options.smapOff ? RIGHTS.smapOff : RIGHTS.supervisor;
  const result = walker.walk(paging, lo, hi, ACCESS[access], rights, {
    step: (format, level, gpa, low, high) => void steps.push(describeEntry(format, level, gpa, low, high)),
  });
  const last = steps[steps.length - 1];
  if (last.leaf && last.reserved === 0n) {
    translation.pageBytes = 2 ** (paging.format.levels.find((l) => l.level === last.level)?.shift ?? 12);
    translation.rights = {
      write: steps.every((s) => s.writable),
      user: steps.every((s) => s.user),
      execute: steps.every((s) => s.executable),
    };
  }
  if (result >= 0) translation.gpa = result;
  else
    translation.fault = { errorCode: -1 - result, reason: explainFault(paging, steps, -1 - result, access, options) };
  return translation;
}

/** Why a walk of these steps ended with a page fault: one sentence. `lies`: how the place of an entry is written. */
export function explainFault(
  paging: PagingContext,
  steps: readonly WalkStep[],
  code: number,
  access: Translation['access'],
  options: TranslateOptions,
  lies = (gpa: number): string => `gp:0x${gpa.toString(16)}`,
): string {
  const last = steps[steps.length - 1];
  const at = (s: WalkStep): string => `The ${s.name} at ${lies(s.gpa)}`;
  if (!(code & PF.P)) return `${at(last)} is not present: bit 0 of 0x${last.entry.toString(16)} is clear.`;
  if (code & PF.RSVD) return `${at(last)} has reserved bits set: 0x${last.reserved.toString(16)}.`;
  const noUser = steps.find((s) => !s.user);
  const noWrite = steps.find((s) => !s.writable);
  const noExecute = steps.find((s) => !s.executable);
  if (options.user && noUser) return `${at(noUser)} allows supervisor access only: U/S (bit 2) is clear.`;
  if (access === 'execute') {
    if (noExecute) return `${at(noExecute)} forbids execution: XD (bit 63) is set.`;
    return 'CR4.SMEP is set: a supervisor may not execute from a user page (U/S is set at every level).';
  }
  if (!options.user && paging.smap && !noUser && !options.smapOff)
    return 'CR4.SMAP is set and RFLAGS.AC is clear: a supervisor may not touch a user page.';
  if (noWrite) return `${at(noWrite)} is read-only: R/W (bit 1) is clear${options.user ? '' : ', and CR0.WP is set'}.`;
  return 'The rights of the entries forbid it.';
}

/** Where tables are read. */
export type TableMemory = Pick<PhysicalMemory, 'hostAddress' | 'words'>;

/** Entry `index` of the table at `table`: its two words, from memory or from PDPTE registers. Absent memory: ones. */
function readEntry(
  paging: PagingContext,
  physical: TableMemory,
  level: PagingLevel,
  table: number,
  index: number,
): [number, number] {
  if (level.registers) return [paging.pdptes[index * 2], paging.pdptes[index * 2 + 1]];
  const host = physical.hostAddress(table + index * paging.format.entryBytes);
  if (host < 0) return [-1, -1];
  return [physical.words[host >>> 2], paging.format.entryBytes === 8 ? physical.words[(host >>> 2) + 1] : 0];
}

/** Sign-extends bit 47 in the 4-level format. */
export const canonicalise = (format: PagingFormat, gva: bigint): bigint =>
  format.name === '4-level' ? BigInt.asUintN(64, BigInt.asIntN(48, gva)) : gva;

export interface TableView {
  format: string;
  level: number;
  gpa: number;
  entries: (WalkStep & { index: number; gva: bigint })[];
}

/**
 * The present entries of one table. `gva` of an entry is relative to the part of the address space that
 * the table covers, except for the root, where it is the address itself: a table can be reached in several ways.
 */
export function table(paging: PagingContext, physical: TableMemory, at?: { gpa: number; level: number }): TableView {
  const { format } = paging;
  const level = at ? format.levels.find((l) => l.level === at.level) : format.levels[0];
  const gpa = at?.gpa ?? paging.root;
  if (!level) return { format: format.name, level: at?.level ?? 0, gpa, entries: [] };
  const entries: TableView['entries'] = [];
  for (let index = 0; index <= level.indexMask; index++) {
    const [low, high] = readEntry(paging, physical, level, gpa, index);
    if (!(low & format.presentMask)) continue;
    const offset = BigInt(index) << BigInt(level.shift);
    const step = describeEntry(format, level, gpa + index * format.entryBytes, low, high);
    entries.push({ ...step, index, gva: at && level !== format.levels[0] ? offset : canonicalise(format, offset) });
  }
  return { format: format.name, level: level.level, gpa, entries };
}
