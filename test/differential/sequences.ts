/**
 * Random programs on the processor that this runs on (host/sequences.c) and on ours: the same registers, flags, floats, memory
 * and faults at their end. What is different is found again by steps, up to the instruction that began it.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import type { CpuState } from '../../emulator/cpu/state';
import { ARITHMETIC_FLAGS, RFLAGS, VECTOR } from '../../emulator/x86/registers';
import { FLAGS, knownErrorCode, stateDifferences } from './compare';
import { storeFloat, upperHalves } from './fx-image';
import { buildForHost, HostOracle, PLACE } from './oracle';
import type { Result } from './oracle';
import { Program } from './program';
import { CODE_BYTES } from './program-code';
import { Random } from './random';
import { hostStyle } from './styles';
import { EAGER, INSTRUCTIONS_A_LOOP, hex, listing, noFigures } from './tiers';
import { MODES, UserMachine } from './user-machine';
import type { Fault, Mode } from './user-machine';

const LOGGED = 64;
const HEADER = 96;
const RECORD = HEADER + 128 + 768 + PLACE.DATA_BYTES + CODE_BYTES + CODE_BYTES / 8;
const RESULT = 32 + 128 + 768 + PLACE.DATA_BYTES + CODE_BYTES + LOGGED * 32;
const STEP = 16;
/** Steps that are counted at most, to find a difference. */
const MOST_STEPS = 60_000;
/** Programs that the host gets at a time. */
export const BATCH = 64;
const HOST_MODES = MODES.slice(0, 2);
const FINISHED = { end: 1, steps: 2, never: 3 } as const;

interface Ended extends Result {
  finished: number;
  code: Uint8Array;
  faults: Fault[];
  faultCount: number;
}
interface Step {
  rip: bigint;
  rflags: number;
  hash: number;
}

function writeProgram(program: Program, narrow: boolean, steps: number, to: Uint8Array): void {
  const view = new DataView(to.buffer, to.byteOffset);
  const heads = program.heads;
  [narrow ? 1 : 0, program.entry, program.end, steps, heads.length, ...heads].forEach((word, i) => view.setUint32(i * 4, word, true)); // prettier-ignore
  view.setBigUint64(88, BigInt(program.rflags), true);
  let at = HEADER;
  const put = (bytes: Uint8Array): void => {
    to.set(bytes, at);
    at += bytes.length;
  };
  put(new Uint8Array(program.gprs.buffer, program.gprs.byteOffset, 128));
  [program.fx, program.upper, program.data, program.code].forEach(put);
  for (const [start, next] of program.next) {
    to[at + (start >> 3)] |= 1 << (start & 7);
    to[at + (next >> 3)] |= 1 << (next & 7);
  }
}

function readResult(bytes: Uint8Array): Ended {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const gprs = new BigUint64Array(16);
  new Uint8Array(gprs.buffer).set(bytes.subarray(32, 160));
  let at = 160;
  const take = (count: number): Uint8Array => bytes.slice(at, (at += count));
  const [fx, upper, memory, code] = [take(512), take(256), take(PLACE.DATA_BYTES), take(CODE_BYTES)];
  const faultCount = view.getUint32(4, true);
  const faults = Array.from({ length: Math.min(faultCount, LOGGED) }, (_, i): Fault => {
    const from = at + i * 32;
    return {
      rip: view.getBigUint64(from, true), address: view.getBigUint64(from + 8, true),
      vector: view.getUint32(from + 16, true), errorCode: view.getUint32(from + 20, true), rflags: view.getUint32(from + 24, true),
    }; // prettier-ignore
  });
  return {
    finished: view.getUint32(0, true), rip: view.getBigUint64(16, true), rflags: Number(view.getBigUint64(24, true)), gprs, fx, upper, memory, code, faults, faultCount,
    vector: -1, errorCode: 0, faultAddress: 0n, stray: false,
  }; // prettier-ignore
}

/** The host's processor. */
class HostPrograms {
  private readonly binary = buildForHost('sequences');
  run(programs: readonly { program: Program; mode: Mode }[], steps = 0): { result: Ended; steps: Step[] }[] {
    const input = new Uint8Array(programs.length * RECORD);
    programs.forEach(({ program, mode }, i) => writeProgram(program, mode.code.size === 32, steps, input.subarray(i * RECORD, (i + 1) * RECORD))); // prettier-ignore
    const child = spawnSync(this.binary, { input, maxBuffer: programs.length * (RESULT + MOST_STEPS * STEP) + 1 });
    const out = new Uint8Array(child.stdout);
    let at = 0;
    return programs.map(() => {
      if (at + RESULT > out.length)
        throw new Error(`the host's program died: status ${child.status} signal ${child.signal}`);
      const result = readResult(out.subarray(at, at + RESULT));
      const view = new DataView(out.buffer, out.byteOffset + at + RESULT);
      const count = new DataView(out.buffer, out.byteOffset + at).getUint32(8, true);
      at += RESULT + count * STEP;
      const taken = Array.from({ length: count }, (_, i): Step => ({ rip: view.getBigUint64(i * STEP, true), rflags: view.getUint32(i * STEP + 8, true), hash: view.getUint32(i * STEP + 12, true) })); // prettier-ignore
      return { result, steps: taken };
    });
  }
}

function mix(hash: number, bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  for (let i = 0; i + 4 <= bytes.length; i += 4) {
    hash = Math.imul(hash ^ view.getUint32(i, true), 0x0100_0193);
    hash ^= hash >>> 15;
  }
  return hash;
}
/** As host/sequences.c does it: everything but RIP and RFLAGS. */
function hashState(state: CpuState, fx: Uint8Array, data: Uint8Array, narrow: boolean): number {
  let hash = 0x9e37_79b9 | 0;
  const registers = new Uint8Array(8);
  for (let i = 0; i < (narrow ? 8 : 16); i++) {
    new DataView(registers.buffer).setBigUint64(0, state.gpr(i), true);
    hash = mix(hash, narrow ? registers.subarray(0, 4) : registers);
  }
  hash = mix(mix(mix(hash, fx.subarray(0, 4)), Uint8Array.of(fx[4], 0, 0, 0)), fx.subarray(24, 28));
  for (let i = 0; i < 8; i++) {
    const st = fx.subarray(32 + i * 16, 42 + i * 16);
    hash = mix(mix(hash, st.subarray(0, 8)), Uint8Array.of(st[8], st[9], 0, 0));
  }
  return mix(mix(mix(hash, fx.subarray(160, 416)), upperHalves(state)), data) >>> 0;
}

const ended = (machine: UserMachine, program: Program): Ended => {
  const { state } = machine.cpu;
  const { memory, faults } = machine;
  return {
    finished: machine.finished ? FINISHED.end : FINISHED.never, rip: state.rip, rflags: state.rflags,
    gprs: BigUint64Array.from({ length: 16 }, (_, i) => state.gpr(i)), fx: storeFloat(state, program.fx), upper: upperHalves(state),
    memory: memory.data.slice(), code: memory.code.slice(), faults: faults.slice(0, LOGGED), faultCount: faults.length,
    vector: -1, errorCode: 0, faultAddress: 0n, stray: false,
  }; // prettier-ignore
};

const flagBits = (letters: string): number => [...letters].reduce((bits, letter) => bits | FLAGS[letter], 0);

/** What the notes say of one fault. */
function faultText(fault: Fault | undefined, unclear: ReadonlyMap<number, string>): string {
  if (!fault) return 'none';
  const { vector, address, rip } = fault;
  const code = knownErrorCode(vector, fault.errorCode, address);
  const known = ARITHMETIC_FLAGS & ~flagBits(unclear.get(Number(rip) - PLACE.CODE_PAGE) ?? '');
  return `${vector} ${hex(code)} at ${hex(rip)} flags ${hex(fault.rflags & known)}${vector === VECTOR.PF ? ` address ${hex(address)}` : ''}`;
}

export class HostComparison {
  readonly figures = noFigures();
  readonly oracle = new HostOracle();
  private readonly host = new HostPrograms();
  private machines: UserMachine[] = [];
  private batch: { seed: number; program: Program; mode: Mode; ours: Ended }[] = [];

  /** The seed's program; compared with others, a batch at a time. */
  compare(seed: number, instructions: number): void {
    const random = new Random(seed);
    const mode = random.pick(HOST_MODES);
    const style = hostStyle(mode, 20 + random.below(instructions / INSTRUCTIONS_A_LOOP), random, (feature) => this.oracle.has(feature)); // prettier-ignore
    const program = new Program(style, random);
    if (this.figures.programs % 400 === 0 || this.machines.length === 0)
      this.machines = [new UserMachine(EAGER), new UserMachine('interpreter')];
    const machine = this.machines[random.oneIn(4) ? 1 : 0];
    machine.load(program, mode, true);
    for (let stops = 0; !machine.finished && machine.loop.instructions < instructions && stops < instructions; stops++)
      machine.run(instructions - machine.loop.instructions);
    if (!machine.finished) return void this.figures.endless++;
    const { figures } = this;
    figures.programs++;
    figures.generated += program.random.length;
    for (const bytes of program.random) figures.distinct.add(bytes);
    const { all, compiled } =
      machine.tier === 'interpreter' ? { all: machine.loop.instructions, compiled: 0 } : machine.retired;
    figures.executed += all;
    figures.compiled += compiled;
    figures.faults += machine.faults.length;
    this.batch.push({ seed, program, mode, ours: ended(machine, program) });
    if (this.batch.length === BATCH) this.flush();
  }

  /** Compares what waits. */
  flush(): void {
    const batch = this.batch.splice(0);
    const results = this.host.run(batch);
    const found = batch.flatMap(({ seed, program, mode, ours }, i) => {
      const different = differences(results[i].result, ours, program, mode);
      if (different.length === 0) return [];
      return [`seed ${seed}, ${mode.name}: host ${different.slice(0, 4).join('; ')}\n${this.explain(program, mode)}`];
    });
    if (found.length) assert.fail(found.join('\n\n'));
  }

  /** The first step after which the two are different, and how. */
  private explain(program: Program, mode: Mode): string {
    const narrow = mode.code.size === 32;
    const unclear = unclearFlags(program);
    const [{ steps }] = this.host.run([{ program, mode }], MOST_STEPS);
    const machine = new UserMachine('interpreter');
    machine.load(program, mode, true);
    const state = machine.cpu.state;
    // The host counts no iterations of one instruction, and no stops outside of the code.
    const stepOn = (): void => {
      const before = state.rip;
      const faults = machine.faults.length;
      do machine.run(1);
      while (machine.faults.length === faults && (state.rip === before || state.rip - BigInt(PLACE.CODE_PAGE) >= BigInt(CODE_BYTES) || state.rip < BigInt(PLACE.CODE_PAGE))); // prettier-ignore
    };
    for (let i = 0; i < steps.length; i++) {
      const { rip, rflags, hash } = steps[i];
      const fx = storeFloat(state, program.fx);
      const known = ARITHMETIC_FLAGS & ~flagBits(unclear.get(Number(rip) - PLACE.CODE_PAGE) ?? '');
      const same =
        state.rip === rip &&
        !((state.rflags ^ rflags) & known) &&
        hashState(state, fx, machine.memory.data, narrow) === hash;
      if (!same) {
        const [{ result }] = this.host.run([{ program, mode }], i + 1);
        const found = stateDifferences({ host: result, ours: ended(machine, program) }, narrow ? 32 : 64);
        const before = steps
          .slice(Math.max(0, i - 4), i + 1)
          .map((s) => hex(s.rip))
          .join(' ');
        return `after step ${i}, at ${before}: rip ${hex(rip)}, ours ${hex(state.rip)}, flags ${hex(rflags)}, ours ${hex(state.rflags)}; ${found.join('; ')}\n${listing(program, mode)}`; // prettier-ignore
      }
      if (machine.finished) break;
      stepOn();
    }
    return `no step of ${steps.length} is different by itself\n${listing(program, mode)}`;
  }
}

const unclearFlags = (program: Program): Map<number, string> => new Map(program.places.map((p) => [p.at, p.unclear]));

/** Whether an access over the end of a segment of 4 GiB violates its limit is the processor's own affair (SDM vol. 3A section 5.3). */
const crossesLimit = (host: Fault, ours: Fault | undefined, { code }: Mode): boolean =>
  code.size === 32 && ours?.rip === host.rip && ours.vector === VECTOR.PF && ours.address >= 0xffff_ff00n && (host.vector === VECTOR.SS || host.vector === VECTOR.GP); // prettier-ignore

function differences(host: Ended, ours: Ended, program: Program, mode: Mode): string[] {
  if (host.finished !== FINISHED.end) return [host.finished === FINISHED.never ? 'did not end' : 'stopped'];
  const found: string[] = [];
  const unclear = unclearFlags(program);
  if (host.faultCount !== ours.faultCount) found.push(`${host.faultCount} faults, ours ${ours.faultCount}`);
  for (let i = 0; i < host.faults.length; i++) {
    const [a, b] = [faultText(host.faults[i], unclear), faultText(ours.faults[i], unclear)];
    if (a === b || crossesLimit(host.faults[i], ours.faults[i], mode)) continue;
    found.push(`fault ${i}: ${a}, ours ${b}`);
    break;
  }
  // It may have ended with one fault too many.
  const undefinedHere = flagBits(unclear.get(Number(ours.rip) - PLACE.CODE_PAGE) ?? '');
  const flags = (host.rflags ^ ours.rflags) & (ARITHMETIC_FLAGS | RFLAGS.DF) & ~undefinedHere;
  if (flags) found.push(`flags ${hex(host.rflags)}, ours ${hex(ours.rflags)}`);
  found.push(...stateDifferences({ host, ours }, mode.code.size === 32 ? 32 : 64));
  if (Buffer.compare(host.code, ours.code) !== 0) found.push('code');
  return found;
}
