/** A stopped process as gdb saved it: memory and registers of a core file, as the target of expressions. */
import { PT, readElf } from '../../../../emulator/index';
import type { Target } from '../../../../debug-adapter/symbols/api';

/** prstatus: general registers begin there, in the order of struct user_regs_struct. */
const LAYOUT = {
  64: { at: 112, size: 8, dwarf: [15, 14, 13, 12, 6, 3, 11, 10, 9, 8, 0, 2, 1, 4, 5, -1, 16, -1, -1, 7] },
  32: { at: 72, size: 4, dwarf: [3, 1, 2, 6, 7, 5, 0, -1, -1, -1, -1, -1, 8, -1, -1, 4] },
} as const;

/** `program`: what the core leaves out because it is in the file as well. */
export const readCore = (bytes: Uint8Array, program: Uint8Array, is32: boolean): Target & { pc: bigint } => {
  const core = readElf('core', bytes);
  const note = core.notes().find((n) => n.type === 1)!.description;
  const view = new DataView(note.buffer, note.byteOffset, note.byteLength);
  const layout = LAYOUT[is32 ? 32 : 64];
  const registers = new Map<number, bigint>();
  layout.dwarf.forEach((number, i) => {
    const at = layout.at + i * layout.size;
    if (number >= 0)
      registers.set(number, layout.size === 8 ? view.getBigUint64(at, true) : BigInt(view.getUint32(at, true)));
  });
  const loads = [core, readElf('program', program)].flatMap((elf) =>
    elf.segments.filter((s) => s.type === PT.LOAD).map((s) => ({ ...s, bytes: elf.segmentContents(s) })),
  );
  const memory = (gva: bigint, n: number): Uint8Array => {
    const segment = loads.find((s) => gva >= s.gva && gva < s.gva + BigInt(s.fileSize));
    if (!segment) return new Uint8Array(0);
    const at = Number(gva - segment.gva);
    return segment.bytes.subarray(at, at + n);
  };
  return { pc: registers.get(is32 ? 8 : 16)!, register: (n) => registers.get(n), memory };
};
