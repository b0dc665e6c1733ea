/** ringside/exitLines: how often each line of a source has left the guest. */
import { boolean, integer, object, optional, string } from '../arguments';
import type { Debuggee } from '../debuggee';
import type { CustomRequests } from '../protocol';
import { handler } from './handler';

type Body = CustomRequests['ringside/exitLines']['body'];
type Line = Body['lines'][number];

export const exitLines = handler(
  object({
    source: object({ path: string, name: optional(string), sourceReference: optional(integer()) }),
    count: optional(boolean),
  }),
  (session, { source, count }): Body => {
    const target = session.target;
    const { virtualization } = target.machine;
    if (count !== undefined) target.exitWatch.count(count);
    if (!virtualization) return { of: 'kept', lines: [] };
    const { exits, holes } = virtualization;
    const paths = new Set(target.paths.toProgram(source.path));
    const lines = new Map<number, Line>();
    const lineOf = (gva: bigint): Line | undefined => {
      const found = lineIn(target, paths, gva);
      if (found === undefined) return undefined;
      const line = lines.get(found) ?? { line: found - 1 + session.client.firstLine, exits: 0, reasons: {}, holes: 0 };
      lines.set(found, line);
      return line;
    };
    const note = (line: Line | undefined, reason: string, times: number): void => {
      if (line === undefined) return;
      line.exits += times;
      line.reasons[reason] = (line.reasons[reason] ?? 0) + times;
    };
    const { profile } = exits;
    if (profile)
      for (const [gva, reasons] of profile.places) reasons.forEach((times, reason) => note(lineOf(gva), reason, times));
    // Those from before somebody looked are counted as far as they are kept.
    for (let number = exits.oldest; number < (profile?.first ?? exits.following); number++) {
      const { gva, reason } = exits.at(number)!;
      note(lineOf(gva), reason, 1);
    }
    for (const hole of holes.list) {
      const line = lineOf(hole.gva);
      if (line) line.holes += hole.count;
    }
    return { of: profile ? 'all' : 'kept', lines: [...lines.values()].sort((a, b) => a.line - b.line) };
  },
);

function lineIn(target: Debuggee, paths: ReadonlySet<string>, gva: bigint): number | undefined {
  const found = target.program.lineAt(gva);
  return found !== undefined && paths.has(found.path) ? found.line : undefined;
}
