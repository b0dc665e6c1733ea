/** The machine whose program is a line table. DWARF 5 section 6.2. */
import { LNE as EXTENDED, LNS as STANDARD } from './dwarf-constants';
import type { LineHeader } from './line-header';
import { DwarfError, Reader } from './reader';

/** Own bindings: an imported one costs a call in some module formats, and this loop is hot. */
const LNE = EXTENDED;
const LNS = STANDARD;

export const ROW = { STATEMENT: 1, PROLOGUE_END: 2, END_SEQUENCE: 4 } as const;
/** `flags`: ROW. Addresses as in reader.ts. */
export type RowSink = (address: number, file: number, line: number, column: number, flags: number) => void;

export class LineProgram {
  private readonly reader: Reader;
  private address = 0;
  private operation = 0;
  private file = 1;
  private line = 1;
  private column = 0;
  private statement: boolean;
  private prologueEnd = false;

  constructor(
    private readonly header: LineHeader,
    section: Uint8Array,
    private readonly row: RowSink,
  ) {
    this.reader = new Reader(section, '.debug_line', header.program, header.end);
    this.statement = header.defaultIsStatement;
  }

  /** Runs up to `limit` opcodes; true when the program is done. */
  run(limit: number): boolean {
    const { reader, header } = this;
    const { opcodeBase, lineBase, lineRange } = header;
    for (let n = 0; n < limit; n++) {
      if (reader.done) return true;
      const opcode = reader.u8();
      if (opcode >= opcodeBase) {
        const adjusted = opcode - opcodeBase;
        this.advance(Math.floor(adjusted / lineRange));
        this.line += lineBase + (adjusted % lineRange);
        this.emit(0);
      } else if (opcode === 0) this.extended();
      else this.standard(opcode);
    }
    return false;
  }

  private emit(flags: number): void {
    this.row(this.address, this.file, this.line, this.column, flags | (this.statement ? ROW.STATEMENT : 0) | (this.prologueEnd ? ROW.PROLOGUE_END : 0)); // prettier-ignore
    this.prologueEnd = false;
  }
  private advance(operations: number): void {
    const { minimumLength, maximumOperations } = this.header;
    if (maximumOperations === 1) {
      this.address += operations * minimumLength;
      return;
    }
    this.operation += operations;
    this.address += minimumLength * Math.floor(this.operation / maximumOperations);
    this.operation %= maximumOperations;
  }

  private standard(opcode: number): void {
    const { reader, header } = this;
    switch (opcode) {
      case LNS.copy:
        return this.emit(0);
      case LNS.advance_pc:
        return this.advance(reader.uleb());
      case LNS.advance_line:
        this.line += reader.sleb();
        return;
      case LNS.set_file:
        this.file = reader.uleb();
        return;
      case LNS.set_column:
        this.column = reader.uleb();
        return;
      case LNS.negate_stmt:
        this.statement = !this.statement;
        return;
      case LNS.const_add_pc:
        return this.advance(Math.floor((255 - header.opcodeBase) / header.lineRange));
      case LNS.fixed_advance_pc:
        this.address += reader.u16();
        this.operation = 0;
        return;
      case LNS.set_prologue_end:
        this.prologueEnd = true;
        return;
      case LNS.set_isa:
        return reader.skipLeb();
      case LNS.set_basic_block:
      case LNS.set_epilogue_begin:
        return;
      default:
        for (let n = header.operandCounts[opcode] ?? 0; n > 0; n--) reader.skipLeb();
    }
  }

  private extended(): void {
    const { reader, header } = this;
    const length = reader.uleb();
    if (length === 0) return;
    const next = reader.at + length;
    switch (reader.u8()) {
      case LNE.end_sequence:
        this.emit(ROW.END_SEQUENCE);
        this.address = this.operation = this.column = 0;
        this.file = this.line = 1;
        this.statement = header.defaultIsStatement;
        break;
      case LNE.set_address:
        this.address = reader.address(length - 1);
        this.operation = 0;
        break;
      case LNE.define_file:
        header.files.push({ name: reader.string(), directory: reader.uleb() });
        break;
    }
    if (next > reader.end)
      throw new DwarfError(`.debug_line at 0x${reader.at.toString(16)}: an opcode reaches beyond its table`);
    reader.at = next;
  }
}
