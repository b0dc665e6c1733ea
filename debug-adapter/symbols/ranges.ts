/** Address ranges of an entry: low/high pc, .debug_ranges (DWARF 2-4), .debug_rnglists (5). DWARF 5 sections 2.17, 7.25. */
import { AT, FORM, nameOf, RLE } from './dwarf-constants';
import type { Dwarf } from './dwarf';
import type { Entry } from './entries';
import { DwarfError, Reader } from './reader';
import type { Unit } from './units';

/** [low, high), addresses as in reader.ts. */
export interface Range {
  low: number;
  high: number;
}

/** In the order of the file; empty ranges are left out. */
export const rangesOf = (entry: Entry): Range[] => {
  const { unit, dwarf } = entry;
  if (entry.has(AT.ranges)) {
    const value = entry.number(AT.ranges);
    if (value === undefined) return [];
    if (unit.version >= 5)
      return rnglist(dwarf, unit, entry.form(AT.ranges) === FORM.rnglistx ? rnglistOffset(dwarf, unit, value) : value);
    return oldRanges(dwarf, unit, value + dwarf.facts(unit).rangesBase);
  }
  const low = entry.address(AT.low_pc);
  if (low === undefined) return [];
  // DW_AT_high_pc is an address in DWARF 2 and 3, and may be a length since 4.
  const high = entry.address(AT.high_pc) ?? low + (entry.number(AT.high_pc) ?? 0);
  return high > low ? [{ low, high }] : [];
};

const rnglistOffset = (dwarf: Dwarf, unit: Unit, index: number): number => {
  const base = dwarf.facts(unit).rnglistsBase ?? (unit.offsetSize === 8 ? 20 : 12);
  return (
    base +
    new Reader(dwarf.sections.rnglists, '.debug_rnglists', base + index * unit.offsetSize).offset(unit.offsetSize)
  );
};

const rnglist = (dwarf: Dwarf, unit: Unit, offset: number): Range[] => {
  const reader = new Reader(dwarf.sections.rnglists, '.debug_rnglists', offset);
  const size = unit.addressSize;
  const ranges: Range[] = [];
  const add = (low: number, high: number): void => {
    if (high > low) ranges.push({ low, high });
  };
  let base = dwarf.facts(unit).lowPc;
  for (;;) {
    const kind = reader.u8();
    switch (kind) {
      case RLE.end_of_list:
        return ranges;
      case RLE.base_addressx:
        base = dwarf.indexedAddress(unit, reader.uleb());
        break;
      case RLE.startx_endx:
        add(dwarf.indexedAddress(unit, reader.uleb()), dwarf.indexedAddress(unit, reader.uleb()));
        break;
      case RLE.startx_length: {
        const low = dwarf.indexedAddress(unit, reader.uleb());
        add(low, low + reader.uleb());
        break;
      }
      case RLE.offset_pair:
        add(base + reader.uleb(), base + reader.uleb());
        break;
      case RLE.base_address:
        base = reader.address(size);
        break;
      case RLE.start_end:
        add(reader.address(size), reader.address(size));
        break;
      case RLE.start_length: {
        const low = reader.address(size);
        add(low, low + reader.uleb());
        break;
      }
      default:
        throw new DwarfError(
          `.debug_rnglists at 0x${(reader.at - 1).toString(16)}: entry kind ${nameOf(RLE, kind)} is not known`,
        );
    }
  }
};

const oldRanges = (dwarf: Dwarf, unit: Unit, offset: number): Range[] => {
  const reader = new Reader(dwarf.sections.ranges, '.debug_ranges', offset);
  const size = unit.addressSize;
  const largest = size === 8 ? -1 : 0xffff_ffff;
  const ranges: Range[] = [];
  let base = dwarf.facts(unit).lowPc;
  for (;;) {
    const low = reader.address(size);
    const high = reader.address(size);
    if (low === 0 && high === 0) return ranges;
    if (low === largest) base = high;
    else if (high > low) ranges.push({ low: base + low, high: base + high });
  }
};
