/**
 * What the control registers, the mode and the level say about addresses, worked out once for all accesses until they
 * change: the MMU's paging rules, its context, and which TLB and which form of code generated code uses.
 */
import { CONTEXT } from '../execution/layout';
import * as layout from '../execution/layout';
import type { Mmu } from '../mmu/access';
import { formatOf } from '../mmu/guest-paging';
import { CR0, CR4, EFER, RFLAGS } from '../x86/registers';
import * as mode from './mode';
import type { Model } from './models';
import type { CpuState } from './state';

export class AddressRules {
  /** Control registers that `mmu.paging` was computed from. */
  private cr0 = -1;
  private cr3 = -1n;
  private cr4 = -1;
  private efer = -1;

  constructor(
    private readonly state: CpuState,
    private readonly mmu: Mmu,
    private readonly model: Model,
    /** Its number, which marks its entries in the jump cache. */
    private readonly processor: number,
    /** Somebody watches over the processor who is asked before instructions. */
    private readonly asks: () => boolean,
  ) {}

  /** After any change of mode, level, code segment or flags. */
  modeChanged(): void {
    const { state, mmu } = this;
    const cr0 = state.system32('cr0');
    const cr4 = state.system32('cr4');
    if (
      cr0 !== this.cr0 ||
      cr4 !== this.cr4 ||
      state.system32('efer') !== this.efer ||
      state.system('cr3') !== this.cr3
    )
      this.recompute();
    const ac = (state.systemFlags & RFLAGS.AC) !== 0;
    if (state.cpl === 3) mmu.context = ac && cr0 & CR0.AM ? CONTEXT.aligned : CONTEXT.user;
    else mmu.context = ac && cr4 & CR4.SMAP ? CONTEXT.supervisorNoSmap : CONTEXT.supervisor;
    mmu.wide = mode.isLong(state);
    state.view.setInt32(layout.TLB_READ, mmu.tlb.readTable(mmu.context), true);
    state.view.setInt32(layout.TLB_WRITE, mmu.tlb.writeTable(mmu.context), true);
    state.view.setInt32(
      layout.MODE,
      mode.modeKey(state, this.asks()) | (this.processor << layout.PROCESSOR_SHIFT),
      true,
    );
  }

  /** `mmu.paging` from the registers as they are. Translations that the TLB holds are the caller's concern. */
  recompute(): void {
    const { state } = this;
    const { paging } = this.mmu;
    this.cr0 = state.system32('cr0');
    this.cr3 = state.system('cr3');
    this.cr4 = state.system32('cr4');
    this.efer = state.system32('efer');
    const long = (this.efer & EFER.LMA) !== 0;
    paging.format = formatOf((this.cr0 & CR0.PG) !== 0, (this.cr4 & CR4.PAE) !== 0, long, {
      nxe: (this.efer & EFER.NXE) !== 0,
      pse: (this.cr4 & CR4.PSE) !== 0,
      gigabytePages: this.model.has('pdpe1gb'),
    });
    const pae = paging.format.name === 'PAE';
    paging.root = Number(long ? this.cr3 & 0xf_ffff_ffff_f000n : this.cr3 & (pae ? 0xffff_ffe0n : 0xffff_f000n));
    if (pae) {
      const words = new Int32Array(
        new BigUint64Array(([0, 1, 2, 3] as const).map((i) => state.system(`pdpte${i}`))).buffer,
      );
      paging.pdptes.set(words);
    }
    this.mmu.globalPages = (this.cr0 & CR0.PG) !== 0 && (this.cr4 & CR4.PGE) !== 0;
    paging.writeProtect = (this.cr0 & CR0.WP) !== 0;
    paging.smep = (this.cr4 & CR4.SMEP) !== 0;
    paging.smap = (this.cr4 & CR4.SMAP) !== 0;
    this.mmu.onPaging?.();
  }
}
