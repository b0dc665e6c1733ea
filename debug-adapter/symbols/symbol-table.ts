/** Symbols by address and by name: what answers where there is no DWARF. Filled by a file's table or a kernel's kallsyms. */
import type { FunctionSymbol } from './api';
import { toGva } from './reader';
import { lastAtMost, type Slices, sortedOrder } from './slices';

export interface Symbol {
  name: string;
  /** As toAddress gives it. */
  address: number;
  end: number;
  /** Its size is not known: `end` is the section's until the next symbol is known. */
  unsized: boolean;
  isFunction: boolean;
  /** Of several symbols at an address, or of a name, the highest wins. */
  rank: number;
}

/** Farther than this from a symbol without size, an address is not called `symbol+offset`. */
const FARTHEST = 0x10_0000;

export class SymbolTable {
  private readonly symbols: Symbol[] = [];
  private addresses = new Float64Array(0);
  private readonly byName = new Map<string, number>();

  get count(): number {
    return this.symbols.length;
  }

  /** Once, in any order. */
  async fill(read: readonly Symbol[], slices: Slices): Promise<void> {
    const keys = new Float64Array(read.length);
    for (let i = 0; i < read.length; i++) keys[i] = read[i]!.address;
    const order = await sortedOrder(keys, slices);
    this.addresses = new Float64Array(read.length);
    for (let i = 0; i < read.length; i++) {
      const symbol = read[order[i]!]!;
      this.symbols.push(symbol);
      this.addresses[i] = symbol.address;
      if ((i & 0xfff) === 0 && slices.due()) await slices.pause();
    }
    await this.finish(slices);
  }
  /** Sizes that the file leaves out: up to the next symbol, at most to the section's end. And names. */
  private async finish(slices: Slices): Promise<void> {
    for (let i = this.symbols.length - 1, next = Infinity; i >= 0; i--) {
      const symbol = this.symbols[i]!;
      if (i + 1 < this.symbols.length && this.symbols[i + 1]!.address > symbol.address)
        next = this.symbols[i + 1]!.address;
      if (symbol.unsized) symbol.end = Math.min(next, symbol.end);
      const known = this.byName.get(symbol.name);
      if (known === undefined || this.symbols[known]!.rank < symbol.rank) this.byName.set(symbol.name, i);
      if ((i & 0x3ff) === 0 && slices.due()) await slices.pause();
    }
  }

  /** The best symbol that holds the address, or else the nearest below. */
  at(address: number): { name: string; offset: bigint } | undefined {
    const last = lastAtMost(this.addresses, address);
    let best: Symbol | undefined;
    for (let i = last, tries = 0; i >= 0 && tries < 32; i--, tries++) {
      const symbol = this.symbols[i]!;
      const holds = address < symbol.end || symbol.address === address;
      if (best && symbol.address < best.address) break;
      if (holds && (!best || symbol.rank > best.rank)) best = symbol;
    }
    const nearest = best ?? this.symbols[last];
    if (!nearest || address - nearest.address > FARTHEST) return undefined;
    return { name: nearest.name, offset: BigInt(address - nearest.address) };
  }
  value(name: string): bigint | undefined {
    const i = this.byName.get(name);
    return i === undefined ? undefined : toGva(this.symbols[i]!.address);
  }
  functionAt(address: number): FunctionSymbol | undefined {
    for (let i = lastAtMost(this.addresses, address), tries = 0; i >= 0 && tries < 32; i--, tries++) {
      const symbol = this.symbols[i]!;
      if (symbol.isFunction && address < symbol.end) return asFunction(this.best(i));
    }
    return undefined;
  }
  /** Of several names for one address, the global function. */
  private best(i: number): Symbol {
    let best = this.symbols[i]!;
    for (let j = i; j >= 0 && this.addresses[j] === best.address; j--)
      if (this.symbols[j]!.isFunction && this.symbols[j]!.rank > best.rank) best = this.symbols[j]!;
    return best;
  }
  functionNamed(name: string): FunctionSymbol | undefined {
    const i = this.byName.get(name);
    return i !== undefined && this.symbols[i]!.isFunction ? asFunction(this.symbols[i]!) : undefined;
  }
  /** All of that name: static functions of several files can share one. */
  functionsNamed(name: string): FunctionSymbol[] {
    return this.symbols.filter((s) => s.name === name && s.isFunction).map(asFunction);
  }
  *startingWith(prefix: string): Generator<string> {
    for (const name of this.byName.keys()) if (name.startsWith(prefix)) yield name;
  }
}

const asFunction = (s: Symbol): FunctionSymbol => {
  const range = { start: toGva(s.address), end: toGva(Math.max(s.end, s.address)) };
  return { name: s.name, ...range, ranges: [range], source: 'elf' };
};
