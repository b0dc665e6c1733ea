/**
 * A running kernel, or a module of it, as a symbol file: names from kallsyms, types from BTF, frames from ORC. It has no lines
 * and no variables of functions but their arguments, at their first instruction.
 */
import type { FunctionSymbol, InlineFrame, Location, SymbolFile, Target, Type, UnwoundFrame, Variable } from './api';
import type { BtfTypes } from './btf-types';
import type { ReadMemory } from './kallsyms';
import type { Orc } from './orc';
import { toAddress } from './reader';
import type { SymbolTable } from './symbol-table';

export interface KernelFileParts {
  name: string;
  machine: 'x86-64' | 'i386';
  summary: string;
  range: { start: bigint; end: bigint };
  table: SymbolTable;
  read: ReadMemory;
  /** Read when they are first needed. */
  types(): BtfTypes | undefined;
  orc(): Orc | undefined;
  /** What to add to a per-CPU symbol; undefined: not known yet. */
  perCpuOffset(cpu: number): bigint | undefined;
}

/** BTF of most kernels tells the types of per-CPU variables only: others that people ask for. */
const WELL_KNOWN: Readonly<Record<string, string>> = {
  init_task: 'struct task_struct',
  init_mm: 'struct mm_struct',
  init_uts_ns: 'struct uts_namespace',
  init_pid_ns: 'struct pid_namespace',
  init_nsproxy: 'struct nsproxy',
  init_net: 'struct net',
  init_cred: 'struct cred',
  init_fs: 'struct fs_struct',
  boot_cpu_data: 'struct cpuinfo_x86',
  boot_params: 'struct boot_params',
  iomem_resource: 'struct resource',
  ioport_resource: 'struct resource',
  modules: 'struct list_head',
  super_blocks: 'struct list_head',
  jiffies: 'unsigned long',
  jiffies_64: 'u64',
  totalram_pages: 'unsigned long',
  nr_cpu_ids: 'unsigned int',
  panic_on_oops: 'int',
  system_state: 'enum system_states',
};

/** Where the first arguments are, by DWARF number: psABI section 3.2.3, and -mregparm=3 of 32-bit kernels. */
const ARGUMENTS = { 'x86-64': [5, 4, 1, 2, 8, 9], i386: [0, 2, 1] } as const;
const ENDBR64 = [0xf3, 0x0f, 0x1e, 0xfa];
/** What ftrace puts at the start of functions: a call of five bytes, or a NOP of as many. */
const FENTRY = [[0xe8], [0x0f, 0x1f, 0x44, 0x00, 0x00]];
const FENTRY_BYTES = 5;

export class KernelFile implements SymbolFile {
  readonly name: string;
  readonly machine: 'x86-64' | 'i386';
  readonly summary: string;
  readonly hasDwarf = false;
  readonly warnings: readonly string[] = [];
  readonly range: { start: bigint; end: bigint };

  constructor(private readonly parts: KernelFileParts) {
    ({ name: this.name, machine: this.machine, summary: this.summary, range: this.range } = parts);
  }

  private get word(): number {
    return this.machine === 'i386' ? 4 : 8;
  }

  lineAt(): undefined {
    return undefined;
  }
  addressesOf(_: string, line: number): { line: number; addresses: bigint[] } {
    return { line, addresses: [] };
  }
  linesOf(): number[] {
    return [];
  }
  sources(): string[] {
    return [];
  }

  functionAt(gva: bigint): FunctionSymbol | undefined {
    return this.parts.table.functionAt(toAddress(gva));
  }
  functionsNamed(name: string): FunctionSymbol[] {
    return this.parts.table.functionsNamed(name);
  }
  framesAt(gva: bigint): InlineFrame[] {
    const symbol = this.functionAt(gva);
    return symbol ? [{ function: symbol.name, inlined: false, entry: symbol.start }] : [];
  }
  afterPrologue(start: bigint): bigint {
    return start;
  }

  symbolAt(gva: bigint): { name: string; offset: bigint } | undefined {
    return this.parts.table.at(toAddress(gva));
  }
  symbol(name: string): bigint | undefined {
    const gva = this.parts.table.value(name);
    return gva === undefined || this.machine === 'x86-64' ? gva : BigInt.asUintN(32, gva);
  }
  complete(prefix: string, limit: number): string[] {
    const found = [...this.parts.table.startingWith(prefix)];
    return found.sort((a, b) => (a < b ? -1 : 1)).slice(0, limit);
  }
  typeNamed(name: string): Type | undefined {
    return this.parts.types()?.named(name);
  }
  enumerator(name: string): { value: bigint; type: Type } | undefined {
    return this.parts.types()?.enumerator(name);
  }

  global(name: string): Variable | undefined {
    const gva = this.symbol(name);
    const types = gva === undefined ? undefined : this.parts.types();
    if (gva === undefined || types === undefined) return undefined;
    const typed = types.variable(name);
    if (typed !== undefined && types.variablesIn('.data..percpu').has(name)) return this.perCpu(name, gva, typed);
    const known = Object.hasOwn(WELL_KNOWN, name) ? WELL_KNOWN[name] : undefined;
    const type = typed ?? (known === undefined ? undefined : types.named(known));
    return type && { name, type, kind: 'global', locate: () => ({ kind: 'memory', gva }) };
  }
  private perCpu(name: string, offset: bigint, type: Type): Variable {
    const locate = (target: Target): Location => {
      const base = this.parts.perCpuOffset(target.cpu?.() ?? 0);
      if (base === undefined) return { kind: 'unavailable', why: 'the kernel has not laid out its per-CPU areas yet' };
      return { kind: 'memory', gva: BigInt.asUintN(this.word * 8, base + offset) };
    };
    return { name, type, kind: 'per-cpu', locate };
  }
  globals(_: bigint | undefined, limit: number): Variable[] {
    return Object.keys(WELL_KNOWN).flatMap((name) => this.global(name) ?? []).slice(0, limit); // prettier-ignore
  }
  /** Variables of which each processor has its own, as far as their types are known. */
  perCpuVariables(): Variable[] {
    const names = this.parts.types()?.variablesIn('.data..percpu') ?? [];
    return [...names].flatMap((name) => this.global(name) ?? []);
  }

  /** Arguments, where the calling convention puts them; BTF does not say where they are later. */
  variablesAt(pc: bigint, depth = 0): Variable[] {
    const symbol = depth === 0 ? this.functionAt(pc) : undefined;
    const parameters = symbol && this.parts.types()?.function(symbol.name)?.parameters;
    if (!parameters) return [];
    let register = 0;
    return parameters.map(({ name, type }, n): Variable => {
      const first = register;
      register += Math.max(1, Math.ceil(type.bytes / this.word));
      const locate = (target: Target, at: bigint): Location => this.argument(symbol.start, first, type, target, at);
      return { name: name || `argument${n}`, type, kind: 'argument', locate };
    });
  }
  private argument(start: bigint, first: number, type: Type, target: Target, pc: bigint): Location {
    if (!this.isEntry(start, pc, target))
      return { kind: 'unavailable', why: "BTF says where arguments are at a function's first instruction only" };
    const registers = ARGUMENTS[this.machine];
    const count = Math.max(1, Math.ceil(type.bytes / this.word));
    const numbers = registers.slice(first, first + count);
    if (count > 2 || numbers.length < count) return { kind: 'unavailable', why: 'it is passed on the stack' };
    if (count === 1) return { kind: 'register', number: numbers[0]! };
    const pieces = numbers.map((number) => ({ location: { kind: 'register', number } as const, bytes: this.word }));
    return { kind: 'pieces', pieces };
  }
  /** Whether nothing but the landing pad and ftrace's place has been executed. */
  private isEntry(start: bigint, pc: bigint, target: Target): boolean {
    if (pc === start) return true;
    const length = Number(pc - start);
    if (length < 0 || length > ENDBR64.length + FENTRY_BYTES) return false;
    const code = target.memory(start, length);
    const at = ENDBR64.every((byte, n) => code[n] === byte) ? ENDBR64.length : 0;
    if (at === length) return true;
    return at + FENTRY_BYTES === length && FENTRY.some((bytes) => bytes.every((byte, n) => code[at + n] === byte));
  }

  unwind(pc: bigint, target: Target): UnwoundFrame | undefined {
    return this.parts.orc()?.unwind(pc, target);
  }
}
