/** A disk for Bochs, which starts from one alone: a boot sector of ours (exits/boot-sector.S), and the kernel that it enters as Multiboot does. */
import { readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { readElf } from '../../emulator';
import { benchFolder } from './host';

const PT_LOAD = 1;
const SECTOR = 512;
/** What boot-sector.S reads at once, and where its words are. */
const READ_BYTES = 64 * SECTOR;
const WORDS = 400;
const COMMAND = 410;
const COMMAND_BYTES = 100;

export function kernelDisk(kernel: string, append: string): Uint8Array {
  if (append.length >= COMMAND_BYTES) throw new Error(`the command line has more than ${COMMAND_BYTES - 1} letters`);
  const elf = readElf(basename(kernel), readFileSync(kernel));
  const loaded = elf.segments.filter(({ type }) => type === PT_LOAD);
  const first = Math.min(...loaded.map(({ gpa }) => Number(gpa)));
  const parts = loaded.map((segment) => ({ at: Number(segment.gpa) - first, bytes: elf.segmentContents(segment) }));
  const end = Math.max(...parts.map(({ at, bytes }) => at + bytes.length));
  const reads = Math.ceil(end / READ_BYTES);
  const disk = new Uint8Array(SECTOR + reads * READ_BYTES);
  disk.set(readFileSync(resolve(benchFolder(), 'exits/boot-sector.bin')));
  for (const { at, bytes } of parts) disk.set(bytes, SECTOR + at);
  const view = new DataView(disk.buffer);
  view.setUint32(WORDS, first, true);
  view.setUint32(WORDS + 4, Number(elf.entry), true);
  view.setUint16(WORDS + 8, reads, true);
  disk.set(Buffer.from(`${append}\0`), COMMAND);
  return disk;
}
