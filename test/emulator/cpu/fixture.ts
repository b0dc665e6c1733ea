/** A processor without a board: instructions are decoded and dispatched one at a time. */
import assert from 'node:assert/strict';
import { Cpu } from '../../../emulator/cpu/cpu';
import { dispatchCalled } from '../../../emulator/cpu/dispatch';
import { GeneratedRun } from '../../../emulator/cpu/generated-run';
import { GuestFault, Interruption } from '../../../emulator/cpu/ports';
import type { Bus, InterruptSource } from '../../../emulator/cpu/ports';
import { caught, stretch } from '../../../emulator/cpu/stretch';
import { codeSize } from '../../../emulator/cpu/mode';
import { makeModel } from '../../../emulator/cpu/models';
import { decode } from '../../../emulator/isa/decode';
import { nextRip } from '../../../emulator/isa/operands';
import * as layout from '../../../emulator/execution/layout';
import { PhysicalMemory } from '../../../emulator/mmu/physical-memory';
import { NS_PER_INSTRUCTION } from '../../../emulator/util/time';
import { CR0, CR4, EFER, GPR, SEG } from '../../../emulator/x86/registers';

export const RAM_BYTES = 2 << 20;
const memory = new WebAssembly.Memory({ initial: (layout.RAM + RAM_BYTES) / 65536 });

export interface FakeBus extends Bus {
  log: string[];
  port: number;
}
const makeBus = (): FakeBus => {
  const log: string[] = [];
  return {
    log,
    port: 0,
    readPort(port, bytes) {
      log.push(`in ${port.toString(16)} ${bytes}`);
      return this.port;
    },
    writePort: (port, bytes, value) => void log.push(`out ${port.toString(16)} ${bytes} ${value.toString(16)}`),
    readMmio: (gpa, bytes) => (log.push(`read ${gpa.toString(16)} ${bytes}`), 0x1122_3344),
    writeMmio: (gpa, bytes, value) => void log.push(`write ${gpa.toString(16)} ${bytes} ${value.toString(16)}`),
  };
};
const makeInterrupts = (): InterruptSource => {
  let tpr = 0;
  return {
    pending: () => false,
    acknowledge: () => 0,
    endOfInterrupt: () => {},
    signals: () => ({ nmi: false, init: false, sipi: false }),
    takeNmi: () => false,
    takeInit: () => false,
    takeSipi: () => -1,
    getTpr: () => tpr,
    setTpr: (value) => void (tpr = value),
    readMsr: (msr) => (msr === 0x1b ? 0xfee0_0900n : undefined),
    writeMsr: (msr) => msr === 0x1b,
  };
};

export class Bench {
  readonly physical = new PhysicalMemory(memory, RAM_BYTES);
  readonly bus = makeBus();
  readonly cpu: Cpu;
  ticks = 1000n;
  unsupported: string[] = [];

  /** `model`: as `--cpu` says it. */
  constructor(model?: string) {
    this.physical.data.fill(0, layout.RAM, layout.RAM + RAM_BYTES);
    this.cpu = new Cpu({
      memory,
      physical: this.physical,
      bus: this.bus,
      interrupts: makeInterrupts(),
      ticks: () => this.ticks,
      model: makeModel(model),
      unsupported: (what) => void this.unsupported.push(what),
    });
    this.cpu.mmu.tlb.flush();
  }
  get state(): Cpu['state'] {
    return this.cpu.state;
  }

  // --- Physical memory
  put(gpa: number, bytes: 1 | 2 | 4 | 8, value: bigint | number): void {
    for (let i = 0, v = BigInt(value); i < bytes; i++, v >>= 8n)
      this.physical.data[layout.RAM + gpa + i] = Number(v & 0xffn);
  }
  get(gpa: number, bytes: 1 | 2 | 4 | 8): number {
    let v = 0n;
    for (let i = bytes - 1; i >= 0; i--) v = (v << 8n) | BigInt(this.physical.data[layout.RAM + gpa + i]);
    return Number(v);
  }
  /** `count` values from `gpa` upwards, in hexadecimal. */
  frame(gpa: number, bytes: 2 | 4 | 8, count: number): string[] {
    return Array.from({ length: count }, (_, i) => this.get(gpa + i * bytes, bytes).toString(16));
  }

  // --- Descriptors
  /** A descriptor at `selector` of the GDT. `access`: the access byte; `flags`: G D L AVL as a nibble. */
  descriptor(selector: number, base: number, limit: number, access: number, flags = 0): void {
    const low = (limit & 0xffff) | ((base & 0xffff) << 16);
    const high = ((base >>> 16) & 0xff) | (access << 8) | (limit & 0xf_0000) | (flags << 20) | (base & 0xff00_0000);
    this.put(GDT + (selector & 0xfff8), 4, low >>> 0);
    this.put(GDT + (selector & 0xfff8) + 4, 4, high >>> 0);
  }
  /** A gate in the GDT or IDT at `at`. `type` is the access byte. */
  gate(at: number, selector: number, offset: number, access: number, count = 0): void {
    this.put(at, 4, ((offset & 0xffff) | (selector << 16)) >>> 0);
    this.put(at + 4, 4, ((offset & 0xffff_0000) | (access << 8) | count) >>> 0);
  }
  idt(vector: number, selector: number, offset: number, access: number, ist = 0): void {
    const wide = this.cpu.ia32e;
    this.gate(IDT + vector * (wide ? 16 : 8), selector, offset, access, ist);
    if (wide) this.put(IDT + vector * 16 + 8, 8, 0);
  }

  // --- Modes
  /** Protected mode without paging, flat 32-bit segments; CPL 0 or 3. */
  protect(cpl = 0): this {
    this.descriptor(0x08, 0, 0xf_ffff, 0x9a, 0xc);
    this.descriptor(0x10, 0, 0xf_ffff, 0x92, 0xc);
    this.descriptor(0x18, 0, 0xf_ffff, 0xfa, 0xc);
    this.descriptor(0x20, 0, 0xf_ffff, 0xf2, 0xc);
    this.descriptor(0x28, TSS, 0x67, 0x89, 0);
    this.put(TSS + 4, 4, 0x9000);
    this.put(TSS + 8, 2, 0x10);
    this.put(TSS + 0x66, 2, 0x68);
    const { state } = this;
    state.setSystem('gdtr.base', BigInt(GDT));
    state.setSystem('gdtr.limit', 0xffn);
    state.setSystem('idtr.base', BigInt(IDT));
    state.setSystem('idtr.limit', 0x7ffn);
    state.setSystem('cr0', BigInt(CR0.PE | CR0.ET));
    this.flat(cpl, 0x4000);
    state.setSegment(SEG.TR, { selector: 0x28, base: BigInt(TSS), limit: 0x67, attributes: 0x8b });
    state.rip = BigInt(CODE);
    state.setGpr(GPR.RSP, 0x8000n);
    this.cpu.modeChanged();
    return this;
  }
  private flat(cpl: number, size: number): void {
    const dpl = cpl << 5;
    const both = { base: 0n, limit: 0xffff_ffff };
    this.state.setSegment(SEG.CS, { selector: cpl ? 0x1b : 0x08, ...both, attributes: 0x809b | size | dpl });
    for (const index of [SEG.DS, SEG.ES, SEG.SS, SEG.FS, SEG.GS])
      this.state.setSegment(index, { selector: cpl ? 0x23 : 0x10, ...both, attributes: 0xc093 | dpl });
  }
  /** 64-bit mode; the low 2 MiB mapped to themselves for everybody. Selectors 8 and 10h; 38h and 20h for users. */
  long(cpl = 0): this {
    this.protect(cpl);
    this.descriptor(0x08, 0, 0, 0x9a, 0x2);
    // 30h is the upper half of the TSS descriptor.
    this.put(GDT + 0x30, 8, 0);
    this.descriptor(0x38, 0, 0, 0xfa, 0x2);
    this.put(TABLES, 8, TABLES + 0x1007);
    this.put(TABLES + 0x1000, 8, TABLES + 0x2007);
    this.put(TABLES + 0x2000, 8, 0x87);
    this.put(TSS + 4, 8, 0x9000);
    this.put(TSS + 0x24, 8, 0xa008);
    const { state } = this;
    state.setSystem('cr3', BigInt(TABLES));
    state.setSystem('cr4', BigInt(CR4.PAE));
    state.setSystem('efer', BigInt(EFER.LME | EFER.LMA | EFER.SCE));
    state.setSystem('cr0', BigInt((CR0.PE | CR0.ET | CR0.PG | CR0.WP) >>> 0));
    this.flat(cpl, 0x2000);
    if (cpl) state.setSegment(SEG.CS, { ...state.segment(SEG.CS), selector: 0x3b });
    state.setSystem('idtr.limit', 0xfffn);
    this.cpu.refresh();
    return this;
  }
  /** In long mode: pages instead of one large page, each with bits of its own (SDM vol. 3A table 4-20). */
  mapPages(bits: (page: number) => number): void {
    const table = TABLES + 0x3000;
    this.put(TABLES + 0x2000, 8, table + 7);
    for (let page = 0; page < 512; page++) this.put(table + page * 8, 8, page * 4096 + bits(page));
    this.cpu.refresh();
  }
  /** Virtual-8086 mode at 1000:0100, stack 2000:0ff0. */
  virtual(iopl = 3): this {
    this.protect();
    const { state } = this;
    state.rflags = (1 << 17) | 2 | (iopl << 12) | 0x200;
    [0x3000, 0x1000, 0x2000, 0x4000, 0x5000, 0x6000].forEach((selector, index) =>
      state.setSegment(index, { selector, base: BigInt(selector << 4), limit: 0xffff, attributes: 0xf3 }),
    );
    state.rip = 0x100n;
    state.setGpr(GPR.RSP, 0x0ff0n);
    this.cpu.modeChanged();
    return this;
  }
  /** Real mode at 0100:0000, stack 0200:0100, IVT at 0. */
  real(): this {
    const { state } = this;
    [0x300, 0x100, 0x200, 0x400, 0x500, 0x600].forEach((selector, index) =>
      state.setSegment(index, { selector, base: BigInt(selector << 4), limit: 0xffff, attributes: 0x93 }),
    );
    state.rip = 0n;
    state.setGpr(GPR.RSP, 0x100n);
    this.cpu.modeChanged();
    return this;
  }

  // --- Execution
  /**
   * Runs one instruction from bytes in hexadecimal, `plainly` by its plain meaning where it has another. Returns the fault it
   * raised as `#GP(8)`, or `ok`. Delivers nothing.
   */
  execute(hex: string, plainly = false): string {
    const bytes = bytesOf(hex);
    const insn = decode(bytes, this.state.rip, codeSize(this.state));
    assert.ok(typeof insn !== 'string', `${hex} does not decode: ${String(insn)}`);
    assert.equal(insn.length, bytes.length, `${hex} is not one instruction`);
    try {
      if (insn.row.meaning.kind === 'emit' && !plainly) this.generated(bytes);
      else {
        const outcome = dispatchCalled(this.cpu, insn);
        if (outcome instanceof Interruption) throw outcome;
        if (outcome !== 'jumped') this.state.rip = nextRip(insn);
      }
      return 'ok';
    } catch (fault) {
      if (!(fault instanceof GuestFault)) throw fault;
      return show(fault);
    }
  }
  /** One emitted instruction. */
  private generated(bytes: Uint8Array): void {
    this.running(bytes).run(1);
  }
  /** `bytes` at CS:RIP, which is mapped to itself. */
  private running(bytes: Uint8Array): GeneratedRun {
    this.physical.data.set(bytes, layout.RAM + Number(this.state.segmentBase(SEG.CS) + this.state.rip));
    const idle = Number(this.ticks) * NS_PER_INSTRUCTION;
    return new GeneratedRun(
      this.cpu,
      { idle, retired: 0, isBreakpoint: () => false, hasBreakpoints: false, stopsAt: () => false, undisturbed: true },
      memory,
    );
  }
  /** As the step loop goes on from here, at most `budget` instructions: with what lasts for one instruction around it (stretch.ts). */
  stretch(hex: string, budget: number): string {
    const generated = this.running(bytesOf(hex));
    const left = caught(generated, () => stretch(generated, this.cpu, budget));
    return left instanceof GuestFault ? show(left) : 'ok';
  }
  selectors(): string {
    return `${this.state.selector(SEG.CS).toString(16)}:${this.state.rip.toString(16)} ${this.state.selector(SEG.SS).toString(16)}:${this.state.gpr(GPR.RSP).toString(16)}`;
  }
}

const bytesOf = (hex: string): Uint8Array =>
  Uint8Array.from(hex.replace(/ /g, '').match(/../g)!, (byte) => parseInt(byte, 16));
const hex = (value: number, bytes: 2 | 4): string =>
  Array.from({ length: bytes }, (_, i) => ((value >>> (8 * i)) & 0xff).toString(16).padStart(2, '0')).join('');
/** Bytes of a 32-bit far JMP and CALL. */
export const farJump = (selector: number, offset = 0x1234): string => `ea${hex(offset, 4)}${hex(selector, 2)}`;
export const farCall = (selector: number, offset = 0x1234): string => `9a${hex(offset, 4)}${hex(selector, 2)}`;

const NAMES = ['DE', 'DB', 'NMI', 'BP', 'OF', 'BR', 'UD', 'NM', 'DF', '', 'TS', 'NP', 'SS', 'GP', 'PF', '', 'MF', 'AC'];
export const show = (fault: GuestFault): string =>
  `#${NAMES[fault.vector]}${fault.errorCode === undefined ? '' : `(${fault.errorCode.toString(16)})`}`;

export const GDT = 0x1000;
export const IDT = 0x2000;
export const TSS = 0x4000;
export const CODE = 0x7000;
export const TABLES = 0x10_0000;
