/** ringside/exitLines: how often each line of a source has left the guest. */
import { integer, object, optional, string } from '../arguments';
import type { Debuggee } from '../debuggee';
import type { CustomRequests } from '../protocol';
import { handler } from './handler';

type Body = CustomRequests['ringside/exitLines']['body'];
type Line = Body['lines'][number];

export const exitLines = handler(
  object({ source: object({ path: string, name: optional(string), sourceReference: optional(integer()) }) }),
  (session, { source }): Body => {
    const target = session.target;
    const { virtualization } = target.machine;
    if (!virtualization) return { lines: [] };
    const paths = new Set(target.paths.toProgram(source.path));
    const lines = new Map<number, Line>();
    const lineOf = (gva: bigint): Line | undefined => {
      const found = lineIn(target, paths, gva);
      if (found === undefined) return undefined;
      const line = lines.get(found) ?? { line: found - 1 + session.client.firstLine, exits: 0, reasons: {}, holes: 0 };
      lines.set(found, line);
      return line;
    };
    for (const { gva, reason } of virtualization.exits.recent()) {
      const line = lineOf(gva);
      if (!line) continue;
      line.exits++;
      line.reasons[reason] = (line.reasons[reason] ?? 0) + 1;
    }
    for (const { gva, count } of virtualization.holes.list) {
      const line = lineOf(gva);
      if (line) line.holes += count;
    }
    return { lines: [...lines.values()].sort((a, b) => a.line - b.line) };
  },
);

function lineIn(target: Debuggee, paths: ReadonlySet<string>, gva: bigint): number | undefined {
  const found = target.program.lineAt(gva);
  return found !== undefined && paths.has(found.path) ? found.line : undefined;
}
