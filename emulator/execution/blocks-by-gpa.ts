/** Blocks by the gpa of their first byte. Several modes, or several RIPs, may have one at the same place. */
import type { Block } from './block';

/** Heads of chains that were asked for, by some bits of their gpa: hashing takes longer than the rest of a lookup. */
const RECENT = 8192;

export class BlocksByGpa {
  private readonly heads = new Map<number, Block>();
  private readonly recent: (Block | undefined)[] = new Array<undefined>(RECENT).fill(undefined);

  /** The first of those at a gpa; the others are its `nextAtGpa`, and so on. */
  first(gpa: number): Block | undefined {
    const known = this.recent[gpa % RECENT];
    if (known?.gpa === gpa) return known;
    const head = this.heads.get(gpa);
    if (head) this.recent[gpa % RECENT] = head;
    return head;
  }
  add(block: Block): void {
    block.nextAtGpa = this.first(block.gpa);
    this.setFirst(block.gpa, block);
  }
  remove(block: Block): void {
    const head = this.first(block.gpa);
    if (head === block) return this.setFirst(block.gpa, block.nextAtGpa);
    let before = head;
    while (before && before.nextAtGpa !== block) before = before.nextAtGpa;
    if (before) before.nextAtGpa = block.nextAtGpa;
  }
  private setFirst(gpa: number, block: Block | undefined): void {
    if (block) this.heads.set(gpa, block);
    else this.heads.delete(gpa);
    this.recent[gpa % RECENT] = block;
  }
  clear(): void {
    this.heads.clear();
    this.recent.fill(undefined);
  }
}
