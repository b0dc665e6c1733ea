/** One guest on our machine, with the clocks read at each line of its console. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { createMachine } from '../../emulator';
import type { StepLoop } from '../../emulator/cpu/run';
import type { BootInput, MachineConfig } from '../../emulator';
import { clocksAtLines } from './lines';
import type { LineMark } from './lines';

export interface GuestSpec {
  kernel: string;
  initrd?: string;
  append: string;
  memoryMib: number;
  tier?: MachineConfig['tier'];
  /** The run ends at the line that has this text. */
  until?: string;
}
export interface GuestReport {
  lines: LineMark[];
  stop: string;
  /** Of this process, besides the guest's RAM. */
  residentBytes: number;
  /** WebAssembly that the compiler tier made; 0 without one. */
  codeBytes: number;
}

/** Between two slices nothing happens; where a run ends does not depend on it. */
const SLICE = 50_000_000;
const LIMIT = 60_000_000_000;

export function runGuest({ kernel, initrd, append, memoryMib, tier, until }: GuestSpec): GuestReport {
  let reached = false;
  const machine = createMachine({ memory: memoryMib << 20, cpus: 1, ...(tier && { tier }) });
  const marks = clocksAtLines(
    () => machine.instructions,
    ({ line }) => {
      if (until === undefined || !line.includes(until)) return;
      reached = true;
      machine.requestStop();
    },
  );
  machine.onConsole = (bytes) => bytes.forEach((byte) => marks.take(byte));
  const input: BootInput = { name: basename(kernel), kernel: readFileSync(kernel), append };
  if (initrd !== undefined) input.initrd = { name: basename(initrd), bytes: readFileSync(initrd) };
  machine.boot(input);
  for (;;) {
    const stop = machine.run(SLICE);
    const ended = stop.kind !== 'limit' || machine.instructions >= LIMIT;
    if (ended)
      return {
        lines: marks.lines,
        stop: reached ? 'until' : stop.kind,
        residentBytes: residentBytes() - (memoryMib << 20),
        codeBytes: codeBytesOf(machine),
      };
  }
}

/** The guest's RAM counts whole, whether it was touched or not: what is left may be less than the truth, never more. */
function residentBytes(): number {
  return process.memoryUsage().rss;
}

/** Nobody but the bench asks, so that the machine's interface does not say it. */
function codeBytesOf(machine: object): number {
  const { loop } = machine as { loop: StepLoop };
  return loop.generated.code.regions?.made.bytes ?? 0;
}
