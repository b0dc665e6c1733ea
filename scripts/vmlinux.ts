/**
 * The ELF kernel inside a bzImage, which PVH and debuggers want.
 *
 *   npx tsx scripts/vmlinux.ts BZIMAGE OUT
 *
 * The setup header says where the compressed payload lies (kernel: Documentation/arch/x86/boot.rst, payload_offset).
 * Uses the host's xz, gzip, zstd, lz4 or bzip2, whichever the kernel was packed with.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

const PACKERS: readonly { magic: string; command: readonly string[] }[] = [
  { magic: 'fd377a585a00', command: ['xz', '-dc', '--single-stream'] },
  { magic: '1f8b', command: ['gzip', '-dc'] },
  { magic: '28b52ffd', command: ['zstd', '-dc'] },
  { magic: '02214c18', command: ['lz4', '-dc'] },
  { magic: '425a68', command: ['bzip2', '-dc'] },
];
const MAX_KERNEL_BYTES = 1 << 28;

/** The bytes of vmlinux. Throws with a sentence for the user. */
export function vmlinuxOf(path: string): Buffer {
  const image = readFileSync(path);
  if (image.length < 0x250 || image.toString('latin1', 0x202, 0x206) !== 'HdrS')
    throw new Error(`${path} is no bzImage: its setup header is missing`);
  const setup = ((image[0x1f1] || 4) + 1) * 512;
  const from = setup + image.readUInt32LE(0x248);
  // The last four bytes of the payload are the unpacked size.
  const payload = image.subarray(from, from + image.readUInt32LE(0x24c) - 4);
  return unpacked(payload, path);
}

/** An ELF file (a kernel or a module of one) that `packed` holds; `path` is named in errors. */
export function unpacked(packed: Buffer, path: string): Buffer {
  const packer = PACKERS.find(({ magic }) => packed.toString('hex', 0, magic.length / 2) === magic);
  if (!packer) throw new Error(`${path} is packed in a way that is not known`);
  const [command, ...args] = packer.command;
  const { stdout, error } = spawnSync(command!, args, { input: packed, maxBuffer: MAX_KERNEL_BYTES });
  if (error) throw new Error(`${path} needs ${command}, which cannot be run: ${error.message}`);
  // Tools complain about bytes after the stream; what counts is what came out.
  if (stdout.toString('latin1', 1, 4) !== 'ELF') throw new Error(`${path}: ${command} made no ELF of it`);
  return stdout;
}

if (process.argv[1] === import.meta.filename) {
  const [, , image, out] = process.argv;
  try {
    if (!image || !out) throw new Error('usage: vmlinux.ts BZIMAGE OUT');
    writeFileSync(out, vmlinuxOf(image));
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 2;
  }
}
