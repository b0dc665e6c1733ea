/**
 * The compiled regions: which blocks are worth one, modules of several regions at a time, where they are entered, when they
 * die. A cache: whatever is thrown away here is executed by the interpreter.
 */
import { assert } from '../util/assert';
import type { Block } from './block';
import { RegionCompiler } from './compiler';
import type { FunctionTable } from './function-table';
import { helpersInTable } from './helpers';
import { HEADER, HEADER_BYTES, NO_REGION, RECORD_BYTES } from './record';
import { planRegion } from './region';
import type { Step, Surroundings } from './region';
import { I32, ModuleBuilder } from './wasm';

export interface CompilerOptions {
  /** Executions by the interpreter after which a block is compiled. */
  threshold: number;
  /** Regions in one module: a module costs the engine as much as several regions. */
  batch: number;
  /** Instructions and blocks in one region, about. */
  instructions: number;
  blocks: number;
  /** Bytes of WebAssembly in all modules together; the oldest are thrown away. */
  moduleBytes: number;
}
export const COMPILER_OPTIONS: CompilerOptions = {
  threshold: 28000,
  batch: 16,
  instructions: 400,
  blocks: 64,
  moduleBytes: 16 << 20,
};
/** Hot blocks wait for others to share their module with, for so many instructions at most. */
const PATIENCE = 1 << 20;

export interface Region {
  /** In the function table. */
  readonly index: number;
  readonly members: readonly Block[];
  readonly entries: readonly Block[];
}
interface Batch {
  readonly bytes: number;
  readonly regions: readonly Region[];
}

export class Regions {
  private waiting: Block[] = [];
  private waitsSince = 0;
  private readonly ofBlock = new Map<Block, Set<Region>>();
  private batches: Batch[] = [];
  private bytes = 0;
  /** A region died: whoever is inside has to leave. */
  onKill: () => void = () => {};
  /** Regions compiled since power-on, and the bytes of their modules. */
  readonly made = { regions: 0, modules: 0, bytes: 0, instructions: 0, killed: 0 };

  constructor(
    private readonly view: DataView,
    private readonly table: FunctionTable,
    private readonly instantiate: (bytes: Uint8Array<ArrayBuffer>) => void,
    private readonly around: Surroundings,
    private readonly options: CompilerOptions,
  ) {}

  /** What a new block's header begins to count down from. */
  get heat(): number {
    return this.options.threshold;
  }
  private header(block: Block, field: number): number {
    return this.view.getInt32(block.address - HEADER_BYTES + field, true);
  }
  private setHeader(block: Block, field: number, value: number): void {
    this.view.setInt32(block.address - HEADER_BYTES + field, value, true);
  }
  /** Executed often enough not to be in a region by accident. */
  isWarm(block: Block): boolean {
    return this.ofBlock.has(block) || this.header(block, HEADER.HEAT) <= this.options.threshold - this.options.threshold / 32;
  } // prettier-ignore

  /** The interpreter has executed the block `threshold` times. */
  hot(block: Block): void {
    // Below 0 it counts on without end, and the block is known to be warm.
    this.setHeader(block, HEADER.HEAT, -1);
    // A guarded block stays with the interpreter: a way back to it inside a region would miss the guard.
    if (
      block.alive &&
      block.entry === block.address &&
      block.secondGpa < 0 &&
      this.header(block, HEADER.NEED) === NO_REGION
    )
      this.waiting.push(block);
  }
  /** Between two runs of generated code; `retired`: instructions so far. */
  poll(retired: number): void {
    if (this.waiting.length === 0) this.waitsSince = retired;
    else if (this.waiting.length >= this.options.batch || retired - this.waitsSince >= PATIENCE) this.compile();
  }

  private compile(): void {
    const module = new ModuleBuilder();
    const helpers = helpersInTable(module);
    const regions: { region: Region; instructions: number }[] = [];
    const claimed = new Set<Block>();
    const steps = new Map<Block, Step[]>();
    for (const block of this.waiting) {
      if (!block.alive || claimed.has(block)) continue;
      const plan = planRegion(block, this.options, this.around, (b, i) => b.address + i * RECORD_BYTES, steps);
      const index = this.table.take();
      const compiler = new RegionCompiler(plan, index, helpers);
      module.put(module.add(compiler.compile(), [I32]), index);
      const entries = compiler.flow.entries.map((node) => plan.blocks[node - 1].block);
      for (const entry of entries) claimed.add(entry);
      const members = plan.blocks.map((b) => b.block);
      regions.push({ region: { index, members, entries }, instructions: plan.instructions });
    }
    this.waiting = [];
    if (regions.length === 0) return;
    const bytes = module.build();
    this.instantiate(bytes);
    for (const { region, instructions } of regions) this.install(region, instructions);
    this.keep({ bytes: bytes.length, regions: regions.map((r) => r.region) });
  }

  private install(region: Region, instructions: number): void {
    region.entries.forEach((block, entry) => {
      if (this.header(block, HEADER.NEED) !== NO_REGION) return;
      this.setHeader(block, HEADER.REGION, region.index);
      this.setHeader(block, HEADER.ENTRY, entry);
      this.setHeader(block, HEADER.NEED, instructions);
    });
    for (const block of region.members) {
      const set = this.ofBlock.get(block);
      if (set) set.add(region);
      else this.ofBlock.set(block, new Set([region]));
    }
    this.made.regions++;
    this.made.instructions += instructions;
  }
  private keep(batch: Batch): void {
    this.batches.push(batch);
    this.bytes += batch.bytes;
    this.made.modules++;
    this.made.bytes += batch.bytes;
    while (this.bytes > this.options.moduleBytes && this.batches.length > 1) {
      const oldest = this.batches.shift()!;
      this.bytes -= oldest.bytes;
      for (const region of oldest.regions) this.kill(region);
    }
  }

  /** The block is no longer what is in memory. Who is inside has to leave before its next instruction. */
  forget(block: Block): void {
    const regions = this.ofBlock.get(block);
    if (regions) for (const region of [...regions]) this.kill(region);
  }
  private kill(region: Region): void {
    // Dead already: one of its blocks was forgotten before.
    if (!this.ofBlock.get(region.members[0])?.has(region)) return;
    this.made.killed++;
    this.onKill();
    for (const block of region.entries) {
      if (this.header(block, HEADER.REGION) !== region.index || this.header(block, HEADER.NEED) === NO_REGION) continue;
      this.setHeader(block, HEADER.NEED, NO_REGION);
      this.setHeader(block, HEADER.REGION, 0);
      this.setHeader(block, HEADER.HEAT, this.options.threshold);
    }
    for (const block of region.members) {
      const set = this.ofBlock.get(block);
      assert(set !== undefined, 'a region is known to each of its blocks');
      set.delete(region);
      if (set.size === 0) this.ofBlock.delete(block);
    }
    this.table.release(region.index);
  }
  clear(): void {
    for (const regions of [...this.ofBlock.values()]) for (const region of [...regions]) this.kill(region);
    this.waiting = [];
    this.batches = [];
    this.bytes = 0;
  }
}
