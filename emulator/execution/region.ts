/**
 * What belongs into a compiled region: from a hot block on, the blocks of the same page that have been executed, as a graph.
 * Blocks of the cache overlap (each runs up to a branch); in a region one ends where another begins.
 */
import type { Block } from './block';
import { analyse } from './analysis';
import type { Facts } from './analysis';
import type { Form } from './builder';
import { formOf, isCalled, nextRip } from './forms';
import type { ExecutionMode } from './forms';
import type { Instruction } from '../isa/instruction';

/** An instruction as the compiler needs it; `facts` and `form` are absent where the meaning is plain. */
export interface Step {
  readonly insn: Instruction;
  readonly record: number;
  readonly form?: Form;
  readonly facts?: Facts;
}

export interface RegionBlock {
  readonly block: Block;
  /** The block's instructions up to where another block begins. */
  readonly steps: readonly Step[];
  /** RIP behind the last one. */
  readonly end: bigint;
  /** Nodes that direct branches and falling through lead to within the region. */
  readonly successors: readonly number[];
}

/** Node n is `blocks[n - 1]`; node 0 is the dispatcher. */
export interface RegionPlan {
  readonly mode: ExecutionMode;
  readonly blocks: readonly RegionBlock[];
  /** Nodes that are entered from outside, or by indirect branches. The first is where it all began. */
  readonly entries: readonly number[];
  /** Instructions in all blocks: the most that happens from one check of the budget to the next. */
  readonly instructions: number;
  nodeAt(rip: bigint): number | undefined;
}

export interface PlanLimits {
  readonly instructions: number;
  readonly blocks: number;
}

/** What the former asks about code around the first block. */
export interface Surroundings {
  /** An executed block of the same page and mode as `near`, within one page, that no breakpoint guards. */
  neighbour(near: Block, rip: bigint): Block | undefined;
  /** Such blocks that indirect branches went to. */
  indirectTargets(near: Block): Block[];
  /** RIP of the instruction that is executed next when RIP is `rip`. */
  resolve(rip: bigint): bigint;
}

interface Ways {
  direct: bigint[];
  /** Where a call comes back to. */
  back: bigint[];
  indirect: boolean;
}

const stepOf = (insn: Instruction, record: number, mode: ExecutionMode): Step => {
  if (isCalled(insn.row, mode)) return { insn, record };
  const form = formOf(insn, mode);
  return { insn, record, form, facts: analyse(insn, form) };
};

const RETURNS: readonly string[] = ['ret', 'iret'];

function waysOf({ insn, facts }: Step, fall: bigint): Ways {
  if (!insn.row.attributes.ends) return { direct: [fall], back: [], indirect: false };
  const none = { direct: [], back: [], indirect: false };
  if (!facts) return none;
  const direct: bigint[] = [];
  const relative = insn.operands.find((o) => o.kind === 'relative');
  if (facts.falls) direct.push(nextRip(insn));
  if (facts.jumps && relative) direct.push(relative.target);
  const isCall = insn.row.mnemonic === 'call';
  // A return leads back to a call in some region, not to a table's targets.
  const indirect = facts.jumpsIndirect && !RETURNS.includes(insn.row.mnemonic);
  return { direct, back: isCall ? [nextRip(insn)] : [], indirect };
}

/** `steps`: of blocks that were looked at before; those of this region are added. */
export function planRegion(first: Block, limits: PlanLimits, around: Surroundings, recordOf: (block: Block, i: number) => number, steps: Map<Block, Step[]>): RegionPlan {
  const { mode } = first;
  const members = new Map<bigint, Block>([[first.rip, first]]);
  const entered = new Set<bigint>([first.rip]);
  const walked: Block[] = [];
  let count = 0;
  const include = (block: Block | undefined): boolean => {
    if (!block || members.has(block.rip) || members.size >= limits.blocks) return false;
    members.set(block.rip, block);
    return true;
  };
  // A Map may grow while it is walked: what is added is visited.
  for (const block of members.values()) {
    let list = steps.get(block);
    if (!list) steps.set(block, (list = block.instructions.map((insn, i) => stepOf(insn, recordOf(block, i), mode))));
    walked.push(block);
    count += list.length;
    if (count >= limits.instructions) continue;
    const ways = waysOf(list[list.length - 1], block.fall);
    for (const rip of ways.direct) include(around.neighbour(block, rip));
    for (const rip of ways.back) if (include(around.neighbour(block, rip))) entered.add(rip);
    if (ways.indirect) for (const target of around.indirectTargets(block)) if (include(target)) entered.add(target.rip);
  }
  return arrange(mode, walked, entered, steps, around.resolve);
} // prettier-ignore

/** Cuts blocks where others begin, and numbers them by address. */
function arrange(mode: ExecutionMode, reached: readonly Block[], entered: ReadonlySet<bigint>, all: ReadonlyMap<Block, Step[]>, resolve: (rip: bigint) => bigint): RegionPlan {
  const nodes = new Map(reached.map((block, i) => [block.rip, i + 1]));
  const cut = (block: Block): Step[] => {
    const list = all.get(block)!;
    const end = list.findIndex(({ insn }, i) => i > 0 && nodes.has(insn.rip));
    return end < 0 ? list : list.slice(0, end);
  };
  const blocks = reached.map((block): RegionBlock => {
    const steps = cut(block);
    const last = steps[steps.length - 1];
    // One that another block cut short goes on there.
    const end = steps.length === block.count ? block.fall : nextRip(last.insn);
    const successors = waysOf(last, end).direct.flatMap((rip) => nodes.get(resolve(rip)) ?? []);
    return { block, steps, end, successors };
  });
  const entries = [...entered].flatMap((rip) => nodes.get(rip) ?? []);
  const instructions = blocks.reduce((sum, { steps }) => sum + steps.length, 0);
  return { mode, blocks, entries, instructions, nodeAt: (rip) => nodes.get(resolve(rip)) };
} // prettier-ignore
