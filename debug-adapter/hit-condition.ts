/** Hit conditions: `5` (the fifth time), `>= 3`, `> 3`, `< 3`, `<= 3`, `== 3`, `% 2` (every second time). */
import { UserError } from '../emulator/util/assert';

export type HitCondition = (hits: number) => boolean;

const OPERATORS: Record<string, (hits: number, value: number) => boolean> = {
  '': (hits, value) => hits === value,
  '=': (hits, value) => hits === value,
  '==': (hits, value) => hits === value,
  '>=': (hits, value) => hits >= value,
  '>': (hits, value) => hits > value,
  '<': (hits, value) => hits < value,
  '<=': (hits, value) => hits <= value,
  '%': (hits, value) => hits % value === 0,
};

export function parseHitCondition(text: string): HitCondition {
  const match = /^\s*(==?|>=?|<=?|%|)\s*([0-9]+)\s*$/.exec(text);
  const test = match && OPERATORS[match[1]!];
  const value = Number(match?.[2]);
  if (!match || !test || !Number.isSafeInteger(value) || (match[1] === '%' && value === 0)) {
    throw new UserError(`Hit condition '${text}' is not understood; write 5, >= 3 or % 2.`);
  }
  return (hits) => test(hits, value);
}

/** A log message in its parts: text, and expressions that stood in braces. `\{` is a brace. */
export function parseLogMessage(text: string): (string | { expression: string })[] {
  const parts: (string | { expression: string })[] = [];
  let plain = '';
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\' && (text[at + 1] === '{' || text[at + 1] === '}')) plain += text[++at];
    else if (text[at] === '{') {
      const end = text.indexOf('}', at);
      if (end < 0)
        throw new UserError(`The log message has a '{' without '}' at column ${at + 1}; write \\{ for a brace.`);
      if (plain !== '') parts.push(plain);
      plain = '';
      parts.push({ expression: text.slice(at + 1, end).trim() });
      at = end;
    } else plain += text[at];
  }
  if (plain !== '') parts.push(plain);
  return parts;
}
