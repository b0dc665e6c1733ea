/** Descriptor tables by hypercall: set_gdt, update_descriptor, and mmuext_op's set_ldt. Their frames are never writable for the guest. */
import { ATTRIBUTE } from '../../cpu/state';
import { PAGE_BYTES } from '../../mmu/physical-memory';
import { SEG } from '../../x86/registers';
import { FIRST_RESERVED_GDT_BYTE, FIRST_RESERVED_GDT_ENTRY } from '../xen/abi';
import { refuse } from '../xen/errno';
import { AREA } from '../xen/reserved-space';
import { entryFrame, isPresent } from '../xen/page-tables';
import { hexFrame, TYPE } from '../xen/typed-pages';
import { asUint, wide } from './call';
import type { Call } from './call';

const ENTRIES_A_PAGE = PAGE_BYTES / 8;
const MAX_LDT_ENTRIES = 8192;
const LDT_TYPE = 2;

/** The guest's frames come before the hypervisor's page in what the processor sees as the GDT. */
export function setGdt({ args, caller, domain, vcpu }: Call): void {
  const entries = asUint(args[1]);
  if (entries > FIRST_RESERVED_GDT_ENTRY)
    refuse('EINVAL', `${entries} descriptors reach into the hypervisor's, which begin at ${FIRST_RESERVED_GDT_ENTRY}`);
  const frames = Array.from({ length: Math.ceil(entries / ENTRIES_A_PAGE) }, (_, i) =>
    Number(caller.readWord(args[0] + BigInt(i * domain.word))),
  );
  replace({ domain, vcpu: caller.vcpu, area: AREA.GDT, limit: FIRST_RESERVED_GDT_BYTE / PAGE_BYTES }, vcpu.gdt, frames);
  vcpu.gdt = frames;
  vcpu.gdtEntries = entries;
}

interface Place {
  domain: Call['domain'];
  vcpu: number;
  area: number;
  limit: number;
}
/** Takes the new frames as descriptor tables before the old ones are given back. All or nothing. */
function replace({ domain, vcpu, area, limit }: Place, old: readonly number[], frames: readonly number[]): void {
  const taken: number[] = [];
  try {
    for (const mfn of frames) {
      domain.pages.getAs(mfn, TYPE.descriptors);
      taken.push(mfn);
    }
  } catch (refused) {
    for (const mfn of taken) domain.pages.putAs(mfn);
    throw refused;
  }
  for (let i = 0; i < limit; i++) domain.space.map(vcpu, area + i, frames[i]);
  for (const mfn of old) domain.pages.putAs(mfn);
  domain.flush();
}

export const setLdt = ({ domain, caller }: Call, base: bigint, entries: number): void =>
  loadLdt(domain, caller.vcpu, base, entries);
export function loadLdt(domain: Call['domain'], index: number, base: bigint, entries: number): void {
  if (entries > MAX_LDT_ENTRIES || base % BigInt(PAGE_BYTES) !== 0n)
    refuse('EINVAL', `${entries} descriptors at gv:0x${base.toString(16)} are no LDT: at most ${MAX_LDT_ENTRIES}, from the start of a page`); // prettier-ignore
  const frames = Array.from({ length: Math.ceil(entries / ENTRIES_A_PAGE) }, (_, i) => {
    const { mfn, offset } = domain.entryFor(base + BigInt(i * PAGE_BYTES), index);
    const entry = domain.memory.read64(mfn, offset);
    if (!isPresent(entry)) refuse('EINVAL', `the LDT at gv:0x${base.toString(16)} is not mapped`);
    return entryFrame(entry);
  });
  const vcpu = domain.vcpuStates[index];
  replace({ domain, vcpu: index, area: AREA.LDT, limit: AREA.IDT - AREA.LDT }, vcpu.ldt, frames);
  vcpu.ldt = frames;
  vcpu.ldtBase = base;
  vcpu.ldtEntries = entries;
  domain.guest.cpus[index].state.setSegment(
    SEG.LDTR,
    entries === 0
      ? { selector: 0, base: 0n, limit: 0, attributes: ATTRIBUTE.UNUSABLE }
      : { selector: 8, base: domain.space.address(index, AREA.LDT), limit: entries * 8 - 1, attributes: ATTRIBUTE.P | LDT_TYPE }, // prettier-ignore
  );
}

export function updateDescriptor(call: Call): void {
  const { domain } = call;
  const address = wide(call, 0);
  const { value } = wide(call, address.next);
  const mfn = Number(address.value >> 12n);
  const offset = Number(address.value & 0xfffn);
  if (offset & 7) refuse('EINVAL', `machine address 0x${address.value.toString(16)} is not that of a descriptor`);
  const harmless = domain.descriptors.check(value);
  const used = domain.pages.usedAs(mfn);
  if (used !== TYPE.descriptors && used !== TYPE.writable && used !== TYPE.none)
    refuse('EINVAL', `frame ${hexFrame(mfn)} is a page table; a descriptor cannot be written there`);
  const type = used === TYPE.descriptors ? TYPE.descriptors : TYPE.writable;
  domain.pages.getAs(mfn, type);
  domain.memory.write64(mfn, offset, harmless);
  domain.pages.putAs(mfn);
}
