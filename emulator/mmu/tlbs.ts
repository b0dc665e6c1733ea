/**
 * The TLBs of one processor: its own, and where it can be a hypervisor's one for the guest that it runs, so that neither loses what it
 * knows while the other executes (SDM vol. 3C 29.4, APM vol. 2 15.16).
 */
import * as layout from '../execution/layout';
import type { PhysicalMemory } from './physical-memory';
import { Tlb } from './tlb';

export class Tlbs {
  readonly own: Tlb;
  /** Absent where the linear memory has no room for it: then `own` serves both, and is emptied in between. */
  readonly guests?: Tlb;

  /** `number`, `guests`: places among all that share the linear memory (layout.tlbOf). */
  constructor(memory: WebAssembly.Memory, physical: PhysicalMemory, number: number, guests?: number) {
    const make = (place: number): Tlb => new Tlb(memory, layout.tlbOf(place, physical.hostSize), place);
    this.own = make(number);
    const room = memory.buffer.byteLength;
    if (guests !== undefined && layout.tlbOf(guests, physical.hostSize) + layout.TLB_BYTES <= room)
      this.guests = make(guests);
    physical.observe({
      remapped: () => this.flush(),
      protected: (hostPage) => this.all.forEach((tlb) => tlb.dropWrites(hostPage)),
    });
  }
  get all(): readonly Tlb[] {
    return this.guests ? [this.own, this.guests] : [this.own];
  }
  /** All of them: what no address space answers for has changed. */
  flush(): void {
    this.own.flush();
    this.forgetGuests();
  }
  forgetGuests(): void {
    this.guests?.flush();
  }
}
