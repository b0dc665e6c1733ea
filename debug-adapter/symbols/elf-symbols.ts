/** Symbols of the ELF file: names for addresses where there is no DWARF, and for assembly. */
import { type Elf, SHF, SHN, STB, STT } from '../../emulator/index';
import type { FunctionSymbol } from './api';
import { toAddress, toGva } from './reader';
import { lastAtMost, type Slices, sortedOrder } from './slices';

interface Symbol {
  name: string;
  address: number;
  end: number;
  /** The file gives no size: `end` is the section's until the next symbol is known. */
  unsized: boolean;
  isFunction: boolean;
  rank: number;
}

/** Farther than this from a symbol without size, an address is not called `symbol+offset`. */
const FARTHEST = 0x10_0000;

export class ElfSymbols {
  private readonly symbols: Symbol[] = [];
  private addresses = new Float64Array(0);
  private readonly byName = new Map<string, number>();

  get count(): number {
    return this.symbols.length;
  }

  async index(elf: Elf, slices: Slices): Promise<void> {
    const read: Symbol[] = [];
    const sectionEnd = elf.sections.map((s) => toAddress(s.gva) + s.size);
    let n = 0;
    for (const s of elf.symbols()) {
      if ((++n & 0x3ff) === 0 && slices.due()) await slices.pause();
      const section = s.section < SHN.LORESERVE || s.section > SHN.XINDEX ? elf.sections[s.section] : undefined;
      const inSection = section !== undefined && s.section !== SHN.UNDEF && (section.flags & SHF.ALLOC) !== 0;
      if (s.name === '' || s.type === STT.SECTION || s.type === STT.FILE || s.type === STT.TLS) continue;
      if (!inSection && s.section !== SHN.ABS) continue;
      const isCode = section !== undefined && (section.flags & SHF.EXECINSTR) !== 0;
      const isFunction = s.type === STT.FUNC || s.type === STT.IFUNC || (s.type === STT.NOTYPE && isCode);
      const address = toAddress(s.value);
      const unsized = s.size === 0n && isCode;
      const end = unsized ? sectionEnd[s.section]! : address + Number(s.size);
      read.push({
        name: s.name,
        address,
        end,
        unsized,
        isFunction: isFunction && s.section !== SHN.ABS,
        rank: rankOf(s.type, s.binding, s.section),
      });
    }
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
  *startingWith(prefix: string): Generator<string> {
    for (const name of this.byName.keys()) if (name.startsWith(prefix)) yield name;
  }
}

const asFunction = (s: Symbol): FunctionSymbol => {
  const range = { start: toGva(s.address), end: toGva(Math.max(s.end, s.address)) };
  return { name: s.name, ...range, ranges: [range], source: 'elf' };
};
/** Typed before untyped, global before weak before local, absolute last. */
const rankOf = (type: number, binding: number, section: number): number =>
  (section === SHN.ABS ? 0 : 10) +
  (type === STT.NOTYPE ? 0 : 4) +
  (binding === STB.GLOBAL ? 2 : binding === STB.WEAK ? 1 : 0);
