/** Unit headers and what the root entry of each unit says about the rest. DWARF 5 section 7.5.1. */
import { UT } from './dwarf-constants';
import { DwarfError, Reader } from './reader';

export interface Unit {
  index: number;
  /**
   * Offsets of entries are unique over both sections: those of .debug_types (DWARF 4) come after those of .debug_info.
   * `base` is where the unit's section begins in that numbering.
   */
  base: number;
  section: '.debug_info' | '.debug_types';
  /** Of the header, of the root entry, and past the last entry: in the numbering above. */
  start: number;
  root: number;
  end: number;
  version: number;
  offsetSize: 4 | 8;
  addressSize: number;
  abbreviations: number;
  /** One of UT. */
  type: number;
  /** Type units: signature, and the type's entry. */
  signature?: bigint;
  typeEntry?: number;
  /** Filled in from the root entry. */
  facts?: UnitFacts;
}

export interface UnitFacts {
  name: string;
  directory: string;
  producer: string;
  language: number;
  /** Offset in .debug_line. */
  lines?: number;
  lowPc: number;
  strOffsetsBase?: number;
  addrBase?: number;
  rnglistsBase?: number;
  loclistsBase?: number;
  rangesBase: number;
}

/** Damage ends the list: without a good length the next unit cannot be found. */
export const readUnitHeaders = (
  bytes: Uint8Array,
  section: Unit['section'],
  base: number,
  units: Unit[],
  warn: (text: string) => void,
): void => {
  const reader = new Reader(bytes, section);
  while (!reader.done) {
    const start = reader.at;
    try {
      const unit = readHeader(reader, section, base, units.length);
      reader.at = unit.end - base;
      units.push(unit);
    } catch (error) {
      if (!(error instanceof DwarfError)) throw error;
      warn(`${section}: the unit at 0x${start.toString(16)} and all after it are not read: ${error.message}`);
      return;
    }
  }
};

const readHeader = (reader: Reader, section: Unit['section'], base: number, index: number): Unit => {
  const start = reader.at;
  const { length, offsetSize } = reader.initialLength();
  const end = reader.at + length;
  if (end > reader.end) throw new DwarfError(`its length reaches to 0x${end.toString(16)}, beyond the section's end`);
  const version = reader.u16();
  if (version < 2 || version > 5) throw new DwarfError(`DWARF version ${version} is not known`);
  let type: number = section === '.debug_types' ? UT.type : UT.compile;
  let [addressSize, abbreviations] = [0, 0];
  if (version >= 5) {
    type = reader.u8();
    addressSize = reader.u8();
    abbreviations = reader.offset(offsetSize);
  } else {
    abbreviations = reader.offset(offsetSize);
    addressSize = reader.u8();
  }
  if (addressSize !== 4 && addressSize !== 8)
    throw new DwarfError(`addresses of ${addressSize} bytes do not exist on x86`);
  const unit: Unit = { index, base, section, start: base + start, root: 0, end: base + end, version, offsetSize, addressSize, abbreviations, type }; // prettier-ignore
  if (type === UT.skeleton || type === UT.split_compile) reader.skip(8);
  if (type === UT.type || type === UT.split_type) {
    unit.signature = reader.u64();
    unit.typeEntry = base + start + reader.offset(offsetSize);
  }
  unit.root = base + reader.at;
  return unit;
};
