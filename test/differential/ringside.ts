/** Our processor as an executor of cases: user mode in long mode, with the pages that host/oracle.c maps. */
import { Cpu } from '../../emulator/cpu/cpu';
import { makeModel } from '../../emulator/cpu/models';
import type { Bus, InterruptSource } from '../../emulator/cpu/ports';
import { StepLoop } from '../../emulator/cpu/run';
import { ATTRIBUTE } from '../../emulator/cpu/state';
import * as layout from '../../emulator/execution/layout';
import type { TrapEvent } from '../../emulator/machine/api';
import { PhysicalMemory } from '../../emulator/mmu/physical-memory';
import { CR0, CR4, EFER, SEG } from '../../emulator/x86/registers';
import { loadFloat, storeFloat, upperHalves } from './fx-image';
import { CODE_BYTES, PLACE, startOf } from './oracle';
import type { Case, Executor, Result } from './oracle';

const RAM_BYTES = 0x10_0000;
const GPA = { tables: 0x1000, code: 0x1_0000, data: 0x2_0000 } as const;
/** Iterations of a repeated string instruction, at most. */
const LONGEST = 64;

export const noBus: Bus = { readPort: () => 0, writePort: () => {}, readMmio: () => 0, writeMmio: () => {} };
export const noInterrupts: InterruptSource = {
  pending: () => false, acknowledge: () => 0, endOfInterrupt: () => {}, signals: () => ({ nmi: false, init: false, sipi: false }), takeNmi: () => false, takeInit: () => false, takeSipi: () => -1,
  getTpr: () => 0, setTpr: () => {}, readMsr: () => undefined, writeMsr: () => false,
}; // prettier-ignore

export class Ringside implements Executor {
  readonly name = 'Ringside';
  readonly cpu: Cpu;
  private readonly physical: PhysicalMemory;
  private readonly loop: StepLoop;
  private event?: TrapEvent;

  constructor() {
    const pages = (layout.RAM + RAM_BYTES) / 0x1_0000;
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    this.physical = new PhysicalMemory(memory, RAM_BYTES);
    // Every row can be tried, whichever models have it.
    const model = { ...makeModel(), has: () => true };
    this.cpu = new Cpu({
      memory,
      physical: this.physical,
      bus: noBus,
      interrupts: noInterrupts,
      ticks: () => 0n,
      model,
    });
    const host = { nextDeadline: () => Infinity, tick: () => {}, idle: 0, stopRequested: () => undefined };
    this.loop = new StepLoop([this.cpu], host, memory);
    this.cpu.onEvent = (event) => {
      this.event = event;
      return true;
    };
    this.buildPages();
    this.physical.writeBytes(GPA.code, new Uint8Array(0x1000).fill(PLACE.FILLING));
  }

  private buildPages(): void {
    let next: number = GPA.tables;
    const table = (): number => (next += 0x1000) - 0x1000;
    const word = (gpa: number, value: bigint): void => {
      this.physical.writeBytes(gpa, new Uint8Array(BigUint64Array.of(value).buffer));
    };
    const [pml4, pdpt, directory] = [table(), table(), table()];
    word(pml4, BigInt(pdpt) | 7n);
    word(pdpt, BigInt(directory) | 7n);
    const leaves = new Map<number, number>();
    const map = (gva: number, gpa: number, executable: boolean): void => {
      const slot = gva >>> 21;
      if (!leaves.has(slot)) leaves.set(slot, table());
      word(directory + slot * 8, BigInt(leaves.get(slot)!) | 7n);
      const noExecute = executable ? 0n : 1n << 63n;
      word(leaves.get(slot)! + ((gva >>> 12) & 511) * 8, BigInt(gpa) | 0x67n | noExecute);
    };
    map(PLACE.CODE_PAGE, GPA.code, true);
    for (let at = 0; at < PLACE.DATA_BYTES; at += 0x1000) {
      map(PLACE.DATA + at, GPA.data + at, false);
      map(PLACE.DATA_LOW + at, GPA.data + at, false);
    }
    const { state } = this.cpu;
    state.setSystem('cr0', BigInt((CR0.PE | CR0.PG | CR0.NE | CR0.MP | CR0.ET | CR0.WP) >>> 0));
    state.setSystem('cr3', BigInt(pml4));
    state.setSystem('cr4', BigInt(CR4.PAE | CR4.OSFXSR | CR4.OSXMMEXCPT | CR4.OSXSAVE));
    state.setSystem('xcr0', 7n);
    state.setSystem('efer', BigInt(EFER.LME | EFER.LMA | EFER.NXE | EFER.SCE));
  }

  private segments(codeSize: 64 | 32): void {
    const { state } = this.cpu;
    const flat = { base: 0n, limit: 0xffff_ffff };
    const common = ATTRIBUTE.S | ATTRIBUTE.DPL | ATTRIBUTE.P | ATTRIBUTE.G;
    const unusable = { selector: 0, base: 0n, limit: 0, attributes: ATTRIBUTE.UNUSABLE };
    const code = 0xb | common | (codeSize === 64 ? ATTRIBUTE.L : ATTRIBUTE.DB);
    state.setSegment(SEG.CS, { ...flat, selector: codeSize === 64 ? 0x33 : 0x23, attributes: code });
    const data = { ...flat, selector: 0x2b, attributes: 3 | common | ATTRIBUTE.DB };
    for (const index of [SEG.SS, SEG.DS, SEG.ES]) state.setSegment(index, data);
    // As of a process without an LDT.
    state.setSegment(SEG.LDTR, unusable);
    state.setSegment(SEG.FS, unusable);
    state.setSegment(SEG.GS, codeSize === 64 ? { ...unusable, base: BigInt(PLACE.GS_BASE) } : unusable);
    this.cpu.refresh();
  }

  private lastSize = 0;
  run(cases: readonly Case[]): Result[] {
    return cases.map((c) => this.one(c));
  }

  private one(c: Case): Result {
    const { cpu, physical } = this;
    const { state } = cpu;
    const start = startOf(c);
    const codeGpa = GPA.code + start - PLACE.CODE_PAGE;
    physical.writeBytes(codeGpa, c.code);
    const area = layout.RAM + GPA.data + PLACE.AREA_OFFSET;
    const pages = physical.data.subarray(layout.RAM + GPA.data, layout.RAM + GPA.data + PLACE.DATA_BYTES);
    pages.fill(0);
    physical.data.set(c.memory, area);
    for (let i = 0; i < 16; i++) state.setGpr(i, c.gprs[i]);
    state.rflags = c.rflags;
    state.rip = BigInt(start);
    loadFloat(state, c.fx, c.upper);
    if (this.lastSize !== c.codeSize) this.segments((this.lastSize = c.codeSize));
    this.event = undefined;
    const first = state.rip;
    for (let i = 0; i < LONGEST && !this.event && state.rip === first; i++) this.loop.run(1);
    // A jump to where nothing is faults when the next instruction is fetched.
    const { rip } = state;
    if (!this.event && rip !== BigInt(PLACE.CODE_END) && Number(rip >> 12n) !== PLACE.CODE_PAGE >>> 12)
      this.loop.run(1);
    cpu.heldEvent = undefined;
    const event = this.event as TrapEvent | undefined;
    const fill = new Uint8Array(CODE_BYTES).fill(PLACE.FILLING).subarray(0, c.code.length);
    physical.writeBytes(codeGpa, fill);
    const gprs = new BigUint64Array(16);
    for (let i = 0; i < 16; i++) gprs[i] = state.gpr(i);
    return {
      vector: event ? event.vector : -1, errorCode: event?.errorCode ?? 0, faultAddress: event?.address ?? 0n,
      rip: state.rip, rflags: state.rflags, gprs, fx: storeFloat(state, c.fx), upper: upperHalves(state),
      memory: physical.data.slice(area, area + PLACE.AREA_BYTES), stray: false,
    }; // prettier-ignore
  }
}
