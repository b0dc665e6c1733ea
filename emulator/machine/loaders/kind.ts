/** Which boot protocol an image is for, by its content: names and extensions say nothing. */
import { isElf, readElf } from '../elf';
import { isBootSector } from './boot-sector';
import { Fields } from './fields';
import { isLinux } from './linux-header';
import { findMultiboot1 } from './multiboot1';
import { findMultiboot2 } from './multiboot2';
import { findPvhEntry } from './pvh';
import { isForXen } from './xen-image';

export type Kind = 'linux' | 'multiboot-2' | 'multiboot-1' | 'pvh' | 'elf' | 'boot-sector';

/** In the order in which loaders are chosen. Undefined: none of them. UserError: an ELF file that is damaged or for other processors. */
export function kindOf(file: Fields): Kind | undefined {
  if (isLinux(file)) return 'linux';
  if (findMultiboot2(file) !== undefined) return 'multiboot-2';
  if (findMultiboot1(file) !== undefined) return 'multiboot-1';
  if (isElf(file.bytes)) return findPvhEntry(readElf(file.name, file.bytes)) === undefined ? 'elf' : 'pvh';
  return isBootSector(file) ? 'boot-sector' : undefined;
}

/** For people who look for kernels in a folder. `xen`: it starts by Xen's paravirtual ABI and in no other way. */
export function kernelKind(name: string, bytes: Uint8Array): Kind | 'xen' | undefined {
  const kind = kindOf(new Fields(name, bytes));
  return kind === 'elf' && isForXen(readElf(name, bytes)) ? 'xen' : kind;
}
