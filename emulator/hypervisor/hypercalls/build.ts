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
import { readExtended, writeExtended } from './extended-context';
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

const BITS = { 32: 4, 64: 8 } as const;
/** Before anything else: the hypervisor's part of a domain is of its width. */
const setAddressSize: Build = ({ caller }, at, target) => {
  const bits = caller.read(at, 4);
  if (bits !== 32 && bits !== 64) refuse('EINVAL', `there are no domains of ${bits} bits`);
  const { domain, channels } = target;
  if (domain.word === BITS[bits]) return;
  if (domain.free.length < domain.frameCount) refuse('EACCES', 'the domain has memory already, which is in use by its width');
  if (channels.inspect().ports.length > 0) refuse('EBUSY', 'the domain has event channels already');
  target.remake(BITS[bits]);
}; // prettier-ignore
const getAddressSize: Build = ({ caller }, at, { domain }) => caller.write(at, 4, domain.word * 8);

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
/** The structure is that of the domain's width, whoever calls. */
const setContext: Build = (call, at, target) => {
  const { domain } = target;
  const index = vcpuOf(call, at, target);
  if (domain.vcpuStates[index].kernelRoot !== 0) refuse('EBUSY', `vcpu ${index} has a context already`);
  const flags = startVcpu(call.caller, target, index, call.caller.readWord(at + 8n));
  if ((flags & VGCF.ONLINE) === 0) return;
  domain.vcpuStates[index].up = true;
  domain.guest.cpus[index].state.setSystem('activity', RUNNING);
  domain.kick();
};
const getContext: Build = (call, at, target) => {
  const index = vcpuOf(call, at, target);
  if (target.domain.vcpuStates[index].kernelRoot === 0) refuse('ENODEV', `vcpu ${index} has no context yet`);
  call.caller.writeBytes(call.caller.readWord(at + 8n), contextOf(target.domain, index));
};

const setExtended: Build = (call, at, target) => {
  const { domain } = target;
  writeExtended(call.caller, at, domain.vcpuStates[vcpuOf(call, at, target)], domain.word);
};
const getExtended: Build = (call, at, target) =>
  readExtended(call.caller, at, target.domain.vcpuStates[vcpuOf(call, at, target)]);

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
  35: { name: 'set_address_size', run: onDomain(setAddressSize) },
  36: { name: 'get_address_size', run: onDomain(getAddressSize) },
  42: { name: 'set_ext_vcpucontext', run: onDomain(setExtended) },
  43: { name: 'get_ext_vcpucontext', run: onDomain(getExtended) },
  61: { name: 'getpageframeinfo3', run: onDomain(frameTypes) },
};
