/** All TypeScript of the repository with its imports, for tests about the source itself. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, posix, resolve } from 'node:path';
import ts from 'typescript';

const ROOT = resolve(__dirname, '..', '..');
const FOLDERS = ['emulator', 'debug-adapter', 'extension', 'scripts', 'test', 'bench'];

export interface Import {
  /** As written. */
  target: string;
  /** The file of this repository that it means; undefined: a package. */
  file: string | undefined;
  line: number;
  /** Gone when compiled. */
  typeOnly: boolean;
}

export interface SourceFile {
  /** From the root, with slashes. */
  path: string;
  lines: number;
  /** Lines without comments. */
  code: string[];
  imports: Import[];
}

/** By path; `entries` are the files that webpack starts from. */
export function readTree(): Map<string, SourceFile> & { entries: Set<string> } {
  const tree = new Map<string, SourceFile>();
  for (const folder of FOLDERS) {
    if (!existsSync(join(ROOT, folder))) continue;
    for (const name of readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })) {
      const path = posix.join(folder, name.replaceAll('\\', '/'));
      if (/\.(ts|tsx)$/.test(path)) tree.set(path, read(path));
    }
  }
  const bundles = readFileSync(join(ROOT, 'webpack.config.mjs'), 'utf8');
  const entries = new Set([...bundles.matchAll(/'\.\/([\w./-]+\.tsx?)'/g)].map((match) => match[1]!));
  return Object.assign(tree, { entries });
}

function read(path: string): SourceFile {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const parsed = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true);
  const imports: Import[] = [];
  const add = (specifier: ts.Expression | undefined, typeOnly: boolean): void => {
    if (!specifier || !ts.isStringLiteral(specifier)) return;
    const line = parsed.getLineAndCharacterOfPosition(specifier.getStart()).line + 1;
    imports.push({ target: specifier.text, file: resolveImport(path, specifier.text), line, typeOnly });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, isTypeOnly(node.importClause));
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      add(node.arguments[0], false);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
      add(node.argument.literal as ts.Expression, true);
    ts.forEachChild(node, visit);
  };
  visit(parsed);
  const withoutComments = text.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, (comment) => comment.replace(/[^\n]/g, ''));
  return { path, lines: text.split('\n').length - 1, code: withoutComments.split('\n'), imports };
}

function isTypeOnly(clause: ts.ImportClause | undefined): boolean {
  if (clause === undefined) return false;
  if (clause.isTypeOnly) return true;
  const names = clause.namedBindings;
  return !clause.name && !!names && ts.isNamedImports(names) && names.elements.every((element) => element.isTypeOnly);
}

function resolveImport(from: string, target: string): string | undefined {
  if (!target.startsWith('.')) return undefined;
  const path = posix.join(posix.dirname(from), target);
  const candidates = [path, `${path}.ts`, `${path}.tsx`, `${path}/index.ts`];
  return candidates.find((candidate) => /\.\w+$/.test(candidate) && existsSync(join(ROOT, candidate))) ?? path;
}
