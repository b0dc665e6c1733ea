/**
 * kallsyms: the table of its own symbols that a Linux kernel carries (CONFIG_KALLSYMS), read from the memory of a kernel
 * that has been unpacked. Addresses in it are those at run time, wherever KASLR has put the kernel.
 */
import { digitRuns, type TokenTable, tokenTableAt } from './kallsyms-tokens';
import { addressAt, nameAt, type Tables, tablesAround, type Window } from './kallsyms-tables';
import { toAddress } from './reader';
import type { Slices } from './slices';

export interface KernelSymbols {
  names: string[];
  /** Letters as `nm` has them: `T`, `t`, `D`... */
  types: string[];
  /** As toAddress gives them; of per-CPU variables the offset into each processor's area. */
  addresses: Float64Array;
}

/** Mapped memory, without gaps. */
export interface Region {
  start: bigint;
  end: bigint;
}
/** As many bytes as are mapped, from the start. */
export type ReadMemory = (gva: bigint, bytes: number) => Uint8Array;

const CHUNK_BYTES = 1 << 20;
/** Read between two looks at the clock. */
const SLICE_BYTES = 1 << 18;
/** Chunks overlap, so that a run of digits on the border is in one of them. */
const OVERLAP_BYTES = 4096;
/** Tables around the tokens: some MiB for a kernel with everything built in. */
const [BEFORE_BYTES, BEHIND_BYTES] = [24 << 20, 16 << 20];
/** Rows of digits, and whole token tables, that are followed up; a guest could contain any number. */
const MAX_RUNS = 1000;
const MAX_CANDIDATES = 8;
/** KSYM_NAME_LEN was 128, then 512; the type is one more. What the tokens of a hostile guest make of a name could be megabytes. */
const LONGEST_NAME = 513;

/** Looks through the regions. Undefined: there is no kallsyms, or none that is whole. Never throws for what it reads. */
export async function findKallsyms(
  read: ReadMemory,
  regions: readonly Region[],
  pointerBytes: 4 | 8,
  slices: Slices,
): Promise<KernelSymbols | undefined> {
  const isKernel = kernelTest(regions);
  let [runs, candidates] = [0, 0];
  for (const region of regions)
    for (let at = region.start; at < region.end; at += BigInt(CHUNK_BYTES)) {
      const size = Number(region.end - at);
      const chunk = read(at, Math.min(size, CHUNK_BYTES + OVERLAP_BYTES));
      for (const digits of digitRuns(chunk)) {
        if (++runs > MAX_RUNS) return undefined;
        if (slices.due()) await slices.pause();
        const near = Math.max(0, digits - OVERLAP_BYTES) & ~7;
        const tokensAt = at + BigInt(near);
        const sample = read(tokensAt, OVERLAP_BYTES * 3);
        if (!tokenTableAt(sample, digits - near) || ++candidates > MAX_CANDIDATES) continue;
        const found = await readAround(read, region, tokensAt + BigInt(digits - near), pointerBytes, isKernel, slices);
        if (found) return found;
      }
      if (slices.due()) await slices.pause();
    }
  return undefined;
}

const kernelTest = (regions: readonly Region[]): ((address: number) => boolean) => {
  const ranges = regions.map(({ start, end }) => [toAddress(start), toAddress(end - 1n)] as const);
  return (address) => ranges.some(([low, high]) => address >= low && address <= high + 1);
};

/** The same in slices; page walks of some MiB take their time. */
export async function readSliced(read: ReadMemory, gva: bigint, bytes: number, slices: Slices): Promise<Uint8Array> {
  const result = new Uint8Array(bytes);
  for (let at = 0; at < bytes; at += SLICE_BYTES) {
    const length = Math.min(SLICE_BYTES, bytes - at);
    const part = read(gva + BigInt(at), length);
    result.set(part, at);
    if (part.length < length) return result.slice(0, at + part.length);
    if (slices.due()) await slices.pause();
  }
  return result;
}

async function readAround(
  read: ReadMemory,
  region: Region,
  digits: bigint,
  pointerBytes: 4 | 8,
  isKernel: (address: number) => boolean,
  slices: Slices,
): Promise<KernelSymbols | undefined> {
  const lowest = digits - BigInt(BEFORE_BYTES);
  const start = (lowest > region.start ? lowest : region.start) & ~7n;
  const size = Math.min(Number(region.end - start), BEFORE_BYTES + BEHIND_BYTES);
  const bytes = await readSliced(read, start, size, slices);
  const tokens = tokenTableAt(bytes, Number(digits - start));
  if (!tokens) return undefined;
  const window: Window = {
    bytes,
    view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    address: toAddress(start),
    pointerBytes,
    isKernel,
  };
  const tables = tablesAround(window, tokens);
  await slices.pause();
  return tables && decode(window, tables, tokens, slices);
}

async function decode(
  window: Window,
  { count, names, addresses }: Tables,
  { tokens }: TokenTable,
  slices: Slices,
): Promise<KernelSymbols | undefined> {
  const symbols: KernelSymbols = { names: [], types: [], addresses: new Float64Array(count) };
  const { bytes } = window;
  let at = names;
  for (let n = 0; n < count; n++) {
    const { begin, length } = nameAt(bytes, at);
    let text = '';
    for (let i = begin; i < begin + length && text.length <= LONGEST_NAME; i++) text += tokens[bytes[i]!]!;
    if (text.length > LONGEST_NAME) return undefined;
    at = begin + length;
    symbols.types.push(text.slice(0, 1));
    symbols.names.push(text.slice(1));
    symbols.addresses[n] = addressAt(window, addresses, n);
    if ((n & 0x3ff) === 0 && slices.due()) await slices.pause();
  }
  return symbols;
}
