/** The debug sections of an ELF file, decompressed. */
import { SHF, SHT, type Elf, type ElfSection } from '../../emulator/index';
import { DwarfError, Reader } from './reader';

// prettier-ignore
const NAMES = [
  'info', 'types', 'abbrev', 'line', 'line_str', 'str', 'str_offsets', 'addr', 'ranges', 'rnglists', 'loc', 'loclists', 'frame',
] as const;
type SectionName = (typeof NAMES)[number];

export type DebugSections = Readonly<Record<SectionName, Uint8Array>> & {
  ehFrame: { bytes: Uint8Array; gva: bigint } | undefined;
  /** Names of what was found, for people. */
  found: string[];
};

/** Damage in one section costs that section: it reads as empty, and `warn` says so. */
export const debugSections = async (
  elf: Elf,
  warn: (text: string) => void,
  report: (what: string) => void,
): Promise<DebugSections> => {
  const sections = new Map<SectionName, Uint8Array>();
  const found: string[] = [];
  for (const section of elf.sections) {
    const name = NAMES.find((n) => section.name === `.debug_${n}` || section.name === `.zdebug_${n}`);
    if (section.name.endsWith('.dwo'))
      warn(`section ${section.name} is split DWARF (.dwo), which is not read: build without -gsplit-dwarf`);
    if (!name || sections.has(name) || section.type === SHT.NOBITS) continue;
    found.push(section.name);
    report(section.name);
    try {
      sections.set(name, await contents(elf, section));
    } catch (error) {
      warn(`section ${section.name} is not read: ${(error as Error).message}`);
    }
  }
  const eh = elf.sections.find((s) => s.name === '.eh_frame' && s.type !== SHT.NOBITS);
  if (eh) found.push('.eh_frame');
  const empty = new Uint8Array(0);
  const all = Object.fromEntries(NAMES.map((n) => [n, sections.get(n) ?? empty])) as Record<SectionName, Uint8Array>;
  return { ...all, found, ehFrame: eh && { bytes: await contents(elf, eh), gva: eh.gva } };
};

const COMPRESSION: Readonly<Record<number, string>> = { 1: 'zlib', 2: 'zstd' };

const contents = async (elf: Elf, section: ElfSection): Promise<Uint8Array> => {
  const raw = elf.contents(section);
  const reader = new Reader(raw, section.name);
  if (section.flags & SHF.COMPRESSED) {
    // Elf64_Chdr: type, reserved, size, alignment; Elf32_Chdr has no reserved word (gABI, "Compressed Sections").
    const type = reader.u32();
    if (elf.class === 64) reader.u32();
    const size = elf.class === 64 ? reader.u64Number() : reader.u32();
    reader.skip(elf.class === 64 ? 8 : 4);
    if (type !== 1)
      throw new DwarfError(
        `its compression is ${COMPRESSION[type] ?? `type ${type}`}, only zlib is read (objcopy --compress-debug-sections=zlib)`,
      );
    return inflate(raw.subarray(reader.at), size);
  }
  if (section.name.startsWith('.zdebug') && raw.length >= 12) {
    reader.skip(4);
    return inflate(raw.subarray(12), reader.view.getUint32(8, false));
  }
  return raw;
};

/** No debug section is as large; a header that says so would have us unpack until memory ends. */
const MOST_BYTES = 2 ** 31;

/** At most `size` bytes; DecompressionStream exists in Node, in browsers and in their workers. */
const inflate = async (compressed: Uint8Array, size: number): Promise<Uint8Array> => {
  if (size > MOST_BYTES) throw new DwarfError(`its header says that it has ${size} bytes, more than ${MOST_BYTES}`);
  const chunks: Uint8Array[] = [];
  let total = 0;
  const stream = new Blob([compressed as BlobPart]).stream().pipeThrough(new DecompressionStream('deflate'));
  const reader = stream.getReader();
  for (;;) {
    let next;
    try {
      next = await reader.read();
    } catch {
      throw new DwarfError('its compressed data is damaged');
    }
    if (next.done) break;
    total += next.value.length;
    if (total > size) throw new DwarfError(`it is larger than the ${size} bytes that its header says`);
    chunks.push(next.value);
  }
  if (total < size) throw new DwarfError(`it has ${total} bytes, its header says ${size}`);
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
};
