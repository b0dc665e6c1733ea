/** v86, the other emulator of a PC in JavaScript and WebAssembly: its package, and a guest in a process of its own, as ours are. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { bundle } from './bundle';
import type { GuestReport } from './guest-run';
import { seabios } from './seabios';

export interface V86Spec {
  /** How the kernel is started: 32-bit ones alone. */
  protocol: 'multiboot' | 'bzimage';
  kernel: string;
  initrd?: string;
  append: string;
  memoryMib: number;
  /** The run ends at the line that has this text, or when so many lines have come. */
  until?: string;
  lines?: number;
}
/** What the process is told besides. */
export interface V86Files {
  module: string;
  wasm: string;
  bios: string;
  vgaBios: string;
}

const local = createRequire(__filename);
const packageFile = (): string | undefined => {
  try {
    return local.resolve('v86/package.json');
  } catch {
    return undefined;
  }
};
/** undefined: not installed. */
export function v86Version(): string | undefined {
  const file = packageFile();
  return file && (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
export const haveV86 = (): boolean => packageFile() !== undefined && seabios() !== undefined;

/** A guest that has died there says nothing. */
const LONGEST_MS = 30 * 60_000;

export function inV86(spec: V86Spec): GuestReport {
  const [file, firmware] = [packageFile(), seabios()];
  if (file === undefined || !firmware) throw new Error('v86 or SeaBIOS is absent');
  const build = join(dirname(file), 'build');
  const files: V86Files = { module: join(build, 'libv86.mjs'), wasm: join(build, 'v86.wasm'), ...firmware };
  const child = [bundle('bench/support/v86-child.ts'), JSON.stringify(spec), JSON.stringify(files)];
  return JSON.parse(
    execFileSync(process.execPath, child, { encoding: 'utf8', maxBuffer: 64 << 20, timeout: LONGEST_MS }),
  ) as GuestReport;
}
