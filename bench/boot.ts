/** Debian's kernel to its init: wall and CPU time from power-on to the kernel's line, and what the process holds beside the guest's RAM. */
import { existsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { busyboxOf, initramfs, kernelOf } from '../scripts/initramfs';
import { vmlinuxOf } from '../scripts/vmlinux';
import { inChild } from './workloads';
import { workFolder } from './support/bundle';
import { figure, median, ratio, table } from './support/figures';
import { haveQemu } from './support/host';
import type { Part } from './support/part';
import { QemuGuest } from './support/qemu';

const guests = resolve(__dirname, '../.cache/guests');
export const PACKAGE = join(guests, 'linux-image-amd64');
const BUSYBOX = join(guests, 'busybox-static');
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

export function onOurs(files: Files, until = REACHED): Boot {
  const report = inChild({ ...files, append: APPEND, memoryMib: MEMORY_MIB, tier: 'compiler', until });
  const last = report.lines.at(-1);
  if (report.stop !== 'until' || !last) throw new Error(`the boot ended by ${report.stop}: ${last?.line}`);
  return { wall: last.wall, cpu: last.cpu, residentBytes: report.residentBytes, codeBytes: report.codeBytes };
}

async function onQemu(files: Files): Promise<Boot> {
  const guest = new QemuGuest({ ...files, append: APPEND, memoryMib: MEMORY_MIB });
  try {
    await guest.line(REACHED);
    return { wall: guest.wall, cpu: guest.cpu };
  } finally {
    guest.stop();
  }
}

const medianOf = (boots: readonly Boot[], field: keyof Boot): number | undefined =>
  boots.length ? median(boots.map((boot) => boot[field] ?? NaN)) : undefined;

export const boot: Part = {
  name: 'boot',
  async run({ rounds, log }) {
    if (!existsSync(PACKAGE) || !existsSync(BUSYBOX)) return 'Absent: the guests; `node scripts/fetch-guests.mjs`.';
    const bzImage = kernelOf(PACKAGE);
    const initrd = join(workFolder(), 'initrd');
    const vmlinux = join(workFolder(), 'vmlinux');
    writeFileSync(initrd, initramfs({ busybox: busyboxOf(BUSYBOX) }));
    writeFileSync(vmlinux, vmlinuxOf(bzImage));
    const rows: string[][] = [];
    for (const [name, kernel] of [
      ['vmlinux by PVH', vmlinux],
      ['bzImage', bzImage],
    ] as const) {
      const ours: Boot[] = [];
      const theirs: Boot[] = [];
      for (let round = 0; round < Math.min(rounds, MOST_ROUNDS); round++) {
        if (haveQemu()) theirs.push(await onQemu({ kernel, initrd }));
        ours.push(onOurs({ kernel, initrd }));
        log(`${name}, round ${round + 1}`);
      }
      const [wall, cpu] = (['wall', 'cpu'] as const).map((field) => [medianOf(ours, field), medianOf(theirs, field)]);
      const times = (pair: (number | undefined)[] | undefined): string =>
        ratio(pair?.[0] !== undefined && pair[1] !== undefined ? pair[0] / pair[1] : undefined);
      const [resident, code] = (['residentBytes', 'codeBytes'] as const).map((field) => medianOf(ours, field));
      rows.push([name, figure(wall![0]), figure(wall![1]), times(wall), figure(cpu![0]), figure(cpu![1]), times(cpu), figure(resident && resident / 2 ** 20), figure(code && code / 2 ** 20)]); // prettier-ignore
    }
    return table(
      ['', 'ringside, s', 'QEMU TCG, s', 'time / QEMU', 'ringside, CPU s', 'QEMU, CPU s', 'CPU time / QEMU', 'resident beside RAM, MiB', 'compiled code, MiB'],
      rows,
    ); // prettier-ignore
  },
};
