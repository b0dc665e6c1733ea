/**
 * domctls by which domain 0 builds a paravirtualised domain and reads it out again (domctl.h). Its memory is filled by mappings of
 * its frames (memory.ts), which XENMEM_populate_physmap gives it.
 */
import type { DomainControl } from '../domain';
import { PAGE_BYTES } from '../../mmu/physical-memory';
import { refuse } from '../xen/errno';
import { hypercallPage } from '../xen/hypercall-page';
import { isTable } from '../xen/page-tables';
import type { DomainParts } from '../xen/parts';
import { TYPE } from '../xen/typed-pages';
import type { Call } from './call';
import { startVcpu } from './vcpu-context';
import { contextOf, VGCF } from './vcpu-registers';

/** Where the operation's own structure begins. */
const AT = 16n;
const MOST_FRAMES = 0x1_0000n;
const RUNNING = 0n;

type Build = (call: Call, at: bigint, target: DomainParts) => void;

/** On a paravirtualised domain, never the caller's own. */
const onDomain =
  (build: Build) =>
  (call: Call, _: DomainControl, at: bigint): void => {
    const id = call.caller.read(at + 8n, 2);
    if (id === call.domain.id) refuse('EINVAL', 'a domain does not do this to itself');
    build(call, at + AT, call.parts.peer(id) ?? refuse('ESRCH', `there is no paravirtual domain ${id}`));
  };

/** More than its reservation is not to be had: that is static. */
const maxMemory: Build = ({ caller }, at, { domain }) => {
  const frames = Number(caller.read64(at) / BigInt(PAGE_BYTES / 1024));
  if (frames > domain.frameCount) refuse('ENOMEM', `${frames} frames are more than its reservation, ${domain.frameCount}`);
  domain.mostFrames = frames;
}; // prettier-ignore

const hypercallInit: Build = ({ caller }, at, { domain }) => {
  const mfn = Number(caller.read64(at));
  domain.pages.getAs(mfn, TYPE.writable);
  domain.memory.writeBytes(mfn, 0, hypercallPage(domain.word));
  domain.pages.putAs(mfn);
};

function vcpuOf({ caller }: Call, at: bigint, { domain }: DomainParts): number {
  const index = caller.read(at, 4);
  if (index >= domain.vcpus) refuse('EINVAL', `there is no vcpu ${index}`);
  return index;
}
const setContext: Build = (call, at, target) => {
  const { domain } = target;
  const index = vcpuOf(call, at, target);
  if (call.domain.word !== domain.word) refuse('EOPNOTSUPP', 'the context is that of a guest of another width');
  const vcpu = domain.vcpuStates[index];
  if (vcpu.kernelRoot !== 0) refuse('EBUSY', `vcpu ${index} has a context already`);
  const flags = startVcpu(call, target, index, call.caller.readWord(at + 8n));
  if ((flags & VGCF.ONLINE) === 0) return;
  vcpu.up = true;
  domain.guest.cpus[index].state.setSystem('activity', RUNNING);
  domain.kick();
};
const getContext: Build = (call, at, target) => {
  const index = vcpuOf(call, at, target);
  if (target.domain.vcpuStates[index].kernelRoot === 0) refuse('ENODEV', `vcpu ${index} has no context yet`);
  call.caller.writeBytes(call.caller.readWord(at + 8n), contextOf(target.domain, index));
};

/** XEN_DOMCTL_PFINFO_*: what frames are, in their place. */
const PFINFO = { LEVEL_SHIFT: 28, PINNED: 0x8000_0000, NONE: 0xf000_0000 } as const;
const frameTypes: Build = ({ caller, domain: { word } }, at, { domain }) => {
  const count = caller.read64(at);
  if (count > MOST_FRAMES) refuse('E2BIG', `${count} frames at once are more than ${MOST_FRAMES}`);
  const list = caller.readWord(at + 8n);
  for (let i = 0; i < Number(count); i++) {
    const place = list + BigInt(i * word);
    caller.writeWord(place, BigInt(typeOf(domain, Number(caller.readWord(place)))));
  }
};
function typeOf({ pages }: DomainParts['domain'], mfn: number): number {
  if (!pages.owns(mfn)) return PFINFO.NONE;
  const used = pages.usedAs(mfn);
  if (!isTable(used)) return 0;
  const level = used - TYPE.l1 + 1;
  return level * 2 ** PFINFO.LEVEL_SHIFT + (pages.describe(mfn).pinned ? PFINFO.PINNED : 0);
}

export const BUILDING: Readonly<Record<number, { name: string; run: ReturnType<typeof onDomain> }>> = {
  11: { name: 'max_mem', run: onDomain(maxMemory) },
  12: { name: 'setvcpucontext', run: onDomain(setContext) },
  13: { name: 'getvcpucontext', run: onDomain(getContext) },
  22: { name: 'hypercall_init', run: onDomain(hypercallInit) },
  61: { name: 'getpageframeinfo3', run: onDomain(frameTypes) },
};
