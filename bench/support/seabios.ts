/** SeaBIOS and its firmware for displays, which Bochs and v86 start from: of Debian's package, fetched as a guest or installed. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

const FOLDERS = [resolve(__dirname, '../../.cache/guests/seabios/usr/share/seabios'), '/usr/share/seabios'];

/** Both files; undefined: it is absent. */
export function seabios(): { bios: string; vgaBios: string } | undefined {
  for (const folder of FOLDERS) {
    const [bios, vgaBios] = ['bios.bin', 'vgabios-stdvga.bin'].map((name) => join(folder, name)) as [string, string];
    if (existsSync(bios) && existsSync(vgaBios)) return { bios, vgaBios };
  }
  return undefined;
}
