/**
 * The counts of a domain's frames, worked out anew from everything that refers to them. Independent of the code that keeps them: it
 * reads tables as the processor does.
 */
import type { DomainParts } from '../../../../emulator/hypervisor/xen/parts';
import { TYPE } from '../../../../emulator/hypervisor/xen/typed-pages';
import type { SavedPages } from '../../../../emulator/hypervisor/xen/typed-pages';

const ADDRESS = 0x000f_ffff_ffff_f000n;

/** What is wrong, one sentence each; empty: all is well. `others`: domains that may map its frames because they are privileged. */
export function audit(
  { domain, console, store, channels }: DomainParts,
  others: readonly DomainParts[] = [],
): string[] {
  const saved = (domain.pages as unknown as { saved: SavedPages }).saved;
  const { memory, word } = domain;
  const wrong: string[] = [];
  const refs = new Map<number, number>();
  const typed = new Map<number, Map<number, number>>();
  const use = (mfn: number, type: number | undefined): void => {
    refs.set(mfn, (refs.get(mfn) ?? 0) + 1);
    if (type === undefined) return;
    const of = typed.get(mfn) ?? new Map<number, number>();
    typed.set(mfn, of.set(type, (of.get(type) ?? 0) + 1));
  };
  const foreign = new Map(
    domain.foreign.save().map(({ at, mfn, writable }) => [at.mfn * 512 + at.offset / 8, `${mfn} ${writable}`]),
  );
  for (const other of others)
    for (const { domain: of, mfn, writable } of other.domain.foreign.save())
      if (of === domain.id) use(mfn, writable ? TYPE.writable : undefined);
  const tableTypes: readonly number[] = [TYPE.l1, TYPE.l2, TYPE.l3, TYPE.l4];
  for (let mfn = 0; mfn < memory.frames; mfn++) {
    const flags = saved.flags[mfn];
    if (!(flags & 1)) continue;
    if (!(flags & 8)) use(mfn, undefined);
    if (flags & 2) use(mfn, saved.types[mfn]);
    if (saved.typeRefs[mfn] === 0 || !tableTypes.includes(saved.types[mfn])) continue;
    const type = saved.types[mfn];
    const count = type === TYPE.l3 && word === 4 ? 4 : 512;
    for (let i = 0; i < count; i++) {
      const own = type === TYPE.l4 ? i >= 256 && i <= 271 : type === TYPE.l2 && (flags & 4) !== 0 && i >= 428;
      if (own) continue;
      const entry = memory.read64(mfn, i * 8);
      if (!(entry & 1n)) continue;
      const target = Number((entry & ADDRESS) >> 12n);
      if (type === TYPE.l1 && !domain.owns(target)) {
        if (foreign.get(mfn * 512 + i) !== `${target} ${(entry & 2n) !== 0n}`) wrong.push(`L1 ${mfn} maps frame ${target}, which is not the domain's`);
      } else if (type === TYPE.l1) use(target, entry & 2n ? TYPE.writable : undefined);
      else use(target, type - 1);
    }
  } // prettier-ignore
  for (const vcpu of domain.vcpuStates) {
    const root = word === 8 ? TYPE.l4 : TYPE.l3;
    if (vcpu.kernelRoot) use(vcpu.kernelRoot, root);
    if (vcpu.userRoot) use(vcpu.userRoot, root);
    for (const mfn of [...vcpu.gdt, ...vcpu.ldt]) use(mfn, TYPE.descriptors);
    if (vcpu.info.mfn !== domain.sharedInfo) use(vcpu.info.mfn, TYPE.writable);
  }
  for (const { mfn } of [console.save(), store.save()]) if (mfn) use(mfn, TYPE.writable);
  for (const mfn of sharedFrames(domain)) use(mfn, undefined);
  for (const mfn of fifoFrames(channels)) use(mfn, TYPE.writable);
  for (let mfn = 0; mfn < memory.frames; mfn++) {
    if (!(saved.flags[mfn] & 1)) continue;
    const of = typed.get(mfn) ?? new Map<number, number>();
    if (of.size > 1) wrong.push(`frame ${mfn} is used as ${[...of.keys()].join(' and ')} at once`);
    const total = [...of.values()].reduce((sum, n) => sum + n, 0);
    if (total !== saved.typeRefs[mfn] || (refs.get(mfn) ?? 0) !== saved.refs[mfn])
      wrong.push(`frame ${mfn} (type ${saved.types[mfn]}): ${saved.refs[mfn]} and ${saved.typeRefs[mfn]} of type are kept, ${refs.get(mfn)} and ${total} there`); // prettier-ignore
    if (total > 0 && !of.has(saved.types[mfn])) wrong.push(`frame ${mfn} has type ${saved.types[mfn]} and is used as ${[...of.keys()].join()}`); // prettier-ignore
  }
  return wrong;
}

/** Of the hypervisor's, mapped by the domain: shared info and grant frames. */
const sharedFrames = (domain: DomainParts['domain']): number[] => {
  const { taken } = domain.space as unknown as { taken: number[] };
  return taken.filter((mfn) => domain.owns(mfn) && !domain.pages.isReleased(mfn));
};
const fifoFrames = (channels: DomainParts['channels']): number[] => {
  const { fifo } = channels.save();
  return fifo ? [...fifo.control.flatMap((place) => place?.mfn ?? []), ...fifo.array] : [];
};
