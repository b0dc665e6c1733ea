/** One run of a machine: console out, script in, until something ends it. */
import type { Machine } from '../../emulator/machine/api';
import type { RunOptions } from './arguments';
import { OURS, outcomeOf } from './outcome';
import type { Outcome } from './outcome';
import { Script } from './script';
import type { ScriptStep } from './script';
import { ConsoleLine } from './text';

/** Between two slices the process looks at its signals. Where a run ends does not depend on it. */
export const SLICE = 2_000_000;

export interface RunHost {
  write(bytes: Uint8Array): void;
  /** Says once what the guest asked for and does not get. */
  warn(message: string): void;
  /** True: the user wants to stop. */
  interrupted(): boolean;
}

const latin1 = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));

export class Run {
  private readonly script: Script;
  private readonly line = new ConsoleLine();
  /** What the console said ends the run. */
  ended?: Outcome;
  private pending: Uint8Array[] = [];

  constructor(
    private readonly machine: Machine,
    private readonly options: Pick<RunOptions, 'until' | 'fail' | 'input' | 'maxInstructions'>,
    steps: readonly ScriptStep[],
    private readonly host: RunHost,
  ) {
    this.script = new Script(steps);
    machine.onConsole = (bytes) => this.hear(bytes);
    machine.onUnsupported = (what) => host.warn(`the guest asked for what this machine lacks: ${what}`);
  }

  /** What is typed from the start. After boot. */
  begin(): void {
    if (this.options.input) this.machine.typeConsole(latin1(this.options.input));
  }

  async toTheEnd(): Promise<Outcome> {
    this.begin();
    for (;;) {
      this.type();
      const left = this.options.maxInstructions - this.machine.instructions;
      const stop = left > 0 ? this.machine.run(Math.min(SLICE, left)) : undefined;
      this.flush();
      if (this.ended) return this.ended;
      const outcome = stop && outcomeOf(stop);
      if (outcome) return outcome;
      if (this.machine.instructions >= this.options.maxInstructions) return OURS.limit;
      if (this.host.interrupted()) return OURS.interrupted;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** What the script has to say, at the instruction that its last expectation was met at. */
  type(): void {
    const text = this.script.due();
    if (text) this.machine.typeConsole(latin1(text));
  }

  private hear(bytes: Uint8Array): void {
    this.pending.push(bytes.slice());
    for (const byte of bytes) {
      if (this.script.hear(byte)) this.machine.requestStop();
      if (this.ended || !this.line.add(byte)) continue;
      if (this.options.fail?.test(this.line.current)) this.ended = OURS.fail;
      else if (this.options.until?.test(this.line.current)) this.ended = OURS.until;
      if (this.ended) this.machine.requestStop();
    }
  }

  flush(): void {
    for (const bytes of this.pending) this.host.write(bytes);
    this.pending = [];
  }
}
