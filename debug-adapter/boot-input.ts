/** From launch attributes to what a machine is booted with: reads the files that they name. */
import type { BootInput, DiskContent, DiskInput, Equipment, FirmwareInput } from '../emulator/machine/api';
import { UserError } from '../emulator/util/assert';
import { parseDisk } from './disk-option';
import { baseName, type Files } from './files';
import { startedFile, type LaunchConfig } from './launch';
import { parseModule } from './module-option';

/** UserError names the attribute and the file. */
export async function readBootInput(files: Files, config: LaunchConfig): Promise<BootInput | FirmwareInput> {
  const about = async <T>(attribute: string, reading: Promise<T>): Promise<T> => {
    try {
      return await reading;
    } catch (error) {
      throw error instanceof UserError ? new UserError(`Launch attribute '${attribute}': ${error.message}`) : error;
    }
  };
  const read = (attribute: string, path: string): Promise<Uint8Array> =>
    about(attribute, files.read(files.resolve(path)));
  const disks: DiskInput[] = [];
  for (const [n, text] of (config.disk ?? []).entries()) {
    const { path, ...disk } = parseDisk(text, `'disk[${n}]'`);
    disks.push({ ...disk, name: baseName(path), content: await about(`disk[${n}]`, contentOf(files, path)) });
  }
  const equipment: Equipment = { disks, ...(config.console === undefined ? {} : { console: config.console }) };
  const name = baseName(startedFile(config));
  if (config.firmware !== undefined) {
    const firmware = await read('firmware', config.firmware);
    const vgaRom = config.vgaRom === undefined ? {} : { vgaRom: await read('vgaRom', config.vgaRom) };
    return { name, firmware, ...vgaRom, ...equipment };
  }
  const boot: BootInput = { name, kernel: await read('kernel', startedFile(config)), ...equipment };
  if (config.initrd !== undefined) {
    boot.initrd = { name: baseName(config.initrd), bytes: await read('initrd', config.initrd) };
  }
  if (config.module !== undefined) {
    boot.modules = [];
    for (const [n, text] of config.module.entries()) {
      const { path, ...args } = parseModule(text);
      boot.modules.push({ name: baseName(path), bytes: await read(`module[${n}]`, path), ...args });
    }
  }
  if (config.append !== undefined) boot.append = config.append;
  return boot;
}

/** Piece by piece where the host can, else the whole file. */
async function contentOf(files: Files, path: string): Promise<DiskContent> {
  if (files.image) return files.image(files.resolve(path));
  const bytes = await files.read(files.resolve(path));
  return { bytes: bytes.length, read: (offset, count) => bytes.slice(offset, offset + count) };
}
