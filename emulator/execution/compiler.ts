/**
 * The second tier: a region (region.ts) becomes one WebAssembly function with structured control flow. Its parameter is the
 * record at which it is entered; it answers with the next block's first record | 1, or 0 to leave, as functions of forms do.
 *
 * Exits are those of the interpreter, at the same records, so that the run loop need not know the tier: a block pays for
 * itself as a whole, `rest` comes back at a fault. The budget is tested only where control goes backwards or through the
 * dispatcher; who enters has made sure that it lasts so far.
 */
import { assert } from '../util/assert';
import { structure } from './flow';
import type { Flow } from './flow';
import { immediateOf, nextRip } from './forms';
import type { HelperCallees } from './builder';
import { materialise, MEMORY } from './lazy-flags';
import type { Pending } from './lazy-flags';
import { leave, probeJumpCache } from './links';
import { EXIT, HEADER, HEADER_BYTES, RECORD, RECORD_BYTES } from './record';
import type { RegionBlock, RegionPlan, Step } from './region';
import { RegionFunction } from './region-function';
import { RegionEmitter } from './region-emitter';
import type { RegionFrame, Site } from './region-emitter';
import { liveness } from './region-liveness';
import type { Liveness } from './region-liveness';
import { I32, call, i32, i64, load } from './wasm';
import type { Label, Value, FunctionBuilder } from './wasm';

/** A place in the block that is being compiled. */
interface Position {
  node: number;
  /** Where a fault goes while `pending` is what it is now. */
  faults?: Label;
}

export class RegionCompiler extends RegionFunction implements RegionFrame {
  readonly flow: Flow;
  pending: Pending = MEMORY;

  private readonly live: Liveness;
  private readonly faulted = this.f.local(I32);
  private readonly entry = this.f.local(I32);
  private readonly labels = new Map<number, Label>();
  private dispatch: Label = 0;
  private place: Position = { node: 0 };
  private repeats: Label = 0;

  /** `index`: the region's place in the function table. */
  constructor(
    private readonly plan: RegionPlan,
    private readonly index: number,
    helpers: HelperCallees,
  ) {
    super(helpers);
    this.flow = structure([[], ...plan.blocks.map((b) => b.successors)], plan.entries);
    this.live = liveness(plan, this.flow);
    this.allocate(this.live);
  }

  // --- The function.
  compile(): FunctionBuilder {
    const { f } = this;
    this.load();
    const header = f.parameter(0).sub(HEADER_BYTES);
    f.set(this.entry, load(32, header, HEADER.ENTRY));
    f.block((exit) => {
      this.exit = exit;
      f.block((faults) => {
        this.place = { node: 0, faults };
        f.loop((dispatch) => {
          this.dispatch = dispatch;
          this.within(0, this.mergesUnder(0));
        });
        f.unreachable();
      });
      leave(f, EXIT.FAULT, f.get(this.faulted));
      f.set(this.answer, i32(0));
    });
    this.store();
    f.return(f.get(this.answer));
    f.unreachable();
    return f;
  }
  // --- Structure.
  private mergesUnder(node: number): number[] {
    return this.flow.children[node].filter((child) => this.flow.merges[child]);
  }
  private tree(node: number): void {
    if (!this.flow.loops[node]) return this.within(node, this.mergesUnder(node));
    this.f.loop((label) => {
      this.labels.set(node, label);
      this.within(node, this.mergesUnder(node));
    });
  }
  /** The node's own code inside, and behind each block that it can leave the node that lies there. */
  private within(node: number, merges: readonly number[]): void {
    const [outermost, ...others] = merges as (number | undefined)[];
    if (outermost === undefined) return node === 0 ? this.enter() : this.block(node);
    this.f.block((label) => {
      this.labels.set(outermost, label);
      this.within(node, others as number[]);
    });
    this.apart(() => {
      this.pending = MEMORY;
      this.place = { node: outermost, faults: this.commonFaults };
      this.tree(outermost);
    });
  }
  private commonFaults: Label = 0;
  private enter(): void {
    this.commonFaults = this.place.faults!;
    const labels = this.flow.entries.map((node) => this.labels.get(node)!);
    if (labels.length === 1) this.f.branch(labels[0]);
    else this.f.branchTable(this.f.get(this.entry), labels.slice(0, -1), labels[labels.length - 1]);
  }
  /** What is known here is known again afterwards: code of another place lies in between. */
  private apart(body: () => void): void {
    const { pending, place, ends, repeats } = this;
    body();
    this.pending = pending;
    this.place = place;
    this.ends = ends;
    this.repeats = repeats;
  }
  private get here(): RegionBlock {
    return this.plan.blocks[this.place.node - 1];
  }
  /** Instructions of the cache's block that this one was cut short by. */
  protected get excess(): number {
    return this.here.block.count - this.here.steps.length;
  }

  private block(node: number): void {
    const { f } = this;
    const { steps, end } = this.plan.blocks[node - 1];
    this.place = { node, faults: this.place.faults };
    f.scope(() => {
      f.set(this.left, f.get(this.left).sub(steps.length));
      const last = steps[steps.length - 1];
      this.steps(node, 0);
      if (last.insn.row.attributes.ends) return;
      const falls = last.record + RECORD_BYTES;
      this.leaveTo(end, falls + RECORD.LINK_NEXT, falls);
    });
  }
  /** Steps from `first` on. Where flags wait, a block around the steps gives their faults one place that computes them. */
  private steps(node: number, first: number): void {
    const { steps } = this.plan.blocks[node - 1];
    for (let i = first; i < steps.length; i++) {
      const { facts } = steps[i];
      if (facts && (this.isDirect(steps[i]) || facts.callsOut)) this.flush();
      const waits = this.pending.kind !== 'memory' && this.place.faults === this.commonFaults;
      if (waits && facts?.mayFault) {
        i = this.guarded(node, i);
        continue;
      }
      const before = this.pending;
      this.step(steps[i], node, i);
      // The place that was right for the flags as they were inherited is not any more.
      if (this.pending !== before) this.place = { ...this.place, faults: this.commonFaults };
    }
  }
  /** Steps until the flags change; returns the last. */
  private guarded(node: number, first: number): number {
    const { f } = this;
    const { steps } = this.plan.blocks[node - 1];
    const waiting = this.pending;
    let i = first;
    f.block((after) => {
      f.block((faults) => {
        this.place = { ...this.place, faults };
        for (; ; i++) {
          this.step(steps[i], node, i);
          if (i === steps.length - 1 || this.pending !== waiting) break;
          const next = steps[i + 1];
          if (!next.facts || this.isDirect(next) || next.facts.callsOut) break;
        }
        f.branch(after);
      });
      this.place = { ...this.place, faults: this.commonFaults };
      materialise(f, waiting);
      f.branch(this.commonFaults);
    });
    return i;
  }
  private isDirect({ facts }: Step): boolean {
    return facts !== undefined && (facts.piecewise || facts.skips || facts.repeats || facts.callsOut);
  }

  private step(step: Step, node: number, i: number): void {
    const { insn, record, form, facts } = step;
    const site: Site = {
      insn, record, immediate: immediateOf(insn), direct: this.isDirect(step), liveAfter: this.live.after[node - 1][i],
    }; // prettier-ignore
    const { meaning, attributes } = insn.row;
    if (meaning.kind === 'call' || !form || !facts) return this.callPlain(site);
    const emit = (): void => meaning.emit(new RegionEmitter(this, site, form));
    if (attributes.ends || !(facts.skips || facts.repeats)) return emit();
    this.f.block((ends) => {
      this.ends = ends;
      if (!facts.repeats) return emit();
      this.f.loop((repeats) => {
        this.repeats = repeats;
        emit();
      });
    });
    // Iterations were paid from the budget that the region was entered with.
    if (facts.repeats) this.unlessAffordable(() => this.stopAt(record + RECORD_BYTES));
  }

  // --- RegionFrame: what an instruction asks.
  ahead(site: Site): number {
    return this.here.steps.length - this.positionOf(site);
  }
  private positionOf(site: Site): number {
    return (site.record - this.here.block.address) / RECORD_BYTES;
  }
  flush(): void {
    if (this.pending.kind === 'memory') return;
    materialise(this.f, this.pending);
    this.pending = MEMORY;
    this.place = { ...this.place, faults: this.commonFaults };
  }
  fault(site: Site): void {
    const { f } = this;
    f.set(this.faulted, i32(site.record));
    this.payExcess();
    assert(this.pending.kind === 'memory' || this.place.faults !== this.commonFaults, 'faults were foreseen');
    f.branch(this.place.faults!);
  }
  private unlessAffordable(otherwise: () => void): void {
    this.f.if(this.f.get(this.left).ltS(this.plan.instructions), otherwise, undefined, false);
  }

  // --- Branches.
  jump({ insn, record }: Site): void {
    const target = insn.operands.find((o) => o.kind === 'relative');
    assert(target?.kind === 'relative', 'a direct jump has its target in the instruction');
    this.leaveTo(target.target, record + RECORD.LINK_TAKEN, record);
  }
  fallThrough({ insn, record }: Site): void {
    if (!insn.row.attributes.ends) return this.f.branch(this.ends);
    this.leaveTo(nextRip(insn), record + RECORD.LINK_NEXT, record);
  }
  private leaveTo(rip: bigint, link: number, record: number): void {
    const to = this.plan.nodeAt(rip);
    this.apart(() => {
      if (to !== undefined) return this.goTo(this.place.node, to);
      this.flush();
      this.follow(i32(link), i64(rip), record);
    });
  }
  private follow(link: Value, rip: Value, record: number): void {
    const { f } = this;
    f.set(this.answer, call(this.helpers.follow, I32, [link, rip, i32(record)]));
    f.branch(this.exit);
  }
  private goTo(from: number, to: number): void {
    const { f, flow } = this;
    const dispatched = flow.dispatched(from, to);
    const backwards = flow.order[to] <= flow.order[from];
    const inline = !dispatched && !backwards && !flow.merges[to];
    if (dispatched || this.live.before[to - 1] !== 0) {
      if (!inline || flow.loops[to]) this.flush();
    } else if (!inline || flow.loops[to]) {
      // Nobody sees the flags there, but the interpreter would if the budget ended here.
      if (backwards) this.exhausted(to, this.pending);
      this.pending = MEMORY;
      if (backwards) return f.branch(this.labels.get(to)!);
    }
    if (dispatched || backwards) this.exhausted(to, MEMORY);
    if (dispatched) {
      f.set(this.entry, i32(flow.entries.indexOf(to)));
      return f.branch(this.dispatch);
    }
    if (!inline) return f.branch(this.labels.get(to)!);
    if (flow.loops[to]) this.place = { node: to, faults: this.commonFaults };
    this.tree(to);
  }
  /** The interpreter goes on where the budget does not last for the region. */
  private exhausted(to: number, pending: Pending): void {
    const { f } = this;
    this.unlessAffordable(() => {
      f.scope(() => materialise(f, pending));
      f.set(this.answer, i32(this.plan.blocks[to - 1].block.address | 1));
      f.branch(this.exit);
    });
  }
  jumpIndirect({ record }: Site, target: Value): void {
    const { f } = this;
    const rip = f.let(target);
    this.apart(() => {
      this.flush();
      probeJumpCache(f, rip, (found) => {
        const to = f.let(found);
        const header = f.let(to.sub(HEADER_BYTES));
        const inside = load(32, header, HEADER.REGION).eq(this.index);
        f.if(inside.and(f.get(this.left).geS(this.plan.instructions)), () => {
          f.set(this.entry, load(32, header, HEADER.ENTRY));
          f.branch(this.dispatch);
        });
        f.set(this.answer, to.or(1));
        f.branch(this.exit);
      });
      this.follow(i32(0), rip, record);
    });
  }
  again({ record }: Site): void {
    const { f } = this;
    const next = f.let(f.get(this.left).sub(1));
    f.if(next.ltS(this.excess), () => this.exitWith(EXIT.AGAIN, record), undefined, false);
    f.set(this.left, next);
    f.branch(this.repeats);
  }

  private callPlain(site: Site): void {
    this.flush();
    this.callOut(site);
  }
}
