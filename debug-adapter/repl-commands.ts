/** Commands of the debug console that are no expressions: memory dumps, translations, registers. */
import { UserError } from '../emulator/util/assert';
import { readSpace, shortHex, type Address } from './addresses';
import type { Debuggee } from './debuggee';
import { LINUX_HELP, linuxCommand } from './linux/commands';
import { registerGroups } from './scopes/processor';
import { processorView } from './scopes/frame';
import { steps } from './stepping';
import { stepInTranslation } from './translated-step';
import { checkText, translateAddress } from './translation-text';

export const HELP = [
  'An expression of the program: counter, *page, task->name, $rax, gv:0x1000',
  'x/COUNT FORMAT SIZE ADDRESS   memory: x/8gx $rsp, x/16xb gp:0x1000, x/5i $rip (formats x d u c s i, sizes b h w g)',
  'stepi COUNT                   so many instructions, one after the other; what stops a run stops them, too',
  "step translated               one step in translated code, the processor's own",
  'translate ADDRESS             every step from gv: to hp:; gp: and hp: are looked up backwards',
  'check shadow                  the invariant of shadow paging: the first stale entry, if there is one',
  'info registers                registers of the processor',
  ...LINUX_HELP,
].join('\n');

/** Undefined: it is no command, evaluate it. */
export function runCommand(
  target: Debuggee,
  text: string,
  frameId: number | undefined,
): string | Promise<string> | undefined {
  const [word = '', ...rest] = text.split(/\s+/);
  const argument = rest.join(' ');
  if (text === 'help') return HELP;
  if (word === 'stepi') return stepInstructions(target, argument);
  if (/^x(\/\w*)?$/.test(word) && argument !== '') return examine(target, word.slice(2), argument, frameId);
  if (/^check\s+shadow$/.test(text)) return checkText(target.machine);
  if (/^step\s+translated$/.test(text)) return stepTranslated(target);
  if (word === 'translate' && argument !== '') return translate(target, argument, frameId);
  if (/^info\s+reg(isters)?$/.test(text)) return registers(target);
  return linuxCommand(target.linux, text);
}

const addressOf = (target: Debuggee, text: string, frameId: number | undefined): Address =>
  target.evaluator.addressIn(text, 'address', frameId);

const translate = (target: Debuggee, text: string, frameId: number | undefined): string =>
  translateAddress(target, addressOf(target, text, frameId), {}).text;

function registers(target: Debuggee): string {
  const view = processorView(target, target.currentCpu, () => {});
  return registerGroups(view)
    .filter(({ name }) => /^(General|Segment|Control)$/.test(name))
    .flatMap((group) => group.children!.list().map((node) => `${node.name.padEnd(14)} ${node.value}`))
    .join('\n');
}

/** Answers at once; `stopped` follows. */
function stepInstructions(target: Debuggee, text: string): string {
  const count = Number(text === '' ? '1' : text);
  if (!Number.isInteger(count) || count < 1) throw new UserError(`stepi ${text}: give a number of instructions.`);
  target.mustStand();
  const cpu = target.currentCpu;
  target.resume(steps(target.unwinding, cpu, count, target.lastStop?.kind === 'trap'), cpu, 'step');
  return '';
}

function stepTranslated(target: Debuggee): string {
  stepInTranslation(target, target.currentCpu);
  return '';
}

const SIZES: Record<string, number> = { b: 1, h: 2, w: 4, g: 8 };
const MAX_UNITS = 4096;
const LINE_BYTES = 16;

/** As gdb's `x`. */
function examine(target: Debuggee, options: string, text: string, frameId: number | undefined): string {
  const match = /^(\d{0,5})([xducsi]?)([bhwg]?)([xducsi]?)$/.exec(options);
  if (!match)
    throw new UserError(`x/${options}: write a count, a format of x d u c s i and a size of b h w g, as in x/8gx.`);
  const count = Math.max(1, Math.min(MAX_UNITS, Number(match[1] || '1')));
  const format = match[2] || match[4] || 'x';
  const size = format === 'c' || format === 's' ? 1 : SIZES[match[3] || 'g']!;
  const start = addressOf(target, text, frameId);
  if (format === 'i') return instructions(target, start, count);
  if (format === 's') return string(target, start);
  return units(target, start, count, size, format);
}

const read = (target: Debuggee, address: Address, count: number): Uint8Array =>
  readSpace(target.machine.inspect, target.currentCpu, address, count);

const lineName = (target: Debuggee, space: string, value: bigint): string => {
  const symbol = space === 'gv' ? target.program.describe(value) : undefined;
  return `${space}:${target.address(value)}${symbol === undefined ? '' : ` <${symbol}>`}:`;
};

function units(target: Debuggee, start: Address, count: number, size: number, format: string): string {
  const bytes = read(target, start, count * size);
  const lines: string[] = [];
  for (let at = 0; at + size <= bytes.length; at += LINE_BYTES) {
    const cells: string[] = [];
    for (let unit = at; unit < at + LINE_BYTES && unit + size <= bytes.length; unit += size) {
      cells.push(cell(bytes.subarray(unit, unit + size), format));
    }
    lines.push(`${lineName(target, start.space, start.value + BigInt(at))} ${cells.join(' ')}`);
  }
  if (bytes.length < count * size) {
    lines.push(`${lineName(target, start.space, start.value + BigInt(bytes.length))} not mapped`);
  }
  return lines.join('\n');
}

function cell(bytes: Uint8Array, format: string): string {
  let value = 0n;
  for (let n = bytes.length - 1; n >= 0; n--) value = (value << 8n) | BigInt(bytes[n]!);
  if (format === 'd') return `${BigInt.asIntN(bytes.length * 8, value)}`;
  if (format === 'u') return `${value}`;
  if (format === 'c')
    return value >= 0x20n && value < 0x7fn ? `'${String.fromCharCode(Number(value))}'` : shortHex(value);
  return `0x${value.toString(16).padStart(bytes.length * 2, '0')}`;
}

function string(target: Debuggee, start: Address): string {
  const bytes = read(target, start, 1024);
  const end = bytes.indexOf(0);
  return `${lineName(target, start.space, start.value)} ${JSON.stringify(new TextDecoder('latin1').decode(end < 0 ? bytes : bytes.subarray(0, end)))}`;
}

function instructions(target: Debuggee, start: Address, count: number): string {
  const found = target.machine.inspect.disassemble(target.currentCpu, start.value, count, undefined, start.space);
  if (found.length === 0) return `${lineName(target, start.space, start.value)} not mapped`;
  return found.map((each) => `${lineName(target, start.space, each.gva)} ${each.text}`).join('\n');
}
