/**
 * Control flow as WebAssembly can say it: a graph of basic blocks becomes nested blocks and loops along its dominator
 * tree. Edges that no nesting can express (into a loop's middle, or to a block that several outsiders enter) go through
 * the dispatcher, node 0, whose successors are the entries. Knows nothing of x86.
 * Sources: Ramsey, "Beyond Relooper" (ICFP 2022); Cooper, Harvey, Kennedy, "A Simple, Fast Dominance Algorithm".
 */
import { assert } from '../util/assert';

export interface Flow {
  /** Nodes that the dispatcher enters, in the order of its table: those asked for, and targets of irreducible edges. */
  readonly entries: readonly number[];
  /** Position in reverse postorder; -1: not reachable. */
  readonly order: readonly number[];
  /** Children in the dominator tree, by node, latest in reverse postorder first. */
  readonly children: readonly (readonly number[])[];
  /** Several forward edges lead here: it lies behind a block that they leave. */
  readonly merges: readonly boolean[];
  /** Backward edges lead here. */
  readonly loops: readonly boolean[];
  /** The edge goes by the dispatcher. */
  dispatched(from: number, to: number): boolean;
}

/** `successors[n]` for nodes 1 and up; [0] is not read. Duplicates are allowed. */
export function structure(successors: readonly (readonly number[])[], entries: readonly number[]): Flow {
  const irreducible = new Set<number>();
  const entered = new Set(entries);
  const key = (from: number, to: number): number => from * successors.length + to;
  for (;;) {
    const edges = successors.map((list, n) =>
      n === 0 ? [...entered] : [...new Set(list)].filter((to) => !irreducible.has(key(n, to))),
    );
    const walk = depthFirst(edges);
    const parents = dominators(edges, walk);
    const bad = backwardEdges(edges, walk.order).filter(([from, to]) => !dominates(parents, walk.order, to, from));
    for (const [from, to] of bad) {
      irreducible.add(key(from, to));
      entered.add(to);
    }
    if (bad.length > 0) continue;
    return { ...describe(edges, walk, parents), entries: [...entered], dispatched: (from, to) => irreducible.size > 0 && irreducible.has(key(from, to)) }; // prettier-ignore
  }
}

interface Walk {
  /** Reverse postorder. */
  sequence: number[];
  order: number[];
}
function depthFirst(edges: readonly (readonly number[])[]): Walk {
  const seen = new Set<number>([0]);
  const sequence: number[] = [];
  const stack: { node: number; next: number }[] = [{ node: 0, next: 0 }];
  while (stack.length > 0) {
    const top = stack[stack.length - 1];
    const to = edges[top.node][top.next++] as number | undefined;
    if (to === undefined) {
      sequence.push(top.node);
      stack.pop();
    } else if (!seen.has(to)) {
      seen.add(to);
      stack.push({ node: to, next: 0 });
    }
  }
  sequence.reverse();
  const order = new Array<number>(edges.length).fill(-1);
  sequence.forEach((node, i) => (order[node] = i));
  return { sequence, order };
}

const backwardEdges = (edges: readonly (readonly number[])[], order: readonly number[]): [number, number][] =>
  edges.flatMap((list, from) =>
    from === 0 || order[from] < 0
      ? []
      : list.filter((to) => order[to] <= order[from]).map((to): [number, number] => [from, to]),
  );

function dominators(edges: readonly (readonly number[])[], { sequence, order }: Walk): number[] {
  const predecessors: number[][] = edges.map(() => []);
  for (const from of sequence) for (const to of edges[from]) predecessors[to].push(from);
  const parents = new Array<number>(edges.length).fill(-1);
  parents[0] = 0;
  const common = (a: number, b: number): number => {
    while (a !== b) {
      while (order[a] > order[b]) a = parents[a];
      while (order[b] > order[a]) b = parents[b];
    }
    return a;
  };
  for (let changed = true; changed;) {
    changed = false;
    for (const node of sequence) {
      if (node === 0) continue;
      const known = predecessors[node].filter((p) => parents[p] >= 0);
      assert(known.length > 0, 'a reachable node has a predecessor before it');
      const parent = known.reduce(common);
      if (parent === parents[node]) continue;
      parents[node] = parent;
      changed = true;
    }
  }
  return parents;
}

function dominates(parents: readonly number[], order: readonly number[], a: number, b: number): boolean {
  while (order[b] > order[a]) b = parents[b];
  return a === b;
}

function describe(edges: readonly (readonly number[])[], { sequence, order }: Walk, parents: readonly number[]): Omit<Flow, 'entries' | 'dispatched'> {
  const forward = edges.map(() => 0);
  const fromDispatcher = edges.map(() => false);
  const loops = edges.map(() => false);
  for (const from of sequence)
    for (const to of edges[from]) {
      if (order[to] <= order[from]) loops[to] = true;
      else forward[to]++;
      if (from === 0) fromDispatcher[to] = true;
    }
  const children: number[][] = edges.map(() => []);
  for (const node of sequence) if (node !== 0) children[parents[node]].push(node);
  for (const list of children) list.sort((a, b) => order[b] - order[a]);
  // The dispatcher reaches its entries by a table, which can only leave blocks.
  const merges = forward.map((count, node) => count > 1 || fromDispatcher[node]);
  return { order, children, merges, loops };
} // prettier-ignore
