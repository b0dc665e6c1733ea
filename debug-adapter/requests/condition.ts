/** ringside/condition: what may be typed next in a condition, and what is wrong with it so far. */
import { UserError } from '../../emulator/util/assert';
import { integer, object, optional, string } from '../arguments';
import { completionsAt } from '../completions';
import type { Debuggee } from '../debuggee';
import { ExpressionError } from '../expressions/errors';
import type { CustomRequests } from '../protocol';
import { handler } from './handler';

type Body = CustomRequests['ringside/condition']['body'];

export const condition = handler(
  object({
    text: string,
    column: optional(integer(0)),
    source: optional(object({ path: string })),
    line: optional(integer()),
  }),
  (session, { text, column = text.length, source, line }): Body => {
    const target = session.target;
    const at = target.running ? undefined : target.codeFrameOf(undefined);
    const targets = completionsAt(target, text, column, at);
    const items = targets.map(({ label, text: whole = label, start = 0, length = 0, detail }) => ({ label, text: whole, start, length, ...(detail ? { detail } : {}) })); // prettier-ignore
    try {
      const gva = source && line !== undefined ? addressAt(target, source.path, line + 1 - session.client.firstLine) : undefined; // prettier-ignore
      if (text.trim() !== '') target.evaluator.condition(text, gva === undefined ? {} : { gva });
      return { items };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return {
        items,
        problem: { message: error.message, column: error instanceof ExpressionError ? error.column : 1 },
      };
    }
  },
);

/** The first place of a line, where a condition's locals are looked up. */
function addressAt(target: Debuggee, path: string, line: number): bigint | undefined {
  for (const each of target.paths.toProgram(path))
    for (const { file } of target.program.modules) {
      const [first] = file.addressesOf(each, line).addresses;
      if (first !== undefined) return first;
    }
  return undefined;
}
