/** Opens the symbol files of a launch, with progress that the user can see and cancel. */
import { UserError } from '../emulator/util/assert';
import { baseName } from './files';
import type { LaunchConfig } from './launch';
import type { Program } from './program';
import type { RingsideSession } from './session';
import type { SymbolFile } from './symbols/api';

/** Thrown through the reader by its own progress callback. */
class Cancelled extends Error {}

let nextProgress = 1;
/** Reports are cheaper to send this seldom. */
const REPORT_INTERVAL_MS = 100;

const ELF_MAGIC = 0x464c457f;
const isElf = (bytes: Uint8Array): boolean =>
  bytes.length >= 4 && new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true) === ELF_MAGIC;

interface Wanted {
  path: string;
  bytes: Uint8Array;
  /** The user named it, so that it has to be one. */
  required: boolean;
}

/**
 * `kernel` undefined: there is none. Without `symbols` the kernel itself is tried, when it is an ELF file. A kernel without
 * symbols is no error. Done again before a restart: true where files were built anew, and their symbols are other ones now.
 */
export async function loadSymbols(
  session: RingsideSession,
  config: LaunchConfig,
  kernel: Uint8Array | undefined,
  program: Program,
): Promise<boolean> {
  const wanted = (await wantedFiles(session, config, kernel)).map((each) => ({ ...each, mark: markOf(each.bytes) }));
  const former = program.modules.filter(({ mark }) => mark !== undefined);
  if (former.map(({ mark }) => mark).join() === wanted.map(({ mark }) => mark).join()) return false;
  const opened: { path: string; file: SymbolFile; mark: string }[] = [];
  for (const { path, bytes, required, mark } of wanted) {
    const file = await open(session, path, bytes, required);
    if (file !== undefined) opened.push({ path, file, mark });
  }
  former.forEach((module) => program.remove(module));
  for (const { path, file, mark } of opened) {
    program.add(session.files.resolve(path), file, mark);
    for (const warning of file.warnings) session.output('console', `${warning}\n`);
  }
  return true;
}

async function wantedFiles(
  session: RingsideSession,
  { symbols, kernel: path }: LaunchConfig,
  kernel: Uint8Array | undefined,
): Promise<Wanted[]> {
  if (symbols === undefined) {
    // Firmware starts what is on a disk, which names no file with symbols.
    if (kernel === undefined || path === undefined) return [];
    if (isElf(kernel)) return [{ path, bytes: kernel, required: false }];
    session.output(
      'console',
      `${baseName(path)} is no ELF file: give its vmlinux or .elf under 'symbols' to see source.\n`,
    );
    return [];
  }
  const wanted: Wanted[] = [];
  for (const [n, each] of symbols.entries()) {
    try {
      wanted.push({ path: each, bytes: await session.files.read(session.files.resolve(each)), required: true });
    } catch (error) {
      const place = `Launch attribute 'symbols[${n}]'`;
      throw error instanceof UserError ? new UserError(`${place}: ${error.message}`) : error;
    }
  }
  return wanted;
}

/** Differs with the content, as good as always (FNV-1a by words): files are compared without being kept. */
function markOf(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let hash = 0x811c9dc5;
  const words = bytes.length >> 2;
  for (let n = 0; n < words; n++) hash = Math.imul(hash ^ view.getUint32(n * 4, true), 0x01000193);
  for (let at = words * 4; at < bytes.length; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
  return `${bytes.length}:${hash >>> 0}`;
}

/** Undefined: cancelled, or damaged and not explicitly asked for; the user has been told. */
async function open(
  session: RingsideSession,
  path: string,
  bytes: Uint8Array,
  required: boolean,
): Promise<SymbolFile | undefined> {
  const name = baseName(path);
  const progressId = `symbols-${nextProgress++}`;
  let cancelled = false;
  let reported = 0;
  let shown = false;
  session.cancellable.set(progressId, () => (cancelled = true));
  const report = (fraction: number, what: string): void => {
    if (cancelled) throw new Cancelled();
    const now = performance.now();
    if (!session.client.progress || now - reported < REPORT_INTERVAL_MS) return;
    reported = now;
    const percentage = Math.round(Math.min(1, Math.max(0, fraction)) * 100);
    if (!shown) {
      shown = true;
      session.event('progressStart', {
        progressId,
        title: `Symbols of ${name}`,
        cancellable: true,
        message: what,
        percentage,
      });
    } else session.event('progressUpdate', { progressId, message: what, percentage });
  };
  try {
    report(0, 'reading');
    return await session.parts.openSymbols(name, bytes, report);
  } catch (error) {
    if (cancelled || error instanceof Cancelled) {
      session.output('console', `Loading symbols of ${name} was cancelled: there will be no source for it.\n`);
      return undefined;
    }
    if (!(error instanceof UserError) || required) throw error;
    session.output('important', `${error.message}\n`);
    return undefined;
  } finally {
    session.cancellable.delete(progressId);
    if (shown) session.event('progressEnd', { progressId });
  }
}
