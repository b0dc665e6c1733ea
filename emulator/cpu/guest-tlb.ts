/**
 * Which TLB is in force while a hypervisor on the processor runs its guest, and whether what the TLBs know has held meanwhile: entries
 * and exits forget nothing of a guest that has a tag, VPID or ASID (SDM vol. 3C 29.4.1, APM vol. 2 15.16). What cannot be told apart
 * here is forgotten, as a processor always may.
 */
import { SYSTEM_ADDRESS } from '../execution/layout';
import type { Cpu } from './cpu';

/** Words of what an address space depends on. */
const REGISTERS = (['cr0', 'cr3', 'cr4', 'efer', 'pdpte0', 'pdpte1', 'pdpte2', 'pdpte3'] as const).flatMap((name) => [
  SYSTEM_ADDRESS[name],
  SYSTEM_ADDRESS[name] + 4,
]);
/** Whose guest it is and what lies below it: a tag (0: none), and words of the second stage. */
export type Below = readonly [tag: number, ...words: number[]];
const MOST_WORDS = 8;

export class GuestTlb {
  private readonly host = new Int32Array(REGISTERS.length);
  private readonly guest = new Int32Array(REGISTERS.length + MOST_WORDS);
  private known = false;

  constructor(private readonly cpu: Cpu) {}

  /** The registers are the host's still. */
  begin(): void {
    this.look(this.host);
    this.useGuests();
  }
  /** After a snapshot was loaded while a guest ran. */
  useGuests(): void {
    const { mmu } = this.cpu;
    mmu.tlb = mmu.tlbs.guests ?? mmu.tlbs.own;
  }
  /** The registers are the guest's: whether it finds the TLB as it left it. */
  entered(below: Below): boolean {
    const holds = this.known && below[0] !== 0 && this.same(this.guest) && below.every((word, i) => this.guest[REGISTERS.length + i] === (word | 0)); // prettier-ignore
    this.known = false;
    return holds;
  }
  /** They are its last. */
  end(below: Below): void {
    this.known = this.cpu.mmu.tlbs.guests !== undefined && below[0] !== 0;
    this.look(this.guest);
    this.guest.set(below, REGISTERS.length);
  }
  /** They are the host's again: whether it finds the TLB as it left it. `tagged`: the guest had a tag. */
  left(tagged: boolean): boolean {
    const { mmu } = this.cpu;
    mmu.tlb = mmu.tlbs.own;
    return tagged && mmu.tlbs.guests !== undefined && this.same(this.host);
  }

  private look(words: Int32Array): void {
    const { state } = this.cpu;
    for (let i = 0; i < REGISTERS.length; i++) words[i] = state.word(REGISTERS[i]);
  }
  private same(words: Int32Array): boolean {
    const { state } = this.cpu;
    for (let i = 0; i < REGISTERS.length; i++) if (words[i] !== (state.word(REGISTERS[i]) | 0)) return false;
    return true;
  }
}
