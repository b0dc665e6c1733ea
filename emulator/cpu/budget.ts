/** How many instructions generated code may still start, which it counts down; and how it is made to leave before that. */
import type { Block } from '../execution/block';
import type { CodeCache } from '../execution/code-cache';
import * as layout from '../execution/layout';
import { HANDLER, RECORD, RECORD_BYTES } from '../execution/record';
import type { MemoryPort } from './memory-port';

/** Taken out of the budget to make generated code leave at the next block. */
const EXIT_NOW = 1 << 30;

export class Budget {
  /** What it got, less what was taken to make it leave. */
  granted = 0;
  /** Generated code is running. */
  running = false;
  /** A record that reads STOP for now, and the handler that belongs there. */
  private patched?: { record: number; handler: number };

  /** `ticks`: the time when generated code was entered. */
  constructor(
    private readonly view: DataView,
    private readonly cache: CodeCache,
    private readonly port: MemoryPort,
    private readonly ticks: () => number,
  ) {}

  get left(): number {
    return this.view.getInt32(layout.BUDGET, true);
  }
  /** Instructions before the one at `port.site` since generated code was entered. */
  get inFlight(): number {
    if (!this.running) return 0;
    const block = this.cache.blockOf(this.port.site);
    return this.granted - this.left - (block.count - this.cache.position(this.port.site));
  }

  /** For code that begins with a block. One that is longer gets a STOP in its middle. */
  begin(block: Block, budget: number): void {
    const whole = block.count <= budget;
    if (!whole) this.stopBefore(block.address + budget * RECORD_BYTES);
    this.granted = whole ? budget : block.count;
    this.view.setInt32(layout.BUDGET, this.granted, true);
    this.setTicksBase();
    this.running = true;
  }
  end(): void {
    this.running = false;
    this.unpatch();
  }

  spend(count: number): void {
    this.view.setInt32(layout.BUDGET, this.left - count, true);
  }

  /** Leave when the instruction that is executing is done. */
  requestExit(): void {
    if (!this.running || this.granted < 0) return;
    const { site } = this.port;
    const last = this.cache.blockOf(site).count - 1;
    // A block cut short keeps its STOP: it comes later than the next instruction, or is it.
    const next = site + RECORD_BYTES;
    if (this.cache.position(site) < last && this.patched?.record !== next) this.stopBefore(next);
    this.spend(EXIT_NOW);
    this.granted -= EXIT_NOW;
    this.setTicksBase();
  }

  private setTicksBase(): void {
    const base = this.ticks() + this.granted;
    this.view.setUint32(layout.TICKS_BASE, base >>> 0, true);
    this.view.setInt32(layout.TICKS_BASE + 4, Math.floor(base / 0x1_0000_0000), true);
  }

  private stopBefore(record: number): void {
    this.unpatch();
    this.patched = { record, handler: this.view.getUint32(record + RECORD.HANDLER, true) };
    this.view.setUint32(record + RECORD.HANDLER, HANDLER.STOP, true);
  }
  private unpatch(): void {
    if (!this.patched) return;
    const { record, handler } = this.patched;
    this.patched = undefined;
    if (this.cache.blockOf(record)?.alive) this.view.setUint32(record + RECORD.HANDLER, handler, true);
  }
}
