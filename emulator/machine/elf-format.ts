/** What the System V gABI defines of ELF files: numbers, and the records that symbols and notes are. */

export const ELF_TYPE = { REL: 1, EXEC: 2, DYN: 3, CORE: 4 } as const;
export const ELF_MACHINE = { I386: 3, X86_64: 62 } as const;
const OTHER_MACHINES: Readonly<Record<number, string>> = {
  2: 'SPARC', 8: 'MIPS', 20: 'PowerPC', 21: '64-bit PowerPC', 22: 'S/390', 40: '32-bit ARM', 43: '64-bit SPARC', 50: 'Itanium',
  183: '64-bit ARM', 243: 'RISC-V', 247: 'BPF', 258: 'LoongArch',
}; // prettier-ignore
/** ` (64-bit ARM)`, for messages. */
export const machineName = (machine: number): string => {
  const name = OTHER_MACHINES[machine];
  return name === undefined ? '' : ` (${name})`;
};
export const PT = { NULL: 0, LOAD: 1, DYNAMIC: 2, INTERP: 3, NOTE: 4, PHDR: 6, TLS: 7 } as const;
export const SHT = {
  NULL: 0, PROGBITS: 1, SYMTAB: 2, STRTAB: 3, RELA: 4, NOTE: 7, NOBITS: 8, REL: 9, DYNSYM: 11, SYMTAB_SHNDX: 18,
} as const; // prettier-ignore
export const SHF = { WRITE: 1, ALLOC: 2, EXECINSTR: 4, TLS: 0x400, COMPRESSED: 0x800 } as const;
export const STT = { NOTYPE: 0, OBJECT: 1, FUNC: 2, SECTION: 3, FILE: 4, COMMON: 5, TLS: 6, IFUNC: 10 } as const;
export const STB = { LOCAL: 0, GLOBAL: 1, WEAK: 2 } as const;
export const SHN = { UNDEF: 0, LORESERVE: 0xff00, ABS: 0xfff1, COMMON: 0xfff2, XINDEX: 0xffff } as const;

/** A program header. `offset` and `fileSize` lie inside the file. */
export interface ElfSegment {
  type: number;
  flags: number;
  offset: number;
  gva: bigint;
  /** p_paddr: where a kernel's loader puts it. */
  gpa: bigint;
  fileSize: number;
  memorySize: bigint;
  align: bigint;
}

export interface ElfSection {
  index: number;
  name: string;
  type: number;
  flags: number;
  gva: bigint;
  offset: number;
  /** Bytes; of a NOBITS section those in memory. */
  size: number;
  link: number;
  info: number;
  align: number;
  entrySize: number;
}

export interface ElfSymbol {
  name: string;
  value: bigint;
  size: bigint;
  type: number;
  binding: number;
  /** Section index, or one of SHN. */
  section: number;
}

export interface ElfNote {
  owner: string;
  type: number;
  description: Uint8Array;
}

export const symbol64 = (v: DataView, at: number, names: Uint8Array): ElfSymbol => ({
  name: text(names, v.getUint32(at, true)),
  type: v.getUint8(at + 4) & 15,
  binding: v.getUint8(at + 4) >> 4,
  section: v.getUint16(at + 6, true),
  value: v.getBigUint64(at + 8, true),
  size: v.getBigUint64(at + 16, true),
});

export const symbol32 = (v: DataView, at: number, names: Uint8Array): ElfSymbol => ({
  name: text(names, v.getUint32(at, true)),
  value: BigInt(v.getUint32(at + 4, true)),
  size: BigInt(v.getUint32(at + 8, true)),
  type: v.getUint8(at + 12) & 15,
  binding: v.getUint8(at + 12) >> 4,
  section: v.getUint16(at + 14, true),
});

/** Notes one after another; a damaged tail ends the list. Alignment 8 exists (gABI draft, .note.gnu.property). */
export const readNotes = (bytes: Uint8Array, align: number, notes: ElfNote[]): void => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const step = align === 8 ? 8 : 4;
  const up = (n: number): number => Math.ceil(n / step) * step;
  for (let at = 0; at + 12 <= bytes.length;) {
    const [nameSize, size] = [view.getUint32(at, true), view.getUint32(at + 4, true)];
    const start = up(at + 12 + nameSize);
    if (start + size > bytes.length) return;
    const owner = text(bytes.subarray(at + 12, at + 12 + nameSize), 0);
    notes.push({ owner, type: view.getUint32(at + 8, true), description: bytes.subarray(start, start + size) });
    at = up(start + size);
  }
};

const decoder = new TextDecoder();
/** A zero-terminated string; empty when its offset is outside the table. */
export const text = (table: Uint8Array, offset: number): string => {
  let end = offset;
  while (end < table.length && table[end] !== 0) end++;
  return end > offset ? decoder.decode(table.subarray(offset, end)) : '';
};
