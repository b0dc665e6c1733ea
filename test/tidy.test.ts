/**
 * The layout of STYLE and DESIGN, kept by a test: imports point down, nothing lies about unused, files stay small. Each
 * finding is `file:line: rule`, and CONTRIBUTING says what to do about it.
 */
import assert from 'node:assert/strict';
import { LAYERS, LARGE_FILES, MAX_LINES } from './support/layout';
import { readTree, type Import, type SourceFile } from './support/source-tree';

const tree = readTree();
const files = [...tree.values()];

/** Fails with all findings at once. */
function expectNone(findings: string[]): void {
  assert.equal(findings.length, 0, `${findings.length} found:\n  ${findings.join('\n  ')}`);
}

const at = (file: SourceFile, found: Import): string => `${file.path}:${found.line}: imports ${found.target}`;

describe('tidy', () => {
  it('every source file has a layer', () => {
    expectNone(
      files
        .filter((file) => layerOf(file.path) === undefined)
        .map((file) => `${file.path}: no rule says where it belongs`),
    );
  });

  it('imports point down', () => {
    expectNone(
      files.flatMap((file) => {
        const layer = layerOf(file.path);
        if (layer === undefined) return [];
        return file.imports
          .filter((found) => found.file !== undefined && !mayImport(file.path, found))
          .map((found) => `${at(file, found)}; ${layer.rule}`);
      }),
    );
  });

  it('packages are used where they belong', () => {
    expectNone(
      files.flatMap((file) => {
        const layer = layerOf(file.path);
        return file.imports
          .filter(
            (found) =>
              found.file === undefined && layer && !layer.packages.some((allowed) => matches(allowed, found.target)),
          )
          .map(
            (found) =>
              `${at(file, found)}; ${layer?.name} may use ${layer?.packages.map(String).join(', ') || 'no packages'}`,
          );
      }),
    );
  });

  it('the emulator uses no global of Node', () => {
    const NODE_GLOBAL = /(?<![.\w'"`])(Buffer\.|process\.|require\(['"]|__dirname|setImmediate\()/;
    expectNone(
      files
        .filter((file) => file.path.startsWith('emulator/'))
        .flatMap((file) =>
          file.code.flatMap((line, index) =>
            NODE_GLOBAL.test(line)
              ? [`${file.path}:${index + 1}: ${NODE_GLOBAL.exec(line)![1]} does not exist in browsers`]
              : [],
          ),
        ),
    );
  });

  it('every file is reached from an entry or a test', () => {
    const reached = new Set<string>();
    const visit = (path: string): void => {
      if (reached.has(path)) return;
      reached.add(path);
      for (const { file } of tree.get(path)?.imports ?? []) if (file !== undefined) visit(file);
    };
    for (const { path } of files) if (isEntry(path)) visit(path);
    expectNone(files.filter(({ path }) => !reached.has(path)).map(({ path }) => `${path}:1: imported by nothing`));
  });

  it(`files have at most ${MAX_LINES} lines`, () => {
    expectNone(
      files.flatMap(({ path, lines }) => {
        const limit = LARGE_FILES[path]?.lines ?? MAX_LINES;
        return lines > limit
          ? [`${path}:${limit + 1}: ${lines} lines; split it, or say in LARGE_FILES why it is one piece`]
          : [];
      }),
    );
  });

  it('exceptions are needed', () => {
    expectNone(
      Object.entries(LARGE_FILES).flatMap(([path]) => {
        const lines = tree.get(path)?.lines;
        if (lines === undefined) return [`LARGE_FILES names ${path}, which does not exist`];
        return lines <= MAX_LINES ? [`LARGE_FILES names ${path}, which has ${lines} lines: remove it`] : [];
      }),
    );
  });
});

/** Started by something that is not a source file: a bundle, npm, mocha, a person. */
function isEntry(path: string): boolean {
  return (
    /\.(test|e2e|bench|host)\.ts$/.test(path) ||
    /\.d\.ts$/.test(path) ||
    /^scripts\/[^/]+\.ts$/.test(path) ||
    path === 'bench/index.ts' ||
    /^bench\/(support\/(guest|v86)|exits)-child\.ts$/.test(path) ||
    path === 'test/support/seed.ts' ||
    path === 'test/differential/long-run.ts' ||
    tree.entries.has(path)
  );
}

function layerOf(path: string): (typeof LAYERS)[number] | undefined {
  return LAYERS.find(({ files }) => files.test(path));
}

function mayImport(path: string, { file, typeOnly }: Import): boolean {
  const layer = layerOf(path)!;
  if (layer.files.test(file!)) return true;
  return (
    layer.imports.some((allowed) => allowed.test(file!)) ||
    (typeOnly && layer.types.some((allowed) => allowed.test(file!)))
  );
}

const matches = (allowed: string | RegExp, name: string): boolean =>
  typeof allowed === 'string' ? name === allowed || name.startsWith(`${allowed}/`) : allowed.test(name);
