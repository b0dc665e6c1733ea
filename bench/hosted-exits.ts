/**
 * Hypervisors of ours as guests (guests/hypervisors): CPUID of their guest leaves for them, is answered and entered again, for ever.
 * Each mark on their console stands for so many exits.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createMachine } from '../emulator';
import { BochsGuest, haveBochs } from './support/bochs';
import { kernelDisk } from './support/bochs-disk';
import { benchFolder, haveQemu } from './support/host';
import { QemuGuest } from './support/qemu';

export const HOSTED = [
  { name: 'VT-x', peer: 'beside Bochs', file: 'vmx.elf', cpu: 'haswell', engine: 'vt-x', bochs: true },
  { name: 'AMD-V', peer: 'beside QEMU TCG', file: 'svm.elf', cpu: 'epyc', engine: 'amd-v', qemu: 'EPYC,-monitor' },
] as const;
export type Hosted = (typeof HOSTED)[number];
/** EXITS_A_MARK of guests/hypervisors/hypervisor.h. */
const EXITS_A_MARK = 0x4000;
const MEMORY_MIB = 64;
const APPEND = 'exits';
const SLICE = 100_000;
const path = (file: string): string => resolve(benchFolder(), '../guests/hypervisors', file);

/** Exits a CPU second, between two marks. `warm`: marks before the first of them. */
export function rateHosted({ file, cpu }: Hosted, warm: number, marks: number): number {
  const machine = createMachine({ memory: MEMORY_MIB << 20, cpus: 1, cpu });
  let seen = 0;
  machine.onConsole = (bytes) => (seen += bytes.filter((byte) => byte === 0x2e).length);
  machine.boot({ name: file, kernel: readFileSync(path(file)), append: APPEND });
  const until = (count: number): void => {
    while (seen < count) {
      const { kind } = machine.run(SLICE);
      if (kind !== 'limit') throw new Error(`${file} ended by ${kind}`);
    }
  };
  until(warm);
  const began = process.cpuUsage();
  until(warm + marks);
  const { user, system } = process.cpuUsage(began);
  return (marks * EXITS_A_MARK) / ((user + system) / 1e6);
}

/** The same in Bochs, whose build in Debian has VT-x; undefined: it is not installed. */
export async function rateInBochs(hosted: Hosted, warm: number, marks: number): Promise<number | undefined> {
  if (!('bochs' in hosted) || !haveBochs()) return undefined;
  const disk = kernelDisk(path(hosted.file), APPEND);
  const bochs = new BochsGuest({ disk, memoryMib: MEMORY_MIB });
  const seen = (count: number): Promise<string> => bochs.console((text) => text.split('.').length > count);
  try {
    await seen(warm);
    const began = bochs.cpu;
    await seen(warm + marks);
    return (marks * EXITS_A_MARK) / (bochs.cpu - began);
  } finally {
    bochs.stop();
  }
}
/** The same in QEMU, which emulates AMD-V; undefined: it cannot, or is not installed. */
export async function rateInQemu(hosted: Hosted, warm: number, marks: number): Promise<number | undefined> {
  if (!('qemu' in hosted) || !haveQemu()) return undefined;
  const qemu = new QemuGuest({ kernel: path(hosted.file), append: APPEND, memoryMib: MEMORY_MIB, more: ['-cpu', hosted.qemu] }); // prettier-ignore
  try {
    for (let i = 0; i < warm; i++) await qemu.line('.');
    const began = qemu.cpu;
    for (let i = 0; i < marks; i++) await qemu.line('.');
    return (marks * EXITS_A_MARK) / (qemu.cpu - began);
  } finally {
    qemu.stop();
  }
}
