/**
 * Several files as one module of a paravirtualised kernel (xen.h, struct xen_multiboot_mod_list, SIF_MULTIBOOT_MOD): a list of where each lies
 * from the beginning of the module on, which an empty entry ends, then command lines and files.
 */
import { PAGE_BYTES } from '../../mmu/physical-memory';

const ENTRY_BYTES = 16;
const pagesOf = (bytes: number): number => Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES;

/** Each file on a page of its own. `name`: becomes its command line. */
export function moduleList(files: readonly { name: string; bytes: Uint8Array }[]): Uint8Array {
  const lines = files.map(({ name }) => new TextEncoder().encode(`${name}\0`));
  const list = (files.length + 1) * ENTRY_BYTES;
  const head = pagesOf(list + lines.reduce((sum, { length }) => sum + length, 0));
  const out = new Uint8Array(files.reduce((sum, { bytes }) => sum + pagesOf(bytes.length), head));
  const view = new DataView(out.buffer);
  let [line, place] = [list, head];
  files.forEach(({ bytes }, i) => {
    // The last byte is the module's.
    [place, place + bytes.length - 1, line].forEach((value, k) => view.setUint32(i * ENTRY_BYTES + k * 4, value, true));
    out.set(lines[i], line);
    out.set(bytes, place);
    line += lines[i].length;
    place += pagesOf(bytes.length);
  });
  return out;
}
