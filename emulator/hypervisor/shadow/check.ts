/**
 * The invariant of shadow paging, checked by reading alone: every shadow leaf is the guest's tables followed by the map of its
 * memory, with no right more than both give; no page that holds a guest table is writable; what is writable is dirty.
 */
import { translate } from '../../mmu/inspect';
import { ENTRY, NO_EXECUTE, NO_PAGING } from '../../mmu/guest-paging';
import type { PhysicalMemory } from '../../mmu/physical-memory';
import { gvaOf } from './space';
import type { Space } from './space';
import type { ShadowPaging } from './shadow-paging';
import { leafTarget } from './tables';

export interface Broken {
  /** `stale`: it maps otherwise than the guest; `over-permissive`: it allows more. */
  mark: 'stale' | 'over-permissive';
  /** One sentence: which rule, and what should be there. */
  rule: string;
}
export interface Violation extends Broken {
  gva: bigint;
  /** Where the shadow leaf lies, and what it says. */
  hpa: number;
  entry: bigint;
}

/** All leaves of all spaces, at most `limit` findings, in the order of spaces and addresses. */
export function checkShadow(
  shadow: ShadowPaging,
  host: PhysicalMemory,
  guest: PhysicalMemory,
  limit = 10,
): Violation[] {
  const found: Violation[] = [];
  for (const space of shadow.all)
    for (const { va, word } of space.tables.leaves()) {
      const gva = gvaOf(va, space.tables.form === '4-level');
      const [low, high] = [host.words[word], host.words[word + 1]];
      if (shadow.isOwn(word)) continue;
      const broken = brokenLeaf(space, shadow, guest, gva, low, high);
      if (!broken) continue;
      const entry = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
      found.push({ gva, hpa: word * 4 - host.base, entry, ...broken });
      if (found.length >= limit) return found;
    }
  return found;
}

const hex = (value: number): string => `0x${value.toString(16)}`;

/** What is wrong with one leaf of a space, if something is. `low`, `high`: its words. */
export function brokenLeaf(
  { context }: Space,
  shadow: ShadowPaging,
  guest: PhysicalMemory,
  gva: bigint,
  low: number,
  high: number,
): Broken | undefined {
  const stale = (rule: string): Broken => ({ mark: 'stale', rule });
  const tooMuch = (rule: string): Broken => ({ mark: 'over-permissive', rule });
  // What a supervisor may read is all that is mapped: SMAP is no rule of the tables.
  const translation = translate({ ...context, smap: false }, guest, gva, { user: false });
  const { gpa } = translation;
  if (gpa === undefined) return stale(`The guest does not map it: ${translation.fault?.reason ?? 'no translation'}`);
  const page = gpa - (gpa % 4096);
  if (!guest.isRam(page)) return stale(`The guest maps gp:${hex(page)}, which is no RAM.`);
  const target = leafTarget(low, high);
  if (target !== guest.hpa(page))
    return stale(`It maps hp:${hex(target)}; the guest's gp:${hex(page)} lies at hp:${hex(guest.hpa(page))}.`);
  const writable = (low & ENTRY.W) !== 0;
  if (writable && shadow.isTable(page))
    return tooMuch(`gp:${hex(page)} holds a guest page table and must not be writable.`);
  if (context.format === NO_PAGING) return undefined;
  const rights = translation.rights!;
  const user = (low & ENTRY.U) !== 0;
  // With CR0.WP clear a supervisor writes to read-only pages; then the leaf must not be for users.
  if (writable && !rights.write && (context.writeProtect || user)) return tooMuch('It is writable; the guest\'s entries are not.'); // prettier-ignore
  if (user && !rights.user) return tooMuch('It is for users; the guest\'s entries are for supervisors only.'); // prettier-ignore
  if (!(high & NO_EXECUTE) && !rights.execute) return tooMuch('It may be executed; the guest\'s entries forbid it.'); // prettier-ignore
  const leaf = translation.steps[translation.steps.length - 1];
  if (!leaf.accessed) return stale('The guest\'s entry has never been accessed.'); // prettier-ignore
  if (writable && !leaf.dirty) return tooMuch('It is writable; the guest\'s entry is not dirty, so that a first write would not be seen.'); // prettier-ignore
  return undefined;
}
