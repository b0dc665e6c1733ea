/** modules, loadedSources, source. */
import type { DebugProtocol } from '@vscode/debugprotocol';
import { UserError } from '../../emulator/util/assert';
import { integer, maybeObject, object, optional, string } from '../arguments';
import { baseName } from '../files';
import { shortHex } from '../addresses';
import type { Module } from '../program';
import { sourceOf } from '../stops';
import { handler } from './handler';

export const describeModule = ({ id, path, file }: Module): DebugProtocol.Module => ({
  id,
  name: baseName(path),
  path,
  symbolFilePath: path,
  symbolStatus: file.summary,
  addressRange: `${shortHex(file.range.start)}-${shortHex(file.range.end)}`,
  ...(file.buildId === undefined ? {} : { version: `build id ${file.buildId}` }),
});

export const modules = handler(
  maybeObject({ startModule: optional(integer(0)), moduleCount: optional(integer(0)) }),
  (session, { startModule = 0, moduleCount = 0 }) => {
    const all = session.target.program.modules;
    const end = moduleCount === 0 ? all.length : startModule + moduleCount;
    return {
      totalModules: all.length,
      modules: all.slice(startModule, end).map(describeModule),
    };
  },
);

export const loadedSources = handler(maybeObject({}), async (session) => {
  const sources = [];
  for (const path of session.target.program.sources()) sources.push(await sourceOf(session, path));
  return { sources };
});

/** Only asked for what the editor could not open itself. */
export const source = handler(
  object({
    source: optional(object({ path: optional(string), name: optional(string) })),
    sourceReference: optional(integer()),
  }),
  async (session, args) => {
    const path = args.source?.path;
    if (path === undefined) throw new UserError("'source.path' is missing; Ringside serves files by path.");
    const { files } = session;
    const target = session.target;
    // Only what the debug information names: a client is not given other files through this door.
    const [program] = target.paths.toProgram(path);
    if (program === undefined) throw new UserError(`${path} is no source file of the loaded symbols.`);
    const found = await target.paths.toEditor(program);
    if (!found.exists) {
      throw new UserError(
        `${path} does not exist here; set launch attribute sourceMap, from the folder it was built in to yours.`,
      );
    }
    return { content: new TextDecoder().decode(await files.read(found.path)) };
  },
);
