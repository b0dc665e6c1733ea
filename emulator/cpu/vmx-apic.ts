/**
 * The virtual APIC of a VMX guest as far as we offer it: the TPR shadow and the APIC-access page (SDM vol. 3C 30.1, 30.4).
 * APIC registers but the TPR, x2APIC mode and virtual-interrupt delivery are not offered.
 */
import { GuestExit } from './exit-cause';
import type { PagingContext } from '../mmu/guest-paging';
import { ACCESS } from '../mmu/walk';
import type { AccessCode, NextStage } from '../mmu/walk';

/** Offset of the virtual task-priority register in the virtual-APIC page. */
export const VTPR = 0x80;
const NAMES = ['read', 'write', 'execute'] as const;
/** Log2 of a page that no page holds: nothing between the guest's table and this stage limits it. */
const UNLIMITED = 63;
/** A translation for this access alone. */
const NEVER_CACHED = 0;

/** Behind all other translation: what lies on the APIC-access page leaves the guest, or is on the virtual-APIC page. */
export class ApicAccess implements NextStage {
  pageShift = UNLIMITED;

  /** Addresses are host-physical. `virtualApic`: -1 without a TPR shadow. */
  constructor(
    private readonly inner: NextStage | null,
    private readonly apicPage: number,
    private readonly virtualApic: number,
  ) {}

  get paging(): PagingContext | undefined {
    return this.inner?.paging;
  }
  translate(gpa: number, access: AccessCode, lo: number, hi: number): number {
    const hpa = this.inner ? this.inner.translate(gpa, access, lo, hi) : gpa;
    this.pageShift = this.inner?.pageShift ?? UNLIMITED;
    const offset = hpa - this.apicPage;
    if (offset < 0 || offset >= 4096) return hpa;
    const shadowed = this.virtualApic >= 0 && access !== ACCESS.execute && offset >= VTPR && offset < VTPR + 4;
    if (!shadowed) throw new GuestExit({ reason: 'apic-access', offset, access: NAMES[access] });
    this.pageShift = NEVER_CACHED;
    return this.virtualApic + offset;
  }
  translatePdpte(gpa: number): number {
    return this.inner ? this.inner.translatePdpte(gpa) : gpa;
  }
  translateTable(gpa: number, lo: number, hi: number, marks?: boolean): number {
    return this.inner ? this.inner.translateTable(gpa, lo, hi, marks) : gpa;
  }
}
