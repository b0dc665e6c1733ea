/** A Linux kernel found in the guest: its symbols, types and memory. Nothing here is written down by version. */
import type { Inspector } from '../../emulator/machine/api';
import { Btf } from '../symbols/btf';
import { BtfTypes } from '../symbols/btf-types';
import { findKallsyms, type KernelSymbols, readSliced, type Region } from '../symbols/kallsyms';
import { KernelFile } from '../symbols/kernel-file';
import { Orc } from '../symbols/orc';
import { toAddress, toGva } from '../symbols/reader';
import type { Slices } from '../symbols/slices';
import { type Symbol, SymbolTable } from '../symbols/symbol-table';
import { kernelRegions } from './find';
import { KernelMemory } from './memory';
import { Structures } from './structures';
import { Tasks } from './tasks';

/** Where `_text` lies without KASLR: CONFIG_PHYSICAL_START behind the beginning of the kernel's mapping. */
const LINK_ADDRESS = { 8: 0xffff_ffff_8100_0000n, 4: 0xc100_0000n } as const;
/** No BTF and no ORC table is larger; what a guest says may be anything. */
const MAX_TABLE_BYTES = 64 << 20;
const MAX_TEXT_BYTES = 4096;

export class Kernel {
  readonly file: KernelFile;
  readonly structures: Structures;
  readonly tasks = new Tasks(this);
  /** Undefined: the kernel was built without BTF. */
  btf: Btf | undefined;
  types: BtfTypes | undefined;
  /** Undefined: it has another unwinder, or none. */
  private orc: Orc | undefined;

  private constructor(
    readonly memory: KernelMemory,
    table: SymbolTable,
    readonly range: Region,
  ) {
    this.file = new KernelFile({
      name: 'vmlinux',
      machine: memory.pointerBytes === 8 ? 'x86-64' : 'i386',
      summary: `${table.count} symbols of kallsyms in the guest's memory`,
      range,
      table,
      read: memory.read,
      types: () => this.types,
      orc: () => this.orc,
      perCpuOffset: (cpu) => this.perCpuOffset(cpu),
    });
    this.structures = new Structures(memory, (name) => this.types?.named(name));
  }

  /** Undefined: no kernel with kallsyms is mapped where this processor is. Works in slices. */
  static async find(inspect: () => Inspector, cpu: () => number, slices: Slices): Promise<Kernel | undefined> {
    const { regions, pointerBytes } = kernelRegions(inspect(), cpu());
    if (regions.length === 0) return undefined;
    const memory = new KernelMemory(inspect, pointerBytes, cpu);
    const symbols = await findKallsyms(memory.read, regions, pointerBytes, slices);
    if (!symbols) return undefined;
    const range = imageRange(symbols, { start: regions[0]!.start, end: regions.at(-1)!.end });
    const table = new SymbolTable();
    await slices.pause();
    const entries = tableEntries(symbols, range);
    await slices.pause();
    await table.fill(entries, slices);
    const kernel = new Kernel(memory, table, range);
    kernel.memory.root = kernel.pageTables(inspect(), cpu());
    await kernel.load(slices);
    return kernel;
  }

  private pageTables(inspect: Inspector, cpu: number): bigint | undefined {
    const top = this.symbol('init_top_pgt') ?? this.symbol('swapper_pg_dir');
    const gpa = top === undefined ? undefined : inspect.translate(cpu, top, 'read', { user: false }).gpa;
    return gpa === undefined ? undefined : BigInt(gpa);
  }

  symbol(name: string): bigint | undefined {
    return this.file.symbol(name);
  }
  get hasOrc(): boolean {
    return this.orc !== undefined;
  }

  private async load(slices: Slices): Promise<void> {
    const types = await this.between('__start_BTF', '__stop_BTF', slices);
    this.btf = types && (await Btf.readSliced(types.bytes, slices));
    this.types = this.btf && new BtfTypes(this.btf, this.memory.pointerBytes);
    const addresses = await this.between('__start_orc_unwind_ip', '__stop_orc_unwind_ip', slices);
    const entries = await this.between('__start_orc_unwind', '__stop_orc_unwind', slices);
    await slices.pause();
    this.orc = addresses && entries && Orc.read(addresses.gva, addresses.bytes, entries.bytes);
    await slices.pause();
  }
  /** Bytes between two symbols; undefined: there are no such symbols, or not all of it is mapped. */
  private async between(
    start: string,
    stop: string,
    slices: Slices,
  ): Promise<{ gva: bigint; bytes: Uint8Array } | undefined> {
    const [from, to] = [this.symbol(start), this.symbol(stop)];
    if (from === undefined || to === undefined || to <= from || to - from > MAX_TABLE_BYTES) return undefined;
    const bytes = await readSliced(this.memory.read, from, Number(to - from), slices);
    return bytes.length < Number(to - from) ? undefined : { gva: from, bytes };
  }

  /** What to add to a per-CPU symbol. Kernels for one processor have no such areas. */
  perCpuOffset(cpu: number): bigint | undefined {
    const table = this.symbol('__per_cpu_offset');
    return table === undefined ? 0n : this.memory.pointer(table + BigInt(cpu * this.memory.pointerBytes));
  }
  /** Address of a processor's own variable; undefined: no such variable. */
  perCpu(name: string, cpu: number): bigint | undefined {
    const symbol = this.symbol(name);
    const offset = symbol === undefined ? undefined : this.perCpuOffset(cpu);
    return offset === undefined ? undefined : BigInt.asUintN(this.memory.pointerBytes * 8, symbol! + offset);
  }

  /** `Linux version 6.1...`, where it is among the symbols (CONFIG_KALLSYMS_ALL). */
  get banner(): string {
    const gva = this.symbol('linux_banner');
    return gva === undefined ? 'Linux, without data symbols' : this.memory.text(gva, MAX_TEXT_BYTES).trim();
  }
  get commandLine(): string {
    const variable = this.symbol('saved_command_line');
    const gva = variable && this.memory.pointer(variable);
    return gva ? this.memory.text(gva, MAX_TEXT_BYTES).trim() : '';
  }
  /** How far KASLR has moved the image; undefined: nobody knows where it was linked. */
  get slide(): bigint | undefined {
    const text = this.symbol('_text') ?? this.symbol('_stext');
    return text === undefined ? undefined : text - LINK_ADDRESS[this.memory.pointerBytes];
  }
}

/** From `_text` to `_end`, as far as kallsyms has them. */
function imageRange({ names, addresses }: KernelSymbols, mapped: Region): Region {
  const of = (...wanted: string[]): bigint | undefined => {
    const at = wanted.map((name) => names.indexOf(name)).find((n) => n >= 0);
    return at === undefined ? undefined : toGva(addresses[at]!);
  };
  return { start: of('_text', '_stext') ?? mapped.start, end: of('_end', '__bss_stop') ?? mapped.end };
}

export const isCode = (letter: string): boolean => /^[tTwW]$/.test(letter);
const isGlobal = (letter: string): boolean => letter >= 'A' && letter <= 'Z';

function tableEntries({ names, types, addresses }: KernelSymbols, range: Region): Symbol[] {
  const end = toAddress(range.end);
  const entries = names.map((name, n): Symbol => {
    const [letter, address] = [types[n]!, addresses[n]!];
    const rank = isGlobal(letter) ? 2 : 1;
    return { name, address, end: Math.max(end, address), unsized: true, isFunction: isCode(letter), rank };
  });
  // kallsyms is sorted by unsigned addresses: per-CPU offsets come first, and are put last here, which spares the sorting.
  const first = entries.findIndex(({ address }) => address < 0);
  return first <= 0 ? entries : [...entries.slice(first), ...entries.slice(0, first)];
}
