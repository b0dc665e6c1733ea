/** Symbols of the ELF file: names for addresses where there is no DWARF, and for assembly. */
import { type Elf, SHF, SHN, STB, STT } from '../../emulator/index';
import { toAddress } from './reader';
import type { Slices } from './slices';
import { type Symbol, SymbolTable } from './symbol-table';

export class ElfSymbols extends SymbolTable {
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
    await this.fill(read, slices);
  }
}

/** Typed before untyped, global before weak before local, absolute last. */
const rankOf = (type: number, binding: number, section: number): number =>
  (section === SHN.ABS ? 0 : 10) +
  (type === STT.NOTYPE ? 0 : 4) +
  (binding === STB.GLOBAL ? 2 : binding === STB.WEAK ? 1 : 0);
