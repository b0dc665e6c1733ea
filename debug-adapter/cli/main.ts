/** From arguments to exit status. */
import { createMachine } from '../../emulator/index';
import type { Machine } from '../../emulator/machine/api';
import { UserError } from '../../emulator/util/assert';
import { parseCommand } from './arguments';
import type { Command, RunOptions, Way } from './arguments';
import { comparisonReport, comparisonText, exitCounts, holesText, nameOf, runOne } from './compare';
import type { Compared } from './compare';
import { firstDivergence } from './divergence';
import { runDomains } from './domains';
import { machineInput, readScript, writeDisks, writeText } from './files';
import { OURS, STATUS } from './outcome';
import type { Outcome } from './outcome';
import { Run } from './run';
import type { RunHost } from './run';
import { USAGE } from './usage';

const say = (message: string): void => void process.stderr.write(`ringside: ${message}\n`);

/** Never rejects. */
export const main = async (args: readonly string[]): Promise<number> => {
  try {
    const command = parseCommand(args);
    if (command.kind === 'run') return await run(command.options);
    if (command.kind === 'compare') return await compare(command.options, command.ways);
    if (command.kind === 'domains') return await domains(command);
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

/** Several domains on one host, side by side. */
const domains = async ({ file, maxInstructions, json }: Extract<Command, { kind: 'domains' }>): Promise<number> => {
  if (json !== undefined) writeText(json, '');
  const host = processHost();
  try {
    const { status, report } = await runDomains(file, maxInstructions, host);
    if (json !== undefined) writeText(json, `${JSON.stringify(report)}\n`);
    return status;
  } finally {
    host.close();
  }
};

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
