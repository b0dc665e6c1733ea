/**
 * `npm run bench [NAME]`: how fast guests run, beside QEMU's interpreter of translated code where it is installed. Each
 * case checks what the guest did, so that a wrong result cannot be a fast one.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createMachine } from '../emulator';

const root = resolve(__dirname, '..');
const KERNEL = join(root, 'guests', 'sample', 'sample.elf');
const MEMORY_MIB = 128;
const LIMIT = 2_000_000_000;

interface Result {
  seconds: number;
  instructions?: number;
  console: string;
}

interface Case {
  name: string;
  append: string;
  /** In what the guest says when it has done its work. */
  proof: RegExp;
}

const CASES: readonly Case[] = [
  { name: 'sample', append: 'exit', proof: /all tasks have exited: \d+ page faults, \d+ system calls/ },
];

function ringside({ append }: Case): Result {
  let console = '';
  const decoder = new TextDecoder();
  const machine = createMachine({ memory: MEMORY_MIB << 20, cpus: 1 });
  machine.onConsole = (bytes) => (console += decoder.decode(bytes, { stream: true }));
  machine.boot({ name: 'sample.elf', kernel: readFileSync(KERNEL), append });
  const start = performance.now();
  machine.run(LIMIT);
  return { seconds: (performance.now() - start) / 1000, instructions: machine.instructions, console };
}

/** Undefined: not installed. */
function qemu({ append }: Case): Result | undefined {
  const start = performance.now();
  const { stdout, error } = spawnSync(
    'qemu-system-x86_64',
    [
      ...['-accel', 'tcg', '-m', `${MEMORY_MIB}M`, '-kernel', KERNEL, '-append', append, '-display', 'none'],
      ...['-serial', 'stdio', '-no-reboot', '-device', 'isa-debug-exit,iobase=0xf4,iosize=4'],
    ],
    { encoding: 'utf8', timeout: 120_000 },
  );
  return error ? undefined : { seconds: (performance.now() - start) / 1000, console: stdout };
}

const wanted = process.argv[2];
let failed = false;
for (const each of CASES.filter(({ name }) => wanted === undefined || name.includes(wanted))) {
  const ours = ringside(each);
  const theirs = qemu(each);
  for (const [who, result] of [
    ['ringside', ours],
    ['qemu', theirs],
  ] as const) {
    const right = result === undefined || each.proof.test(result.console);
    failed ||= !right;
    const speed = result?.instructions
      ? `, ${(result.instructions / result.seconds / 1e6).toFixed(1)} million instructions/s`
      : '';
    const ratio =
      result && result !== ours ? `, ringside takes ${(ours.seconds / result.seconds).toFixed(2)} times as long` : '';
    const text = result ? `${result.seconds.toFixed(2)} s${speed}${ratio}` : 'not installed';
    console.log(`${each.name} ${who}: ${text}${right ? '' : ' WRONG RESULT'}`);
  }
}
process.exitCode = failed ? 1 : 0;
