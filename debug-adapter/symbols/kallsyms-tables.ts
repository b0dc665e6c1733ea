/**
 * Where the tables of kallsyms lie around the token table. Kernels have ordered them in several ways (scripts/kallsyms.c
 * of each), and none says which: each table is found by what must be true of it, never by a version number.
 */
import type { TokenTable } from './kallsyms-tokens';

/** Offsets into the window. */
export interface Tables {
  count: number;
  names: number;
  addresses: AddressTable;
}
export interface AddressTable {
  /**
   * `pointers`: as they are. `offsets`: unsigned, from `base`. `per-cpu`: signed; negative ones from `base` downwards,
   * the others are absolute (CONFIG_KALLSYMS_ABSOLUTE_PERCPU). `places`: signed, from the entry's own address.
   */
  kind: 'pointers' | 'offsets' | 'per-cpu' | 'places';
  at: number;
  base: number;
}

/** Memory around a token table. Addresses are numbers as in reader.ts. */
export interface Window {
  bytes: Uint8Array;
  view: DataView;
  address: number;
  pointerBytes: 4 | 8;
  /** Whether an address is the kernel's. */
  isKernel(address: number): boolean;
}

/** Names between two markers. */
const BLOCK = 256;
const MAX_SYMBOLS = 4_000_000;
/** Rows of markers that are followed up: in a kernel the right one is the first or second, in a hostile guest's memory there may be millions. */
const MAX_RUNS = 64;
/** Bytes of a name with its length: from one token to more than the kernel allows. */
const [SHORTEST, LONGEST] = [2, 520];
/** The share of addresses that must be the kernel's; the others are offsets of per-CPU variables. */
const KERNEL_SHARE = 0.5;

export function tablesAround(window: Window, tokens: TokenTable): Tables | undefined {
  for (const width of [4, 8] as const) {
    let runs = 0;
    for (const markers of markerRuns(window, tokens.start, width)) {
      if (++runs > MAX_RUNS) break;
      const found = namesBefore(window, markers, width);
      if (!found) continue;
      const addresses = addressTable(window, found.count, found.countAt, tokens.end);
      if (addresses) return { ...found, addresses };
    }
  }
  return undefined;
}

interface Markers {
  at: number;
  values: number[];
}

/** Rows of numbers from 0 that grow as the sizes of 256 names do, the nearest to the token table first. */
function* markerRuns(window: Window, end: number, width: 4 | 8): Generator<Markers> {
  const { view } = window;
  let run: number[] = [];
  const last = Math.floor(end / width) * width - width;
  for (let at = last; at >= 0; at -= width) {
    const value = view.getUint32(at, true);
    if (width === 8 && view.getUint32(at + 4, true) !== 0) {
      run = [];
      continue;
    }
    const next = run.at(-1);
    const fits = next !== undefined && next - value >= BLOCK * SHORTEST && next - value <= BLOCK * LONGEST;
    if (!fits) run = [];
    run.push(value);
    // A single block has a single marker, which stands beside the token table.
    if (value === 0 && (run.length > 1 || end - at <= 16)) yield { at, values: [...run].reverse() };
  }
}

/** The names end where their markers begin; their number stands before them. */
function namesBefore(
  { bytes, view, pointerBytes }: Window,
  { at: end, values }: Markers,
  width: 4 | 8,
): { count: number; countAt: number; names: number } | undefined {
  const blocks = values.length;
  const lastBlock = end - values.at(-1)!;
  const lowest = Math.max(8, lastBlock - BLOCK * LONGEST - width);
  for (let names = Math.floor((lastBlock - SHORTEST) / 4) * 4; names >= lowest; names -= 4) {
    // 32 bits of it, in older kernels aligned as a pointer.
    for (const countAt of names % pointerBytes === 0 && pointerBytes > 4 ? [names - 4, names - 8] : [names - 4]) {
      const count = view.getUint32(countAt, true);
      if (Math.ceil(count / BLOCK) !== blocks || count > MAX_SYMBOLS) continue;
      if (countAt === names - 8 && view.getUint32(countAt + 4, true) !== 0) continue;
      const after = namesEnd(bytes, names, count, values);
      if (after !== undefined && after <= end && end - after < 16) return { count, countAt, names };
    }
  }
  return undefined;
}

/** Where so many names end, if every marker is right. */
function namesEnd(bytes: Uint8Array, names: number, count: number, markers: readonly number[]): number | undefined {
  let at = names;
  for (let n = 0; n < count; n++) {
    if (n % BLOCK === 0 && at - names !== markers[n / BLOCK]) return undefined;
    const name = nameAt(bytes, at);
    if (name.length === 0 || name.begin + name.length > bytes.length) return undefined;
    at = name.begin + name.length;
  }
  return at;
}

/** A name's tokens. The length has one byte, or two where it is 128 or more. */
export function nameAt(bytes: Uint8Array, at: number): { begin: number; length: number } {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return { begin: at + 1, length: first };
  return { begin: at + 2, length: (first & 0x7f) | ((bytes[at + 1] ?? 0) << 7) };
}

/** Before the number of names or behind the token index, with the sequence numbers of sorted names between or not. */
function addressTable(window: Window, count: number, countAt: number, tokensEnd: number): AddressTable | undefined {
  const { pointerBytes } = window;
  const aligned = (n: number): number => Math.ceil(n / pointerBytes) * pointerBytes;
  const [offsets, sequence] = [aligned(count * 4), aligned(count * 3)];
  for (const end of [countAt, countAt - sequence]) {
    const relative = relativeTable(window, count, end - pointerBytes - offsets, end - pointerBytes);
    const pointers: AddressTable = { kind: 'pointers', at: end - count * pointerBytes, base: 0 };
    const places: AddressTable = { kind: 'places', at: end - offsets, base: 0 };
    const found = relative ?? [pointers, places].find((table) => isPlausible(window, table, count));
    if (found) return found;
  }
  const behind = aligned(tokensEnd);
  const places = [Math.ceil(tokensEnd / 4) * 4, behind].map((at): AddressTable => ({ kind: 'places', at, base: 0 }));
  return relativeTable(window, count, behind, behind + offsets) ?? places.find((table) => isPlausible(window, table, count));
} // prettier-ignore

function relativeTable(window: Window, count: number, at: number, baseAt: number): AddressTable | undefined {
  if (at < 0 || baseAt + window.pointerBytes > window.bytes.length) return undefined;
  const base = pointerAt(window, baseAt);
  const tables = (['per-cpu', 'offsets'] as const).map((kind): AddressTable => ({ kind, at, base }));
  return tables.find((table) => isPlausible(window, table, count));
}

/** Symbols are sorted, and most are the kernel's. */
function isPlausible(window: Window, table: AddressTable, count: number): boolean {
  const size = table.kind === 'pointers' ? window.pointerBytes : 4;
  if (table.at < 0 || table.at + count * size > window.bytes.length) return false;
  let kernel = 0;
  let previous = -Infinity;
  for (let n = 0; n < count; n++) {
    const address = addressAt(window, table, n);
    const order = unsignedOrder(address);
    if (order < previous) return false;
    previous = order;
    if (window.isKernel(address)) kernel++;
  }
  return kernel >= count * KERNEL_SHARE;
}
/** Addresses of the upper half are negative numbers here, and come last. */
const unsignedOrder = (address: number): number => (address < 0 ? address + 2 ** 64 : address);

export function pointerAt({ view, pointerBytes }: Pick<Window, 'view' | 'pointerBytes'>, at: number): number {
  const low = view.getUint32(at, true);
  return pointerBytes === 4 ? low : view.getInt32(at + 4, true) * 2 ** 32 + low;
}

export function addressAt(window: Window, { kind, at, base }: AddressTable, n: number): number {
  if (kind === 'pointers') return pointerAt(window, at + n * window.pointerBytes);
  const place = at + n * 4;
  if (kind === 'offsets') return base + window.view.getUint32(place, true);
  const offset = window.view.getInt32(place, true);
  if (kind === 'places') return window.address + place + offset;
  return offset >= 0 ? offset : base - 1 - offset;
}
