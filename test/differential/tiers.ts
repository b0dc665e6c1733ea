/**
 * The same random programs in the interpreter and in the compiler: equal registers, flags, floats and memory wherever both
 * are stopped. As a command, for as many millions of instructions as wanted:
 *
 *   npm run test:tiers -- MILLIONS [SEED]
 */
import assert from 'node:assert/strict';
import { Cpu } from '../../emulator/cpu/cpu';
import { StepLoop } from '../../emulator/cpu/run';
import { ATTRIBUTE } from '../../emulator/cpu/state';
import * as layout from '../../emulator/execution/layout';
import type { Tier } from '../../emulator/execution/tier';
import { decode } from '../../emulator/isa/decode';
import { parseEncoding } from '../../emulator/isa/encoding';
import type { Encoding } from '../../emulator/isa/encoding';
import { ROWS } from '../../emulator/isa/opcodes';
import { stateHash } from '../../emulator/machine/state-hash';
import { PhysicalMemory } from '../../emulator/mmu/physical-memory';
import { CR0, CR4, EFER, SEG } from '../../emulator/x86/registers';
import { encode, little, placeRipRelative } from './encode';
import { runsInUserMode } from './generate';
import { PLACE } from './oracle';
import { interestingInteger, Random } from './random';
import { noBus, noInterrupts } from './ringside';

const RAM_BYTES = 0x10_0000;
const GPA = { tables: 0x1000, code: 0x1_0000, data: 0x2_0000 } as const;
const CODE_PAGES = 3;
const EAGER: Tier = { threshold: 3, batch: 1, blocks: 12, instructions: 80, moduleBytes: 100_000 };

const encodings: readonly Encoding[] = ROWS.filter(runsInUserMode)
  .filter((row) => !row.attributes.not64)
  .map(parseEncoding);

/** What programs are mostly made of. */
const integer = encodings.filter(
  ({ row }) => !/[PQNVWUHL]/.test(row.operands) && !/^(d[8-f]|9b|f2 0f|66 0f)/.test(row.opcode),
);

/** Instructions with their registers set before, in blocks that jump to each other. */
class Program {
  readonly code = new Uint8Array(CODE_PAGES * 0x1000).fill(PLACE.FILLING);
  /** Offsets of blocks: where it goes on after a fault. */
  readonly blocks: number[] = [];
  private readonly jumps: number[] = [];
  private at = 0;

  constructor(private readonly random: Random) {
    // Across the border of two pages.
    this.at = 0x1000 - 200 - random.below(800);
    const count = 3 + random.below(8);
    for (let i = 0; i < count; i++) {
      this.blocks.push(this.at);
      for (let n = random.below(7); n > 0; n--) this.instruction();
      this.branch();
    }
    for (const jump of this.jumps) {
      const distance = random.pick(this.blocks) - (jump + 4);
      this.code.set(little(BigInt(distance), 4), jump);
    }
  }
  private put(bytes: readonly number[]): void {
    this.code.set(bytes, this.at);
    this.at += bytes.length;
  }
  private branch(): void {
    const { random } = this;
    const jump = (opcode: number[]): void => {
      this.put([...opcode, 0, 0, 0, 0]);
      this.jumps.push(this.at - 4);
    };
    const kind = random.below(14);
    // From 10 on it runs into the next block, which others jump to. A counter makes loops that end.
    if (kind < 3) this.put([0xff, 0x0c, 0x25, ...little(BigInt(PLACE.DATA + 4 * random.below(8)), 4)]);
    if (kind < 7) jump([0x0f, 0x80 + random.below(16)]);
    if (kind === 7) jump([0xe8]);
    if (kind === 8) this.put([0xc3]);
    if (kind === 9) jump([0xe9]);
  }
  private instruction(): void {
    const { random } = this;
    const encoded = encode(random.pick(random.oneIn(4) ? encodings : integer), 64, random);
    if (!encoded || encoded.bytes.length > 15) return;
    const gprs = BigUint64Array.from({ length: 16 }, () => interestingInteger(random));
    const touched = new Set<number>();
    const noting = new Proxy(gprs, {
      get: (target, key) => (touched.add(Number(key)), target[Number(key)]),
      set: (target, key, value: bigint) => (touched.add(Number(key)), (target[Number(key)] = value), true),
    });
    encoded.address(noting);
    for (const register of random.oneIn(20) ? [] : touched)
      this.put([0x48 | (register >> 3), 0xb8 | (register & 7), ...little(gprs[register], 8)]);
    placeRipRelative(encoded, PLACE.CODE_PAGE + this.at);
    this.put(encoded.bytes);
  }
}

/** One processor in user mode with the program's pages. */
class Runner {
  private readonly cpu: Cpu;
  private readonly physical: PhysicalMemory;
  private readonly loop: StepLoop;

  constructor(private readonly tier: Tier) {
    const pages = (layout.RAM + RAM_BYTES) / 0x1_0000;
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    this.physical = new PhysicalMemory(memory, RAM_BYTES);
    this.cpu = new Cpu({ memory, physical: this.physical, bus: noBus, interrupts: noInterrupts, ticks: () => 0n });
    const host = { nextDeadline: () => Infinity, tick: () => {}, idle: 0, stopRequested: () => undefined };
    this.loop = new StepLoop([this.cpu], host, memory, tier);
    this.cpu.onEvent = () => true;
  }
  private word(gpa: number, value: bigint): void {
    this.physical.writeBytes(gpa, new Uint8Array(BigUint64Array.of(value).buffer));
  }
  private pages(writableCode: boolean): void {
    const { tables } = GPA;
    this.word(tables, BigInt(tables + 0x1000) | 7n);
    this.word(tables + 0x1000, BigInt(tables + 0x2000) | 7n);
    [PLACE.DATA, PLACE.CODE_PAGE].forEach((gva, i) => {
      const table = tables + 0x3000 + i * 0x1000;
      this.word(tables + 0x2000 + (gva >>> 21) * 8, BigInt(table) | 7n);
      for (let page = 0; page < CODE_PAGES; page++) {
        const gpa = (i ? GPA.code : GPA.data) + page * 0x1000;
        if (i || page < 2) this.word(table + page * 8, BigInt(gpa) | (i && !writableCode ? 0x65n : 0x67n));
      }
    });
  }
  private start(program: Program, random: Random): void {
    const { cpu } = this;
    const { state } = cpu;
    this.physical.data.fill(0, layout.RAM, layout.RAM + RAM_BYTES);
    this.pages(random.oneIn(2));
    this.physical.writeBytes(GPA.code, program.code);
    this.physical.writeBytes(GPA.data, random.bytes(0x2000));
    cpu.reset();
    state.setSystem('cr0', BigInt((CR0.PE | CR0.PG | CR0.NE | CR0.MP | CR0.ET | CR0.WP) >>> 0));
    state.setSystem('cr3', BigInt(GPA.tables));
    state.setSystem('cr4', BigInt(CR4.PAE | CR4.OSFXSR | CR4.OSXMMEXCPT));
    state.setSystem('efer', BigInt(EFER.LME | EFER.LMA | EFER.NXE | EFER.SCE));
    const common = ATTRIBUTE.S | ATTRIBUTE.DPL | ATTRIBUTE.P | ATTRIBUTE.G;
    const flat = { base: 0n, limit: 0xffff_ffff };
    state.setSegment(SEG.CS, { ...flat, selector: 0x33, attributes: 0xb | common | ATTRIBUTE.L });
    for (const index of [SEG.SS, SEG.DS, SEG.ES, SEG.FS, SEG.GS])
      state.setSegment(index, { ...flat, selector: 0x2b, attributes: 3 | common | ATTRIBUTE.DB });
    for (let i = 0; i < 16; i++) state.setGpr(i, interestingInteger(random));
    for (let i = 0; i < 16; i++) state.setVector(i, (random.u64() << 64n) | random.u64());
    state.setGpr(4, BigInt(PLACE.DATA + 0x1800));
    state.rflags = 0x202;
    state.rip = BigInt(PLACE.CODE_PAGE + program.blocks[0]);
    cpu.refresh();
    this.loop.restart();
  }
  private hash(): string {
    const cpu = this.cpu.save();
    cpu.state.fill(0, layout.FLAG_S - layout.STATE, layout.RFLAGS_SYSTEM - layout.STATE);
    const first = layout.RAM >>> 2;
    const ram = this.physical.words.subarray(first, first + RAM_BYTES / 4);
    return stateHash({
      state: [cpu, this.cpu.state.rflags],
      words: ram,
      pages: Array.from({ length: ram.length / 1024 }, (_, i) => i * 4096),
    });
  }
  private describe(): string {
    const { state } = this.cpu;
    const gprs = Array.from({ length: 16 }, (_, i) => state.gpr(i).toString(16)).join(' ');
    return `rip ${state.rip.toString(16)} rflags ${state.rflags.toString(16)} gprs ${gprs}`;
  }

  /** What it was like at each stop; a fault goes on at another block. */
  run(seed: number, instructions: number): string[] {
    const random = new Random(seed);
    const program = new Program(random);
    this.start(program, random);
    const { state } = this.cpu;
    const trace: string[] = [];
    for (let faults = 0; this.loop.instructions < instructions && faults < instructions;) {
      const stop = this.loop.run(random.oneIn(4) ? 1 + random.below(4) : 1 + random.below(300));
      trace.push(`${stop.kind} ${this.loop.instructions} ${this.describe()}`);
      if (stop.kind !== 'trap') continue;
      const { heldEvent } = this.cpu;
      trace.push(`vector ${heldEvent?.vector} ${heldEvent?.errorCode} ${heldEvent?.address}`);
      this.cpu.heldEvent = undefined;
      state.rip = BigInt(PLACE.CODE_PAGE + program.blocks[faults++ % program.blocks.length]);
      state.setGpr(4, BigInt(PLACE.DATA + 0x1800 - (faults & 7)));
    }
    trace.push(this.hash());
    return trace;
  }
  get compiled(): number {
    assert(this.tier !== 'interpreter');
    return this.loop.generated.code.regions!.made.regions;
  }
}

/** Throws at the first difference; answers with how many regions were compiled. */
export function compareTiers(firstSeed: number, programs: number, instructions: number): number {
  const [interpreter, compiler] = [new Runner('interpreter'), new Runner(EAGER)];
  for (let seed = firstSeed; seed < firstSeed + programs; seed++) {
    const [expected, got] = [interpreter.run(seed, instructions), compiler.run(seed, instructions)];
    const i = expected.findIndex((line, at) => line !== got[at]);
    if (i < 0) continue;
    assert.equal(got[i], expected[i], `seed ${seed}, stop ${i}, after ${expected[i - 1]}\n${listing(seed)}`);
  }
  return compiler.compiled;
}

function listing(seed: number): string {
  const program = new Program(new Random(seed));
  const lines: string[] = [];
  for (let at = program.blocks[0]; program.code[at] !== PLACE.FILLING || program.code[at + 1] !== PLACE.FILLING;) {
    const insn = decode(program.code.subarray(at, at + 15), BigInt(PLACE.CODE_PAGE + at), 64);
    const length = typeof insn === 'string' ? 1 : insn.length;
    const bytes = [...program.code.subarray(at, at + length)].map((b) => b.toString(16).padStart(2, '0')).join(' ');
    lines.push(`${program.blocks.includes(at) ? '>' : ' '}${(PLACE.CODE_PAGE + at).toString(16)} ${bytes}  ${typeof insn === 'string' ? insn : `${insn.row.mnemonic} ${insn.row.operands}`}`); // prettier-ignore
    at += length;
  }
  return lines.join('\n');
}

if (process.argv[1] === import.meta.filename) {
  const millions = Number(process.argv[2] ?? 100);
  const first = Number(process.argv[3] ?? 1);
  const each = 5000;
  const batch = Math.min(200, Math.ceil((millions * 1e6) / each));
  for (let done = 0; done < millions * 1e6; done += batch * each) {
    const regions = compareTiers(first + done / each, batch, each);
    console.log(`${((done + batch * each) / 1e6).toFixed(1)} million instructions, no difference (${regions} regions in the last ${batch} programs)`); // prettier-ignore
  }
}
