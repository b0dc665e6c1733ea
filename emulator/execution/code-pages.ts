/** Which blocks lie where in memory: a write to a page that holds code looks only at what it touches. */
import type { PhysicalMemory } from '../mmu/physical-memory';
import type { Block } from './block';

/** What is decoded of one page of memory. Data often shares it: a write looks only at the granules that it touches. */
interface CodePage {
  /** Blocks that lie, in part at least, in each 16 bytes of the page. */
  readonly granules: (Block[] | undefined)[];
  blocks: number;
}
const GRANULE = 16;
export const PAGE = 4096;
export const MAX_INSTRUCTION_BYTES = 15;

export const pageOf = (address: number): number => Math.floor(address / PAGE);

export class CodePages {
  private readonly pages = new Map<number, CodePage>();

  constructor(private readonly physical: PhysicalMemory) {}

  add(block: Block): void {
    this.addAt(block, block.gpa);
    if (block.secondGpa >= 0) this.addAt(block, block.secondGpa);
  }
  private addAt(block: Block, gpa: number): void {
    const number = pageOf(gpa);
    let page = this.pages.get(number);
    if (!page) {
      page = { blocks: 0, granules: new Array<undefined>(PAGE / GRANULE) };
      this.pages.set(number, page);
      this.physical.markCode(gpa);
    }
    page.blocks++;
    const last = lastGranule(block, gpa);
    for (let g = firstGranule(gpa); g <= last; g++) {
      const list = page.granules[g];
      if (list) list.push(block);
      else page.granules[g] = [block];
    }
  }
  remove(block: Block): void {
    this.removeAt(block, block.gpa);
    if (block.secondGpa >= 0) this.removeAt(block, block.secondGpa);
  }
  private removeAt(block: Block, gpa: number): void {
    const page = this.pages.get(pageOf(gpa));
    if (!page) return;
    for (let g = firstGranule(gpa); g <= lastGranule(block, gpa); g++) {
      const list = page.granules[g]!;
      list.splice(list.indexOf(block), 1);
    }
    if (--page.blocks > 0) return;
    this.pages.delete(pageOf(gpa));
    this.physical.clearCode(gpa);
  }
  clear(): void {
    for (const page of this.pages.keys()) this.physical.clearCode(page * PAGE);
    this.pages.clear();
  }

  /** Within one page: something decoded lies in the granules that these bytes touch. */
  readonly holds = (gpa: number, bytes: number): boolean => {
    const page = this.pages.get(pageOf(gpa));
    if (!page) return false;
    const first = gpa % PAGE;
    for (let g = Math.floor(first / GRANULE); g <= Math.floor((first + bytes - 1) / GRANULE); g++)
      if (page.granules[g]?.length) return true;
    return false;
  };
  /** Blocks that a write within one page touches, some of them more than once. */
  touchedBy(gpa: number, bytes: number): Block[] {
    const found: Block[] = [];
    const page = this.pages.get(pageOf(gpa));
    if (!page) return found;
    const first = gpa % PAGE;
    for (let g = Math.floor(first / GRANULE); g <= Math.floor((first + bytes - 1) / GRANULE); g++)
      for (const block of page.granules[g] ?? []) {
        const inFirst = gpa < block.gpa + block.bytes && block.gpa < gpa + bytes;
        if (inFirst || (block.secondGpa >= 0 && pageOf(block.secondGpa) === pageOf(gpa))) found.push(block);
      }
    return found;
  }
  /** All blocks of a page, some of them more than once. */
  *inPageOf(gpa: number): Generator<Block> {
    for (const granule of this.pages.get(pageOf(gpa))?.granules ?? []) yield* granule ?? [];
  }
}

const firstGranule = (gpa: number): number => Math.floor((gpa % PAGE) / GRANULE);
/** A block across two pages lies in the first up to its end, and in the second from its beginning. */
const lastGranule = (block: Block, gpa: number): number =>
  Math.floor((gpa === block.gpa ? Math.min((gpa % PAGE) + block.bytes, PAGE) - 1 : MAX_INSTRUCTION_BYTES) / GRANULE);
