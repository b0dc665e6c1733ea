/**
 * ELF files: headers, segments, sections, symbols, notes. No DWARF. Little-endian x86 only; both classes.
 * Source: System V gABI, chapters "Object Files" and "Program Loading"; psABI x86-64 and i386 for the machine numbers.
 *
 * The file header and the segments are read at once, everything else when asked for: a loader boots an image whose
 * section table was cut off. What is damaged is a UserError that names the file, the field and the remedy.
 */
import {
  type ElfNote, type ElfSection, type ElfSegment, type ElfSymbol, ELF_MACHINE, machineName, PT, readNotes, SHN, SHT, symbol32, symbol64, text,
} from './elf-format'; // prettier-ignore
import { UserError } from '../util/assert';

export * from './elf-format';

interface Header {
  phoff: number;
  phentsize: number;
  phnum: number;
  shoff: number;
  shentsize: number;
  shnum: number;
  shstrndx: number;
}

const MAGIC = 0x464c457f;
/** Entry sizes that the gABI gives each class. */
const SIZES = { 32: { header: 52, segment: 32, section: 40, symbol: 16 }, 64: { header: 64, segment: 56, section: 64, symbol: 24 } } as const; // prettier-ignore

/** True if the bytes begin as an ELF file does, whatever follows. */
export const isElf = (bytes: Uint8Array): boolean =>
  bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;

/** Reads the headers of `bytes`; `name` is the file's name in messages. */
export const readElf = (name: string, bytes: Uint8Array): Elf => new Elf(name, bytes);

export class Elf {
  readonly class: 32 | 64;
  readonly machine: 'i386' | 'x86-64';
  /** One of ELF_TYPE. */
  readonly type: number;
  readonly entry: bigint;
  readonly segments: readonly ElfSegment[];
  private readonly view: DataView;
  private readonly header: Header;
  private sectionList?: readonly ElfSection[];

  constructor(
    readonly name: string,
    readonly bytes: Uint8Array,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.length < 20 || this.view.getUint32(0, true) !== MAGIC)
      this.fail('e_ident', 'does not begin with 7F "ELF"', 'give an ELF file');
    const fileClass = bytes[4];
    if (fileClass !== 1 && fileClass !== 2)
      this.fail('e_ident[EI_CLASS]', `is ${fileClass}`, 'give an ELF32 or ELF64 file');
    if (bytes[5] !== 1) this.fail('e_ident[EI_DATA]', `is ${bytes[5]}, not little-endian`, 'give a file built for x86');
    this.class = fileClass === 1 ? 32 : 64;
    if (bytes.length < SIZES[this.class].header)
      this.fail('e_ehsize', 'lies beyond the end of the file', 'the file is cut off: copy it again');
    this.type = this.view.getUint16(16, true);
    const machine = this.view.getUint16(18, true);
    if (machine !== ELF_MACHINE.I386 && machine !== ELF_MACHINE.X86_64)
      this.fail('e_machine', `is ${machine}${machineName(machine)}`, 'give a file built for i386 (3) or x86-64 (62)');
    this.machine = machine === ELF_MACHINE.I386 ? 'i386' : 'x86-64';
    this.entry = this.class === 32 ? BigInt(this.view.getUint32(24, true)) : this.view.getBigUint64(24, true);
    this.header = this.readHeader();
    this.segments = this.readSegments();
  }

  /** Sections in file order, the null section included, so that an index is a section number. */
  get sections(): readonly ElfSection[] {
    this.sectionList ??= this.readSections();
    return this.sectionList;
  }

  /** The first section of that name. */
  section(name: string): ElfSection | undefined {
    return this.sections.find((s) => s.name === name);
  }

  /** The bytes of a section as they are in the file (a compressed one stays so); empty for NOBITS. Not a copy. */
  contents(section: ElfSection): Uint8Array {
    if (section.type === SHT.NOBITS || section.type === SHT.NULL) return this.bytes.subarray(0, 0);
    this.inside(section.offset, section.size, `sh_offset and sh_size of section ${section.index} (${section.name})`);
    return this.bytes.subarray(section.offset, section.offset + section.size);
  }

  /** The file's part of a segment; memory beyond it is zero. Not a copy. */
  segmentContents(segment: ElfSegment): Uint8Array {
    return this.bytes.subarray(segment.offset, segment.offset + segment.fileSize);
  }

  /** Symbols of .symtab, or of .dynsym where that is all there is; the null symbol is left out. */
  *symbols(): Generator<ElfSymbol> {
    const table = this.sections.find((s) => s.type === SHT.SYMTAB) ?? this.sections.find((s) => s.type === SHT.DYNSYM);
    if (!table) return;
    const strings = this.sections[table.link];
    if (!strings || strings.type !== SHT.STRTAB)
      this.fail(
        `sh_link of section ${table.index} (${table.name})`,
        `names section ${table.link}, no string table`,
        'build the file again',
      );
    const names = this.contents(strings);
    const data = this.contents(table);
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    const extended = this.sections.find((s) => s.type === SHT.SYMTAB_SHNDX && s.link === table.index);
    const indices = extended && this.contents(extended);
    const entry = SIZES[this.class].symbol;
    for (let at = entry, n = 1; at + entry <= data.length; at += entry, n++) {
      const symbol = this.class === 64 ? symbol64(view, at, names) : symbol32(view, at, names);
      if (symbol.section === SHN.XINDEX && indices && n * 4 + 4 <= indices.length)
        symbol.section = new DataView(indices.buffer, indices.byteOffset).getUint32(n * 4, true);
      yield symbol;
    }
  }

  /** All notes: of the PT_NOTE segments, or of the note sections where there are no such segments. */
  notes(): ElfNote[] {
    const notes: ElfNote[] = [];
    const segments = this.segments.filter((s) => s.type === PT.NOTE);
    if (segments.length > 0) {
      for (const s of segments) readNotes(this.segmentContents(s), Number(s.align), notes);
    } else {
      for (const s of this.sections) if (s.type === SHT.NOTE) readNotes(this.contents(s), s.align, notes);
    }
    return notes;
  }

  /** The linker's build id in hexadecimal. */
  buildId(): string | undefined {
    const note = this.notes().find((n) => n.owner === 'GNU' && n.type === 3);
    return note && [...note.description].map((b) => b.toString(16).padStart(2, '0')).join('');
  }

  private fail(field: string, problem: string, remedy: string): never {
    throw new UserError(`${this.name}: ELF field ${field} ${problem}; ${remedy}.`);
  }

  private inside(offset: number, size: number, field: string): void {
    if (offset + size > this.bytes.length)
      this.fail(
        field,
        `reach to ${hex(offset + size)}, beyond the end of the file at ${hex(this.bytes.length)}`,
        'the file is cut off or damaged: copy or build it again',
      );
  }

  /** A 64-bit offset or size that must be one inside a file. */
  private word(at: number, field: string): number {
    const value = this.view.getBigUint64(at, true);
    if (value > 0x1f_ffff_ffff_ffffn)
      this.fail(field, `is ${hex(value)}`, 'the file is damaged: copy or build it again');
    return Number(value);
  }

  private readHeader(): Header {
    const v = this.view;
    const wide = this.class === 64;
    const half = (at: number): number => v.getUint16(at, true);
    const tail = wide ? 52 : 40;
    const header = {
      phoff: wide ? this.word(32, 'e_phoff') : v.getUint32(28, true),
      shoff: wide ? this.word(40, 'e_shoff') : v.getUint32(32, true),
      phentsize: half(tail + 2),
      phnum: half(tail + 4),
      shentsize: half(tail + 6),
      shnum: half(tail + 8),
      shstrndx: half(tail + 10),
    };
    if (header.shoff === 0) return { ...header, shnum: 0 };
    // Numbers too large for 16 bits are in section 0 (gABI, "ELF Header").
    const extended = header.phnum === 0xffff || header.shnum === 0 || header.shstrndx === SHN.XINDEX;
    if (!extended || header.shoff + SIZES[this.class].section > this.bytes.length) return header;
    const first = this.readSection(header.shoff, 0);
    if (header.phnum === 0xffff) header.phnum = first.info;
    if (header.shnum === 0) header.shnum = first.size;
    if (header.shstrndx === SHN.XINDEX) header.shstrndx = first.link;
    return header;
  }

  private readSegments(): ElfSegment[] {
    const { phoff, phentsize, phnum } = this.header;
    if (phnum === 0) return [];
    if (phentsize < SIZES[this.class].segment)
      this.fail(
        'e_phentsize',
        `is ${phentsize}`,
        `it must be at least ${SIZES[this.class].segment}: build the file again`,
      );
    this.inside(phoff, phentsize * phnum, 'e_phoff and e_phnum');
    const segments: ElfSegment[] = [];
    for (let i = 0; i < phnum; i++) {
      const segment =
        this.class === 64 ? this.segment64(phoff + i * phentsize, i) : this.segment32(phoff + i * phentsize);
      if (segment.type !== PT.NULL)
        this.inside(segment.offset, segment.fileSize, `p_offset and p_filesz of program header ${i}`);
      if (segment.type === PT.LOAD && segment.memorySize < BigInt(segment.fileSize))
        this.fail(
          `p_memsz of program header ${i}`,
          `is ${hex(segment.memorySize)}, less than p_filesz`,
          'the file is damaged: copy or build it again',
        );
      segments.push(segment);
    }
    return segments;
  }

  private segment64(at: number, i: number): ElfSegment {
    const v = this.view;
    return {
      type: v.getUint32(at, true),
      flags: v.getUint32(at + 4, true),
      offset: this.word(at + 8, `p_offset of program header ${i}`),
      gva: v.getBigUint64(at + 16, true),
      gpa: v.getBigUint64(at + 24, true),
      fileSize: this.word(at + 32, `p_filesz of program header ${i}`),
      memorySize: v.getBigUint64(at + 40, true),
      align: v.getBigUint64(at + 48, true),
    };
  }

  private segment32(at: number): ElfSegment {
    const word = (offset: number): number => this.view.getUint32(at + offset, true);
    return {
      type: word(0),
      offset: word(4),
      gva: BigInt(word(8)),
      gpa: BigInt(word(12)),
      fileSize: word(16),
      memorySize: BigInt(word(20)),
      flags: word(24),
      align: BigInt(word(28)),
    };
  }

  private readSections(): ElfSection[] {
    const { shoff, shentsize, shnum, shstrndx } = this.header;
    if (shnum === 0) return [];
    if (shentsize < SIZES[this.class].section)
      this.fail(
        'e_shentsize',
        `is ${shentsize}`,
        `it must be at least ${SIZES[this.class].section}: build the file again`,
      );
    this.inside(shoff, shentsize * shnum, 'e_shoff and e_shnum');
    const sections: ElfSection[] = [];
    for (let i = 0; i < shnum; i++) sections.push(this.readSection(shoff + i * shentsize, i));
    const strings = sections[shstrndx];
    if (shstrndx !== SHN.UNDEF && !strings)
      this.fail('e_shstrndx', `is ${shstrndx} of ${shnum} sections`, 'the file is damaged: copy or build it again');
    const names = strings ? this.contents(strings) : new Uint8Array(0);
    for (const s of sections) s.name = text(names, Number(s.name));
    return sections;
  }

  /** `name` is the offset of the name until the string table is known. */
  private readSection(at: number, index: number): ElfSection {
    const v = this.view;
    const u32 = (offset: number): number => v.getUint32(at + offset, true);
    const field = (f: string): string => `${f} of section ${index}`;
    const [name, type] = [`${u32(0)}`, u32(4)];
    if (this.class === 32) {
      const [flags, gva, offset, size, link, info, align, entrySize] = [8, 12, 16, 20, 24, 28, 32, 36].map(u32) as [number, number, number, number, number, number, number, number]; // prettier-ignore
      return { index, name, type, flags, gva: BigInt(gva), offset, size, link, info, align, entrySize };
    }
    return {
      index,
      name,
      type,
      flags: u32(8),
      gva: v.getBigUint64(at + 16, true),
      offset: this.word(at + 24, field('sh_offset')),
      size: this.word(at + 32, field('sh_size')),
      link: u32(40),
      info: u32(44),
      align: this.word(at + 48, field('sh_addralign')),
      entrySize: this.word(at + 56, field('sh_entsize')),
    };
  }
}

const hex = (value: number | bigint): string => `0x${value.toString(16)}`;
