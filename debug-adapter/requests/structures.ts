/** ringside/structures. */
import { array, integer, maybeObject, optional, string } from '../arguments';
import { toJson } from '../json';
import { structureRoots } from '../scopes/virtualization';
import { cpuOf, handler } from './handler';

export const structures = handler(
  maybeObject({ cpu: optional(integer(0)), roots: optional(array(string)) }),
  (session, { cpu, roots }) => {
    const target = session.target;
    const processor = cpuOf(target, cpu);
    const all = structureRoots(target.machine, processor, (gva) => target.program.describe(gva));
    const wanted = all.filter(({ name }) => roots === undefined || roots.includes(name));
    return {
      structures: toJson(target.machine.inspect.structures(processor)),
      nodes: wanted.map(({ node }) => node()),
      roots: all.map(({ name }) => name),
    };
  },
);
