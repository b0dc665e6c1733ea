/** Files of the machine that the adapter runs on. */
import { access, readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../emulator/util/assert';
import { openImage } from './disk-files';
import type { Files } from './files';

/** What went wrong, in words, for the errors that users cause (errno names as in POSIX). */
const REASONS: Record<string, string> = {
  ENOENT: 'there is no such file',
  EACCES: 'reading it is not permitted',
  EPERM: 'reading it is not permitted',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of the path is not a directory',
  ENAMETOOLONG: 'the name is too long',
  ERR_FS_FILE_TOO_LARGE: 'it is larger than 2 GiB',
};

const pathOf = (path: string): string => (path.startsWith('file:') ? fileURLToPath(path) : path);

async function named<T>(path: string, use: () => T | Promise<T>): Promise<T> {
  try {
    return await use();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    throw new UserError(`Cannot read ${path}: ${REASONS[code] ?? (code || 'unknown error')}. Correct the path.`);
  }
}

export const nodeFiles: Files = {
  read: (path) => named(path, () => readFile(pathOf(path))),
  image: (path) => named(path, () => openImage(pathOf(path))),
  async exists(path) {
    try {
      await access(pathOf(path));
      return true;
    } catch {
      return false;
    }
  },
  resolve: (path) => (path.startsWith('file:') ? pathOf(path) : resolve(path)),
};
