/**
 * What the control registers, the mode and the level say about addresses, worked out once for all accesses until they
 * change: the MMU's paging rules, its context, and which TLB and which form of code generated code uses.
 */
import { CONTEXT } from '../execution/layout';
import * as layout from '../execution/layout';
import type { Mmu } from '../mmu/access';
import { formatOf } from '../mmu/guest-paging';
import { CR0, CR4, EFER, RFLAGS, SEG } from '../x86/registers';
import * as mode from './mode';
import type { Model } from './models';
import type { CpuState } from './state';

const { cr0: CR0_AT, cr3: CR3_AT, cr4: CR4_AT, efer: EFER_AT } = layout.SYSTEM_ADDRESS;

export class AddressRules {
  /** Control registers that `mmu.paging` was computed from. */
  private cr0 = -1;
  private cr3 = -1n;
  private cr4 = -1;
  private efer = -1;
  /** In 64-bit mode: what everything here follows from, and words that say it, as they were and as they are. */
  private readonly known = new Int32Array(11);
  private readonly now = new Int32Array(11);

  constructor(
    private readonly state: CpuState,
    private readonly mmu: Mmu,
    private readonly model: Model,
    /** Bits of ASKS: somebody watches over the processor who is asked before instructions. */
    private readonly asks: () => number,
  ) {}

  /** After any change of mode, level, code segment or flags. */
  modeChanged(): void {
    const { state, mmu } = this;
    const { view } = state;
    // Most changes of flags and loads of CS change nothing here.
    this.look(this.now);
    if (mmu.wide && equal(this.now, this.known)) return;
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
    view.setInt32(layout.TLB_READ, mmu.tlb.readTable(mmu.context), true);
    view.setInt32(layout.TLB_WRITE, mmu.tlb.writeTable(mmu.context), true);
    mmu.tlb.forgetStackPage();
    view.setInt32(layout.MODE, mode.modeKey(state, this.asks()) | (mmu.tlb.number << layout.PROCESSOR_SHIFT), true);
    this.look(this.known);
  }
  private look(words: Int32Array): void {
    const { state } = this;
    const { view } = state;
    words[0] = state.word(CR0_AT);
    words[1] = state.word(CR4_AT);
    words[2] = state.word(EFER_AT);
    words[3] = state.word(CR3_AT);
    words[4] = state.word(CR3_AT + 4);
    words[5] = state.systemFlags & (RFLAGS.AC | RFLAGS.VM);
    words[6] = state.segmentAttributes(SEG.CS);
    words[7] = state.segmentAttributes(SEG.SS);
    words[8] = this.asks();
    words[9] = view.getInt32(layout.TLB_READ, true);
    words[10] = view.getInt32(layout.MODE, true);
  }

  /** `mmu.paging` from the registers as they are. Translations that the TLB holds are the caller's concern. */
  recompute(): void {
    const { state } = this;
    this.known.fill(-1);
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

function equal(a: Int32Array, b: Int32Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
