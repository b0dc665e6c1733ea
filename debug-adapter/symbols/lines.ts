/** Addresses and source lines. Opening runs every line program once to learn which files and addresses it covers. */
import type { Dwarf } from './dwarf';
import { filePath, type LineHeader, readLineHeader } from './line-header';
import { LineProgram, ROW } from './line-program';
import { DwarfError } from './reader';
import { lastAtMost, Numbers, Recent, type Slices, sortedOrder } from './slices';
import type { Unit } from './units';

/** Rows of one table, sequences in order of address; parallel arrays. The last row of a sequence is END_SEQUENCE. */
export interface LineTable {
  header: LineHeader;
  directory: string;
  address: Float64Array;
  file: Uint32Array;
  line: Uint32Array;
  column: Uint32Array;
  flags: Uint32Array;
  paths: Map<number, string | undefined>;
}
/** A row of a table. */
export interface RowAt {
  table: LineTable;
  row: number;
}

const STEP = 4000;
/** A decoded table of a kernel unit is some 100 KB. */
const TABLES_KEPT = 48;

export class Lines {
  /** Tables: offset in .debug_line and the unit that named it first. */
  private readonly tables: { offset: number; unit: Unit }[] = [];
  private readonly tableNumbers = new Map<number, number>();
  /** Sequences by address, after `sort`. */
  private low = new Float64Array(0);
  private high = new Float64Array(0);
  private sequenceTable = new Uint32Array(0);
  private readonly found = {
    low: new Numbers(new Float64Array(256)),
    high: new Numbers(new Float64Array(256)),
    table: new Numbers(new Uint32Array(256)),
  };
  /** Uses of a path: table, smallest and largest line; a chain for each path. */
  private readonly paths = new Map<string, number>();
  private readonly useTable = new Numbers(new Uint32Array(256));
  private readonly useFirst = new Numbers(new Uint32Array(256));
  private readonly useLast = new Numbers(new Uint32Array(256));
  private readonly useNext = new Numbers(new Uint32Array(256));
  private readonly decoded = new Recent<number, LineTable | undefined>(TABLES_KEPT);

  constructor(
    private readonly dwarf: Dwarf,
    private readonly mapped: (address: number) => boolean,
  ) {}

  /** Runs the unit's line program, unless another unit has the same one. */
  async index(unit: Unit, slices: Slices): Promise<void> {
    const offset = this.dwarf.facts(unit).lines;
    if (offset === undefined || this.tableNumbers.has(offset)) return;
    const number = this.tables.length;
    this.tables.push({ offset, unit });
    this.tableNumbers.set(offset, number);
    try {
      await this.indexTable(number, slices, (low, high) => {
        this.found.low.push(low);
        this.found.high.push(high);
        this.found.table.push(number);
      });
    } catch (error) {
      if (!(error instanceof DwarfError)) throw error;
      this.dwarf.warn(error.message);
    }
  }
  /** After the last unit. */
  async sort(slices: Slices): Promise<void> {
    const { low, high, table } = this.found;
    const order = await sortedOrder(low.trimmed(), slices);
    this.low = Float64Array.from(order, (i) => low.get(i));
    this.high = Float64Array.from(order, (i) => high.get(i));
    this.sequenceTable = Uint32Array.from(order, (i) => table.get(i));
  }

  private async indexTable(
    number: number,
    slices: Slices,
    sequence: (low: number, high: number) => void,
  ): Promise<void> {
    const { offset, unit } = this.tables[number]!;
    const header = readLineHeader(this.dwarf.sections, offset, unit.addressSize);
    const used = new Map<number, { first: number; last: number }>();
    let start: number | undefined;
    let latest: { first: number; last: number } | undefined;
    let latestFile = -1;
    const program = new LineProgram(header, this.dwarf.sections.line, (address, file, line, _column, flags) => {
      start ??= address;
      if (flags & ROW.END_SEQUENCE) {
        if (address > start && this.mapped(start)) sequence(start, address);
        start = undefined;
        return;
      }
      if (line === 0) return;
      if (file !== latestFile) {
        latestFile = file;
        latest = used.get(file);
        if (!latest) used.set(file, (latest = { first: line, last: line }));
      }
      if (line < latest!.first) latest!.first = line;
      if (line > latest!.last) latest!.last = line;
    });
    try {
      while (!program.run(STEP)) if (slices.due()) await slices.pause();
    } finally {
      this.addUses(number, header, used);
    }
  }
  private addUses(table: number, header: LineHeader, used: Map<number, { first: number; last: number }>): void {
    const { directory } = this.dwarf.facts(this.tables[table]!.unit);
    for (const [file, { first, last }] of used) {
      const path = filePath(header, file, directory);
      if (path === undefined) continue;
      this.useTable.push(table);
      this.useFirst.push(first);
      this.useLast.push(last);
      this.useNext.push(this.paths.get(path) ?? 0);
      this.paths.set(path, this.useTable.length);
    }
  }

  get sequences(): number {
    return this.low.length;
  }
  sources(): string[] {
    return [...this.paths.keys()];
  }
  pathOf(table: LineTable, file: number): string | undefined {
    if (!table.paths.has(file)) table.paths.set(file, filePath(table.header, file, table.directory));
    return table.paths.get(file);
  }
  /** The table of a unit: for file numbers of DW_AT_decl_file and DW_AT_call_file. */
  tableOf(unit: Unit): LineTable | undefined {
    const offset = this.dwarf.facts(unit).lines;
    const number = offset === undefined ? undefined : this.tableNumbers.get(offset);
    return number === undefined ? undefined : this.table(number);
  }

  /** The row that covers an address: the last one at or before it in its sequence. */
  rowAt(address: number): RowAt | undefined {
    // Sequences hardly ever overlap; where they do, a few steps back find the one that holds the address.
    let i = lastAtMost(this.low, address);
    for (let tries = 0; i >= 0 && tries < 16; i--, tries++) {
      if (address >= this.high[i]!) continue;
      const table = this.table(this.sequenceTable[i]!);
      if (!table) continue;
      const row = lastAtMost(table.address, address);
      if (row < 0) continue;
      // Where sequences touch, the end of one has the address of the next one's first row, and is sorted before it.
      if (!(table.flags[row]! & ROW.END_SEQUENCE)) return { table, row };
    }
    return undefined;
  }
  /** Address of the first row after `row` that lies higher. */
  endOf(at: RowAt): number {
    return at.table.address[next(at)] ?? at.table.address[at.row]!;
  }
  /** Behind it comes the end of its sequence. */
  isLast(at: RowAt): boolean {
    return ((at.table.flags[next(at)] ?? 0) & ROW.END_SEQUENCE) !== 0;
  }

  /** Statements of a file with lines in [first, last]. */
  *statements(path: string, first: number, last: number): Generator<RowAt> {
    for (let use = this.paths.get(path) ?? 0; use !== 0; use = this.useNext.get(use - 1)) {
      if (this.useLast.get(use - 1) < first || this.useFirst.get(use - 1) > last) continue;
      const table = this.table(this.useTable.get(use - 1));
      if (!table) continue;
      for (let row = 0; row < table.address.length; row++) {
        const line = table.line[row]!;
        if (line < first || line > last || (table.flags[row]! & (ROW.STATEMENT | ROW.END_SEQUENCE)) !== ROW.STATEMENT)
          continue;
        if (this.pathOf(table, table.file[row]!) === path) yield { table, row };
      }
    }
  }

  private table(number: number): LineTable | undefined {
    return this.decoded.get(number, () => {
      try {
        return this.decode(number);
      } catch (error) {
        if (!(error instanceof DwarfError)) throw error;
        this.dwarf.warn(error.message);
        return undefined;
      }
    });
  }
  private decode(number: number): LineTable {
    const { offset, unit } = this.tables[number]!;
    const header = readLineHeader(this.dwarf.sections, offset, unit.addressSize);
    const [addresses, files, lines, columns, flags]: number[][] = [[], [], [], [], []];
    const starts: number[] = [];
    let open = false;
    const program = new LineProgram(header, this.dwarf.sections.line, (address, file, line, column, flag) => {
      if (!open) starts.push(addresses!.length);
      open = (flag & ROW.END_SEQUENCE) === 0;
      addresses!.push(address);
      files!.push(file);
      lines!.push(line);
      columns!.push(column);
      flags!.push(flag);
    });
    try {
      program.run(Infinity);
    } catch (error) {
      if (!(error instanceof DwarfError)) throw error;
      this.dwarf.warn(error.message);
    }
    const order = this.orderOf(addresses!, starts, open);
    const { directory } = this.dwarf.facts(unit);
    const sorted = (values: number[]): Uint32Array => Uint32Array.from(order, (row) => values[row]!);
    const address = Float64Array.from(order, (row) => addresses![row]!);
    return { header, directory, address, file: sorted(files!), line: sorted(lines!), column: sorted(columns!), flags: sorted(flags!), paths: new Map() }; // prettier-ignore
  }
  /** Row numbers, sequences in order of address; sequences of code that is not in the file, or without end, left out. */
  private orderOf(address: number[], starts: number[], unfinished: boolean): number[] {
    const total = unfinished ? starts.pop()! : address.length;
    const sequences = starts.map((start, i) => ({ start, end: starts[i + 1] ?? total }));
    const kept = sequences
      .filter((s) => this.mapped(address[s.start]!))
      .sort((a, b) => address[a.start]! - address[b.start]!);
    return kept.flatMap(({ start, end }) => Array.from({ length: end - start }, (_, i) => start + i));
  }
}

/** The first row behind that lies higher. */
function next({ table, row }: RowAt): number {
  let i = row + 1;
  while (i < table.address.length && table.address[i]! <= table.address[row]!) i++;
  return i;
}
