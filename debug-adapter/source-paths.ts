/**
 * Between the paths in debug information and the paths that the editor knows. They differ as soon as a kernel was built
 * on another machine, or the editor runs in a browser. First `sourceMap` decides, then what the editor itself called a
 * file, then which file really exists beside the kernel.
 */
import { directoryOf, type Files } from './files';

const slashes = (path: string): string => path.replace(/\\/g, '/');

/** How many trailing path components are equal. */
function commonSuffix(a: string, b: string): number {
  const x = slashes(a).split('/').reverse();
  const y = slashes(b).split('/').reverse();
  let count = 0;
  while (count < x.length && count < y.length && x[count] === y[count]) count++;
  return count;
}

const join = (directory: string, rest: string): string => `${directory.replace(/\/$/, '')}/${rest.replace(/^\//, '')}`;

export class SourcePaths {
  /** Program path to editor path, as met. */
  private readonly known = new Map<string, string>();
  private readonly missing = new Set<string>();
  private readonly map: [from: string, to: string][];

  constructor(
    private readonly files: Files,
    /** Source paths of the program; asked when an editor path must be found among them. */
    private readonly programSources: () => string[],
    sourceMap: Record<string, string>,
    /** Folder of the kernel: sources often lie near. */
    private readonly root: string,
  ) {
    this.map = Object.entries(sourceMap).sort(([a], [b]) => b.length - a.length);
  }

  /** What a stack frame shows. `exists` tells whether the editor will be able to open it. */
  async toEditor(path: string): Promise<{ path: string; exists: boolean }> {
    const known = this.known.get(path);
    if (known !== undefined) return { path: known, exists: !this.missing.has(path) };
    for (const candidate of this.candidates(path)) {
      if (await this.files.exists(candidate)) {
        this.known.set(path, candidate);
        return { path: candidate, exists: true };
      }
    }
    const fallback = this.mapped(path) ?? path;
    this.known.set(path, fallback);
    this.missing.add(path);
    return { path: fallback, exists: false };
  }

  /** Program paths of a file that the editor names; empty: none of its code is in the program. */
  toProgram(editorPath: string): string[] {
    const path = slashes(editorPath);
    const wanted = new Set([path]);
    for (const [from, to] of this.map) if (path.startsWith(slashes(to))) wanted.add(join(from, path.slice(to.length)));
    for (const [program, editor] of this.known) if (slashes(editor) === path) wanted.add(program);
    const sources = this.programSources();
    const exact = sources.filter((source) => wanted.has(source));
    return exact.length > 0 ? exact : this.bySuffix(sources, editorPath);
  }

  /** The sources that share most trailing components, at least the file name. */
  private bySuffix(sources: string[], editorPath: string): string[] {
    let best = 0;
    let found: string[] = [];
    for (const source of sources) {
      const length = commonSuffix(source, editorPath);
      if (length > best) [best, found] = [length, [source]];
      else if (length === best && length > 0) found.push(source);
    }
    for (const source of found) {
      this.known.set(source, editorPath);
      this.missing.delete(source);
    }
    return found;
  }

  private mapped(path: string): string | undefined {
    const rule = this.map.find(([from]) => path === from || path.startsWith(from.endsWith('/') ? from : `${from}/`));
    return rule && join(rule[1], path.slice(rule[0].length));
  }

  private *candidates(path: string): Generator<string> {
    const mapped = this.mapped(path);
    if (mapped !== undefined) yield mapped;
    yield path;
    const parts = path.split('/').filter((part) => part !== '' && part !== '.' && part !== '..');
    for (let up = this.root, depth = 0; depth < 3; up = directoryOf(up), depth++) {
      for (let from = Math.max(0, parts.length - 4); from < parts.length; from++) {
        yield join(up, parts.slice(from).join('/'));
      }
      if (!up.includes('/')) break;
    }
  }
}
