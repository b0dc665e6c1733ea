/** Assembly for tests: parsed, diagnosed, and what the real assemblers say of it. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { diagnose } from '../../../extension/language/features/diagnostics';
import type { Finding } from '../../../extension/language/features/diagnostics';
import { vocabulary } from '../../../extension/language/isa/vocabulary';
import { parse } from '../../../extension/language/syntax/parse';
import type { Dialect, Tree } from '../../../extension/language/syntax/tree';
import { WorkspaceIndex } from '../../../extension/language/workspace/index';
import type { AssemblyDocument } from '../../../extension/language/workspace/document';

export const parsed = (text: string, dialect: Dialect = 'att', preprocessed = true): Tree =>
  parse(text, { dialect, preprocessed, vocabulary });

export const URI = 'file:///w/main';
export const EXTENSION = { att: '.S', intel: '.s', nasm: '.asm' } as const;

/** A workspace in memory: paths under /w to texts. */
export function workspace(files: Record<string, string>): WorkspaceIndex {
  const byUri = new Map(Object.entries(files).map(([path, text]) => [`file:///w/${path}`, text]));
  const index = new WorkspaceIndex({ read: (uri) => Promise.resolve(byUri.get(uri)) });
  index.folders = { roots: ['file:///w'], includePaths: [] };
  return index;
}

export async function loaded(index: WorkspaceIndex, path: string): Promise<AssemblyDocument> {
  const document = await index.load(`file:///w/${path}`);
  if (document === undefined) throw new Error(`no ${path} in the workspace`);
  return document;
}

export async function findingsOf(index: WorkspaceIndex, uri: string): Promise<Finding[]> {
  const document = await index.load(uri);
  if (document === undefined) return [];
  return diagnose(document, { unit: await index.unit(uri), included: await index.isIncluded(uri) });
}

/** Findings as `line code message`, lines counted from 1. */
export async function complaints(text: string, dialect: Dialect): Promise<string[]> {
  const name = `main${EXTENSION[dialect]}`;
  const source = dialect === 'intel' ? `.intel_syntax noprefix\n${text}` : text;
  const index = workspace({ [name]: source });
  const document = await loaded(index, name);
  const shift = dialect === 'intel' ? 0 : 1;
  return (await findingsOf(index, document.uri)).map(
    ({ span, code, message }) => `${document.lineOf(span.start) + shift} ${code} ${message}`,
  );
}

const works = (command: string): boolean => {
  try {
    execFileSync(command, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};
export const hasAs = works('as');
export const hasNasm = works('nasm');

/** What the assembler itself refuses, by line counted from 1; -1: it names no line. */
export function refusals(text: string, dialect: Dialect, bits: 32 | 64 = 64): Map<number, string> {
  const folder = mkdtempSync(join(tmpdir(), 'ringside-as-'));
  try {
    const nasm = dialect === 'nasm';
    const before = nasm ? `bits ${bits}\n` : dialect === 'intel' ? '.intel_syntax noprefix\n' : '.text\n';
    const file = join(folder, 'main');
    writeFileSync(file, `${before}${text}\n`);
    const [command, args] = nasm
      ? ['nasm', ['-f', `elf${bits}`, '-o', join(folder, 'out'), file]]
      : ['as', [`--${bits}`, '-o', join(folder, 'out'), file]];
    const { stderr } = spawnSync(command as string, args as string[], { encoding: 'utf8', maxBuffer: 1 << 28 });
    const found = new Map<number, string>();
    for (const [, line, message] of stderr.matchAll(/^[^:\n]*:(?:(\d+):)? (?:Error|error|fatal|Fatal error): (.*)$/gm))
      found.set(Number(line ?? 0) - 1, message);
    return found;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
