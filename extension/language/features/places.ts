/** What stands at a place of a text. */
import { textOf } from '../syntax/tree';
import type { Span, Token } from '../syntax/tree';
import type { AssemblyDocument } from '../workspace/document';

/** Around the offset, or ending there. Names win over what touches them. */
export function tokenAt(document: AssemblyDocument, offset: number): Token | undefined {
  const { tokens } = document.tree;
  let [low, high] = [0, tokens.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (tokens[middle].start <= offset) low = middle;
    else high = middle - 1;
  }
  const token = tokens[low];
  const before = tokens[low - 1];
  const isWord = (each: Token | undefined): boolean => each !== undefined && (each.kind === 'name' || each.kind === 'number');
  if (token && !isWord(token) && isWord(before) && before.end === offset) return before;
  return token;
} // prettier-ignore

/** The name that is defined or referred to there, in full. */
export function nameAt(document: AssemblyDocument, offset: number): { name: string; at: Span } | undefined {
  const inside = ({ at }: { at: Span }): boolean => at.start <= offset && offset <= at.end;
  const found = document.names.definitions.find(inside) ?? document.names.references.find(inside);
  if (found) return { name: found.name, at: found.at };
  const token = tokenAt(document, offset);
  // In macros and in lines of the preprocessor names are not listed.
  if (token?.kind === 'preprocessor') {
    const text = textOf(document.tree, token);
    for (const match of text.matchAll(/[A-Za-z_.$][\w.$]*/g)) {
      const start = token.start + match.index;
      if (start <= offset && offset <= start + match[0].length) return { name: match[0], at: { start, end: start + match[0].length } }; // prettier-ignore
    }
  }
  return token?.kind === 'name' ? { name: textOf(document.tree, token), at: { start: token.start, end: token.end } } : undefined; // prettier-ignore
}
