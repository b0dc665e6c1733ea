/** One file's symbols: the answers to api.ts, from DWARF where there is some and from ELF symbols where not. */
import type { Elf } from '../../emulator/index';
import type { FunctionSymbol, InlineFrame, LineEntry, SourceLine, SymbolFile, Target, Type, UnwoundFrame, Variable } from './api'; // prettier-ignore
import { AT, TAG } from './dwarf-constants';
import type { Dwarf } from './dwarf';
import type { ElfSymbols } from './elf-symbols';
import type { Entry } from './entries';
import type { Functions } from './functions';
import { ROW } from './line-program';
import type { Lines, RowAt } from './lines';
import { ENTRY, type NameIndex } from './names';
import { rangesOf } from './ranges';
import { DwarfError, toAddress, toGva } from './reader';
import type { Types } from './types';
import type { Unwinder } from './unwind';
import type { Variables } from './variables';

export interface Parts {
  elf: Elf;
  dwarf: Dwarf;
  names: NameIndex;
  lines: Lines;
  functions: Functions;
  types: Types;
  variables: Variables;
  unwinder: Unwinder;
  elfSymbols: ElfSymbols;
  warnings: string[];
  range: { start: bigint; end: bigint };
  summary: string;
  buildId?: string;
}

export class ElfSymbolFile implements SymbolFile {
  readonly name: string;
  readonly machine: 'x86-64' | 'i386';
  readonly buildId?: string;
  readonly summary: string;
  readonly hasDwarf: boolean;
  readonly range: { start: bigint; end: bigint };

  constructor(private readonly parts: Parts) {
    const { elf } = parts;
    this.name = elf.name;
    this.machine = elf.machine;
    if (parts.buildId !== undefined) this.buildId = parts.buildId;
    this.summary = parts.summary;
    this.hasDwarf = parts.dwarf.units.length > 0;
    this.range = parts.range;
  }
  get warnings(): readonly string[] {
    return this.parts.warnings;
  }

  /** Damage met while answering is a warning, and the answer is what a file without that part would give. */
  private guard<T>(otherwise: T, answer: () => T): T {
    try {
      return answer();
    } catch (error) {
      if (!(error instanceof DwarfError)) throw error;
      this.parts.dwarf.warn(error.message);
      return otherwise;
    }
  }

  lineAt(gva: bigint): LineEntry | undefined {
    return this.guard(undefined, () => {
      const at = this.parts.lines.rowAt(toAddress(gva));
      return at && !this.isBehind(at, toAddress(gva)) ? this.lineEntry(this.statementAt(at)) : undefined;
    });
  }
  /**
   * Assemblers write no row for data: the last row of a section seems to reach to its end, over Xen's hypercall page, for one, which is
   * reserved as data. Behind a symbol of its own, outside of functions that DWARF knows, it is not that line.
   */
  private isBehind(at: RowAt, address: number): boolean {
    if (!this.parts.lines.isLast(at) || this.parts.functions.framesAt(address).length > 0) return false;
    return address - Number(this.parts.elfSymbols.at(address)?.offset ?? Infinity) > at.table.address[at.row]!;
  }
  /** Of several rows for one address, the one that begins a statement. */
  private statementAt(at: RowAt): RowAt {
    const { table, row } = at;
    if (table.flags[row]! & ROW.STATEMENT) return at;
    for (let i = row - 1; i >= 0 && table.address[i] === table.address[row]; i--)
      if (table.flags[i]! & ROW.STATEMENT && !(table.flags[i]! & ROW.END_SEQUENCE)) return { table, row: i };
    return at;
  }
  private lineEntry(at: RowAt): LineEntry | undefined {
    const { table, row } = at;
    const line = table.line[row]!;
    const path = this.parts.lines.pathOf(table, table.file[row]!);
    // Line 0: code that belongs to no line (DWARF 5 section 6.2.2).
    if (line === 0 || path === undefined) return undefined;
    const flags = table.flags[row]!;
    return {
      path,
      line,
      column: table.column[row]!,
      start: toGva(table.address[row]!),
      end: toGva(this.parts.lines.endOf(at)),
      isStatement: (flags & ROW.STATEMENT) !== 0,
      prologueEnd: (flags & ROW.PROLOGUE_END) !== 0,
    };
  }

  addressesOf(path: string, line: number): { line: number; addresses: bigint[] } {
    return this.guard({ line, addresses: [] }, () => {
      const { lines } = this.parts;
      let best = Infinity;
      let rows: RowAt[] = [];
      // The asked line first: only its tables are decoded then, not all that have later lines of the file.
      for (const at of lines.statements(path, line, line)) rows.push(at);
      if (rows.length > 0) best = line;
      else
        for (const at of lines.statements(path, line, Infinity)) {
          const found = at.table.line[at.row]!;
          if (found > best) continue;
          if (found < best) rows = [];
          best = found;
          rows.push(at);
        }
      return best === Infinity ? { line, addresses: [] } : { line: best, addresses: this.firstOfEachBody(rows) };
    });
  }
  /** The lowest address in each function body or inlined copy: a loop has its line several times, and stops once a turn. */
  private firstOfEachBody(rows: RowAt[]): bigint[] {
    const lowest = new Map<string, number>();
    for (const { table, row } of rows) {
      const address = table.address[row]!;
      const frame = this.parts.functions.framesAt(address)[0];
      const body = frame ? `${frame.entry.offset}` : `at ${address}`;
      const known = lowest.get(body);
      if (known === undefined || address < known) lowest.set(body, address);
    }
    const addresses = [...lowest.values()].sort((a, b) => a - b).map(toGva);
    return addresses.map((a) => (this.functionAt(a)?.start === a ? this.afterPrologue(a) : a));
  }
  linesOf(path: string, first: number, last: number): number[] {
    return this.guard([], () => {
      const found = new Set<number>();
      for (const { table, row } of this.parts.lines.statements(path, first, last)) found.add(table.line[row]!);
      return [...found].sort((a, b) => a - b);
    });
  }
  sources(): string[] {
    return this.parts.lines.sources();
  }

  functionAt(gva: bigint): FunctionSymbol | undefined {
    return this.guard(this.parts.elfSymbols.functionAt(toAddress(gva)), () => {
      const { functions, elfSymbols } = this.parts;
      const address = toAddress(gva);
      const entry = functions.entryAt(address);
      return (entry && functions.symbol(entry)) ?? elfSymbols.functionAt(address);
    });
  }
  functionsNamed(name: string): FunctionSymbol[] {
    return this.guard([], () => {
      const { functions, names, elfSymbols } = this.parts;
      const found = names.find(name, ENTRY.FUNCTION).flatMap((offset) => {
        const entry = functions.entry(offset);
        return (entry && functions.symbol(entry)) ?? [];
      });
      if (found.length > 0) return found;
      const symbol = elfSymbols.functionNamed(name);
      return symbol ? [symbol] : [];
    });
  }

  framesAt(gva: bigint): InlineFrame[] {
    return this.guard([], () => {
      const { functions } = this.parts;
      const frames = functions.framesAt(toAddress(gva));
      if (frames.length === 0) {
        const symbol = this.functionAt(gva);
        const at = this.lineAt(gva);
        return symbol ? [{ function: symbol.name, inlined: false, entry: symbol.start, ...(at && { at }) }] : [];
      }
      return frames.map((frame, i) => {
        const at = i === 0 ? this.lineAt(gva) : this.callLine(frames[i - 1]!.entry);
        const entry = entryAddress(frame.entry);
        return { function: functions.nameOf(frame.entry), inlined: frame.inlined, ...(at && { at }), ...(entry !== undefined && { entry: toGva(entry) }) }; // prettier-ignore
      });
    });
  }
  private callLine(inlined: Entry): SourceLine | undefined {
    const path = this.parts.functions.filePath(inlined, AT.call_file);
    const line = inlined.number(AT.call_line);
    return path === undefined || line === undefined
      ? undefined
      : { path, line, column: inlined.number(AT.call_column) ?? 0 };
  }
  afterPrologue(start: bigint): bigint {
    return this.guard(start, () => {
      const { lines } = this.parts;
      const end = this.functionAt(start)?.end ?? start;
      const at = lines.rowAt(toAddress(start));
      if (!at || at.table.address[at.row] !== toAddress(start)) return start;
      const { table } = at;
      const limit = toAddress(end);
      const inside = (row: number): boolean =>
        row < table.address.length && table.address[row]! < limit && !(table.flags[row]! & ROW.END_SEQUENCE);
      let first = at.row;
      while (
        first > 0 &&
        table.address[first - 1] === table.address[at.row] &&
        !(table.flags[first - 1]! & ROW.END_SEQUENCE)
      )
        first--;
      for (let row = first; inside(row); row++)
        if (table.flags[row]! & ROW.PROLOGUE_END) return toGva(table.address[row]!);
      // Without the producer's word: the second line begins the body (of several rows for the first address, the last is it).
      for (let row = first + 1; inside(row); row++)
        if (
          table.flags[row]! & ROW.STATEMENT &&
          table.line[row] !== 0 &&
          (table.line[row] !== table.line[first] || table.address[row] !== table.address[first])
        )
          return toGva(table.address[row]!);
      return start;
    });
  }

  variablesAt(pc: bigint, depth = 0): Variable[] {
    return this.guard([], () => {
      const frame = this.parts.functions.framesAt(toAddress(pc))[depth];
      return frame ? this.parts.variables.inFrame(frame) : [];
    });
  }
  global(name: string): Variable | undefined {
    return this.guard(undefined, () => {
      for (const offset of this.parts.names.find(name, ENTRY.VARIABLE)) {
        const variable = this.globalAt(offset);
        if (variable) return variable;
      }
      return undefined;
    });
  }
  private globalAt(offset: number): Variable | undefined {
    const entry = this.parts.dwarf.entry(offset);
    if (!entry) return undefined;
    const external = this.parts.dwarf.withAttribute(entry, AT.external)?.flag(AT.external) ?? false;
    return this.parts.variables.variable(entry, external ? 'global' : 'static');
  }
  globals(pc: bigint | undefined, limit: number): Variable[] {
    return this.guard([], () => {
      const { dwarf, functions, names } = this.parts;
      const unit = pc === undefined ? undefined : functions.entryAt(toAddress(pc))?.unit;
      const found: Variable[] = [];
      const add = (offset: number): boolean => {
        const variable = this.globalAt(offset);
        if (variable) found.push(variable);
        return found.length < limit;
      };
      const root = unit && dwarf.entry(unit.root, unit);
      for (const child of root?.children() ?? [])
        if (child.tag === TAG.variable && (child.has(AT.location) || child.has(AT.const_value)) && !add(child.offset))
          return found;
      for (const offset of names.ofKind(ENTRY.VARIABLE)) {
        if (unit && offset >= unit.start && offset < unit.end) continue;
        if (!add(offset)) break;
      }
      return found;
    });
  }
  typeNamed(name: string): Type | undefined {
    return this.guard(undefined, () => this.parts.types.named(name));
  }
  enumerator(name: string): { value: bigint; type: Type } | undefined {
    return this.guard(undefined, () => this.parts.types.enumerator(name));
  }

  symbolAt(gva: bigint): { name: string; offset: bigint } | undefined {
    const symbol = this.parts.elfSymbols.at(toAddress(gva));
    if (symbol) return symbol;
    const f = this.functionAt(gva);
    return f && { name: f.name, offset: gva - f.start };
  }
  symbol(name: string): bigint | undefined {
    return this.parts.elfSymbols.value(name);
  }
  complete(prefix: string, limit: number): string[] {
    const found = new Set<string>();
    for (const source of [this.parts.names.startingWith(prefix), this.parts.elfSymbols.startingWith(prefix)])
      for (const name of source) found.add(name);
    return [...found].sort((a, b) => (a < b ? -1 : 1)).slice(0, limit);
  }

  unwind(pc: bigint, target: Target): UnwoundFrame | undefined {
    return this.guard(undefined, () => this.parts.unwinder.unwind(pc, target));
  }
}

/** Where an inlined body or a function is entered. */
const entryAddress = (entry: Entry): number | undefined => {
  const first = rangesOf(entry)[0]?.low;
  if (!entry.has(AT.entry_pc)) return first;
  // DWARF 5 allows an offset from the lowest address here (section 2.18).
  return entry.address(AT.entry_pc) ?? (first === undefined ? undefined : first + (entry.number(AT.entry_pc) ?? 0));
};
