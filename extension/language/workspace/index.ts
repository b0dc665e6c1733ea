/** All assembly of the workspace: what is open, what lies on disk, and what includes what. Reads through an interface. */
import { AssemblyDocument } from './document';
import type { Definition, Reference } from './names';

export interface Files {
  /** Undefined: there is no such file, or it cannot be read. */
  read(uri: string): Promise<string | undefined>;
}

/** A folder of the workspace, or where `<...>` is searched. URIs without a slash at the end. */
export interface Folders {
  roots: readonly string[];
  includePaths: readonly string[];
}

export interface Found<T> {
  document: AssemblyDocument;
  item: T;
}

/** A file with everything that it includes. */
export interface Unit {
  documents: AssemblyDocument[];
  /** Something that is included was not found: names may mean anything. */
  incomplete: boolean;
}

const MAX_INCLUDES = 400;
const ASSEMBLY = /\.(s|S|sx|asm|nasm|inc|mac)$/;

export class WorkspaceIndex {
  private readonly documents = new Map<string, AssemblyDocument>();
  private readonly open = new Set<string>();
  private readonly missing = new Set<string>();
  private resolved = new Map<string, string | undefined>();
  private units = new Map<string, Unit>();
  folders: Folders = { roots: [], includePaths: [] };

  constructor(private readonly files: Files) {}

  get(uri: string): AssemblyDocument | undefined {
    return this.documents.get(uri);
  }

  /** What the editor has; its text wins over the disk's. */
  set(uri: string, text: string, version: number, languageId?: string): AssemblyDocument {
    const document = new AssemblyDocument(uri, text, version, languageId);
    this.documents.set(uri, document);
    this.open.add(uri);
    this.forget(uri);
    return document;
  }

  close(uri: string): void {
    this.open.delete(uri);
    if (!ASSEMBLY.test(uri)) this.documents.delete(uri);
  }

  /** On disk it came, changed or went. */
  async changed(uri: string): Promise<void> {
    if (this.open.has(uri)) return;
    this.documents.delete(uri);
    this.forget(uri);
    await this.load(uri);
  }

  private forget(uri: string): void {
    this.missing.delete(uri);
    this.units = new Map();
    this.resolved = new Map();
  }

  async load(uri: string): Promise<AssemblyDocument | undefined> {
    const known = this.documents.get(uri);
    if (known || this.missing.has(uri)) return known;
    const text = await this.files.read(uri);
    if (text === undefined) {
      this.missing.add(uri);
      return undefined;
    }
    const document = this.documents.get(uri) ?? new AssemblyDocument(uri, text, 0);
    this.documents.set(uri, document);
    return document;
  }

  /** Beside the file, in the include paths, in the folders of the workspace. */
  async resolve(from: string, file: string): Promise<string | undefined> {
    const folder = from.replace(/\/[^/]*$/, '');
    const key = `${folder} ${file}`;
    if (this.resolved.has(key)) return this.resolved.get(key);
    const { includePaths, roots } = this.folders;
    let found: string | undefined;
    for (const base of [folder, ...includePaths, ...roots]) {
      const uri = join(base, file);
      if (await this.load(uri)) {
        found = uri;
        break;
      }
    }
    this.resolved.set(key, found);
    return found;
  }

  async unit(uri: string): Promise<Unit> {
    const known = this.units.get(uri);
    if (known) return known;
    const unit: Unit = { documents: [], incomplete: false };
    const pending = [uri];
    const seen = new Set(pending);
    while (pending.length > 0) {
      const document = await this.load(pending.pop()!);
      if (document === undefined) continue;
      unit.documents.push(document);
      for (const { file } of document.names.includes) {
        const target = await this.resolve(document.uri, file);
        if (target === undefined || seen.size > MAX_INCLUDES) unit.incomplete = true;
        else if (!seen.has(target)) {
          seen.add(target);
          pending.push(target);
        }
      }
    }
    this.units.set(uri, unit);
    return unit;
  }

  all(): AssemblyDocument[] {
    return [...this.documents.values()];
  }

  /** Whether some file of the workspace includes this one: then it is read in its company. */
  async isIncluded(uri: string): Promise<boolean> {
    const name = uri.slice(uri.lastIndexOf('/') + 1);
    for (const { names, uri: from } of this.all())
      for (const { file } of names.includes)
        if (file.endsWith(name) && [uri, undefined].includes(await this.resolve(from, file))) return true;
    return false;
  }

  /** In the file and what it includes; then, for global names, in the whole workspace. */
  async definitionsOf(uri: string, name: string): Promise<Found<Definition>[]> {
    const unit = await this.unit(uri);
    const here = unit.documents.flatMap((document) => pick(document, document.names.definitions, name));
    if (here.length > 0) return here;
    const elsewhere = this.all().flatMap((document) => pick(document, document.names.definitions, name));
    const exported = elsewhere.filter(({ document }) => document.names.globals.has(name));
    return exported.length > 0 ? exported : elsewhere.filter(({ item }) => item.kind !== 'label');
  }

  /** Every place that means the same: in this file and those that share the name with it. */
  async referencesOf(uri: string, name: string): Promise<Found<Reference | Definition>[]> {
    const definitions = await this.definitionsOf(uri, name);
    const global = definitions.some(({ document, item }) => item.kind !== 'label' || document.names.globals.has(name) || document.uri !== uri); // prettier-ignore
    const where = global ? this.all() : (await this.unit(uri)).documents;
    return where.flatMap((document) => [
      ...pick<Reference | Definition>(document, document.names.definitions, name),
      ...pick<Reference | Definition>(document, document.names.references, name),
    ]);
  }
}

const pick = <T extends { name: string }>(document: AssemblyDocument, items: readonly T[], name: string): Found<T>[] =>
  items.filter((item) => item.name === name).map((item) => ({ document, item }));

/** `a/b` and `../c` to `a/c`. */
function join(base: string, file: string): string {
  const parts = file.startsWith('/') ? [] : base.split('/');
  if (file.startsWith('/')) parts.push(...(/^([a-z][\w+.-]*:\/\/[^/]*)/i.exec(base)?.[1] ?? '').split('/'));
  for (const part of file.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.' && part !== '') parts.push(part);
  }
  return parts.join('/');
}
