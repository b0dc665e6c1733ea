/** Which of several locations holds at an address: .debug_loclists (DWARF 5), .debug_loc (2-4). DWARF 5 section 7.7.3. */
import { LLE, nameOf } from './dwarf-constants';
import type { Dwarf } from './dwarf';
import { DwarfError, Reader } from './reader';
import type { Unit } from './units';

/** The expression for `pc`, undefined where the value exists at other addresses only. */
export const expressionAt = (
  dwarf: Dwarf,
  unit: Unit,
  value: number,
  indexed: boolean,
  pc: number,
): Uint8Array | undefined => {
  if (unit.version < 5) return oldList(dwarf, unit, value, pc);
  if (!indexed) return loclist(dwarf, unit, value, pc);
  const base = dwarf.facts(unit).loclistsBase ?? (unit.offsetSize === 8 ? 20 : 12);
  const offset = new Reader(dwarf.sections.loclists, '.debug_loclists', base + value * unit.offsetSize).offset(
    unit.offsetSize,
  );
  return loclist(dwarf, unit, base + offset, pc);
};

const loclist = (dwarf: Dwarf, unit: Unit, offset: number, pc: number): Uint8Array | undefined => {
  const reader = new Reader(dwarf.sections.loclists, '.debug_loclists', offset);
  const size = unit.addressSize;
  let base = dwarf.facts(unit).lowPc;
  let otherwise: Uint8Array | undefined;
  for (;;) {
    const kind = reader.u8();
    let [low, high] = [0, 0];
    switch (kind) {
      case LLE.end_of_list:
        return otherwise;
      case LLE.base_addressx:
        base = dwarf.indexedAddress(unit, reader.uleb());
        continue;
      case LLE.base_address:
        base = reader.address(size);
        continue;
      case LLE.GNU_view_pair:
        reader.skipLeb();
        reader.skipLeb();
        continue;
      case LLE.default_location:
        otherwise = reader.block(reader.uleb());
        continue;
      case LLE.startx_endx:
        low = dwarf.indexedAddress(unit, reader.uleb());
        high = dwarf.indexedAddress(unit, reader.uleb());
        break;
      case LLE.startx_length:
        low = dwarf.indexedAddress(unit, reader.uleb());
        high = low + reader.uleb();
        break;
      case LLE.offset_pair:
        low = base + reader.uleb();
        high = base + reader.uleb();
        break;
      case LLE.start_end:
        low = reader.address(size);
        high = reader.address(size);
        break;
      case LLE.start_length:
        low = reader.address(size);
        high = low + reader.uleb();
        break;
      default:
        throw new DwarfError(
          `.debug_loclists at 0x${(reader.at - 1).toString(16)}: entry kind ${nameOf(LLE, kind)} is not known`,
        );
    }
    const expression = reader.block(reader.uleb());
    if (pc >= low && pc < high) return expression;
  }
};

const oldList = (dwarf: Dwarf, unit: Unit, offset: number, pc: number): Uint8Array | undefined => {
  const reader = new Reader(dwarf.sections.loc, '.debug_loc', offset);
  const size = unit.addressSize;
  const largest = size === 8 ? -1 : 0xffff_ffff;
  let base = dwarf.facts(unit).lowPc;
  for (;;) {
    const low = reader.address(size);
    const high = reader.address(size);
    if (low === 0 && high === 0) return undefined;
    if (low === largest) {
      base = high;
      continue;
    }
    const expression = reader.block(reader.u16());
    if (pc >= base + low && pc < base + high) return expression;
  }
};
