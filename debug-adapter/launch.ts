/** Launch attributes: what each may be, and what to say when it is not. Reads no file. */
import { TECHNIQUES } from '../emulator/index';
import { assert, UserError } from '../emulator/util/assert';
import { nearest } from '../emulator/util/nearest';
import { array, boolean, integer, isObject, object, oneOf, optional, record, string, type Checked } from './arguments';
import { parseDisk } from './disk-option';

const MIB = 1 << 20;
/** Guest RAM, MiB: it shares a 4 GiB linear memory with the processor's state and the code. */
export const MEMORY_MIB = { default: 256, least: 2, most: 3072 } as const;
/** As the machine has it. */
const MAX_CPUS = 8;
/** As the scheduler has it. */
const MAX_WEIGHT = 65_535;

const listOfPaths = (value: unknown, place: string): string[] =>
  typeof value === 'string' ? [value] : array(string)(value, place);

/** As on the command line, but that the adapter never writes to files. */
function listOfDisks(value: unknown, place: string): string[] {
  const list = listOfPaths(value, place);
  list.forEach((text, n) => {
    if (parseDisk(text, `'${place}[${n}]'`).writeback)
      throw new UserError(`'${place}[${n}]' is "${text}": a debugging session changes no file; leave writeback out.`);
  });
  return list;
}

const ATTRIBUTES = {
  kernel: optional(string),
  firmware: optional(string),
  vgaRom: optional(string),
  disk: optional(listOfDisks),
  console: optional(oneOf('serial', 'virtio')),
  initrd: optional(string),
  module: optional(listOfPaths),
  append: optional(string),
  memory: optional(memoryBytes),
  cpus: optional(integer(1, MAX_CPUS)),
  cpu: optional(string),
  input: optional(string),
  symbols: optional(listOfPaths),
  sourceMap: optional(record(string)),
  stopOnEntry: optional(boolean),
  maxInstructions: optional(integer(1)),
  tier: optional(oneOf('interpreter', 'compiler')),
  technique: optional(oneOf(...TECHNIQUES)),
  paging: optional(oneOf('shadow', 'direct', 'nested')),
  record: optional((value: unknown, place: string) => (typeof value === 'string' ? value : boolean(value, place))),
  noDebug: optional(boolean),
};
/** Of a domain, besides. */
const OF_A_DOMAIN = {
  name: optional(string),
  weight: optional(integer(1, MAX_WEIGHT)),
  cap: optional(integer(0, 100)),
};

type Attributes = Checked<ReturnType<typeof object<typeof ATTRIBUTES>>>;
export type DomainLaunch = Attributes & { name: string; weight?: number | undefined; cap?: number | undefined };
export type LaunchConfig = Attributes & { /** At least one, under different names. */ domains?: DomainLaunch[] };

/** What VS Code and its tasks add to every configuration. */
const OF_THE_EDITOR = new Set([
  'type', 'name', 'request', 'preLaunchTask', 'postDebugTask', 'internalConsoleOptions', 'presentation', 'order',
  'debugServer', 'serverReadyAction', 'suppressMultipleSessionWarning', 'restart', 'windows', 'linux', 'osx', 'trace',
]); // prettier-ignore

function memoryBytes(value: unknown, place: string): number {
  const match = /^([0-9]+)\s*([KMG]?)i?B?$/i.exec(typeof value === 'number' ? `${value}` : string(value, place).trim());
  const unit = { '': 1, K: 1024, M: MIB, G: 1024 * MIB }[match?.[2]?.toUpperCase() ?? ''];
  const bytes = match && unit ? Number(match[1]) * unit : NaN;
  if (!(bytes >= MEMORY_MIB.least * MIB && bytes <= MEMORY_MIB.most * MIB && bytes % MIB === 0)) {
    throw new UserError(
      `'${place}' is ${JSON.stringify(value)}; give whole MiB from ${MEMORY_MIB.least}M to ${MEMORY_MIB.most}M, for example "256M".`,
    );
  }
  return bytes;
}

/** The checked attributes, and remarks about those that nobody knows. UserError names the attribute, value, remedy. */
export function checkLaunch(raw: unknown): { config: LaunchConfig; remarks: string[] } {
  if (!isObject(raw)) throw new UserError('The launch request has no attributes; give at least "kernel": "PATH".');
  if (raw.domains !== undefined && raw.domains !== null) return checkDomains(raw);
  const config = checked(raw, '');
  return { config, remarks: remarksOn(raw, ATTRIBUTES) };
}

/** What stands beside `domains` holds for each that does not say otherwise. */
function checkDomains({ domains, name: _, ...common }: Record<string, unknown>): {
  config: LaunchConfig;
  remarks: string[];
} {
  const list = inLaunch(() => array(object({}))(domains, 'domains') && (domains as Record<string, unknown>[]));
  if (list.length === 0) throw new UserError("Launch attribute 'domains' is empty; describe at least one.");
  const launches = list.map((each, i) => checkDomain({ ...common, ...each }, i));
  const names = launches.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    throw new UserError(`Launch attribute 'domains' has two that are named "${twice}"; give each a name of its own.`);
  const remarks = [common, ...list].flatMap((each) => remarksOn(each, { ...ATTRIBUTES, ...OF_A_DOMAIN }));
  return { config: { ...launches[0]!, domains: launches }, remarks };
}

/** One domain's attributes; `index` names it where it has no name. UserError as checkLaunch. */
export function checkDomain(raw: Record<string, unknown>, index: number): DomainLaunch {
  const place = `domains[${index}]`;
  const { name = `domain ${index + 1}`, weight, cap } = inLaunch(() => object(OF_A_DOMAIN)(raw, place));
  if (name.trim() === '') throw new UserError(`Launch attribute '${place}.name' is empty; give a name.`);
  return { ...checked(raw, place), name, weight, cap };
}

function checked(raw: Record<string, unknown>, place: string): Attributes {
  const config = inLaunch(() => object(ATTRIBUTES)(raw, place));
  checkStart(config);
  refuseWhatIsLacking(config);
  return config;
}
function inLaunch<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    throw error instanceof UserError ? new UserError(`Launch attribute ${error.message}`) : error;
  }
}

const remarksOn = (raw: Record<string, unknown>, known: object): string[] =>
  Object.keys(raw)
    .filter((key) => !(key in known) && !OF_THE_EDITOR.has(key) && !key.startsWith('__'))
    .map((key) => `Launch attribute '${key}' is not known and has no effect${similar(key)}`);

/** The file that starts the machine: the kernel, or else the firmware. */
export const startedFile = ({ kernel, firmware }: Attributes): string => {
  assert(kernel !== undefined || firmware !== undefined, 'a launch has been checked without a kernel or firmware');
  return kernel ?? firmware!;
};

function checkStart({ kernel, firmware, vgaRom, append, initrd, module }: Attributes): void {
  const refuse = (attribute: string, message: string): never => {
    throw new UserError(`Launch attribute '${attribute}' ${message}.`);
  };
  if (kernel?.trim() === '') refuse('kernel', 'is empty; give the path of a kernel');
  if (firmware === undefined) {
    if (kernel === undefined) refuse('kernel', 'is missing; give a string, the path of a kernel');
    if (vgaRom !== undefined) refuse('vgaRom', `is called by a BIOS; give 'firmware', too`);
    return;
  }
  if (kernel !== undefined) refuse('firmware', `starts what is on a disk, not a kernel; leave it or 'kernel' out`);
  for (const [name, value] of Object.entries({ append, initrd, module }))
    if (value !== undefined) refuse(name, `goes with a kernel; leave it or 'firmware' out`);
}

function refuseWhatIsLacking(config: Attributes): void {
  const { technique = 'none' } = config;
  if (technique !== 'none' && config.firmware !== undefined)
    throw new UserError(`Launch attribute 'firmware' runs on the bare machine; leave 'technique' out.`);
  if (config.paging !== undefined && technique === 'none') {
    throw new UserError(
      `Launch attribute 'paging' is "${config.paging}", which needs a technique other than "none"; remove it.`,
    );
  }
  if (config.record !== undefined && config.record !== false) {
    throw new UserError(`Launch attribute 'record' is not available in this version; remove it.`);
  }
}

/** `; did you mean 'memory'?` for a slip of the finger. */
function similar(key: string): string {
  const meant = nearest(key, Object.keys(ATTRIBUTES));
  return meant === undefined ? '.' : `; did you mean '${meant}'?`;
}
