/** What a guest's kernel does with its event channels: masks, and takes what is pending, under both ABIs. */
import type { FakeDomain } from './fake-domain';

const PENDING = 2 ** 31;
const MASKED = 2 ** 30;
const LINKED = 2 ** 29;
const LINKS = 2 ** 17;
/** Anywhere in a page. */
export const CONTROL_AT = 64;
const has = (word: number, bit: number): boolean => Math.floor(word / bit) % 2 === 1;

export interface EventGuest {
  /** By itself, without a hypercall. */
  mask(port: number): void;
  /** All that a processor is told of by an upcall, in the order in which it sees them. `mine`: a guest of bit fields knows itself which ports
   *  this processor takes. */
  drain(vcpu: number, mine?: (port: number) => boolean): number[];
}

export class TwoLevelGuest implements EventGuest {
  constructor(private readonly domain: FakeDomain) {}
  private get bits(): number {
    return this.domain.word * 8;
  }
  private bit(at: number, bit: number, value?: boolean): boolean {
    const { memory, sharedInfo } = this.domain;
    const byte = at + (bit >> 3);
    const old = memory.read(sharedInfo, byte, 1);
    const mask = 1 << (bit & 7);
    if (value !== undefined) memory.write(sharedInfo, byte, 1, value ? old | mask : old & ~mask);
    return (old & mask) !== 0;
  }
  private get maskAt(): number {
    return 2048 + this.bits ** 2 / 8;
  }
  mask(port: number): void {
    this.bit(this.maskAt, port, true);
  }
  drain(vcpu: number, mine = (_: number): boolean => true): number[] {
    const { memory, sharedInfo } = this.domain;
    const info = vcpu * 64;
    const seen: number[] = [];
    while (memory.read(sharedInfo, info, 1) !== 0) {
      memory.write(sharedInfo, info, 1, 0);
      for (let word = 0; word < this.bits; word++) {
        if (!this.bit(info + this.domain.word, word, false)) continue;
        for (let i = 0; i < this.bits; i++) {
          const port = word * this.bits + i;
          if (this.bit(this.maskAt, port) || !this.bit(2048, port) || !mine(port)) continue;
          this.bit(2048, port, false);
          seen.push(port);
        }
      }
    }
    return seen;
  }
}

export class FifoGuest implements EventGuest {
  /** Frames: a control block for each processor, at CONTROL_AT; pages of event words. */
  constructor(
    private readonly domain: FakeDomain,
    private readonly control: readonly number[],
    private readonly array: readonly number[],
  ) {}
  word(port: number, value?: number): number {
    const [mfn, at] = [this.array[Math.floor(port / 1024)]!, (port % 1024) * 4];
    const old = this.domain.memory.read(mfn, at, 4);
    if (value !== undefined) this.domain.memory.write(mfn, at, 4, value);
    return old;
  }
  mask(port: number): void {
    const word = this.word(port);
    if (!has(word, MASKED)) this.word(port, word + MASKED);
  }
  drain(vcpu: number): number[] {
    const { memory, sharedInfo } = this.domain;
    memory.write(sharedInfo, vcpu * 64, 1, 0);
    const block = this.control[vcpu]!;
    const seen: number[] = [];
    for (let priority = 0; priority < 16; priority++) {
      const ready = memory.read(block, CONTROL_AT, 4);
      if (((ready >>> priority) & 1) === 0) continue;
      memory.write(block, CONTROL_AT, 4, ready & ~(1 << priority));
      for (let port = memory.read(block, CONTROL_AT + 8 + 4 * priority, 4); port !== 0;) {
        let word = this.word(port);
        const next = word % LINKS;
        if (has(word, LINKED)) word -= LINKED;
        word -= next;
        if (has(word, PENDING) && !has(word, MASKED)) {
          word -= PENDING;
          seen.push(port);
        }
        this.word(port, word);
        port = next;
      }
    }
    return seen;
  }
}
