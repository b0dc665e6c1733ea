/** The symbol files of a session as one program: asks each file in turn. Addresses are guest-virtual. */
import type {
  FunctionSymbol,
  InlineFrame,
  LineEntry,
  SymbolFile,
  Target,
  Type,
  UnwoundFrame,
  Variable,
} from './symbols/api';

export interface Module {
  /** For DAP `modules`; from 1. */
  id: number;
  path: string;
  file: SymbolFile;
  /** Of the bytes that the file was read from, where a launch names it. */
  mark?: string;
}

/** What steps ask of an address. */
interface PlaceFacts {
  line: LineEntry | undefined;
  /** Where its function begins. */
  function: bigint | undefined;
  /** Inlined functions around it. */
  depth: number;
}
const MOST_PLACES = 4096;

export class Program {
  readonly modules: Module[] = [];
  private nextId = 1;
  /** Until modules come or go. */
  private places = new Map<bigint, PlaceFacts>();

  add(path: string, file: SymbolFile, mark?: string): Module {
    const module: Module = { id: this.nextId++, path, file, ...(mark === undefined ? {} : { mark }) };
    this.modules.push(module);
    this.places.clear();
    return module;
  }
  /** A module that the guest has unloaded, or that was built anew. */
  remove(module: Module): void {
    const at = this.modules.indexOf(module);
    if (at >= 0) this.modules.splice(at, 1);
    this.places.clear();
  }

  /** The module that claims this address. */
  moduleAt(gva: bigint): Module | undefined {
    return this.modules.find(({ file }) => gva >= file.range.start && gva < file.range.end);
  }

  private first<T>(gva: bigint, ask: (file: SymbolFile) => T | undefined): T | undefined {
    for (const { file } of this.modules) {
      if (gva < file.range.start || gva >= file.range.end) continue;
      const answer = ask(file);
      if (answer !== undefined) return answer;
    }
    return undefined;
  }

  lineAt(gva: bigint): LineEntry | undefined {
    return this.first(gva, (file) => file.lineAt(gva));
  }
  functionAt(gva: bigint): FunctionSymbol | undefined {
    return this.first(gva, (file) => file.functionAt(gva));
  }
  /** Innermost first; empty where nothing is known. */
  framesAt(gva: bigint): InlineFrame[] {
    return this.first(gva, (file) => (file.framesAt(gva).length > 0 ? file.framesAt(gva) : undefined)) ?? [];
  }
  placeOf(gva: bigint): PlaceFacts {
    const known = this.places.get(gva);
    if (known !== undefined) return known;
    if (this.places.size >= MOST_PLACES) this.places.clear();
    const depth = this.framesAt(gva).length;
    const place = { line: this.lineAt(gva), function: this.functionAt(gva)?.start, depth };
    this.places.set(gva, place);
    return place;
  }
  unwind(pc: bigint, target: Target): UnwoundFrame | undefined {
    return this.first(pc, (file) => file.unwind(pc, target));
  }
  variablesAt(pc: bigint, depth: number): Variable[] {
    return this.first(pc, (file) => file.variablesAt(pc, depth)) ?? [];
  }
  symbolAt(gva: bigint): { name: string; offset: bigint } | undefined {
    return this.first(gva, (file) => file.symbolAt(gva));
  }
  afterPrologue(start: bigint): bigint {
    return this.first(start, (file) => file.afterPrologue(start)) ?? start;
  }

  functionsNamed(name: string): FunctionSymbol[] {
    return this.modules.flatMap(({ file }) => file.functionsNamed(name));
  }
  symbol(name: string): bigint | undefined {
    for (const { file } of this.modules) {
      const gva = file.symbol(name);
      if (gva !== undefined) return gva;
    }
    return undefined;
  }
  global(name: string): Variable | undefined {
    for (const { file } of this.modules) {
      const variable = file.global(name);
      if (variable !== undefined) return variable;
    }
    return undefined;
  }
  typeNamed(name: string): Type | undefined {
    for (const { file } of this.modules) {
      const type = file.typeNamed(name);
      if (type !== undefined) return type;
    }
    return undefined;
  }
  enumerator(name: string): { value: bigint; type: Type } | undefined {
    for (const { file } of this.modules) {
      const found = file.enumerator(name);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  globals(pc: bigint | undefined, limit: number): Variable[] {
    const found: Variable[] = [];
    for (const { file } of this.modules) {
      if (found.length < limit) found.push(...file.globals(pc, limit - found.length));
    }
    return found;
  }
  sources(): string[] {
    return [...new Set(this.modules.flatMap(({ file }) => file.sources()))];
  }
  complete(prefix: string, limit: number): string[] {
    const names = this.modules.flatMap(({ file }) => file.complete(prefix, limit));
    return [...new Set(names)].slice(0, limit);
  }

  /** `name` or `name+0x12`; undefined outside all symbols. */
  describe(gva: bigint): string | undefined {
    const found = this.symbolAt(gva);
    if (found === undefined) return undefined;
    return found.offset === 0n ? found.name : `${found.name}+0x${found.offset.toString(16)}`;
  }
}
