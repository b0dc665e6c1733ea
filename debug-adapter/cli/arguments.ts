/** The command line of `run`, checked. Reads no file. */
import { parseArgs } from 'node:util';
import { TECHNIQUES } from '../../emulator/index';
import type { Paging, Technique } from '../../emulator/index';
import { UserError } from '../../emulator/util/assert';
import { nearest } from '../../emulator/util/nearest';
import { parseDisk } from '../disk-option';
import type { DiskOption } from '../disk-option';
import { MEMORY_MIB } from '../launch';
import { unescape } from './text';

export interface RunOptions {
  /** Undefined: the firmware starts what is on a disk. */
  kernel?: string;
  firmware?: string;
  vgaRom?: string;
  memory: number;
  cpus: number;
  tier?: (typeof TIERS)[number];
  cpu?: string;
  technique?: Technique;
  paging?: Paging;
  append?: string;
  initrd?: string;
  modules: string[];
  disks: DiskOption[];
  console?: 'serial' | 'virtio';
  input?: string;
  script?: string;
  until?: RegExp;
  fail?: RegExp;
  maxInstructions: number;
  json?: string;
}

/** One column of a comparison: what stands before and behind the slash of `vt-x/shadow`. */
export interface Way {
  technique: Technique;
  paging?: Paging;
}
export type Command =
  | { kind: 'help' }
  | { kind: 'run'; options: RunOptions }
  | { kind: 'compare'; options: RunOptions; ways: Way[] }
  | { kind: 'domains'; file: string; maxInstructions: number; json?: string };

const OPTIONS = {
  help: { type: 'boolean', short: 'h' },
  memory: { type: 'string' },
  cpus: { type: 'string' },
  cpu: { type: 'string' },
  append: { type: 'string' },
  initrd: { type: 'string' },
  module: { type: 'string', multiple: true },
  disk: { type: 'string', multiple: true },
  console: { type: 'string' },
  firmware: { type: 'string' },
  'vga-rom': { type: 'string' },
  input: { type: 'string' },
  script: { type: 'string' },
  until: { type: 'string' },
  fail: { type: 'string' },
  'max-instructions': { type: 'string' },
  technique: { type: 'string' },
  paging: { type: 'string' },
  techniques: { type: 'string' },
  tier: { type: 'string' },
  json: { type: 'string' },
} as const;

const MIB = 1 << 20;
/** As machine.ts has it. */
const MAX_CPUS = 8;
const PAGING = ['shadow', 'direct', 'nested'] as const;
const CONSOLES = ['serial', 'virtio'] as const;
const COMMANDS = ['run', 'compare', 'domains'];
const TIERS = ['interpreter', 'compiler'] as const;

type Values = ReturnType<typeof parse>['values'];

/** UserError: which option, what it is, what it should be. */
export const parseCommand = (args: readonly string[]): Command => {
  const { values, positionals } = parse(args);
  if (values.help) return { kind: 'help' };
  const [command, kernel, ...rest] = positionals;
  if (command === undefined) throw new UserError('no command was given; try: run KERNEL, or --help.');
  if (command === 'help') return { kind: 'help' };
  if (command === 'domains') return domainsCommand(kernel, rest, values);
  if (command !== 'run' && command !== 'compare')
    throw new UserError(
      `"${command}" is not a command; try: ${nearest(command, COMMANDS) ?? `run ${command}`}, or --help.`,
    );
  if (kernel === undefined && values.firmware === undefined)
    throw new UserError(`${command} needs a kernel; try: ${command} KERNEL.`);
  if (rest.length > 0)
    throw new UserError(`"${rest[0]}" is one name too many; put a command line for the kernel into --append "...".`);
  if (command === 'compare') return { kind: 'compare', options: compareOptions(kernel, values), ways: ways(values) };
  if (values.techniques !== undefined)
    throw new UserError('--techniques belongs to compare; give run one --technique, or use compare.');
  return { kind: 'run', options: runOptions(kernel, values) };
};

const parse = (args: readonly string[]) => {
  // A value may begin with a dash (--append -v): take it as the value, as it stands behind an option that needs one.
  const joined: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const option = OPTIONS[args[i]!.replace(/^--/, '') as keyof typeof OPTIONS];
    const takesValue = args[i]!.startsWith('--') && option?.type === 'string';
    if (takesValue && i + 1 < args.length) joined.push(`${args[i]}=${args[++i]}`);
    else joined.push(args[i]!);
  }
  try {
    return parseArgs({ args: joined, options: OPTIONS, allowPositionals: true });
  } catch (error) {
    const { message } = error as Error;
    const unknown = /^Unknown option '(.*?)'/.exec(message);
    if (unknown) throw new UserError(`${unknown[1]} is not an option; ${meantOption(unknown[1]!)}see --help.`);
    const missing = /^Option '(?:-\w, )?(--[\w-]+).*argument missing/.exec(message);
    if (missing) throw new UserError(`${missing[1]} needs a value; see --help.`);
    throw new UserError(`${message.split('\n')[0]!.replace(/[.]?$/, '')}; see --help.`);
  }
};

const meantOption = (option: string): string => {
  const meant = nearest(option.replace(/^--/, ''), Object.keys(OPTIONS));
  return meant === undefined ? '' : `did you mean --${meant}? `;
};

/** What belongs to one domain stands in the file. */
const domainsCommand = (file: string | undefined, rest: readonly string[], values: Values): Command => {
  if (file === undefined) throw new UserError('domains needs a file that describes them; try: domains CONFIG.json.');
  if (rest.length > 0) throw new UserError(`"${rest[0]}" is one name too many; domains takes one file.`);
  for (const option of Object.keys(values))
    if (option !== 'json' && option !== 'max-instructions')
      throw new UserError(
        `--${option} belongs into the file, to a domain; domains takes --json and --max-instructions.`,
      );
  return { kind: 'domains', file, maxInstructions: limit(values), json: values.json };
};

const compareOptions = (kernel: string | undefined, values: Values): RunOptions => {
  for (const option of ['technique', 'paging'] as const)
    if (values[option] !== undefined)
      throw new UserError(
        `--${option} belongs to run; give compare --techniques, such as none,trap-and-emulate/shadow.`,
      );
  return runOptions(kernel, values);
};
/** `--techniques none,trap-and-emulate,vt-x/shadow`: all that run a kernel as it is, unless said. */
const ways = ({ techniques }: Values): Way[] => {
  if (techniques === undefined)
    return TECHNIQUES.filter((name) => name !== 'paravirtual').map((technique) => ({ technique }));
  return techniques.split(',').map((text) => {
    const [name, paging] = text.trim().split('/');
    const way = { technique: technique('--techniques', name) ?? 'none' };
    return paging === undefined ? way : { ...way, paging: oneOf('--techniques', paging, PAGING) };
  });
};

const runOptions = (kernel: string | undefined, values: Values): RunOptions => {
  oneOf('--tier', values.tier, TIERS);
  checkFirmware(kernel, values);
  return {
    kernel,
    memory: memory(values.memory),
    cpus: whole('--cpus', values.cpus, 1, MAX_CPUS) ?? 1,
    cpu: values.cpu,
    technique: technique('--technique', values.technique),
    paging: paging(values),
    ...(values.tier === undefined ? {} : { tier: values.tier as (typeof TIERS)[number] }),
    append: values.append,
    initrd: values.initrd,
    modules: values.module ?? [],
    disks: (values.disk ?? []).map((text) => parseDisk(text, '--disk')),
    console: oneOf('--console', values.console, CONSOLES),
    firmware: values.firmware,
    vgaRom: values['vga-rom'],
    input: values.input === undefined ? undefined : unescape(values.input),
    script: values.script,
    until: regex('--until', values.until),
    fail: regex('--fail', values.fail),
    maxInstructions: limit(values),
    json: values.json,
  };
};

const limit = (values: Values): number => whole('--max-instructions', values['max-instructions'], 1) ?? Infinity;

const technique = (option: string, value: string | undefined): Technique | undefined => {
  oneOf(option, value, TECHNIQUES);
  return value as Technique | undefined;
};
const paging = (values: Values): Paging | undefined => {
  oneOf('--paging', values.paging, PAGING);
  if (values.paging !== undefined && (values.technique ?? 'none') === 'none')
    throw new UserError(
      `--paging ${values.paging} needs a technique other than none; leave it out, or give --technique.`,
    );
  return values.paging as Paging | undefined;
};

/** A BIOS finds by itself what it starts; what goes with a kernel has no place there. */
const checkFirmware = (kernel: string | undefined, values: Values): void => {
  if (values.firmware !== undefined && (values.technique ?? 'none') !== 'none')
    throw new UserError('--firmware runs on the bare machine; leave --technique out.');
  if (values.firmware === undefined) {
    if (values['vga-rom'] !== undefined) throw new UserError('--vga-rom is called by a BIOS; give --firmware, too.');
    return;
  }
  if (kernel !== undefined)
    throw new UserError(`--firmware starts what is on a disk, not "${kernel}"; leave one of the two out.`);
  for (const option of ['append', 'initrd', 'module'] as const)
    if (values[option] !== undefined)
      throw new UserError(`--${option} goes with a kernel; leave it or --firmware out.`);
};

const oneOf = <T extends string>(option: string, value: string | undefined, known: readonly T[]): T | undefined => {
  if (value !== undefined && !known.includes(value as T))
    throw new UserError(`${option} is "${value}"; give one of ${known.join(', ')}.`);
  return value as T | undefined;
};

const memory = (value: string | undefined): number => {
  if (value === undefined) return MEMORY_MIB.default * MIB;
  const match = /^(\d+)([KMG]?)i?B?$/i.exec(value);
  const unit = { '': 1, K: 1024, M: MIB, G: 1024 * MIB }[match?.[2]?.toUpperCase() ?? '']!;
  const bytes = match ? Number(match[1]) * unit : NaN;
  if (bytes >= MEMORY_MIB.least * MIB && bytes <= MEMORY_MIB.most * MIB && bytes % MIB === 0) return bytes;
  throw new UserError(
    `--memory is "${value}"; give whole MiB from ${MEMORY_MIB.least}M to ${MEMORY_MIB.most}M, for example 256M.`,
  );
};

const whole = (option: string, value: string | undefined, least: number, most = Infinity): number | undefined => {
  if (value === undefined) return undefined;
  const number = /^\d[\d_]*$/.test(value) ? Number(value.replaceAll('_', '')) : NaN;
  if (Number.isSafeInteger(number) && number >= least && number <= most) return number;
  const range = most === Infinity ? `of at least ${least}` : `from ${least} to ${most}`;
  throw new UserError(`${option} is "${value}"; give a whole number ${range}.`);
};

export const regex = (what: string, source: string | undefined): RegExp | undefined => {
  if (source === undefined) return undefined;
  try {
    return new RegExp(source);
  } catch (error) {
    const why = (error as Error).message.replace(/^Invalid regular expression: /, '');
    throw new UserError(
      `${what} is no regular expression (${why}); put \\ before characters that stand for themselves.`,
    );
  }
};
