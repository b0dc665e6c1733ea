/** One line of the C preprocessor. */
import type { BareStatement } from './statements';
import type { Name, Token } from './tree';

const LINE = /^#[^\S\n]*(\w+)/;
const DEFINE = /^[^\S\n]*([A-Za-z_]\w*)(\(([^)]*)\))?/;
const FILE = /^[^\S\n]*(?:"([^"\n]*)"|<([^>\n]*)>)/;

export function preprocessorLine(text: string, token: Token): BareStatement {
  const line = text.slice(token.start, token.end);
  const start = LINE.exec(line);
  const word = start?.[1] ?? '';
  const used = start?.[0].length ?? 1;
  const at = token.start + used;
  const name: Name = { start: at - word.length, end: at, text: word.toLowerCase() };
  const common = { kind: 'preprocessor' as const, start: token.start, end: token.end, name };
  const rest = line.slice(used);
  const placed = (part: string, from: number): Name => ({ start: at + from, end: at + from + part.length, text: part });
  if (name.text === 'define' || name.text === 'undef') {
    const found = DEFINE.exec(rest);
    if (found) {
      const parameters = found[3]?.split(',').map((each) => each.trim()).filter((each) => each !== ''); // prettier-ignore
      const macro = placed(found[1], found[0].indexOf(found[1]));
      return {
        ...common,
        macro,
        ...(found[2] === undefined ? {} : { parameters: parameters ?? [] }),
        rest: { start: at + found[0].length, end: token.end },
      };
    }
  }
  if (name.text.startsWith('include')) {
    const found = FILE.exec(rest);
    const file = found?.[1] ?? found?.[2];
    if (found && file !== undefined)
      return { ...common, file: placed(file, found[0].length - 1 - file.length), rest: { start: at, end: token.end } };
  }
  return { ...common, rest: { start: at, end: token.end } };
}
