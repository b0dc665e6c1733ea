/** The systems that guests are compared on: QEMU where it is installed, and our own machine. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { createMachine } from '../../emulator/index';

export const guests = join(__dirname, '../../guests');
export const golden = join(__dirname, '../golden/guests');

export interface Outcome {
  /** Without carriage returns. */
  console: string;
  /** What was written to the debug-exit port, or another reason for the end. */
  end: string;
}

export const have = (tool: string): boolean => {
  try {
    execFileSync(tool, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

const QEMU = 'qemu-system-x86_64';
export const haveQemu = (): boolean => have(QEMU);

/** Virtual time is instructions, so that a busy host changes nothing. QEMU's status is (code << 1) | 1. */
export const runOnQemu = (image: string, append = '', cpu = 'max', cpus = 1): Outcome => {
  // In the image's folder: the kernel's name is the first word of its command line.
  const args = ['-kernel', basename(image), '-append', append, '-cpu', cpu, '-smp', `${cpus}`, '-m', '128M', '-display', 'none', '-monitor', 'none', '-serial', 'stdio', '-no-reboot', '-icount', 'shift=0,sleep=off', '-device', 'isa-debug-exit,iobase=0xf4,iosize=4']; // prettier-ignore
  const options = { cwd: dirname(image), input: '', timeout: 30_000, encoding: 'latin1' } as const;
  const { stdout, status, error } = spawnSync(QEMU, args, options);
  const code = status !== null && status & 1 ? `debug-exit ${status >> 1}` : `status ${status}${error ? `, ${error.message}` : ''}`; // prettier-ignore
  return { console: stdout.replaceAll('\r', ''), end: code };
};

export const runOnOurs = (image: string, append = '', instructions = 200_000_000, cpus = 1): Outcome => {
  const machine = createMachine({ memory: 128 << 20, cpus });
  let text = '';
  machine.onConsole = (bytes) => (text += Buffer.from(bytes).toString('latin1'));
  machine.boot({ name: basename(image), kernel: readFileSync(image), append });
  const stop = machine.run(instructions);
  const end = stop.kind === 'debug-exit' ? `debug-exit ${stop.code >>> 1}` : stop.kind;
  return { console: text.replaceAll('\r', ''), end };
};

/** Reads a golden text; with UPDATE=1 writes `actual()` there first. */
export const goldenText = (name: string, actual: () => string): string => {
  const file = join(golden, name);
  if (process.env.UPDATE === '1') writeFileSync(file, actual());
  return readFileSync(file, 'utf8');
};
