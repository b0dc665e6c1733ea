/** A disk with GRUB, as Debian's grub-pc-bin has it, a Linux kernel behind it, and an initramfs. Needs grub-mkimage. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const SECTOR = 512;
const MIB = 1 << 20;
/** There is room for GRUB before it. */
const FIRST = 2 * MIB;

export interface GrubDisk {
  /** For GRUB's own parts while the disk is made. */
  folder: string;
  /** Unpacked by fetch-guests.mjs. */
  package: string;
  kernel: Uint8Array;
  initrd?: Uint8Array;
  commandLine: string;
}

/** boot.img, core.img behind it, then what GRUB loads, which it finds by its sectors. */
export function grubDisk({ folder, package: unpacked, kernel, initrd, commandLine }: GrubDisk): Uint8Array {
  const modules = join(unpacked, 'usr/lib/grub/i386-pc');
  const config = join(folder, 'early.cfg');
  const core = join(folder, 'core.img');
  const second = FIRST + Math.ceil(kernel.length / MIB) * MIB;
  const blocks = (at: number, { length }: Uint8Array): string => `(hd0)${at / SECTOR}+${Math.ceil(length / SECTOR)}`;
  const commands = [
    'serial --unit=0 --speed=115200',
    'terminal_output serial',
    `linux ${blocks(FIRST, kernel)} ${commandLine}`,
    ...(initrd ? [`initrd ${blocks(second, initrd)}`] : []),
    'boot',
  ];
  writeFileSync(config, `${commands.join('\n')}\n`);
  const needed = ['biosdisk', 'part_msdos', 'linux', 'serial', 'terminal', 'boot', 'blocklist'];
  const made = ['-O', 'i386-pc', '-d', modules, '-c', config, '-p', '/boot/grub', '-o', core];
  execFileSync('grub-mkimage', [...made, ...needed]);
  const disk = new Uint8Array(second + Math.ceil((initrd?.length ?? 0) / MIB) * MIB);
  disk.set(readFileSync(join(modules, 'boot.img')));
  disk.set(readFileSync(core), SECTOR);
  disk.set(kernel, FIRST);
  if (initrd) disk.set(initrd, second);
  return disk;
}
