/** A straight run of decoded instructions (code-cache.ts), and the bytes that all blocks were decoded from. */
import { decode } from '../isa/decode';
import type { Instruction } from '../isa/instruction';
import { assert } from '../util/assert';
import type { ExecutionMode } from './forms';

/** Kept because memory may have changed when somebody asks what a block consists of. */
export class CodeBytes {
  bytes = new Uint8Array(1 << 16);
  private used = 0;

  /** So many bytes from `from` on; answers where they lie now. */
  add(code: Uint8Array, from: number, count: number): number {
    const at = this.used;
    this.used += count;
    if (this.used > this.bytes.length) {
      const grown = new Uint8Array(2 * this.used);
      grown.set(this.bytes);
      this.bytes = grown;
    }
    // A block has a few dozen: calling TypedArray.set would take longer.
    for (let i = 0; i < count; i++) this.bytes[at + i] = code[from + i];
    return at;
  }
  clear(): void {
    this.used = 0;
  }
}

/** What a block is made from. */
export interface BlockParts {
  /** Offset in CS, linear address and gpa of the first instruction. */
  readonly rip: bigint;
  readonly gva: bigint;
  readonly gpa: number;
  /** gpa where the second page's part lies, -1 for blocks within one page. */
  readonly secondGpa: number;
  readonly bytes: number;
  readonly mode: ExecutionMode;
  /** RIP of what follows the last one, unless that says otherwise itself. */
  readonly fall: bigint;
}

export class Block implements BlockParts {
  readonly rip: bigint;
  readonly gva: bigint;
  readonly gpa: number;
  readonly secondGpa: number;
  readonly bytes: number;
  readonly mode: ExecutionMode;
  readonly fall: bigint;
  /** Link words of other blocks that point here. */
  readonly incoming: number[] = [];
  alive = true;
  /** Another one that begins at the same gpa (blocks-by-gpa.ts). */
  nextAtGpa: Block | undefined = undefined;
  /** Indirect branches came here, or what happens between two instructions. */
  indirect = false;
  /** Entries of the jump cache (addresses) by which other RIPs than its own lead here. */
  aliases?: number[];

  /**
   * `count`: instructions. `address`: of the first record. `entry`: where others lead to, the guard's record at a breakpoint,
   * else `address`. `at`: where its bytes lie in `code`.
   */
  constructor(
    parts: BlockParts,
    readonly index: number,
    readonly count: number,
    readonly address: number,
    readonly entry: number,
    private readonly code: CodeBytes,
    private readonly at: number,
  ) {
    ({ rip: this.rip, gva: this.gva, gpa: this.gpa, secondGpa: this.secondGpa } = parts);
    ({ bytes: this.bytes, mode: this.mode, fall: this.fall } = parts);
  }

  /** Decoded anew each time: sixty thousand blocks of a boot would hold a hundred MiB otherwise. */
  get instructions(): Instruction[] {
    const list: Instruction[] = [];
    for (let at = this.at, { rip } = this; list.length < this.count;) {
      const insn = decode(this.code.bytes, rip, this.mode.codeSize, at);
      assert(typeof insn !== 'string', 'a block consists of instructions');
      list.push(insn);
      at += insn.length;
      rip += BigInt(insn.length);
    }
    return list;
  }
}
