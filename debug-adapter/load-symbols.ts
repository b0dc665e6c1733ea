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

/** `kernel` undefined: there is none. Without `symbols` the kernel itself is tried, when it is an ELF file. A kernel without symbols is no error. */
export async function loadSymbols(
  session: RingsideSession,
  config: LaunchConfig,
  kernel: Uint8Array | undefined,
  program: Program,
): Promise<void> {
  const { files } = session;
  if (config.symbols === undefined) {
    const path = config.kernel;
    // Firmware starts what is on a disk, which names no file with symbols.
    if (kernel === undefined || path === undefined) return;
    if (!isElf(kernel)) {
      return session.output(
        'console',
        `${baseName(path)} is no ELF file: give its vmlinux or .elf under 'symbols' to see source.\n`,
      );
    }
    const file = await open(session, path, kernel, false);
    if (file !== undefined) add(session, program, files.resolve(path), file);
    return;
  }
  for (const [n, path] of config.symbols.entries()) {
    const place = `Launch attribute 'symbols[${n}]'`;
    let bytes: Uint8Array;
    try {
      bytes = await files.read(files.resolve(path));
    } catch (error) {
      throw error instanceof UserError ? new UserError(`${place}: ${error.message}`) : error;
    }
    const file = await open(session, path, bytes, true);
    if (file !== undefined) add(session, program, files.resolve(path), file);
  }
}

function add(session: RingsideSession, program: Program, path: string, file: SymbolFile): void {
  program.add(path, file);
  for (const warning of file.warnings) session.output('console', `${warning}\n`);
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
