/** Tells kernels from other files of such names, by what loaders look for. */

const ET_EXEC = 2;
const EM_386 = 3;
const EM_X86_64 = 62;
/** Boot protocol magic of Linux, at a fixed offset (Documentation/arch/x86/boot.rst). */
const LINUX_MAGIC = 'HdrS';
const LINUX_MAGIC_OFFSET = 0x202;

export function isKernelImage(bytes: Uint8Array): boolean {
  const text = (offset: number, length: number): string =>
    String.fromCharCode(...bytes.subarray(offset, offset + length));
  if (text(LINUX_MAGIC_OFFSET, LINUX_MAGIC.length) === LINUX_MAGIC) return true;
  if (bytes.length < 20 || text(0, 4) !== '\x7fELF') return false;
  const [type, machine] = [bytes[16], bytes[18]];
  return type === ET_EXEC && (machine === EM_386 || machine === EM_X86_64);
}
