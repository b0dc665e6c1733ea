/** Commands of the debug console about the guest's Linux: `tasks`, `lsmod`, `dmesg`, `linux`. */
import { UserError } from '../../emulator/util/assert';
import { hex } from '../addresses';
import type { LinuxGuest } from './guest';
import type { Kernel } from './kernel';
import { loadedModules } from './modules';
import { messageLine, messages } from './printk';

export const LINUX_HELP = [
  'linux                         the kernel that the guest runs, and where KASLR put it',
  'tasks                         its tasks',
  'lsmod                         its modules',
  'dmesg [COUNT]                 its last messages',
];
export const LINUX_COMMANDS: readonly string[] = ['tasks', 'lsmod', 'dmesg ', 'linux'];

const DEFAULT_MESSAGES = 100;
const MOST_MESSAGES = 20_000;

/** Undefined: it is no such command. */
export function linuxCommand(linux: LinuxGuest, text: string): Promise<string> | undefined {
  const match = /^(linux|tasks|lsmod|dmesg)(?:\s+(\d{1,9}))?$/.exec(text);
  if (match === null || (match[2] !== undefined && match[1] !== 'dmesg')) return undefined;
  return run(linux, match[1]!, match[2] === undefined ? DEFAULT_MESSAGES : Number(match[2]));
}

async function run(linux: LinuxGuest, command: string, count: number): Promise<string> {
  const kernel = await linux.ensure();
  if (kernel === undefined) throw new UserError(NOT_FOUND);
  if (command === 'linux') return describeKernel(kernel);
  if (kernel.types === undefined) throw new UserError(NO_TYPES);
  if (command === 'tasks') return tasks(kernel);
  if (command === 'lsmod') return modules(kernel);
  const found = messages(kernel, Math.min(count, MOST_MESSAGES));
  if (found === undefined) throw new UserError('This kernel keeps its messages in a way that is not known.');
  return found.map(messageLine).join('\n');
}

const NOT_FOUND =
  'No Linux kernel is found: either the guest has not come that far, or it is another system, or its kernel was built without CONFIG_KALLSYMS.';
const NO_TYPES =
  "The kernel was built without CONFIG_DEBUG_INFO_BTF: give its vmlinux with debug information under 'symbols'.";

function describeKernel(kernel: Kernel): string {
  const { slide, range } = kernel;
  const moved = slide === undefined || slide === 0n ? '' : `, moved by KASLR by ${slide < 0n ? '-' : ''}0x${(slide < 0n ? -slide : slide).toString(16)}`; // prettier-ignore
  return [
    kernel.banner,
    `image at gv:${hex(range.start)} to gv:${hex(range.end)}${moved}`,
    `command line: ${kernel.commandLine || '(not read yet)'}`,
    `symbols: ${kernel.file.summary}; types: ${kernel.types === undefined ? 'none' : 'BTF'}; frames: ${kernel.hasOrc ? 'ORC' : 'frame pointers and return addresses'}`,
  ].join('\n');
}

function tasks(kernel: Kernel): string {
  const rows = [...kernel.tasks.all()].map(({ pid, tgid, comm, state, cpu, gva, mm }) => [
    `${pid}`,
    pid === tgid ? '' : `${tgid}`,
    state,
    `${cpu ?? ''}`,
    mm === 0n ? `[${comm}]` : comm,
    hex(gva),
  ]);
  return table([['PID', 'of', 'state', 'CPU', 'command', 'task_struct'], ...rows]);
}

function modules(kernel: Kernel): string {
  const rows = (loadedModules(kernel) ?? []).map(({ name, start, end }) => [name, hex(start), `${end - start} bytes`]);
  return rows.length === 0 ? 'No module is loaded.' : table([['module', 'code at', 'size'], ...rows]);
}

function table(rows: string[][]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column]!)).join('  ').trimEnd()).join('\n'); // prettier-ignore
}
