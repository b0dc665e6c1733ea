/** Names inside of values: members, and names with dots in them. */
import type { Type } from '../symbols/api';
import { bare } from './c-types';
import type { Tree } from './parser';

/** `cs.base` of a tree that is nothing but names and dots. */
export const dottedPath = (tree: Tree): string | undefined => {
  if (tree.kind === 'name') return tree.name;
  if (tree.kind !== 'member' || tree.arrow) return undefined;
  const object = dottedPath(tree.object);
  return object === undefined ? undefined : `${object}.${tree.name}`;
};

/** A member by name, also inside anonymous members and base classes. */
export const memberOf = (
  of: Type,
  name: string,
  depth = 0,
): { type: Type; offset: number; bits?: { offset: number; size: number } } | undefined => {
  const aggregate = bare(of);
  if (aggregate.kind !== 'struct' && aggregate.kind !== 'union' && aggregate.kind !== 'class') return undefined;
  for (const member of aggregate.members()) {
    if (member.name === name)
      return { type: member.type, offset: member.offset, ...(member.bitSize !== undefined && { bits: { offset: member.bitOffset ?? 0, size: member.bitSize } }) }; // prettier-ignore
  }
  if (depth > 16) return undefined;
  for (const member of aggregate.members()) {
    if (member.name !== '' && bare(member.type).kind !== 'class') continue;
    const found = memberOf(member.type, name, depth + 1);
    if (found) return { ...found, offset: found.offset + member.offset };
  }
  return undefined;
};
