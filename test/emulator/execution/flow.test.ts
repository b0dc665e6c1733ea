/** Hand-made graphs: what becomes a loop, what a merge, and which edges no nesting can express. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { structure } from '../../../emulator/execution/flow';

interface Row {
  name: string;
  /** By node, from 1 on. */
  edges: number[][];
  entries?: number[];
  loops?: number[];
  merges?: number[];
  dispatched?: [number, number][];
}

const rows: Row[] = [
  { name: 'a straight line', edges: [[2], [3], []] },
  { name: 'a diamond', edges: [[2, 3], [4], [4], []], merges: [4] },
  { name: 'one arm', edges: [[2, 3], [3], []], merges: [3] },
  { name: 'a loop of one block', edges: [[1, 2], []], loops: [1] },
  { name: 'nested loops', edges: [[2], [3], [3, 4], [2, 5], []], loops: [2, 3] },
  { name: 'a loop left from its middle', edges: [[2], [3, 4], [1], []], loops: [1] },
  { name: 'two back edges to one head', edges: [[2, 3], [1], [1]], loops: [1] },
  { name: 'a loop with two entries: irreducible', edges: [[2, 3], [3], [2]], merges: [2, 3], dispatched: [[3, 2]] },
  { name: 'a second entry into a loop', edges: [[2], [1, 3], []], entries: [1, 2], merges: [1, 2], dispatched: [[2, 1]] },
  { name: 'unreachable nodes', edges: [[], [1], [2]] },
]; // prettier-ignore

describe('structure', () => {
  for (const { name, edges, entries = [1], loops = [], merges = [], dispatched = [] } of rows)
    it(name, () => {
      const flow = structure([[], ...edges], entries);
      const marked = (marks: readonly boolean[]): number[] => marks.flatMap((on, n) => (on ? [n] : []));
      assert.deepEqual(marked(flow.loops), loops, 'loops');
      const outside = (n: number): boolean => !flow.entries.includes(n) || merges.includes(n);
      assert.deepEqual(marked(flow.merges).filter(outside), merges, 'merges');
      const all = edges.flatMap((list, i) => list.map((to): [number, number] => [i + 1, to]));
      assert.deepEqual(all.filter(([from, to]) => flow.dispatched(from, to)), dispatched, 'dispatched');
    }); // prettier-ignore

  it('leaves only edges that nesting can express, and every node in the tree once', () => {
    const graph = fc
      .integer({ min: 1, max: 12 })
      .chain((n) =>
        fc.tuple(
          fc.array(fc.array(fc.integer({ min: 1, max: n }), { maxLength: 3 }), { minLength: n, maxLength: n }),
          fc.uniqueArray(fc.integer({ min: 1, max: n }), { minLength: 1, maxLength: 3 }),
        ),
      );
    fc.assert(
      fc.property(graph, ([edges, entries]) => {
        const successors = [[], ...edges];
        const flow = structure(successors, entries);
        const reach = new Set<number>();
        const parent = new Map<number, number>();
        const visit = (node: number): void => {
          for (const child of flow.children[node]) {
            assert.ok(!reach.has(child));
            reach.add(child);
            parent.set(child, node);
            visit(child);
          }
        };
        visit(0);
        const above = (a: number, b: number): boolean => {
          for (let n: number | undefined = b; n !== undefined; n = parent.get(n)) if (n === a) return true;
          return false;
        };
        for (let from = 1; from < successors.length; from++) {
          if (!reach.has(from)) continue;
          for (const to of successors[from]) {
            assert.ok(reach.has(to));
            if (flow.dispatched(from, to)) assert.ok(flow.entries.includes(to));
            else if (flow.order[to] <= flow.order[from]) assert.ok(above(to, from) && flow.loops[to]);
            else assert.ok(parent.get(to) === from || flow.merges[to]);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
