/**
 * Kernels for Xen's paravirtualised ABI: ELF with notes of owner Xen (public/elfnote.h), or with the older section `__xen_guest`, a
 * list of NAME=value; as they are or as the payload of a Linux bzImage. What they want to be told and where is in their notes.
 */
import type { PvImage } from '../../hypervisor/xen/image';
import { UserError } from '../../util/assert';
import type { Elf } from '../elf';
import { isElf, readElf } from '../elf';
import { loadable } from './elf-segments';
import { Fields } from './fields';
import { isLinux } from './linux-header';
import { linuxPayload } from './linux-payload';

const NOTE = { ENTRY: 1, HYPERCALL_PAGE: 2, VIRT_BASE: 3, PADDR_OFFSET: 4, XEN_VERSION: 5, GUEST_OS: 6, PAE_MODE: 9, FEATURES: 10, INIT_P2M: 15, MOD_START_PFN: 16 } as const; // prettier-ignore
type NoteName = keyof typeof NOTE;
/** Names that `__xen_guest` uses for them. */
const OLD_NAMES: Partial<Record<string, NoteName>> = {
  VIRT_ENTRY: 'ENTRY',
  HYPERCALL_PAGE: 'HYPERCALL_PAGE',
  VIRT_BASE: 'VIRT_BASE',
  ELF_PADDR_OFFSET: 'PADDR_OFFSET',
  XEN_VER: 'XEN_VERSION',
  GUEST_OS: 'GUEST_OS',
  PAE: 'PAE_MODE',
  FEATURES: 'FEATURES',
};
const OLD_SECTION = '__xen_guest';
const PAGE_SHIFT = 12n;
/** Features that a guest may insist on and that we do not have. */
const LACKING = ['auto_translated_physmap', 'supervisor_mode_kernel'];

interface Notes {
  text: Partial<Record<NoteName, string>>;
  number: Partial<Record<NoteName, bigint>>;
  /** From `__xen_guest`, whose hypercall page is a frame's number. */
  old: boolean;
}

/** UserError: what the file is instead, or which note is wrong. */
export function readXenImage(name: string, file: Uint8Array): PvImage {
  const bytes = isLinux(new Fields(name, file)) ? linuxPayload(name, file) : file;
  if (!isElf(bytes))
    throw new UserError(`${name}: technique paravirtual starts ELF kernels and Linux bzImages that have Xen's notes, and this is neither.`); // prettier-ignore
  const elf = readElf(name, bytes);
  const notes = readNotes(elf);
  if (!notes)
    throw new UserError(`${name}: the kernel has no notes of owner Xen for its paravirtualised ABI and no section ${OLD_SECTION}; give such a kernel, or another technique.`); // prettier-ignore
  return imageOf(elf, notes);
}

function imageOf(elf: Elf, { text, number, old }: Notes): PvImage {
  const word = elf.class === 64 ? 8 : 4;
  if (!(text.XEN_VERSION ?? 'xen-3.0').startsWith('xen-3.'))
    throw new UserError(`${elf.name}: note XEN_VERSION is "${text.XEN_VERSION}"; this is an implementation of xen-3.0, as Xen up to 4.17 is.`); // prettier-ignore
  if (word === 4 && /^no/i.test(text.PAE_MODE ?? 'yes'))
    throw new UserError(`${elf.name}: note PAE_MODE is "${text.PAE_MODE}"; 32-bit kernels without PAE cannot be started, build it with PAE.`); // prettier-ignore
  const wanted = (text.FEATURES ?? '').split('|').filter((feature) => feature.startsWith('!'));
  const lacking = wanted.find((feature) => LACKING.includes(feature.slice(1)));
  if (lacking) throw new UserError(`${elf.name}: note FEATURES insists on ${lacking.slice(1)}, which is not there; build the kernel without.`); // prettier-ignore
  const virtBase = number.VIRT_BASE ?? 0n;
  const offset = number.PADDR_OFFSET ?? (old ? virtBase : 0n);
  const page = number.HYPERCALL_PAGE;
  return {
    name: elf.name,
    word,
    guestOs: text.GUEST_OS ?? 'unknown',
    virtBase,
    entry: number.ENTRY ?? elf.entry,
    ...(page === undefined ? {} : { hypercallPage: old ? virtBase + (page << PAGE_SHIFT) : page }),
    ...(number.INIT_P2M === undefined ? {} : { p2mBase: number.INIT_P2M }),
    unmappedModule: (number.MOD_START_PFN ?? 0n) !== 0n,
    segments: loadable(elf).map(({ segment }) => ({
      gva: BigInt.asUintN(word * 8, segment.gpa - offset + virtBase),
      bytes: elf.segmentContents(segment),
      memoryBytes: Number(segment.memorySize),
    })),
  };
} // prettier-ignore

/** It can be started by Xen's paravirtualised ABI; its notes may be wrong all the same. */
export const isForXen = (elf: Elf): boolean => readNotes(elf) !== undefined;

function readNotes(elf: Elf): Notes | undefined {
  const notes: Notes = { text: {}, number: {}, old: false };
  const own = elf.notes().filter(({ owner }) => owner === 'Xen');
  for (const { type, description } of own) {
    const name = (Object.keys(NOTE) as NoteName[]).find((each) => NOTE[each] === type);
    if (!name) continue;
    notes.text[name] = new TextDecoder('latin1').decode(description).replace(/\0.*$/s, '');
    if (description.length === 4 || description.length === 8)
      notes.number[name] = description.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
  }
  // PVH's entry alone makes no paravirtualised kernel.
  if (Object.keys(notes.text).length > 0) return notes;
  const section = elf.section(OLD_SECTION);
  if (!section) return undefined;
  notes.old = true;
  const list = new TextDecoder('latin1').decode(elf.contents(section)).replace(/\0.*$/s, '');
  for (const item of list.split(',')) {
    const [key, value = ''] = item.split('=');
    const name = OLD_NAMES[key.trim()];
    if (!name) continue;
    notes.text[name] = value;
    if (/^(0x[0-9a-f]+|\d+)$/i.test(value)) notes.number[name] = BigInt(value);
  }
  if (notes.number.VIRT_BASE === undefined && notes.text.VIRT_BASE !== undefined)
    throw new UserError(`${elf.name}: ${OLD_SECTION} says VIRT_BASE=${notes.text.VIRT_BASE}, which is no number; build the kernel again.`); // prettier-ignore
  return notes;
}
