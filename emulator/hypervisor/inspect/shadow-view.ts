/** Shadow tables beside the guest's: the walk of an address, what a leaf is worth, where a table belongs. */
import type { ShadowWalk } from '../../machine/inspect-api';
import { emptyContext, formatOf } from '../../mmu/guest-paging';
import type { PagingContext } from '../../mmu/guest-paging';
import { PAGE_BYTES } from '../../mmu/physical-memory';
import type { PhysicalMemory } from '../../mmu/physical-memory';
import { walkStages } from '../../mmu/staged-walk';
import type { Looking, StagedWalk } from '../../mmu/staged-walk';
import { brokenLeaf } from '../shadow/check';
import type { Broken } from '../shadow/check';
import type { ShadowPaging } from '../shadow/shadow-paging';
import { gvaOf, keyOf, vaOf } from '../shadow/space';
import type { Space } from '../shadow/space';
import type { ShadowTables } from '../shadow/tables';
import type { Judge } from './address';

/** As the physical processor walks them. */
export function contextOf(tables: ShadowTables): PagingContext {
  const wide = tables.form === '4-level';
  return {
    ...emptyContext(),
    format: formatOf(true, true, wide, { nxe: true, pse: false, gigabytePages: true }),
    root: tables.hpa,
    pdptes: new Int32Array(new BigUint64Array(wide ? [0n, 0n, 0n, 0n] : tables.pdptes).buffer),
    writeProtect: true,
  };
}

export class ShadowView {
  constructor(
    private readonly shadow: ShadowPaging,
    private readonly host: PhysicalMemory,
    private readonly guest: PhysicalMemory,
    private readonly kernelTranslated: boolean,
  ) {}

  /** Of the address space that a virtual processor is in; undefined: it has no shadow yet. */
  space(paging: PagingContext): Space | undefined {
    const key = keyOf(paging);
    return this.shadow.all.find((space) => space.key === key);
  }

  /** What is wrong with the leaf at `hpa`, which maps `gva`. */
  broken(space: Space, gva: bigint, hpa: number): Broken | undefined {
    const word = (this.host.base + hpa) >>> 2;
    const { words } = this.host;
    if (this.shadow.isOwn(word) || !(words[word] & 1)) return undefined;
    return brokenLeaf(space, this.shadow, this.guest, gva, words[word], words[word + 1]);
  }

  walk(space: Space, gva: bigint, looking: Looking, guestWalk: StagedWalk): ShadowWalk {
    const { form } = space.tables;
    const found = this.look(space, gva, looking);
    const references = found.references.map(({ gpa: hpa, ...step }) => ({
      ...step,
      ...(hpa === undefined ? {} : { hpa }),
      tables: 'shadow' as const,
      targetSpace: 'hp' as const,
    }));
    const last = references[references.length - 1];
    if (!last.leaf) return { form, references, state: 'missing' };
    const broken = this.broken(space, gva, last.hpa!);
    if (broken) {
      Object.assign(last, broken);
      return { form, references, ...(found.gpa === undefined ? {} : { hpa: found.gpa }), state: broken.mark, rule: broken.rule };
    }
    if (found.gpa === undefined) return { form, references, state: guestWalk.fault ? 'filled' : 'fewer-rights' };
    return { form, references, hpa: found.gpa, state: 'filled' };
  } // prettier-ignore
  private look({ tables }: Space, gva: bigint, looking: Looking): StagedWalk {
    // What SMAP forbids is the guest's rule, not the tables'.
    const wide = tables.form === '4-level';
    const at = wide ? gva : BigInt(vaOf(gva));
    const walk = walkStages({ paging: contextOf(tables), memory: this.host }, at, { ...looking, smapOff: true });
    // What is a guest's memory elsewhere is the host's here.
    const inHost = (text: string): string => text.replaceAll('gp:', 'hp:');
    for (const reference of walk.references) if (reference.why !== undefined) reference.why = inHost(reference.why);
    if (walk.fault) walk.fault = { ...walk.fault, reason: inHost(walk.fault.reason) };
    return walk;
  }

  /** The guest's own walk decides what is allowed, its shadow whether the hypervisor is asked first. */
  judge(space: Space | undefined, gva: bigint): Judge {
    return (walk, looking) => {
      const { fault, gpa } = walk;
      if (fault)
        return { outcome: 'page-fault', errorCode: fault.errorCode, exit: 'reflected-event', reason: fault.reason };
      if (!this.guest.isRam(gpa!))
        return { outcome: 'exit', exit: 'mmio', reason: 'No RAM lies there: a device is asked.' };
      if (looking.access === 'execute' && this.kernelTranslated && !looking.user)
        return { outcome: 'done', reason: 'What a kernel executes is its translation.' };
      const shadowed = space && this.look(space, gva, looking);
      if (shadowed?.gpa !== undefined) return { outcome: 'done' };
      if (looking.access === 'write' && this.shadow.isTable(gpa!))
        return { outcome: 'exit', exit: 'page-table-write', reason: 'The page holds a guest page table, and is write-protected.' }; // prettier-ignore
      const reason = shadowed?.fault?.reason ?? 'The address space has no shadow yet.';
      return { outcome: 'exit', exit: 'shadow-fault', reason };
    };
  }

  /** gva of the first byte that a table covers; undefined: it is none of this space. */
  base({ tables }: Space, hpa: number): bigint | undefined {
    const wide = tables.form === '4-level';
    const va = this.find(tables.hpa, wide ? [39, 30, 21] : [30, 21], 0, hpa);
    return va === undefined ? undefined : gvaOf(va, wide);
  }
  private find(table: number, shifts: readonly number[], va: number, wanted: number): number | undefined {
    if (table === wanted) return va;
    const [shift, ...below] = shifts;
    if (shift === undefined) return undefined;
    const { base, words } = this.host;
    for (let i = 0; i < PAGE_BYTES / 8; i++) {
      const word = (base + table + i * 8) >>> 2;
      if (!(words[word] & 1)) continue;
      const next = (words[word + 1] & 0xf_ffff) * 0x1_0000_0000 + ((words[word] & -4096) >>> 0);
      const found = this.find(next, below, va + i * 2 ** shift, wanted);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}
