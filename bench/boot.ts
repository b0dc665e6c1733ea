/**
 * Debian's kernels to their init, here and elsewhere: wall and CPU time from power-on to the kernel's line, and what our process holds
 * beside the guest's RAM.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { grubDisk } from '../scripts/grub-disk';
import { busyboxOf, initramfs, kernelOf } from '../scripts/initramfs';
import { vmlinuxOf } from '../scripts/vmlinux';
import { BochsGuest, haveBochs } from './support/bochs';
import { workFolder } from './support/bundle';
import { figure, median, ratio, table } from './support/figures';
import { haveQemu, version } from './support/host';
import type { GuestReport } from './support/guest-run';
import type { BenchContext, Part } from './support/part';
import { QemuGuest } from './support/qemu';
import { haveV86, inV86 } from './support/v86';
import { inChild } from './workloads';

const guest = (name: string): string => resolve(__dirname, '../.cache/guests', name);
export const PACKAGE = guest('linux-image-amd64');
const BUSYBOX = guest('busybox-static');
const PACKAGE_32 = guest('linux-image-686_i386');
const BUSYBOX_32 = guest('busybox-static_i386');
const GRUB = guest('grub-pc-bin');
const NEEDED = [PACKAGE, BUSYBOX, PACKAGE_32, BUSYBOX_32];
const MEMORY_MIB = 256;
const APPEND = 'console=ttyS0';
const REACHED = 'Run /init as init process';
/** A boot takes long: so many at most. */
const MOST_ROUNDS = 4;

interface Boot {
  wall: number;
  cpu: number;
  residentBytes?: number;
  codeBytes?: number;
}
interface Files {
  kernel: string;
  initrd?: string;
}

function reached({ lines, stop, residentBytes, codeBytes }: GuestReport): Boot {
  const last = lines.at(-1);
  if (stop !== 'until' || !last) throw new Error(`the boot ended by ${stop}: ${last?.line}`);
  return { wall: last.wall, cpu: last.cpu, residentBytes, codeBytes };
}
export const onOurs = (files: Files, until = REACHED): Boot =>
  reached(inChild({ ...files, append: APPEND, memoryMib: MEMORY_MIB, tier: 'compiler', until }));
/** 32-bit kernels alone. */
export const onV86 = (files: Files, until = REACHED): Boot =>
  reached(inV86({ ...files, protocol: 'bzimage', append: APPEND, memoryMib: MEMORY_MIB, until }));

async function onQemu(files: Files): Promise<Boot> {
  const qemu = new QemuGuest({ ...files, append: APPEND, memoryMib: MEMORY_MIB });
  try {
    await qemu.line(REACHED);
    return { wall: qemu.wall, cpu: qemu.cpu };
  } finally {
    qemu.stop();
  }
}
/** It starts from disks alone: GRUB on one loads the kernel. */
async function onBochs({ kernel, initrd }: Files): Promise<Boot> {
  const files = { kernel: readFileSync(kernel), ...(initrd !== undefined && { initrd: readFileSync(initrd) }) };
  const disk = grubDisk({ folder: workFolder(), package: GRUB, ...files, commandLine: APPEND });
  const bochs = new BochsGuest({ disk, memoryMib: MEMORY_MIB });
  try {
    await bochs.console((text) => text.includes(REACHED));
    return { wall: bochs.wall, cpu: bochs.cpu };
  } finally {
    bochs.stop();
  }
}

interface Peer {
  name: string;
  there(): boolean;
  mostRounds: number;
  run(files: Files): Boot | Promise<Boot>;
}
const QEMU: Peer = { name: 'QEMU TCG', there: haveQemu, mostRounds: MOST_ROUNDS, run: onQemu };
const V86: Peer = { name: 'v86', there: haveV86, mostRounds: MOST_ROUNDS, run: onV86 };
/** Once: it takes minutes. */
const BOCHS: Peer = {
  name: 'Bochs',
  there: () => haveBochs() && existsSync(GRUB) && version('grub-mkimage') !== undefined,
  mostRounds: 1,
  run: onBochs,
};

interface Image {
  name: string;
  files: Files;
  peers: readonly Peer[];
}
function images(): Image[] {
  const written = (name: string, bytes: Uint8Array): string => {
    const file = join(workFolder(), name);
    writeFileSync(file, bytes);
    return file;
  };
  const [kernel, kernel32] = [kernelOf(PACKAGE), kernelOf(PACKAGE_32)];
  const [initrd, initrd32] = [BUSYBOX, BUSYBOX_32].map((folder, i) =>
    written(`initrd-${i}`, initramfs({ busybox: busyboxOf(folder) })),
  ) as [string, string];
  const vmlinux = written('vmlinux', vmlinuxOf(kernel));
  return [
    { name: 'vmlinux by PVH', files: { kernel: vmlinux, initrd }, peers: [QEMU] },
    { name: 'bzImage', files: { kernel, initrd }, peers: [QEMU, BOCHS] },
    { name: 'bzImage, 32 bits', files: { kernel: kernel32, initrd: initrd32 }, peers: [QEMU, V86] },
  ];
}

const medianOf = (boots: readonly Boot[], field: keyof Boot): number | undefined =>
  boots.length ? median(boots.map((boot) => boot[field] ?? NaN)) : undefined;
const mib = (bytes: number | undefined): string => figure(bytes && bytes / 2 ** 20);

/** A row for each of the others: what is ours alone stands in the first. */
async function rowsOf({ name, files, peers }: Image, { rounds, log }: BenchContext): Promise<string[][]> {
  const ours: Boot[] = [];
  const theirs = new Map(peers.map((peer) => [peer, [] as Boot[]]));
  for (let round = 0; round < Math.min(rounds, MOST_ROUNDS); round++) {
    for (const [peer, boots] of theirs) if (round < peer.mostRounds && peer.there()) boots.push(await peer.run(files));
    ours.push(onOurs(files));
    log(`${name}, round ${round + 1}`);
  }
  return [...theirs].map(([peer, boots], i) => {
    const times = (['wall', 'cpu'] as const).flatMap((field) => {
      const [mine, other] = [medianOf(ours, field), medianOf(boots, field)];
      return [figure(mine), figure(other), ratio(mine && other && mine / other)];
    });
    const own = i ? ['', ''] : [mib(medianOf(ours, 'residentBytes')), mib(medianOf(ours, 'codeBytes'))];
    return [name, peer.name, ...times, ...own];
  });
}

export const boot: Part = {
  name: 'boot',
  async run(context) {
    if (!NEEDED.every(existsSync)) return 'Absent: the guests; `node scripts/fetch-guests.mjs`.';
    const rows: string[][] = [];
    for (const image of images()) rows.push(...(await rowsOf(image, context)));
    return table(
      ['', 'beside', 'ringside, s', 'the other, s', 'time / the other', 'ringside, CPU s', 'the other, CPU s', 'CPU time / the other', 'resident beside RAM, MiB', 'compiled code, MiB'],
      rows,
    ); // prettier-ignore
  },
};
