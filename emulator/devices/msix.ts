/**
 * Message-signalled interrupts of a PCI function: MSI-X table and pending bits in a memory BAR, control in a capability.
 * Source: PCI Local Bus Specification 3.0 section 6.8.2.
 */
import type { PciBar } from './pci-function';

const ENTRY_BYTES = 16;
const PENDING_AT = 0x800;
const BAR_BYTES = 0x1000;
const CONTROL = { MASK: 0x4000, ENABLE: 0x8000 } as const;
const ENTRY_MASKED = 1;

export interface MsixSaved {
  /** Address low, high, data, vector control of each entry. */
  table: number[];
  pending: number[];
}

export class Msix {
  private table: number[];
  private pending = new Set<number>();

  constructor(
    private readonly vectors: number,
    /** Message control of the capability, as the configuration space holds it now. */
    private readonly control: () => number,
    private readonly send: (address: number, data: number) => void,
  ) {
    this.table = this.fresh();
  }

  private fresh(): number[] {
    return Array.from({ length: this.vectors * 4 }, (_, i) => (i % 4 === 3 ? ENTRY_MASKED : 0));
  }
  reset(): void {
    this.table = this.fresh();
    this.pending.clear();
  }
  save(): MsixSaved {
    return { table: [...this.table], pending: [...this.pending].sort((a, b) => a - b) };
  }
  restore({ table, pending }: MsixSaved): void {
    this.table = [...table];
    this.pending = new Set(pending);
  }

  get enabled(): boolean {
    return (this.control() & CONTROL.ENABLE) !== 0;
  }
  /** The capability's 12 bytes at `at` in configuration space, for table and pending bits in `bar`. */
  capability(next: number, bar: number): number[] {
    return [0x11, next, this.vectors - 1, 0, bar, 0, 0, 0, bar | (PENDING_AT & 0xff), PENDING_AT >> 8, 0, 0];
  }
  static readonly WRITABLE = [0, 0, 0, 0xc0] as const;

  fire(vector: number): void {
    if (vector >= this.vectors || !this.enabled) return;
    this.pending.add(vector);
    this.deliver();
  }
  /** After the guest changed a mask. */
  deliver(): void {
    if (!this.enabled || this.control() & CONTROL.MASK) return;
    for (const vector of [...this.pending].sort((a, b) => a - b)) {
      const [address, , data, control] = this.table.slice(vector * 4, vector * 4 + 4);
      if (control! & ENTRY_MASKED) continue;
      this.pending.delete(vector);
      this.send(address!, data!);
    }
  }

  readonly bar: PciBar = {
    kind: 'memory',
    bytes: BAR_BYTES,
    read: (offset, bytes) => this.read(offset, bytes),
    write: (offset, bytes, value) => this.write(offset, bytes, value),
  };

  /** The driver uses doublewords (section 6.8.2); what is narrower is a part of one. */
  private read(offset: number, bytes: number): number {
    const word = offset < PENDING_AT ? this.entry(offset) : this.pendingWord(offset - PENDING_AT);
    const value = word >>> ((offset & 3) * 8);
    return bytes === 4 ? value : value & ((1 << (bytes * 8)) - 1);
  }
  private entry(offset: number): number {
    return this.table[offset >> 2] ?? 0;
  }
  private pendingWord(offset: number): number {
    let word = 0;
    for (const vector of this.pending) if (vector >> 5 === offset >> 2) word |= 1 << (vector & 31);
    return word >>> 0;
  }
  private write(offset: number, bytes: number, value: number): void {
    if (offset >= this.vectors * ENTRY_BYTES || bytes !== 4 || offset & 3) return;
    this.table[offset >> 2] = (offset & 12) === 12 ? value & ENTRY_MASKED : (offset & 12) === 0 ? (value & ~3) >>> 0 : value;
    this.deliver();
  } // prettier-ignore
}
