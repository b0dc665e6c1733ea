/** The APIC-access page of a VMX guest (SDM vol. 3C 30.4): what lies there is on its virtual-APIC page, or leaves the guest. */
import { GuestExit } from './exit-cause';
import type { PagingContext } from '../mmu/guest-paging';
import { ACCESS } from '../mmu/walk';
import type { AccessCode, NextStage, Walker } from '../mmu/walk';
import type { VirtualApic } from './vmx-apic';

const NAMES = ['read', 'write', 'execute'] as const;
/** Log2 of a page that no page holds: nothing between the guest's table and this stage limits it. */
const UNLIMITED = 63;
/** A translation for this access alone. */
const NEVER_CACHED = 0;

/** Behind all other translation. */
export class ApicAccess implements NextStage {
  pageShift = UNLIMITED;

  constructor(
    private readonly inner: NextStage | null,
    /** Host-physical. */
    private readonly page: number,
    /** Absent without a TPR shadow. */
    private readonly apic: VirtualApic | undefined,
    private readonly walker: Walker,
  ) {}

  get paging(): PagingContext | undefined {
    return this.inner?.paging;
  }
  private holds(hpa: number): boolean {
    return hpa >= this.page && hpa < this.page + 4096;
  }
  translate(gpa: number, access: AccessCode, lo: number, hi: number): number {
    const hpa = this.inner ? this.inner.translate(gpa, access, lo, hi) : gpa;
    this.pageShift = this.inner?.pageShift ?? UNLIMITED;
    if (!this.holds(hpa)) return hpa;
    const offset = hpa - this.page;
    const write = access === ACCESS.write;
    this.pageShift = NEVER_CACHED;
    if (this.walker.bytes === 0 && access !== ACCESS.execute) return hpa;
    if (!this.apic || access === ACCESS.execute || !this.apic.virtualises(offset, this.walker.bytes, write))
      throw new GuestExit({ reason: 'apic-access', offset, access: NAMES[access] });
    if (write) this.apic.written(offset);
    return this.apic.hpaOf(offset);
  }
  translatePdpte(gpa: number): number {
    return this.table(this.inner ? this.inner.translatePdpte(gpa) : gpa);
  }
  translateTable(gpa: number, lo: number, hi: number, marks?: boolean): number {
    return this.table(this.inner ? this.inner.translateTable(gpa, lo, hi, marks) : gpa);
  }
  /** Without EPT what the processor does with its tables there is its own affair (30.4.6.2): as if it were memory. */
  private table(hpa: number): number {
    if (this.inner && this.holds(hpa))
      throw new GuestExit({ reason: 'apic-access', offset: hpa - this.page, access: 'table' });
    return hpa;
  }
}
