/** A paravirtualised domain as its hypervisor knows it, for people: frames and their types, processors, event channels, grants. */
import type { StructureNode, TypedFrame } from '../../machine/inspect-api';
import { vectorName } from '../../x86/registers';
import type { PvDomain } from '../xen/domain';
import type { DomainParts } from '../xen/parts';
import { TYPE_NAMES } from '../xen/typed-pages';
import type { VcpuState } from '../xen/vcpu';
import { hex } from './nodes';

const MOST_CHANGES = 64;

/** Machine frame that the domain calls `pfn` (p2m): the inverse of the table that the hypervisor shows it. */
export function machineFrameOf({ memory, pages, space }: PvDomain, pfn: number): number | undefined {
  for (let mfn = 0; mfn < memory.frames; mfn++)
    if (pages.owns(mfn) && space.guestFrame(mfn) === BigInt(pfn)) return mfn;
  return undefined;
}

export function typedFrame({ pages, history }: PvDomain, mfn: number): TypedFrame {
  const { type, refs, typeRefs, pinned } = pages.describe(mfn);
  const changes = history.of(mfn, MOST_CHANGES);
  return {
    frame: mfn,
    type: typeRefs > 0 ? type : TYPE_NAMES[0],
    typeCount: typeRefs,
    count: refs,
    pinned,
    history: changes.map(({ from, to, ...change }) => ({ from: TYPE_NAMES[from], to: TYPE_NAMES[to], ...change })),
  };
}

export const xenNodes = (parts: DomainParts): StructureNode[] => [
  processors(parts.domain),
  frames(parts.domain),
  eventChannels(parts),
  grantTable(parts),
];

const text = (name: string, value: string): StructureNode => ({ name, value });

function processors({ word, vcpuStates }: PvDomain): StructureNode {
  return { name: 'Xen: virtual processors', children: vcpuStates.map((vcpu, index) => processor(word, vcpu, index)) };
}
function processor(word: 4 | 8, vcpu: VcpuState, index: number): StructureNode {
  const { up, kernelRoot, userRoot, inKernel, kernelSs, kernelSp, callbacks, traps, gdt, gdtEntries, iopl, info } = vcpu;
  const registered = traps.flatMap((trap, vector): StructureNode[] =>
    trap ? [{ ...text(vectorName(vector), `${hex(trap.cs)}:${hex(trap.address)}`), text: `DPL ${trap.dpl}${trap.masks ? ', events off' : ''}` }] : [],
  );
  const entries = Object.entries(callbacks).map(([name, { cs, address, masks }]) => ({ ...text(name, `${hex(cs)}:${hex(address)}`), ...(masks ? { text: 'events off' } : {}) }));
  const roots = word === 8 ? [text('user root', frame(userRoot)), text('runs in', inKernel ? 'its kernel' : 'a program')] : [];
  return {
    ...text(`vcpu ${index}`, up ? 'up' : 'down'),
    children: [
      text('kernel root', frame(kernelRoot)),
      ...roots,
      text('kernel stack', `${hex(kernelSs)}:${hex(kernelSp)}`),
      { ...text('descriptors', `${gdtEntries}`), text: gdt.map(frame).join(' ') },
      text('I/O privilege', `${iopl}`),
      text('vcpu_info', `${frame(info.mfn)} + ${hex(info.offset)}`),
      { name: 'callbacks', children: entries },
      { ...text('trap table', `${registered.length} vectors`), children: registered },
    ],
  };
} // prettier-ignore
const frame = (mfn: number): string => (mfn === 0 ? 'none' : `frame ${hex(mfn)}`);

function frames({ memory, pages, frameCount, free }: PvDomain): StructureNode {
  const counts = new Map<string, number>();
  for (let mfn = 0; mfn < memory.frames; mfn++) {
    if (!pages.owns(mfn)) continue;
    const type = TYPE_NAMES[pages.usedAs(mfn)];
    counts.set(type, (counts.get(type) ?? 0) + 1);
  }
  const children = TYPE_NAMES.flatMap((type) => (counts.has(type) ? [text(type, `${counts.get(type)}`)] : []));
  return {
    name: 'Xen: frames by type',
    value: `${frameCount - free.length} of ${frameCount}`,
    text: 'ringside/translate of an hp: address says what one frame is in use as, and since when',
    children,
  };
}

function eventChannels({ channels }: DomainParts): StructureNode {
  const { abi, upcalls, ports } = channels.inspect();
  const state = ({ pending, masked }: { pending: boolean; masked: boolean }): string =>
    [pending ? 'pending' : '', masked ? 'masked' : ''].filter((each) => each !== '').join(', ') || 'quiet';
  return {
    name: 'Xen: event channels',
    value: `${abi}, ${ports.length} ports`,
    children: [
      ...upcalls.map((upcall) => text(`upcall of vcpu ${upcall.vcpu}`, state(upcall))),
      ...ports.map((port) => ({ ...text(`port ${port.port}`, state(port)), text: `${port.connected}; vcpu ${port.vcpu}` })),
    ],
  };
} // prettier-ignore

function grantTable({ grants, mappings }: DomainParts): StructureNode {
  const { version, frames: own, grants: given } = grants.inspect();
  return {
    name: 'Xen: grant table',
    value: `version ${version}`,
    text: own.length === 0 ? 'not set up' : `lies in ${own.map(frame).join(', ')}`,
    children: [
      ...given.map(({ ref, what, grantee, frame: mfn, uses }) => ({
        ...text(`grant ${ref}`, frame(mfn)),
        text: `${what}, for domain ${grantee}${uses.map(({ domain, how }) => `; ${how} by domain ${domain}`).join('')}`,
      })),
      ...mappings.inspect().map(({ handle, domain, ref, frame: mfn, writable }) => ({
        ...text(`mapping ${handle}`, frame(mfn)),
        text: `grant ${ref} of domain ${domain}${writable ? '' : ', to read'}`,
      })),
    ],
  };
}
