/** `domains CONFIG.json`: several domains on one host until each has ended, their consoles in one stream. */
import { dirname, resolve } from 'node:path';
import { Domains } from '../../emulator/index';
import type { Domain, DomainConfig } from '../../emulator/index';
import { UserError } from '../../emulator/util/assert';
import { array, integer, isObject, object, optional, string } from '../arguments';
import { splitDisk } from '../disk-option';
import { Interleaved } from '../interleaved';
import { parseCommand } from './arguments';
import type { RunOptions } from './arguments';
import { exitCounts } from './compare';
import { machineInput, readScript, readText, writeDisks } from './files';
import { OURS, outcomeOf, STATUS } from './outcome';
import type { Outcome } from './outcome';
import { Run, SLICE } from './run';
import type { RunHost } from './run';

/** Of `run`, under the names of launch attributes; those of files are relative to where the description lies. */
const OPTIONS = {
  memory: '--memory', cpus: '--cpus', cpu: '--cpu', append: '--append', initrd: '--initrd', module: '--module', disk: '--disk',
  console: '--console', firmware: '--firmware', vgaRom: '--vga-rom', input: '--input', script: '--script', until: '--until',
  fail: '--fail', technique: '--technique', paging: '--paging', tier: '--tier',
} as const; // prettier-ignore
const PATHS: readonly string[] = ['initrd', 'module', 'firmware', 'vgaRom', 'script'];
const OWN = ['name', 'kernel', 'weight', 'cap'];

interface Wanted {
  config: DomainConfig;
  options: RunOptions;
}

interface Running extends Wanted {
  domain: Domain;
  run: Run;
  outcome?: Outcome;
}

/** UserError: a bad description, with its place. */
export async function runDomains(
  file: string,
  maxInstructions: number,
  host: RunHost,
): Promise<{ status: number; report: object }> {
  const wanted = readDomains(file);
  const domains = new Domains(wanted.map(({ config }) => config));
  const stream = new Interleaved();
  const running = wanted.map((each, i) => start(each, domains, domains.all[i], host, stream));
  const began = performance.now();
  await toTheEnd(domains, running, maxInstructions, host);
  const seconds = Math.round(performance.now() - began) / 1000;
  for (const { domain, options, outcome } of running) {
    writeDisks(domain.machine, options.disks);
    if (outcome?.message) host.warn(`${domain.name}: ${outcome.message} (${domain.machine.instructions} instructions).`);
  }
  const statuses = running.map(({ outcome }) => outcome?.status ?? STATUS.limit);
  const status = host.interrupted() ? STATUS.interrupted : (statuses.find((each) => each === STATUS.died) ?? Math.max(...statuses));
  return { status, report: { instructions: domains.instructions, seconds, domains: running.map(reportOf) } };
} // prettier-ignore

function start(wanted: Wanted, domains: Domains, domain: Domain, host: RunHost, stream: Interleaved): Running {
  const { options } = wanted;
  const write = (bytes: Uint8Array): void =>
    host.write(Buffer.from(stream.add(domain.name, Buffer.from(bytes).toString('latin1')), 'latin1'));
  const warn = (message: string): void => host.warn(`${domain.name}: ${message}`);
  const run = new Run(domain.machine, options, readScript(options), { ...host, write, warn });
  domains.boot(domain.id, machineInput(options));
  run.begin();
  return { ...wanted, domain, run };
}

async function toTheEnd(domains: Domains, running: Running[], most: number, host: RunHost): Promise<void> {
  for (;;) {
    for (const { run, outcome } of running) if (!outcome) run.type();
    const left = most - domains.instructions;
    const stop = left > 0 ? domains.run(Math.min(SLICE, left)) : undefined;
    for (const each of running) settle(each, each.domain.id === stop?.domain ? stop : undefined, domains);
    if (running.every(({ outcome }) => outcome)) return;
    if (stop?.domain === undefined && stop && stop.kind !== 'limit') return waiting(running);
    if (domains.instructions >= most) return limited(running);
    if (host.interrupted()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
const waiting = (running: Running[]): void => {
  for (const each of running) each.outcome ??= outcomeOf({ kind: 'idle' });
};
const limited = (running: Running[]): void => {
  for (const each of running) each.outcome ??= OURS.limit;
};
/** Shows what it said; one whose console said the last word stands there. */
function settle(each: Running, stop: Parameters<typeof outcomeOf>[0] | undefined, domains: Domains): void {
  each.run.flush();
  if (each.outcome) return;
  each.outcome = each.run.ended ?? (stop && outcomeOf(stop));
  if (each.run.ended) domains.pause(each.domain.id);
}

const reportOf = ({ domain: { name, machine }, outcome }: Running): object => ({
  name,
  technique: machine.virtualization?.technique ?? 'none',
  paging: machine.virtualization?.paging ?? 'none',
  instructions: machine.instructions,
  stop: outcome?.stop ?? OURS.interrupted.stop,
  exits: exitCounts(machine),
  stateHash: machine.stateHash(),
});

// --- The description

function readDomains(file: string): Wanted[] {
  const fail = (why: string): never => {
    throw new UserError(`${file}: ${why}`);
  };
  let parsed: unknown;
  try {
    parsed = JSON.parse(readText(file));
  } catch (error) {
    if (error instanceof UserError) throw error;
    fail(`this is no JSON (${(error as Error).message.replace(/\s+/g, ' ')}); write { "domains": [ { "kernel": "FILE" } ] }.`);
  }
  const within = <T>(place: string, use: () => T): T => {
    try {
      return use();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return fail(`${place}${error.message}`);
    }
  };
  const { domains } = within('', () => object({ domains: array((value) => value) })(parsed, ''));
  if (domains.length === 0) fail(`'domains' is empty; describe at least one.`);
  return domains.map((value, i) => within(`domains[${i}]: `, () => wantedOf(value, i, dirname(file))));
} // prettier-ignore

const SHAPE = object({ name: optional(string), kernel: optional(string), weight: optional(integer()), cap: optional(integer()) }); // prettier-ignore

function wantedOf(value: unknown, index: number, folder: string): Wanted {
  const { name = `domain ${index + 1}`, kernel, weight, cap } = SHAPE(value, '');
  const args = ['run'];
  if (kernel !== undefined) args.push(resolve(folder, kernel));
  for (const [key, given] of Object.entries(isObject(value) ? value : {})) {
    if (OWN.includes(key)) continue;
    const option = (OPTIONS as Record<string, string | undefined>)[key];
    if (option === undefined)
      throw new UserError(`'${key}' is no attribute of a domain; there are ${[...OWN, ...Object.keys(OPTIONS)].join(', ')}.`);
    for (const each of Array.isArray(given) ? given : [given]) args.push(option, valueOf(key, each, folder));
  }
  const command = parseCommand(args);
  if (command.kind !== 'run') throw new UserError('a domain is described by attributes alone.');
  const { memory, cpus, cpu, tier, technique, paging } = command.options;
  return { config: { name, weight, cap, memory, cpus, cpu, tier, technique, paging }, options: command.options };
} // prettier-ignore

function valueOf(key: string, value: unknown, folder: string): string {
  if (typeof value !== 'string' && typeof value !== 'number')
    throw new UserError(`'${key}' is ${JSON.stringify(value)}; give a string or a number, or a list of them.`);
  const text = String(value);
  if (key === 'disk') {
    const [path, options] = splitDisk(text);
    return resolve(folder, path) + options;
  }
  return PATHS.includes(key) ? resolve(folder, text) : text;
}
