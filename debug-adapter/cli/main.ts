/** From arguments to exit status. */
import { readFileSync, writeFileSync } from 'node:fs';
import { createMachine } from '../../emulator/index';
import type { BootInput, DiskInput, FirmwareInput, Machine } from '../../emulator/machine/api';
import { assert, UserError } from '../../emulator/util/assert';
import { openImage, writeBack } from '../disk-files';
import type { DiskOption } from '../disk-option';
import { parseCommand } from './arguments';
import type { RunOptions, Way } from './arguments';
import { comparisonReport, comparisonText, exitCounts, holesText, nameOf, runOne } from './compare';
import type { Compared } from './compare';
import { firstDivergence } from './divergence';
import { OURS, STATUS } from './outcome';
import type { Outcome } from './outcome';
import { Run } from './run';
import type { RunHost } from './run';
import { parseScript } from './script';
import { USAGE } from './usage';

const say = (message: string): void => void process.stderr.write(`ringside: ${message}\n`);

/** Never rejects. */
export const main = async (args: readonly string[]): Promise<number> => {
  try {
    const command = parseCommand(args);
    if (command.kind === 'run') return await run(command.options);
    if (command.kind === 'compare') return await compare(command.options, command.ways);
    process.stdout.write(USAGE);
    return STATUS.ok;
  } catch (error) {
    if (error instanceof UserError) {
      say(error.message);
      return STATUS.wrongUse;
    }
    say(`this is a bug in Ringside, please report it: ${(error as Error).stack ?? String(error)}`);
    return STATUS.bug;
  }
};

const run = async (options: RunOptions): Promise<number> => {
  const input = machineInput(options);
  const script = readScript(options);
  // Now, not after an hour.
  if (options.json !== undefined) writeText(options.json, '');
  const machine = machineFor(options);
  const host = processHost();
  try {
    const running = new Run(machine, options, script, host);
    machine.onFirmwareLog = (line) => say(`firmware: ${line}`);
    machine.boot(input);
    const start = performance.now();
    const outcome = await running.toTheEnd();
    writeDisks(machine, options.disks);
    if (options.json !== undefined) writeReport(options.json, machine, outcome, (performance.now() - start) / 1000);
    for (const line of holesText(machine)) say(line);
    if (outcome.message) say(`${outcome.message} (${machine.instructions} instructions).`);
    return outcome.status;
  } finally {
    host.close();
  }
};

const machineFor = ({ memory, cpus, cpu, tier, technique, paging }: RunOptions): Machine =>
  createMachine({ memory, cpus, cpu, tier, technique, paging });
const readScript = ({ script }: RunOptions): ReturnType<typeof parseScript> =>
  script === undefined ? [] : parseScript(script, readText(script));

/** The same image under each technique, and a table. 0: all ended alike. */
const compare = async (options: RunOptions, ways: readonly Way[]): Promise<number> => {
  const input = machineInput(options);
  const script = readScript(options);
  if (options.json !== undefined) writeText(options.json, '');
  const host = processHost();
  const quiet = { ...host, write: () => {} };
  const boot = ({ technique, paging }: Way): Machine => {
    const machine = machineFor({ ...options, technique, paging });
    machine.boot(input);
    return machine;
  };
  try {
    const results: Compared[] = [];
    for (const way of ways) {
      say(`running under ${nameOf(way)} ...`);
      results.push(await runOne(way, boot, (machine) => new Run(machine, options, script, quiet)));
      if (host.interrupted()) return OURS.interrupted.status;
    }
    process.stdout.write(comparisonText(results));
    const divergences = results.slice(1).map((result) => {
      if (result.stateHash === results[0].stateHash) return undefined;
      const found = firstDivergence(
        () => boot(results[0].way),
        () => boot(result.way),
      );
      process.stdout.write(`${nameOf(result.way)}: ${found?.text ?? 'differs in memory or devices alone'}\n`);
      return found;
    });
    if (options.json !== undefined)
      writeText(options.json, `${JSON.stringify(comparisonReport(results, divergences))}\n`);
    return results.every((result) => result.outcome.status === results[0].outcome.status) ? STATUS.ok : STATUS.died;
  } finally {
    host.close();
  }
};

const machineInput = (options: RunOptions): BootInput | FirmwareInput => {
  const { kernel, firmware, vgaRom } = options;
  const equipment = { disks: options.disks.map(openDisk), console: options.console };
  if (kernel !== undefined) return { ...bootInput(kernel, options), ...equipment };
  assert(firmware !== undefined, 'the arguments name neither a kernel nor firmware');
  const rom = vgaRom === undefined ? undefined : readBytes(vgaRom);
  return { name: firmware, firmware: readBytes(firmware), vgaRom: rom, ...equipment };
};

const openDisk = (disk: DiskOption): DiskInput => ({
  ...disk,
  name: disk.path,
  content: orUserError(disk.path, () => openImage(disk.path)),
});

/** What `,writeback` asks for; other disks are as they were. */
const writeDisks = (machine: Machine, disks: readonly DiskOption[]): void => {
  for (const [i, { path, writeback }] of disks.entries())
    if (writeback) orUserError(path, () => writeBack(path, machine.diskChanges(i)));
};

const bootInput = (name: string, options: RunOptions): BootInput => ({
  name,
  kernel: readBytes(name),
  append: options.append,
  initrd: options.initrd === undefined ? undefined : { name: options.initrd, bytes: readBytes(options.initrd) },
  modules: options.modules.map((name) => ({ name, bytes: readBytes(name) })),
});

const WHY: Record<string, string> = {
  ENOENT: 'there is no such file; check the path',
  EISDIR: 'this is a folder; give a file in it',
  EACCES: 'it may not be read or written; check its permissions',
};

const readBytes = (name: string): Uint8Array => orUserError(name, () => readFileSync(name));

const orUserError = <T>(name: string, use: () => T): T => {
  try {
    return use();
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw new UserError(`${name}: ${WHY[code] ?? `${message}; check the path`}.`);
  }
};
const readText = (name: string): string => new TextDecoder().decode(readBytes(name));

/** The contract's record of a run, for other programs. */
const writeReport = (file: string, machine: Machine, outcome: Outcome, seconds: number): void => {
  const report = {
    instructions: machine.instructions,
    seconds: Math.round(seconds * 1000) / 1000,
    stop: outcome.stop,
    technique: machine.virtualization?.technique ?? 'none',
    paging: machine.virtualization?.paging ?? 'none',
    exits: exitCounts(machine),
    stateHash: machine.stateHash(),
  };
  writeText(file, `${JSON.stringify(report)}\n`);
};

const writeText = (file: string, text: string): void => {
  if (file === '-') return void process.stderr.write(text);
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new UserError(`${file}: --json cannot be written (${(error as Error).message}); check the path.`);
  }
};

/** Ctrl+C ends the run at the next slice, a second time the process; a reader that has gone (`| head`) ends it too. */
const processHost = (): RunHost & { close(): void } => {
  let stopped = false;
  let readerGone = false;
  const stop = (): void => void (stopped = true);
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  process.stdout.on('error', () => (stopped = readerGone = true));
  return {
    write: (bytes) => void (readerGone || process.stdout.write(bytes)),
    warn: say,
    interrupted: () => stopped,
    close: () => {
      process.off('SIGINT', stop);
      process.off('SIGTERM', stop);
    },
  };
};
