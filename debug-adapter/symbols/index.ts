/** The door to symbols: opens a file and builds its index, in slices that leave the event loop free. */
import { type Elf, ELF_TYPE, readElf, SHF } from '../../emulator/index';
import { UserError } from '../../emulator/util/assert';
import type { Progress, SymbolFile } from './api';
import { Dwarf } from './dwarf';
import { ElfSymbols } from './elf-symbols';
import { FrameTable } from './frame-tables';
import { Functions } from './functions';
import { Lines } from './lines';
import { DwarfError, toAddress } from './reader';
import { Scan } from './scan';
import { type DebugSections, debugSections } from './sections';
import { Slices } from './slices';
import { ElfSymbolFile } from './symbol-file';
import { Types } from './types';
import { Unwinder } from './unwind';
import { Variables } from './variables';

export type * from './api';

/** Warnings kept; a damaged file could produce millions. */
const MOST_WARNINGS = 100;

/**
 * Opens an ELF file for debugging. The index is complete when the promise resolves; meanwhile `report` is called often and
 * the event loop gets a turn at least every 20 ms. `bytes` must not change afterwards: details are read from them on demand.
 * @throws UserError when it is not an ELF file for x86, or its headers are damaged. Damage in the debug information is
 * in `warnings`.
 */
export const openSymbols = async (
  name: string,
  bytes: Uint8Array,
  report: Progress = () => {},
): Promise<SymbolFile> => {
  const elf = readElf(name, bytes);
  const warnings: string[] = [];
  const warn = (text: string): void => {
    const sentence = `${name}: ${text}.`;
    if (warnings.length < MOST_WARNINGS && !warnings.includes(sentence)) warnings.push(sentence);
  };
  const slices = new Slices();
  try {
    return await open(elf, slices, warnings, warn, report);
  } catch (error) {
    if (error instanceof DwarfError)
      throw new UserError(`${name}: ${error.message}; the file is damaged: copy or build it again.`);
    throw error;
  } finally {
    slices.close();
  }
};

const open = async (
  elf: Elf,
  slices: Slices,
  warnings: string[],
  warn: (text: string) => void,
  report: Progress,
): Promise<SymbolFile> => {
  report(0, elf.name);
  const relocatable = elf.type === ELF_TYPE.REL;
  if (relocatable)
    warn(
      'it is a relocatable object, whose addresses are not final: only its symbols are read; link it, or use the linked file',
    );
  const sections = relocatable ? NO_SECTIONS : await debugSections(elf, warn, (what) => report(0.02, what));
  await slices.pause();
  const mapped = isMapped(elf);
  const dwarf = new Dwarf(sections, warn);

  const elfSymbols = new ElfSymbols();
  report(0.03, 'symbols');
  await elfSymbols.index(elf, slices);

  // One unit after the other, lines and entries together: both need its abbreviations, which are not kept for long.
  const lines = new Lines(dwarf, mapped);
  const scan = new Scan(dwarf, mapped);
  const size = Math.max(1, sections.info.length + sections.types.length);
  for (const unit of dwarf.units) {
    guard(warn, () => dwarf.facts(unit));
    await lines.index(unit, slices);
    await scan.unit(unit, slices);
    if (!slices.due()) continue;
    report(0.05 + (0.85 * unit.start) / size, `.debug_info: ${dwarf.facts(unit).name}`);
    await slices.pause();
  }
  await lines.sort(slices);
  const functionIndex = await scan.functions(slices);

  report(0.92, 'call-frame information');
  const addressSize = elf.machine === 'i386' ? 4 : 8;
  const tables = [];
  if (sections.ehFrame)
    tables.push(new FrameTable(sections.ehFrame.bytes, toAddress(sections.ehFrame.gva), addressSize, mapped, warn));
  if (sections.frame.length > 0) tables.push(new FrameTable(sections.frame, undefined, addressSize, mapped, warn));
  for (const table of tables) await table.index(slices);

  const functions = new Functions(dwarf, lines, functionIndex);
  const types = new Types(dwarf, scan.names);
  const unwinder = new Unwinder(tables, dwarf, addressSize);
  const variables = new Variables(dwarf, functions, types, unwinder);
  const buildId = guard(warn, () => elf.buildId());
  report(1, elf.name);
  return new ElfSymbolFile({ elf, dwarf, names: scan.names, lines, functions, types, variables, unwinder, elfSymbols, warnings, range: rangeOf(elf), summary: summaryOf(dwarf, sections, elfSymbols, unwinder), ...(buildId !== undefined && { buildId }) }); // prettier-ignore
};

const guard = <T>(warn: (text: string) => void, read: () => T): T | undefined => {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof DwarfError) && !(error instanceof UserError)) throw error;
    warn(error.message);
    return undefined;
  }
};

/** Whether an address is in a loaded section: linkers leave entries of dropped code at 0, 1 or -1. */
const isMapped = (elf: Elf): ((address: number) => boolean) => {
  const loaded = elf.sections
    .filter((s) => s.flags & SHF.ALLOC && s.size > 0 && !(s.flags & SHF.TLS))
    .map((s) => ({ low: toAddress(s.gva), high: toAddress(s.gva) + s.size }));
  const code = elf.sections.filter((s) => s.flags & SHF.EXECINSTR && s.size > 0);
  // A file with stripped headers has none to compare with.
  if (loaded.length === 0) return () => true;
  const ranges =
    code.length > 0 ? code.map((s) => ({ low: toAddress(s.gva), high: toAddress(s.gva) + s.size })) : loaded;
  let last = ranges[0]!;
  return (address) => {
    if (address >= last.low && address < last.high) return true;
    const found = ranges.find((r) => address >= r.low && address < r.high);
    if (found) last = found;
    return found !== undefined;
  };
};

const rangeOf = (elf: Elf): { start: bigint; end: bigint } => {
  let [start, end] = [-1n, 0n];
  for (const s of elf.sections) {
    if (!(s.flags & SHF.ALLOC) || s.size === 0 || s.flags & SHF.TLS) continue;
    if (start < 0n || s.gva < start) start = s.gva;
    if (s.gva + BigInt(s.size) > end) end = s.gva + BigInt(s.size);
  }
  return { start: start < 0n ? 0n : start, end };
};

const summaryOf = (dwarf: Dwarf, sections: DebugSections, symbols: ElfSymbols, unwinder: Unwinder): string => {
  const versions = [...new Set(dwarf.units.map((u) => u.version))].sort();
  const producers = [
    ...new Set(dwarf.units.map((u) => u.facts?.producer.split(' -')[0] ?? '').filter((p) => p !== '')),
  ];
  const parts = [
    dwarf.units.length > 0 ? `DWARF ${versions.join(', ')} in ${dwarf.units.length} units` : 'no DWARF',
    ...(producers.length > 0 ? [`by ${producers.slice(0, 4).join('; ')}`] : []),
    `${symbols.count} ELF symbols`,
    `${unwinder.count} frame descriptions`,
    ...(sections.found.length > 0 ? [`sections ${sections.found.join(' ')}`] : []),
  ];
  return parts.join(', ');
};

const none = new Uint8Array(0);
const NO_SECTIONS: DebugSections = { info: none, types: none, abbrev: none, line: none, line_str: none, str: none, str_offsets: none, addr: none, ranges: none, rnglists: none, loc: none, loclists: none, frame: none, ehFrame: undefined, found: [] }; // prettier-ignore
