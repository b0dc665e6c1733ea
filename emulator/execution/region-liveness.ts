/** Which flag words and registers a region's instructions need: flags that nobody can see are never computed. */
import { ALL_FLAGS } from './analysis';
import type { Flow } from './flow';
import type { RegionPlan, Step } from './region';
import { onStack } from './region-emitter';

export interface Liveness {
  /** Flag words, by block: that somebody can see at its beginning; after each of its steps. */
  readonly before: readonly number[];
  readonly after: readonly (readonly number[])[];
  /** General registers, a bit each. */
  readonly used: number;
  readonly written: number;
  /** Instructions that access the stack, by the stack pointer. */
  readonly stackAccesses: number;
}

/** What can be seen before a step, given what can be seen after it. A fault shows all flags, and so does a plain meaning. */
function through({ facts }: Step, after: number): number {
  if (!facts || facts.mayFault || facts.callsOut) return ALL_FLAGS;
  const partly = facts.skips || facts.piecewise;
  const replaced = partly ? 0 : facts.writes;
  // Nobody sees the flags that it leaves: nor does it matter what they were.
  const kept = after !== 0 || partly || facts.repeats ? facts.keeps : 0;
  return (after & ~replaced) | facts.reads | kept;
}

export function liveness(plan: RegionPlan, flow: Flow): Liveness {
  const { blocks } = plan;
  const before = blocks.map(() => 0);
  const after = blocks.map(({ steps }) => steps.map(() => ALL_FLAGS));
  for (let changed = true; changed;) {
    changed = false;
    for (let b = blocks.length - 1; b >= 0; b--) {
      let live = liveAtEnd(plan, flow, b, before);
      const { steps } = blocks[b];
      for (let i = steps.length - 1; i >= 0; i--) {
        after[b][i] = live;
        live = through(steps[i], live);
      }
      if (live === before[b]) continue;
      before[b] = live;
      changed = true;
    }
  }
  return { before, after, ...registers(plan) };
}

/** Outside the region everything can be seen; where control goes back the budget may end, and the run loop looks. */
function liveAtEnd({ blocks }: RegionPlan, flow: Flow, b: number, before: readonly number[]): number {
  const { steps, successors } = blocks[b];
  const node = b + 1;
  if (successors.some((to) => flow.dispatched(node, to) || flow.order[to] <= flow.order[node])) return ALL_FLAGS;
  const { insn, facts } = steps[steps.length - 1];
  if (!insn.row.attributes.ends) {
    const [next] = successors as (number | undefined)[];
    return next === undefined ? ALL_FLAGS : before[next - 1];
  }
  const ways = facts ? Number(facts.jumps) + Number(facts.falls) : 0;
  if (ways === 0 || facts!.jumpsIndirect || successors.length < ways) return ALL_FLAGS;
  return successors.reduce((live, to) => live | before[to - 1], 0);
}

function registers({ blocks }: RegionPlan): Pick<Liveness, 'used' | 'written' | 'stackAccesses'> {
  let used = 0;
  let written = 0;
  let stackAccesses = 0;
  const number = (index: number): number => (index >= 16 ? index - 16 : index);
  for (const { steps } of blocks)
    for (const { insn, facts } of steps) {
      if (!facts) continue;
      used |= facts.registers;
      written |= facts.written;
      insn.operands.forEach((operand, i) => {
        if (operand.kind !== 'gpr') return;
        used |= 1 << number(operand.index);
        if ((facts.operandsWritten >> i) & 1) written |= 1 << number(operand.index);
      });
      const { memory } = insn;
      if (memory && memory.base >= 0) used |= 1 << memory.base;
      if (memory && memory.index >= 0) used |= 1 << memory.index;
      if (facts.stack || (facts.mayFault && onStack(insn))) stackAccesses++;
    }
  return { used, written, stackAccesses };
}
