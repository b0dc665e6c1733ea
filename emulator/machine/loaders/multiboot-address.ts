/** Load addresses in a Multiboot header instead of an ELF file's: the same five fields in both versions. */
import { DAMAGED, hex } from './fields';
import type { Fields } from './fields';
import type { Placement } from './placement';

interface AddressField {
  name: string;
  /** In the file. */
  offset: number;
  value: number;
}

export interface AddressFields {
  /** Where the header itself is to lie: fixes which byte of the file goes to `load`. All ones (Multiboot 2): see there. */
  header: AddressField;
  load: AddressField;
  /** 0: to the end of the file. */
  loadEnd: AddressField;
  /** 0: no BSS. */
  bssEnd: AddressField;
  entry: AddressField;
}

/** Claims what the fields say and returns the entry point. `header` is the header's offset in the file. */
export const claimByAddress = (file: Fields, header: number, placement: Placement, fields: AddressFields): number => {
  const remedy = "correct the header's addresses";
  const wrong = (field: AddressField, why: string, what = remedy): never => {
    throw file.bad(field.name, field.offset, field.value, why, what);
  };
  const { load, loadEnd, bssEnd, entry } = fields;
  if (load.value > fields.header.value) wrong(load, `above the header's own address ${hex(fields.header.value)}`);
  const start = header - (fields.header.value - load.value);
  if (start < 0) wrong(load, `so low that loading would begin ${-start} bytes before the file`);
  const bytes = loadEnd.value === 0 ? file.length - start : loadEnd.value - load.value;
  if (bytes < 0) wrong(loadEnd, `below load_addr ${hex(load.value)}`);
  if (start + bytes > file.length)
    wrong(loadEnd, `so high that loading would end ${start + bytes - file.length} bytes behind the file`, DAMAGED);
  const end = load.value + bytes;
  if (bssEnd.value !== 0 && bssEnd.value < end) wrong(bssEnd, `below the end of what is loaded, ${hex(end)}`);
  const size = Math.max(bytes, bssEnd.value - load.value);
  if (entry.value < load.value || entry.value >= load.value + size) wrong(entry, 'not in what is loaded');
  placement.claim(
    `the kernel (load_addr ${hex(load.value)})`,
    load.value,
    file.slice(start, bytes, 'the kernel'),
    size,
  );
  return entry.value;
};
