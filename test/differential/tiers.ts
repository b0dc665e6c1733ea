/**
 * The same random programs in the interpreter and in the compiler: equal registers, flags, floats, memory and faults wherever
 * both are stopped. `npm run test:tiers` runs as many millions of instructions as wanted.
 */
import assert from 'node:assert/strict';
import * as layout from '../../emulator/execution/layout';
import type { CpuState } from '../../emulator/cpu/state';
import type { Tier } from '../../emulator/execution/tier';
import { decode } from '../../emulator/isa/decode';
import { Program } from './program';
import { Random } from './random';
import { wildStyle } from './styles';
import { MODES, UserMachine } from './user-machine';
import type { Fault, Mode } from './user-machine';

/** Compiles what was executed a few times: programs are short. */
export const EAGER: Tier = { threshold: 24, batch: 4, blocks: 24, instructions: 200, moduleBytes: 400_000 };
/** From one loop's head to the next, at most, or nearly: by it programs get their loops' counter. */
export const INSTRUCTIONS_A_LOOP = 40;
/** Forms of instructions are never forgotten: after so many programs a machine is replaced. */
const MACHINE_LIFE = 1000;

export interface Figures {
  programs: number;
  /** Instructions that were generated at random, and how many different ones. */
  generated: number;
  distinct: Set<string>;
  /** That retired, in each tier; those of them that compiled code did; faults besides. */
  executed: number;
  compiled: number;
  faults: number;
  regions: number;
  /** Programs that came to no end, and were not compared. */
  endless: number;
}
export const noFigures = (): Figures => ({ programs: 0, generated: 0, distinct: new Set(), executed: 0, compiled: 0, faults: 0, regions: 0, endless: 0 }); // prettier-ignore

export const hex = (value: number | bigint): string => value.toString(16);
const describe = ({ state }: { state: CpuState }): string =>
  `rip ${hex(state.rip)} rflags ${hex(state.rflags)} gprs ${Array.from({ length: 16 }, (_, i) => hex(state.gpr(i))).join(' ')}`;
const faultText = (f?: Fault): string => f ? `vector ${f.vector} ${hex(f.errorCode)} at ${hex(f.rip)}, ${hex(f.address)}` : 'none'; // prettier-ignore

const sameFault = (a?: Fault, b?: Fault): boolean =>
  a === b ||
  (a?.rip === b?.rip && a?.vector === b?.vector && a?.errorCode === b?.errorCode && a?.address === b?.address);

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
/** Parts of the state, without how flags are kept and what generated code and the run loop talk about. */
const PARTS = [
  [layout.GPRS, layout.FLAG_S],
  [layout.SEGMENTS, layout.STATE_END],
] as const;

/** What is different, in a few words. */
function difference(a: UserMachine, b: UserMachine, memory: boolean): string | undefined {
  const [x, y] = [a.cpu.state, b.cpu.state];
  if (a.loop.instructions !== b.loop.instructions)
    return `retired ${a.loop.instructions}, compiler ${b.loop.instructions}`;
  if (a.faults.length !== b.faults.length || !sameFault(a.faults.at(-1), b.faults.at(-1)))
    return `fault ${faultText(a.faults.at(-1))}, compiler ${faultText(b.faults.at(-1))}`;
  if (
    x.rflags !== y.rflags ||
    PARTS.some(([from, to]) => !same(x.bytes.subarray(from, to), y.bytes.subarray(from, to)))
  ) {
    const [first, second] = [describe(a.cpu), describe(b.cpu)];
    if (first !== second) return `${first}\ncompiler ${second}`;
    const at = x.bytes.findIndex((byte, i) => i >= layout.GPRS && i < layout.STATE_END && (i < layout.FLAG_S || i >= layout.SEGMENTS) && byte !== y.bytes[i]); // prettier-ignore
    return `state at +0x${hex(at - layout.STATE)}: ${x.bytes.slice(at, at + 16).join()}, compiler ${y.bytes.slice(at, at + 16).join()}`;
  }
  if (!memory) return undefined;
  const [low, other] = [a.memory.low, b.memory.low];
  if (same(low, other)) return undefined;
  return `memory at 0x${hex(low.findIndex((byte, i) => byte !== other[i]))}`;
}

export class TierComparison {
  private interpreter = new UserMachine('interpreter');
  private compiler = new UserMachine(EAGER);
  readonly figures = noFigures();
  /** Registers at the stop before. */
  private readonly before = new Uint8Array(layout.STATE_END);
  private textBefore(): string {
    const { state } = this.interpreter.cpu;
    state.bytes.set(this.before, 0);
    return describe({ state });
  }

  /** Everything has been compared. */
  flush(): void {}

  /** A program of the seed; `instructions` at most. Throws at the first difference. */
  compare(seed: number, instructions: number): void {
    if (this.figures.programs > 0 && this.figures.programs % MACHINE_LIFE === 0) {
      this.interpreter = new UserMachine('interpreter');
      this.compiler = new UserMachine(EAGER);
    }
    const random = new Random(seed);
    const mode = random.pick([...MODES, MODES[0], MODES[0]]);
    const program = new Program(wildStyle(mode, 20 + random.below(instructions / INSTRUCTIONS_A_LOOP), random), random);
    const writableCode = program.style.writesCode || random.oneIn(2);
    const both = [this.interpreter, this.compiler];
    const { figures } = this;
    const regionsBefore = this.compiler.loop.generated.code.regions!.made.regions;
    for (const machine of both) machine.load(program, mode, writableCode);
    for (let stops = 0; this.interpreter.loop.instructions < instructions && stops < instructions; stops++) {
      const budget = random.oneIn(8) ? 1 + random.below(4) : 1 + random.below(random.oneIn(4) ? 20_000 : 2000);
      this.before.set(this.interpreter.cpu.state.bytes.subarray(0, layout.STATE_END));
      for (const machine of both) machine.run(budget);
      const last = this.interpreter.finished || this.interpreter.loop.instructions >= instructions;
      const different = difference(this.interpreter, this.compiler, last || random.oneIn(16));
      if (different)
        assert.fail(`seed ${seed}, ${mode.name}, stop ${stops}, ${this.interpreter.loop.instructions} instructions: ${different}\nbefore ${this.textBefore()}\n${listing(program, mode)}`); // prettier-ignore
      if (this.interpreter.finished) break;
    }
    figures.programs++;
    figures.generated += program.random.length;
    for (const bytes of program.random) figures.distinct.add(bytes);
    const { all, compiled } = this.compiler.retired;
    figures.executed += all;
    figures.compiled += compiled;
    figures.faults += this.compiler.faults.length;
    figures.regions += this.compiler.loop.generated.code.regions!.made.regions - regionsBefore;
  }
}

/** The program as it began. */
export function listing({ code, places, heads, end }: Program, { code: { size, rip } }: Mode): string {
  return places
    .map(({ at }) => {
      const insn = decode(code.subarray(at, at + 15), BigInt(rip + at), size);
      const length = typeof insn === 'string' ? 1 : insn.length;
      const bytes = [...code.subarray(at, at + length)].map((b) => b.toString(16).padStart(2, '0')).join(' ');
      const text = typeof insn === 'string' ? insn : `${insn.row.mnemonic} ${insn.row.operands}`;
      return `${heads.includes(at) ? '>' : at === end ? '<' : ' '}${hex(rip + at)} ${bytes}  ${text}`;
    })
    .join('\n');
}
