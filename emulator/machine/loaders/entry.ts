/**
 * Processor states at the first instruction of an image. The descriptor table behind the flat segments is real, so that
 * a kernel may reload its segments before it has a table of its own, although only the Linux protocol promises that.
 */
import type { Segment } from '../../cpu/state';
import { ATTRIBUTE } from '../../cpu/state';
import { CR0, CR4, EFER, RFLAGS } from '../../x86/registers';
import { Structure } from './fields';
import type { EntryState } from './image';
import type { Placement } from './placement';

/** The selectors that the Linux boot protocol asks for (boot.rst, "32-bit boot protocol"); others do not care. */
export const BOOT_CS = 0x10;
export const BOOT_DS = 0x18;

const CODE = 0xb; // execute, read, accessed
const DATA = 0x3; // read, write, accessed
const BUSY_TSS = 0xb;
const LDT = 0x2;
const PRESENT = ATTRIBUTE.P;
const SEGMENT = ATTRIBUTE.P | ATTRIBUTE.S;

const flat = (selector: number, attributes: number): Segment => ({
  selector,
  base: 0n,
  limit: 0xffff_ffff,
  attributes,
});

/** Without a table of their own: as INIT leaves them (SDM vol. 3A table 9-1), the task register busy. */
const system = {
  tr: { selector: 0, base: 0n, limit: 0x67, attributes: BUSY_TSS | PRESENT },
  ldtr: { selector: 0, base: 0n, limit: 0xffff, attributes: LDT | PRESENT },
};

const segments = (cs: Segment, data: Segment): EntryState['segments'] => ({
  cs,
  ss: { ...data },
  ds: { ...data },
  es: { ...data },
  fs: { ...data },
  gs: { ...data },
  ...system,
});

/** Attributes of a segment (VMX format) as a flat 4 GiB descriptor (SDM vol. 3A figure 3-8). */
const descriptor = (attributes: number): bigint =>
  0x000f_0000_0000_ffffn | (BigInt(attributes & 0xff) << 40n) | (BigInt((attributes >> 12) & 0xf) << 52n);

const placeGdt = (placement: Placement, code: number, data: number): EntryState['gdtr'] => {
  const table = new Structure(32).u64(BOOT_CS, descriptor(code)).u64(BOOT_DS, descriptor(data));
  return { base: placement.place('the descriptor table', table.bytes, { align: 8 }), limit: 31 };
};

/** Flat 32-bit protected mode, paging and interrupts off: Multiboot, PVH, Linux. */
export const protectedEntry = (placement: Placement, registers: EntryState['registers']): EntryState => {
  const code = CODE | SEGMENT | ATTRIBUTE.DB | ATTRIBUTE.G;
  const data = DATA | SEGMENT | ATTRIBUTE.DB | ATTRIBUTE.G;
  return {
    mode: 'protected-32',
    registers: { rflags: BigInt(RFLAGS.FIXED), ...registers },
    segments: segments(flat(BOOT_CS, code), flat(BOOT_DS, data)),
    cr0: CR0.PE | CR0.ET,
    cr3: 0,
    cr4: 0,
    efer: 0,
    gdtr: placeGdt(placement, code, data),
    idtr: { base: 0, limit: 0 },
  };
};

/** 64-bit mode on the page tables at `cr3`, interrupts off. */
export const longEntry = (placement: Placement, cr3: number, registers: EntryState['registers']): EntryState => {
  const code = CODE | SEGMENT | ATTRIBUTE.L | ATTRIBUTE.G;
  const data = DATA | SEGMENT | ATTRIBUTE.DB | ATTRIBUTE.G;
  return {
    mode: 'long',
    registers: { rflags: BigInt(RFLAGS.FIXED), ...registers },
    segments: segments(flat(BOOT_CS, code), flat(BOOT_DS, data)),
    cr0: (CR0.PE | CR0.ET | CR0.PG) >>> 0,
    cr3,
    cr4: CR4.PAE,
    efer: EFER.LME | EFER.LMA,
    gdtr: placeGdt(placement, code, data),
    idtr: { base: 0, limit: 0 },
  };
};

/** Real mode at `cs`:`ip` with every data segment at `data`. */
export const realEntry = (cs: number, ip: number, data: number, registers: EntryState['registers']): EntryState => {
  const segment = (selector: number, type: number): Segment => ({
    selector,
    base: BigInt(selector << 4),
    limit: 0xffff,
    attributes: type | SEGMENT,
  });
  return {
    mode: 'real',
    registers: { rflags: BigInt(RFLAGS.FIXED), ...registers, rip: BigInt(ip) },
    segments: segments(segment(cs, CODE), segment(data, DATA)),
    cr0: CR0.ET,
    cr3: 0,
    cr4: 0,
    efer: 0,
    gdtr: { base: 0, limit: 0xffff },
    idtr: { base: 0, limit: 0x3ff },
  };
};
