import type { DiskContent } from '../emulator/machine/api';

/** The host's files as the debug adapter sees them: Node gives files-node.ts, a browser asks the extension. */
export interface Files {
  /** The whole file. UserError that names the path when it cannot be read. */
  read(path: string): Promise<Uint8Array>;
  /** A disk image that is read piece by piece; absent where only whole files can be read. UserError as for `read`. */
  image?(path: string): Promise<DiskContent>;
  exists(path: string): Promise<boolean>;
  /** A relative path becomes absolute; a URI or an absolute path stays. */
  resolve(path: string): string;
}

/** The last part of a path or URI. */
export const baseName = (path: string): string =>
  path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);

/** All before the last part, without the separator; empty where there is none. */
export const directoryOf = (path: string): string =>
  path.slice(0, Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\'), 0));
