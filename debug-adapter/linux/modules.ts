/** Loadable modules of the guest's kernel: which there are, and the symbols, types and frames that each brings along. */
import { Btf } from '../symbols/btf';
import { BtfTypes } from '../symbols/btf-types';
import { KernelFile } from '../symbols/kernel-file';
import { littleEndian } from '../symbols/location-expressions';
import { Orc } from '../symbols/orc';
import { toAddress } from '../symbols/reader';
import type { Slices } from '../symbols/slices';
import { type Symbol, SymbolTable } from '../symbols/symbol-table';
import { isCode, type Kernel } from './kernel';

export interface LoadedModule {
  gva: bigint;
  name: string;
  /** Of its code. */
  start: bigint;
  end: bigint;
}

const MAX_MODULES = 4096;
const MAX_SYMBOLS = 100_000;
const MAX_BYTES = 4 << 20;
/** MODULE_STATE_LIVE and MODULE_STATE_COMING; the others are on their way out or not there yet. */
const STATES_PRESENT = 1n;
const SYMBOL = {
  8: { bytes: 24, section: 6, value: 8, size: 16 },
  4: { bytes: 16, section: 14, value: 4, size: 8 },
} as const;

/** Undefined: this kernel's types do not tell. */
export function loadedModules(kernel: Kernel): LoadedModule[] | undefined {
  const head = kernel.symbol('modules');
  const { structures } = kernel;
  if (head === undefined || !structures.field('module', 'list')) return undefined;
  const found: LoadedModule[] = [];
  for (const gva of structures.list(head, 'module', 'list', MAX_MODULES)) {
    const state = structures.number(gva, 'module', 'state');
    const code = codeOf(kernel, gva);
    if (state === undefined || state > STATES_PRESENT || !code) continue;
    found.push({ gva, name: structures.text(gva, 'module', 'name'), ...code });
  }
  return found;
}

/** `core_layout` up to Linux 6.3, then one of several memories, of which the first is the code. */
function codeOf({ structures }: Kernel, module: bigint): { start: bigint; end: bigint } | undefined {
  const memory = structures.at(module, 'module', 'mem');
  const [base, size] =
    memory === undefined
      ? [structures.number(module, 'module', 'core_layout.base'), structures.number(module, 'module', 'core_layout.size')]
      : [structures.number(memory, 'module_memory', 'base'), structures.number(memory, 'module_memory', 'size')];
  return base && size ? { start: base, end: base + BigInt.asUintN(32, size) } : undefined;
} // prettier-ignore

export async function moduleFile(kernel: Kernel, module: LoadedModule, slices: Slices): Promise<KernelFile> {
  const table = new SymbolTable();
  await table.fill(symbolsOf(kernel, module), slices);
  let [types, orc]: [BtfTypes | undefined | null, Orc | undefined | null] = [null, null];
  return new KernelFile({
    name: module.name,
    machine: kernel.file.machine,
    summary: `${table.count} symbols of the module in the guest's memory`,
    range: { start: module.start, end: module.end },
    table,
    read: kernel.memory.read,
    types: () => (types === null ? (types = typesOf(kernel, module)) : types),
    orc: () => (orc === null ? (orc = orcOf(kernel, module)) : orc),
    perCpuOffset: (cpu) => kernel.perCpuOffset(cpu),
  });
}

function symbolsOf(kernel: Kernel, module: LoadedModule): Symbol[] {
  const { structures, memory } = kernel;
  const kallsyms = structures.number(module.gva, 'module', 'kallsyms');
  if (!kallsyms) return [];
  const number = (path: string): bigint => structures.number(kallsyms, 'mod_kallsyms', path) ?? 0n;
  const layout = SYMBOL[memory.pointerBytes];
  const count = Math.min(MAX_SYMBOLS, Number(number('num_symtab')));
  const bytes = memory.read(number('symtab'), count * layout.bytes);
  const letters = memory.read(number('typetab'), count);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const strings = number('strtab');
  const found: Symbol[] = [];
  // The first symbol of every ELF table is none.
  for (let n = 1; (n + 1) * layout.bytes <= bytes.length; n++) {
    const at = n * layout.bytes;
    const name = memory.text(strings + BigInt(view.getUint32(at, true)), 256);
    if (view.getUint16(at + layout.section, true) === 0 || name === '') continue;
    const word = (offset: number): bigint => littleEndian(bytes.subarray(at + offset, at + offset + memory.pointerBytes)); // prettier-ignore
    const letter = String.fromCharCode(letters[n] ?? 0);
    const [address, size] = [toAddress(word(layout.value)), Number(word(layout.size))];
    const unsized = size === 0;
    const end = unsized ? Math.max(address, toAddress(module.end)) : address + size;
    found.push({ name, address, end, unsized, isFunction: isCode(letter), rank: letter < 'a' ? 2 : 1 });
  }
  return found;
}

function typesOf(kernel: Kernel, { gva }: LoadedModule): BtfTypes | undefined {
  const { structures, memory } = kernel;
  const base = kernel.btf;
  const data = structures.number(gva, 'module', 'btf_data');
  const size = Number(structures.number(gva, 'module', 'btf_data_size') ?? 0n);
  const own = base && data && size > 0 && size < MAX_BYTES ? Btf.read(memory.read(data, size), base) : undefined;
  return own ? new BtfTypes(own, memory.pointerBytes) : kernel.types;
}

function orcOf({ structures, memory }: Kernel, { gva }: LoadedModule): Orc | undefined {
  const number = (path: string): bigint | undefined => structures.number(gva, 'module', `arch.${path}`);
  const [addresses, entries, count] = [number('orc_unwind_ip'), number('orc_unwind'), Number(number('num_orcs') ?? 0n)];
  if (!addresses || !entries || count * 6 > MAX_BYTES) return undefined;
  return Orc.read(addresses, memory.read(addresses, count * 4), memory.read(entries, count * 6));
}
