/**
 * What the debug adapter asks of debug information. Addresses are link-time gva, bigint; a load bias is the caller's.
 * symbols/index.ts has `openSymbols(name, bytes, report): Promise<SymbolFile>`; everything beyond the index is read on demand.
 */

export interface SourceLine {
  /** As in the line table: compilation directory joined, normalised with `/`. */
  path: string;
  line: number;
  column: number;
}

export interface LineEntry extends SourceLine {
  /** [start, end) */
  start: bigint;
  end: bigint;
  isStatement: boolean;
  /** First address after the prologue, where the producer says so. */
  prologueEnd: boolean;
}

export interface FunctionSymbol {
  name: string;
  /** [start, end); further ranges when the compiler split it (`.cold`). */
  start: bigint;
  end: bigint;
  ranges: { start: bigint; end: bigint }[];
  /** Only from DWARF. */
  declaration?: SourceLine;
  source: 'dwarf' | 'elf';
}

/** A frame of the source program at one address: the function itself last, what was inlined into it before. */
export interface InlineFrame {
  function: string;
  /** Line in this frame: of the address for the innermost, of the call for the others. */
  at?: SourceLine;
  inlined: boolean;
  /** First address of the inlined body, for step in. */
  entry?: bigint;
}

/** What a location expression and the unwinder may ask of the stopped guest. */
export interface Target {
  /** By DWARF number (System V psABI table 3.36 for x86-64, 2.14 for i386). Undefined: not known in this frame. */
  register(number: number): bigint | undefined;
  /** As much as can be read. */
  memory(gva: bigint, bytes: number): Uint8Array;
  /** Canonical frame address of this frame (DW_OP_call_frame_cfa). Without it, it is computed from the frame's pc. */
  cfa?(): bigint | undefined;
  /**
   * The frame that called this one, and the address it returns to: for values that exist only in the caller
   * (DW_OP_entry_value). Without it they are unavailable.
   */
  caller?(): { pc: bigint; target: Target } | undefined;
  /** Its number, for variables that each processor has its own of. */
  cpu?(): number;
}

/** `name` is how C writes it (`struct page`, `char *[4]`); `bytes` is 0 where unknown (incomplete types, void, functions). */
export type Type =
  | { kind: 'base'; name: string; bytes: number; encoding: 'signed' | 'unsigned' | 'boolean' | 'float' | 'char' | 'unsigned-char' | 'address' }
  | { kind: 'pointer'; name: string; bytes: number; to: () => Type; reference?: '&' | '&&' }
  /** `tag` is the bare name, empty for an anonymous one. A declaration without definition has no members and `incomplete`. */
  | { kind: 'struct' | 'union' | 'class'; name: string; tag: string; bytes: number; incomplete?: boolean; members: () => Member[] }
  /** `count` is undefined for a flexible array and for one whose length is only known at run time. */
  | { kind: 'array'; name: string; bytes: number; of: () => Type; count: number | undefined }
  | { kind: 'enum'; name: string; tag: string; bytes: number; signed: boolean; values: () => { name: string; value: bigint }[] }
  | { kind: 'typedef'; name: string; bytes: number; to: () => Type }
  | { kind: 'qualified'; name: string; qualifier: string; bytes: number; to: () => Type }
  | { kind: 'function'; name: string; bytes: number; returns: () => Type; parameters: () => Type[]; variadic: boolean }
  | { kind: 'void'; name: string; bytes: number }; // prettier-ignore

export interface Member {
  name: string;
  type: Type;
  /** Bytes from the start; bit fields also have bits from there. */
  offset: number;
  bitSize?: number;
  bitOffset?: number;
}

/** Where a value is, once located in a frame. */
export type Location =
  | { kind: 'memory'; gva: bigint }
  | { kind: 'register'; number: number }
  /** Computed or constant: it cannot be written. */
  | { kind: 'value'; bytes: Uint8Array }
  /** In order, first the lowest bytes; `bits` where a piece is not whole bytes: how many, from which bit of the location. */
  | { kind: 'pieces'; pieces: { location: Location; bytes: number; bits?: { size: number; offset: number } }[] }
  /** Optimised out, or not here: `why` for people. */
  | { kind: 'unavailable'; why: string };

export interface Variable {
  name: string;
  type: Type;
  /** `per-cpu`: each processor has its own, so that its place depends on the target. */
  kind: 'argument' | 'local' | 'global' | 'static' | 'per-cpu';
  declaration?: SourceLine;
  locate(target: Target, pc: bigint): Location;
}

/** Registers of the caller, by DWARF number; missing ones are unknown. */
export interface UnwoundFrame {
  cfa: bigint;
  registers: Map<number, bigint>;
  /** The rule for the return address is undefined: outermost frame. */
  outermost: boolean;
  /** A signal or interrupt frame ('S' augmentation): the return address is not after a call. */
  signalFrame: boolean;
  /** The caller is on another stack, which may lie below. */
  stackSwitched?: boolean;
}

export interface SymbolFile {
  readonly name: string;
  readonly machine: 'x86-64' | 'i386';
  readonly buildId?: string;
  /** Producers and DWARF versions met; which sections there are; for `modules`. */
  readonly summary: string;
  readonly hasDwarf: boolean;
  /** What could not be read and why, one sentence each; grows while more is read. */
  readonly warnings: readonly string[];
  /** Highest and lowest address of loaded sections. */
  readonly range: { start: bigint; end: bigint };

  lineAt(gva: bigint): LineEntry | undefined;
  /** All line-table entries of the function's line range that begin a statement for this line, or the nearest later line that has code. */
  addressesOf(path: string, line: number): { line: number; addresses: bigint[] };
  /** Lines with code in [first, last] of a file: breakpoint locations. */
  linesOf(path: string, first: number, last: number): number[];
  sources(): string[];
  functionAt(gva: bigint): FunctionSymbol | undefined;
  functionsNamed(name: string): FunctionSymbol[];
  /** Innermost first. At least one element where a function is known. */
  framesAt(gva: bigint): InlineFrame[];
  /** Start of a function after its prologue: where a function breakpoint goes. */
  afterPrologue(start: bigint): bigint;

  /** Arguments and locals visible at pc in frame `depth` of framesAt (0 innermost). */
  variablesAt(pc: bigint, depth?: number): Variable[];
  global(name: string): Variable | undefined;
  /** Globals of the unit at pc first; at most `limit`. */
  globals(pc: bigint | undefined, limit: number): Variable[];
  /** `struct page`, `union u`, `enum e`, a typedef or base type as the compiler spells it, or a bare tag. */
  typeNamed(name: string): Type | undefined;
  /** A constant of an enumeration. */
  enumerator(name: string): { value: bigint; type: Type } | undefined;
  /** Symbol at or before, with its offset. */
  symbolAt(gva: bigint): { name: string; offset: bigint } | undefined;
  symbol(name: string): bigint | undefined;
  /** Names that begin with `prefix`, for completion. */
  complete(prefix: string, limit: number): string[];

  /** One step up by call-frame information. Undefined: none for this address. */
  unwind(pc: bigint, target: Target): UnwoundFrame | undefined;
}

/** 0 to 1, and what is being read. May be called often. */
export type Progress = (fraction: number, what: string) => void;
