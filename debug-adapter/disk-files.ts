/** Disk images of the host, as the machine reads them: what Node can read piece by piece never lies in memory as a whole. */
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import type { DiskContent } from '../emulator/machine/api';

/** Throws what `fs` throws. The file stays open until the process ends. */
export function openImage(path: string): DiskContent {
  const file = openSync(path, 'r');
  const { size } = fstatSync(file);
  return {
    bytes: size,
    read(offset, bytes) {
      const data = new Uint8Array(bytes);
      for (let done = 0; done < bytes;) {
        const read = readSync(file, data, done, bytes - done, offset + done);
        if (read === 0) break; // the file has become shorter: what is lacking reads as zeros
        done += read;
      }
      return data;
    },
  };
}

/** Throws what `fs` throws. */
export function writeBack(path: string, changes: readonly { offset: number; bytes: Uint8Array }[]): void {
  const file = openSync(path, 'r+');
  try {
    for (const { offset, bytes } of changes) writeSync(file, bytes, 0, bytes.length, offset);
  } finally {
    closeSync(file);
  }
}
