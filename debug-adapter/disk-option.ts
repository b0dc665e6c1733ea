/** What a user writes for a disk: `FILE[,if=ide|virtio][,media=disk|cdrom][,ro][,writeback]`. Reads no file. */
import { UserError } from '../emulator/util/assert';

export interface DiskOption {
  path: string;
  interface: 'ide' | 'virtio';
  media: 'disk' | 'cdrom';
  readOnly: boolean;
  /** What the guest wrote goes into the file at the end. */
  writeback: boolean;
}

const FLAGS: Record<string, (disk: DiskOption) => void> = {
  'if=ide': (disk) => (disk.interface = 'ide'),
  'if=virtio': (disk) => (disk.interface = 'virtio'),
  'media=disk': (disk) => (disk.media = 'disk'),
  'media=cdrom': (disk) => (disk.media = 'cdrom'),
  ro: (disk) => (disk.readOnly = true),
  writeback: (disk) => (disk.writeback = true),
};

/** The file's path, and what follows it from the comma on. */
export function splitDisk(text: string): [path: string, options: string] {
  const comma = text.indexOf(',');
  return comma < 0 ? [text, ''] : [text.slice(0, comma), text.slice(comma)];
}

/** `place` is the option or attribute, for messages. UserError: what of it is not understood. */
export function parseDisk(text: string, place: string): DiskOption {
  const [path, options] = splitDisk(text);
  const disk: DiskOption = { path, interface: 'ide', media: 'disk', readOnly: false, writeback: false };
  if (path.trim() === '') throw new UserError(`${place} is "${text}", which names no file; give FILE[,if=ide|virtio].`);
  for (const option of options.split(',').slice(1)) {
    const apply = FLAGS[option];
    if (!apply) {
      const known = Object.keys(FLAGS).join(', ');
      throw new UserError(`${place} is "${text}", and "${option}" is no option of a disk; give one of ${known}.`);
    }
    apply(disk);
  }
  if (disk.media === 'cdrom' && disk.interface !== 'ide')
    throw new UserError(`${place} is "${text}": a CD-ROM is on IDE; leave if=virtio out.`);
  if (disk.writeback && (disk.readOnly || disk.media === 'cdrom'))
    throw new UserError(`${place} is "${text}": nothing is written to a read-only disk; leave out ro or writeback.`);
  return disk;
}
