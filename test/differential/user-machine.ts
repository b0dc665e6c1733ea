/** One of our processors with a random program: modes, pages, faults that are noted and passed over. */
import { Cpu } from '../../emulator/cpu/cpu';
import { makeModel } from '../../emulator/cpu/models';
import { StepLoop } from '../../emulator/cpu/run';
import { ATTRIBUTE } from '../../emulator/cpu/state';
import * as layout from '../../emulator/execution/layout';
import type { Tier } from '../../emulator/execution/tier';
import { PhysicalMemory } from '../../emulator/mmu/physical-memory';
import { CR0, CR4, EFER, RFLAGS, SEG, VECTOR } from '../../emulator/x86/registers';
import { compiledInstructions, countCompiled } from './compiled';
import { loadFloat } from './fx-image';
import { PLACE } from './oracle';
import type { Program } from './program';
import { CODE_BYTES } from './program-code';
import type { Code } from './program-code';
import { noBus, noInterrupts } from './ringside';

const RAM_BYTES = 0x10_0000;
/** Without paging the code begins where the tables would be, and the data lie where 16 bits reach. */
const GPA = { tables: 0x1000, code: 0x1_0000, realCode: 0x1000, data: PLACE.DATA_LOW } as const;

export interface Mode {
  name: string;
  code: Code;
  /** Segments do not reach over everything. */
  limited?: boolean;
  real?: boolean;
}
const flat = { rip: PLACE.CODE_PAGE, linear: PLACE.CODE_PAGE, low: false };
export const MODES: readonly Mode[] = [
  { name: '64-bit', code: { size: 64, ...flat } },
  { name: '32-bit', code: { size: 32, ...flat } },
  { name: '32-bit with segment limits', code: { size: 32, ...flat }, limited: true },
  { name: '16-bit protected', code: { size: 16, rip: 0, linear: PLACE.CODE_PAGE, low: true } },
  { name: 'real', code: { size: 16, rip: 0, linear: GPA.realCode, low: true }, real: true },
];

/** A program that faults so often ends; host/sequences.c knows this number. */
const MOST_FAULTS = 256;
/** Flags, stack fault, summary, busy (SDM vol. 1 section 8.1.3); MXCSR's masks (10.2.3). */
const X87_EXCEPTIONS = 0x80ff;
const MXCSR_MASKS = 0x1f80;

export interface Fault {
  /** Offset in CS. */
  rip: bigint;
  vector: number;
  errorCode: number;
  address: bigint;
  rflags: number;
}

export class UserMachine {
  readonly cpu: Cpu;
  readonly loop: StepLoop;
  readonly faults: Fault[] = [];
  finished = false;
  private readonly physical: PhysicalMemory;
  private program!: Program;
  private rip = 0;

  constructor(readonly tier: Tier) {
    const pages = (layout.RAM + RAM_BYTES) / 0x1_0000;
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    this.physical = new PhysicalMemory(memory, RAM_BYTES);
    // Every row can be tried, whichever models have it.
    const model = { ...makeModel(), has: () => true };
    const ticks = (): bigint => this.loop.generated.ticks();
    this.cpu = new Cpu({ memory, physical: this.physical, bus: noBus, interrupts: noInterrupts, ticks, model });
    const host = { nextDeadline: () => Infinity, tick: () => {}, idle: 0, stopRequested: () => undefined };
    if (tier !== 'interpreter') countCompiled();
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
    const data = PLACE.DATA_BYTES / 0x1000;
    const mappings = [
      { gva: PLACE.CODE_PAGE, gpa: GPA.code, count: CODE_BYTES / 0x1000, bits: writableCode ? 0x67n : 0x65n },
      { gva: PLACE.DATA, gpa: GPA.data, count: data, bits: (1n << 63n) | 0x67n },
      { gva: PLACE.DATA_LOW, gpa: GPA.data, count: data, bits: (1n << 63n) | 0x67n },
    ];
    mappings.forEach(({ gva, gpa, count, bits }, i) => {
      const table = tables + 0x3000 + i * 0x1000;
      this.word(tables + 0x2000 + (gva >>> 21) * 8, BigInt(table) | 7n);
      for (let page = 0; page < count; page++)
        this.word(table + (((gva >>> 12) & 511) + page) * 8, BigInt(gpa + page * 0x1000) | bits);
    });
  }

  private segments({ code, limited, real }: Mode): void {
    const { state } = this.cpu;
    const granular = ATTRIBUTE.S | ATTRIBUTE.P | ATTRIBUTE.G;
    const everything = { base: 0n, limit: 0xffff_ffff };
    const ring = real ? 0 : ATTRIBUTE.DPL;
    const width = code.size === 64 ? ATTRIBUTE.L : code.size === 32 ? ATTRIBUTE.DB : 0;
    const short = { base: BigInt(code.linear), limit: 0xffff };
    const common = granular | ring;
    const index = { cs: real ? code.linear >>> 4 : code.size === 64 ? 0x33 : 0x23, ds: real ? 0 : 0x2b };
    const codeSegment = code.size === 16 ? short : everything;
    const big = code.size === 16 ? 0 : ATTRIBUTE.DB;
    state.setSegment(SEG.CS, { ...codeSegment, selector: index.cs, attributes: (real ? 3 : 0xb) | (code.size === 16 ? common & ~ATTRIBUTE.G : common) | width }); // prettier-ignore
    const limit = real ? 0xffff : limited ? PLACE.DATA + PLACE.DATA_BYTES - 1 : 0xffff_ffff;
    const attributes = 3 | (real ? common & ~ATTRIBUTE.G : common) | big;
    for (const segment of [SEG.SS, SEG.DS, SEG.ES])
      state.setSegment(segment, { base: 0n, limit, selector: index.ds, attributes });
    const unusable = { selector: 0, base: 0n, limit: 0, attributes: ATTRIBUTE.UNUSABLE };
    // As of a process without an LDT.
    if (!real) state.setSegment(SEG.LDTR, unusable);
    const other = real ? { base: 0n, limit, selector: 0, attributes } : unusable;
    state.setSegment(SEG.FS, other);
    state.setSegment(SEG.GS, code.size === 64 ? { ...unusable, base: BigInt(PLACE.GS_BASE) } : other);
  }

  load(program: Program, mode: Mode, writableCode: boolean): void {
    const { cpu, physical } = this;
    const { state } = cpu;
    this.program = program;
    this.rip = mode.code.rip;
    this.faults.length = 0;
    this.finished = false;
    physical.data.fill(0, layout.RAM, layout.RAM + GPA.code + CODE_BYTES);
    cpu.reset();
    if (!mode.real) {
      this.pages(writableCode);
      state.setSystem('cr0', BigInt((CR0.PE | CR0.PG | CR0.NE | CR0.MP | CR0.ET | CR0.WP) >>> 0));
      state.setSystem('cr3', BigInt(GPA.tables));
      state.setSystem('efer', BigInt(EFER.LME | EFER.LMA | EFER.NXE));
    } else state.setSystem('cr0', BigInt(CR0.NE | CR0.MP | CR0.ET));
    state.setSystem('cr4', BigInt(CR4.PAE | CR4.OSFXSR | CR4.OSXMMEXCPT | CR4.OSXSAVE));
    state.setSystem('xcr0', 7n);
    this.segments(mode);
    physical.writeBytes(mode.real ? GPA.realCode : GPA.code, program.code);
    physical.writeBytes(GPA.data, program.data);
    for (let i = 0; i < 16; i++) state.setGpr(i, program.gprs[i]);
    loadFloat(state, program.fx, program.upper);
    state.rflags = program.rflags;
    state.rip = BigInt(this.rip + program.entry);
    cpu.refresh();
    this.loop.restart();
    compiledInstructions.reset(this.physical.data);
  }

  /** At most so many instructions; true: stopped by a fault, or at its end. */
  run(instructions: number): boolean {
    const stop = this.loop.run(instructions);
    if (stop.kind !== 'trap') return false;
    const event = this.cpu.heldEvent!;
    const { state } = this.cpu;
    const offset = Number(BigInt.asUintN(32, state.rip)) - this.rip;
    this.cpu.heldEvent = undefined;
    this.faults.push({
      rip: state.rip, vector: event.vector, errorCode: event.errorCode ?? 0, address: event.address ?? 0n, rflags: state.rflags,
    }); // prettier-ignore
    const ends = (event.vector === VECTOR.BP && offset === this.program.end) || this.faults.length >= MOST_FAULTS;
    if (ends) return (this.finished = true);
    this.passOver(offset, event.vector);
    return true;
  }
  /**
   * Behind the instruction that faulted, or anywhere where a program can go on. Arithmetic flags are 0, since some may be
   * undefined; exceptions of floats are over, or every float would raise them again.
   */
  private passOver(offset: number, vector: number): void {
    const { state } = this.cpu;
    const { heads, next } = this.program;
    const to = next.get(offset) ?? heads[this.faults.length % heads.length];
    state.rip = BigInt(this.rip + to);
    state.rflags = (state.rflags & RFLAGS.DF) | RFLAGS.IF | RFLAGS.FIXED;
    const { view } = state;
    if (vector === VECTOR.MF)
      view.setUint16(layout.X87_STATUS, view.getUint16(layout.X87_STATUS, true) & ~X87_EXCEPTIONS, true);
    if (vector === VECTOR.XM) view.setUint32(layout.MXCSR, view.getUint32(layout.MXCSR, true) | MXCSR_MASKS, true);
    this.cpu.refresh();
  }

  /** Instructions that retired, and those of them that compiled code did. */
  get retired(): { all: number; compiled: number } {
    return { all: this.loop.instructions, compiled: compiledInstructions.read(this.physical.data) };
  }
  get memory(): { code: Uint8Array; data: Uint8Array; low: Uint8Array } {
    const from = (gpa: number, bytes: number): Uint8Array =>
      this.physical.data.subarray(layout.RAM + gpa, layout.RAM + gpa + bytes);
    return {
      code: from(GPA.code, CODE_BYTES),
      data: from(GPA.data, PLACE.DATA_BYTES),
      low: from(0, GPA.code + CODE_BYTES),
    };
  }
}
