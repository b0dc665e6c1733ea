/** What the options name, read from the disk, and what is written there in the end. */
import { readFileSync, writeFileSync } from 'node:fs';
import type { BootInput, DiskInput, FirmwareInput, Machine } from '../../emulator/machine/api';
import { assert, UserError } from '../../emulator/util/assert';
import { openImage, writeBack } from '../disk-files';
import type { DiskOption } from '../disk-option';
import { parseModule } from '../module-option';
import type { RunOptions } from './arguments';
import { parseScript } from './script';

export const readScript = ({ script }: RunOptions): ReturnType<typeof parseScript> =>
  script === undefined ? [] : parseScript(script, readText(script));

export const machineInput = (options: RunOptions): BootInput | FirmwareInput => {
  const { kernel, firmware, vgaRom } = options;
  const equipment = { disks: options.disks.map(openDisk), console: options.console };
  if (kernel !== undefined) return { ...bootInput(kernel, options), ...equipment };
  assert(firmware !== undefined, 'the arguments name neither a kernel nor firmware');
  const rom = vgaRom === undefined ? undefined : readBytes(vgaRom);
  return { name: firmware, firmware: readBytes(firmware), vgaRom: rom, ...equipment };
};

const openDisk = (disk: DiskOption): DiskInput => ({
  ...disk,
  name: disk.path,
  content: orUserError(disk.path, () => openImage(disk.path)),
});

/** What `,writeback` asks for; other disks are as they were. */
export const writeDisks = (machine: Machine, disks: readonly DiskOption[]): void => {
  for (const [i, { path, writeback }] of disks.entries())
    if (writeback) orUserError(path, () => writeBack(path, machine.diskChanges(i)));
};

const bootInput = (name: string, options: RunOptions): BootInput => ({
  name,
  kernel: readBytes(name),
  append: options.append,
  initrd: options.initrd === undefined ? undefined : { name: options.initrd, bytes: readBytes(options.initrd) },
  modules: options.modules
    .map(parseModule)
    .map(({ path: name, ...args }) => ({ name, bytes: readBytes(name), ...args })),
});

const WHY: Record<string, string> = {
  ENOENT: 'there is no such file; check the path',
  EISDIR: 'this is a folder; give a file in it',
  EACCES: 'it may not be read or written; check its permissions',
};

const readBytes = (name: string): Uint8Array => orUserError(name, () => readFileSync(name));

const orUserError = <T>(name: string, use: () => T): T => {
  try {
    return use();
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw new UserError(`${name}: ${WHY[code] ?? `${message}; check the path`}.`);
  }
};
export const readText = (name: string): string => new TextDecoder().decode(readBytes(name));

/** For `--json`; - is standard error. */
export const writeText = (file: string, text: string): void => {
  if (file === '-') return void process.stderr.write(text);
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new UserError(`${file}: --json cannot be written (${(error as Error).message}); check the path.`);
  }
};
