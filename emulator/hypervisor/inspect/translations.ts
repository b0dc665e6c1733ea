/** The translation cache as a debugger reads it: guest code beside what is executed for it. */
import type { Cpu } from '../../cpu/cpu';
import { linearRip } from '../../cpu/mode';
import { decode } from '../../isa/decode';
import { format } from '../../isa/format';
import type { Instruction } from '../../isa/instruction';
import type { TranslatedPosition, TranslatedView, TranslationCacheView } from '../../machine/inspect-api';
import { PAGE_BYTES } from '../../mmu/physical-memory';
import type { PhysicalMemory } from '../../mmu/physical-memory';
import type { CallOut, TranslatedBlock } from '../translation/translation';
import { isInPlace } from '../translation/treatment';
import type { EngineView } from './engine-view';

type Line = TranslatedView['instructions'][number];
interface Decoded {
  offset: number;
  bytes: Uint8Array;
  insn?: Instruction;
}

const MAX_INSTRUCTION_BYTES = 15;

const inLineOr = ({ treatment }: CallOut): 'in-line' | 'call-out' =>
  isInPlace(treatment) || treatment === 'call-indirect' ? 'in-line' : 'call-out';

export class TranslationsView {
  constructor(
    private readonly from: NonNullable<EngineView['translations']>,
    private readonly host: PhysicalMemory,
    private readonly guest: PhysicalMemory,
  ) {}

  get cache(): TranslationCacheView {
    const { cache, hpa } = this.from;
    return { hpa, bytes: cache.size, used: cache.used, counts: { ...cache.counts } };
  }
  holds(hpa: number): boolean {
    return hpa >= this.from.hpa && hpa < this.from.hpa + this.from.cache.size;
  }
  gvaOf(hpa: number): bigint | undefined {
    if (!this.holds(hpa)) return undefined;
    const { cache } = this.from;
    const offset = hpa - this.from.hpa;
    const exact = cache.ripAt(offset);
    if (exact !== undefined) return exact;
    // In the middle of what an instruction became.
    const block = cache.blockAt(offset);
    const behind = block ? block.offsets.findIndex((at) => at > offset) : -1;
    return block && block.rips[behind < 0 ? block.rips.length - 1 : behind - 1];
  }

  /** `wide`: the guest is in long mode. */
  blocksOf(gva: bigint, wide: boolean): TranslatedView[] {
    const holding = this.from.cache.all.filter((block) => block.alive && block.rips.includes(gva));
    return holding.map((block) => this.view(block, wide));
  }

  position(cpu: Cpu): TranslatedPosition {
    const { from } = this;
    const { cache } = from;
    const gva = linearRip(cpu.state);
    if (!from.translated(cpu)) return { kind: 'direct', gva, rip: gva };
    const standing = from.standings.of(cpu);
    if (standing.kind !== 'at') {
      const to = standing.kind === 'lookup' ? cache.entryOf(gva) : undefined;
      return { kind: standing.kind, gva, rip: gva, ...(to === undefined ? {} : { to: from.hpa + to }) };
    }
    const { offset } = standing;
    const to = cache.joinAt(offset);
    const callOut = cache.callOutAt(offset);
    const kind = callOut ? inLineOr(callOut) : to !== undefined ? 'join' : cache.stubAt(offset) !== undefined ? 'stub' : 'instruction'; // prettier-ignore
    const [{ bytes, insn }] = this.decode(offset, offset + MAX_INSTRUCTION_BYTES);
    // A block that is void begins with a stub.
    const block = cache.blockAt(offset);
    return {
      kind,
      gva,
      rip: from.region(cpu.ia32e) + BigInt(offset),
      hpa: from.hpa + offset,
      ...(block?.alive ? { block: from.hpa + block.start } : {}),
      text: insn ? format(insn) : '(bad)',
      bytes: bytes.slice(),
      ...(to === undefined ? {} : { to: from.hpa + to }),
    };
  }

  private view(block: TranslatedBlock, wide: boolean): TranslatedView {
    const lines = block.rips.map((rip, i): Line => {
      const code = this.decode(block.offsets[i], block.offsets[i + 1] ?? block.end);
      return this.line(block, rip, code);
    });
    const all = block.rips.flatMap((_, i) => this.decode(block.offsets[i], block.offsets[i + 1] ?? block.end));
    const mappedAt = this.from.region(wide) + BigInt(block.start);
    const bytes = block.end - block.start;
    const links = all.flatMap((each) => this.link(block, each));
    return { gva: block.rip, hpa: this.from.hpa + block.start, bytes, mappedAt, alive: block.alive, instructions: lines, links };
  } // prettier-ignore

  private line(block: TranslatedBlock, rip: bigint, code: readonly Decoded[]): Line {
    const raw = this.guestBytes(block, rip);
    const insn = decode(raw, rip, this.from.cache.codeSize);
    const known = typeof insn === 'object';
    const bytes = known ? raw.subarray(0, insn.length) : raw.subarray(0, 1);
    const callOut = this.from.cache.callOutAt(code[0].offset);
    const same = code[0].bytes.length === bytes.length && code[0].bytes.every((byte, i) => byte === bytes[i]);
    return {
      gva: rip,
      text: known ? format(insn) : '(bad)',
      bytes,
      treatment: callOut ? inLineOr(callOut) : same ? 'same' : 'relocated',
      translated: code.map(({ offset, bytes: own, insn: made }) => ({
        hpa: this.from.hpa + offset,
        text: made ? format(made) : '(bad)',
        bytes: own,
      })),
    };
  }
  /** From the pages that the block was read from, whatever is mapped now. */
  private guestBytes({ rip: start, pages }: TranslatedBlock, rip: bigint): Uint8Array {
    const second = rip / BigInt(PAGE_BYTES) !== start / BigInt(PAGE_BYTES);
    const offset = Number(rip % BigInt(PAGE_BYTES));
    const page = (index: number): number => (pages[index] ?? pages[0]) * PAGE_BYTES;
    const first = this.guest.readBytes(page(second ? 1 : 0) + offset, Math.min(15, PAGE_BYTES - offset));
    if (first.length === 15 || second || pages.length < 2) return first;
    return Uint8Array.of(...first, ...this.guest.readBytes(page(1), 15 - first.length));
  }

  /** Addresses in its text are where the guest's processor sees them, less the region: offsets into the cache. */
  private decode(start: number, end: number): Decoded[] {
    const out: Decoded[] = [];
    const { cache, hpa } = this.from;
    const code = this.host.readBytes(hpa + start, end - start);
    for (let at = 0; at < code.length;) {
      // What pads a short block is never reached.
      if (code[at] === 0xcc && out.length > 0) break;
      const insn = decode(code.subarray(at), BigInt(hpa + start + at), cache.codeSize);
      const length = typeof insn === 'object' ? insn.length : 1;
      const bytes = code.subarray(at, at + length);
      out.push({ offset: start + at, bytes, ...(typeof insn === 'object' ? { insn } : {}) });
      at += length;
    }
    return out;
  }
  /** Where a jump that leaves the instruction it was made for goes. */
  private link(block: TranslatedBlock, { offset, insn }: Decoded): TranslatedView['links'] {
    const { cache, hpa } = this.from;
    const operand = insn?.operands.find((each) => each.kind === 'relative');
    if (!operand) return [];
    const to = Number(operand.target) - hpa;
    // LOOP and JCXZ skip a jump of their own.
    const inside = to > offset && to < block.end && !block.offsets.includes(to);
    const gva = inside ? undefined : cache.ripAt(to);
    if (gva === undefined) return [];
    const end = cache.joinAt(to) ?? to;
    const chained = cache.stubAt(end) === undefined;
    return [{ hpa: hpa + offset, gva, to: hpa + to, chained }];
  }
}
