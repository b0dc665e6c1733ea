/**
 * A guest deprivileged by software: its kernel in ring 1, its programs in ring 3, the hypervisor alone in ring 0. The
 * virtual processor holds what the guest believes; the physical one runs with these registers except where the hypervisor's
 * must be in force: control registers, shadow tables, IF and IOPL, descriptor tables. Whatever traps is executed again on the
 * virtual processor, by the same rows as ever, and with the privilege that the guest believes to have.
 */
import type { Cpu } from '../../cpu/cpu';
import * as layout from '../../execution/layout';
import { ATTRIBUTE } from '../../cpu/state';
import type { CpuState } from '../../cpu/state';
import { CR0, CR4, EFER, RFLAGS, SEG } from '../../x86/registers';
import type { Host } from '../host';
import type { ShadowTables } from '../shadow/tables';

/** The ring of guest kernels. */
export const KERNEL_RING = 1;
const DPL_SHIFT = 5;
/**
 * Where the hypervisor's own tables are said to be: the top of every address space, as SGDT and SIDT show it. Its GDT and LDT
 * are shadows of the guest's: the processor reads descriptors where the guest keeps them. Its IDT is never read, since every
 * event leaves the guest.
 */
const RESERVED = { wide: 0xffff_ffff_ff80_0000n, narrow: 0xffc0_0000n } as const;
const GDT_LIMIT = 0xffffn;
const IDT_OFFSET = 0x1_0000n;
const IDT_LIMIT = 0xfffn;
/** The hypervisor's TSS ends before the place of an I/O bitmap: every IN and OUT traps. */
const TASK_SELECTOR = 0x40;

/** CR0 bits that are the guest's to choose: it handles #NM itself. */
const GUEST_CR0 = CR0.TS | CR0.MP | CR0.EM | CR0.NE | CR0.AM;
const GUEST_CR4 = CR4.OSFXSR | CR4.OSXMMEXCPT | CR4.OSXSAVE | CR4.FSGSBASE | CR4.SMEP | CR4.SMAP | CR4.TSD | CR4.DE;
const OWN_FLAGS = RFLAGS.IF | RFLAGS.IOPL | RFLAGS.VIF | RFLAGS.VIP;

/** What each processor has of its own, LDTR, TR and the system registers; the others are one set, which goes from hand to hand. */
const KEPT = { first: layout.SEGMENTS + SEG.LDTR * layout.SEGMENT_SIZE, end: layout.X87 } as const;
const WORDS = (KEPT.end - KEPT.first) >>> 2;

/** CS and SS, of `from` rings, as those of `to`: ring 0 becomes ring 1 in the deprivileged guest, and again ring 0 for who looks. */
function changeRing({ view, systemFlags }: CpuState, from: number, to: number): void {
  if (systemFlags & RFLAGS.VM) return;
  for (const index of [SEG.CS, SEG.SS]) {
    const at = layout.SEGMENTS + index * layout.SEGMENT_SIZE;
    const attributes = view.getUint32(at + layout.SEGMENT.ATTRIBUTES, true);
    if ((attributes & ATTRIBUTE.DPL) >>> DPL_SHIFT !== from) continue;
    view.setUint32(at + layout.SEGMENT.ATTRIBUTES, (attributes & ~ATTRIBUTE.DPL) | (to << DPL_SHIFT), true);
    const selector = view.getUint16(at + layout.SEGMENT.SELECTOR, true);
    view.setUint16(at + layout.SEGMENT.SELECTOR, (selector & ~3) | to, true);
  }
}
/** The x87 unit keeps the selectors of its last instruction. */
function privilegePointers({ view }: CpuState): void {
  for (const at of [layout.X87_FCS, layout.X87_FDS]) {
    const selector = view.getUint16(at, true);
    if ((selector & 3) === KERNEL_RING) view.setUint16(at, selector & ~3, true);
  }
}

/** The registers of a guest on their way between the virtual processor and the physical one. */
export class Crossing {
  /** What the virtual processor had of its own when the physical one's was worked out from it. */
  private readonly known = new Int32Array(WORDS);
  private tables?: ShadowTables;

  /** `cr4`: bits that are set whatever the guest wants. */
  constructor(
    private readonly host: Host,
    private readonly cr4 = 0,
  ) {}

  /** The virtual processor is current; then the physical one is, and the hypervisor's own registers are in force. */
  load(believed: Cpu, tables: ShadowTables): void {
    const { host } = this;
    const { processor: real } = host;
    const same = host.inside === believed && tables === this.tables && this.unchanged(believed.state);
    const flags = believed.state.systemFlags;
    host.generated.handOver(real, KEPT.first, KEPT.end);
    const { state } = real;
    // IF and its like stay with the virtual processor, where they are asked for while the guest runs.
    believed.state.systemFlags = flags;
    if (!same) {
      host.inside = believed;
      this.tables = tables;
      this.workOut(state, believed.state, tables);
    }
    state.systemFlags = (flags & ~OWN_FLAGS) | RFLAGS.IF;
    changeRing(state, 0, KERNEL_RING);
    real.debug.loaded();
    real.modeChanged();
    host.generated.codeMoved();
  }
  private unchanged({ view }: CpuState): boolean {
    const { known } = this;
    for (let i = 0; i < WORDS; i++) if (view.getInt32(KEPT.first + i * 4, true) !== known[i]) return false;
    return true;
  }
  private workOut(state: CpuState, believed: CpuState, tables: ShadowTables): void {
    for (let i = 0; i < WORDS; i++) this.known[i] = believed.view.getInt32(KEPT.first + i * 4, true);
    state.copyFrom(believed, KEPT.first, KEPT.end);
    const wide = tables.form === '4-level';
    const cr0 = believed.system32('cr0');
    const cr4 = believed.system32('cr4');
    const efer = believed.system32('efer');
    state.setSystem('cr0', BigInt(((cr0 & GUEST_CR0) | CR0.PE | CR0.PG | CR0.WP | CR0.ET) >>> 0));
    state.setSystem('cr4', BigInt((cr4 & GUEST_CR4) | CR4.PAE | this.cr4));
    // Without SCE a system call traps: its target belongs to the hypervisor.
    state.setSystem('efer', BigInt(EFER.NXE | (wide ? efer & (EFER.LME | EFER.LMA) : 0)));
    state.setSystem('cr3', BigInt(tables.hpa));
    if (!wide) tables.pdptes.forEach((entry, i) => state.setSystem(`pdpte${i as 0 | 1 | 2 | 3}`, entry));
    state.setSystem('sysenter_cs', 0n);
    const reserved = wide ? RESERVED.wide : RESERVED.narrow;
    state.setSystem('idtr.base', reserved + IDT_OFFSET);
    state.setSystem('idtr.limit', IDT_LIMIT);
    state.setSegment(SEG.TR, { selector: TASK_SELECTOR, base: reserved, limit: 0x63, attributes: ATTRIBUTE.P | 0xb });
    state.setSystem('activity', 0n);
    state.setSystem('interruptibility', 0n);
  }

  /** And back: what the guest did to the registers that are its own is the virtual processor's. */
  store(believed: Cpu): void {
    const { generated, processor } = this.host;
    const flags = believed.state.systemFlags & OWN_FLAGS;
    generated.handOver(believed, KEPT.first, KEPT.end);
    const { state } = believed;
    state.systemFlags = (state.systemFlags & ~OWN_FLAGS) | flags;
    this.finish(state, processor.state);
    believed.debug.loaded();
    believed.modeChanged();
    generated.codeMoved();
  }
  /** The same for who looks while the guest runs: the physical processor stays current. */
  show(believed: Cpu): void {
    const { state } = believed;
    const real = this.host.processor.state;
    const flags = state.systemFlags & OWN_FLAGS;
    state.copyFrom(real, layout.STATE, layout.BUDGET);
    state.copyFrom(real, layout.SEGMENTS, KEPT.first);
    state.copyFrom(real, layout.X87, layout.STATE_END);
    state.systemFlags = (real.systemFlags & ~OWN_FLAGS) | flags;
    this.finish(state, real);
    believed.modeChanged();
  }
  private finish(state: CpuState, real: CpuState): void {
    privilegePointers(state);
    changeRing(state, KERNEL_RING, 0);
    // What the guest changes there by itself.
    const at = layout.SYSTEM_ADDRESS.random;
    for (const word of [at, at + 4]) state.view.setInt32(word, real.view.getInt32(word, true), true);
  }
}

/** What SGDT and SLDT see: the hypervisor's registers, while `look` runs. */
export function withOwnTables<T>(real: Cpu, look: () => T): T {
  const { state } = real;
  const { base, limit } = { base: state.system('gdtr.base'), limit: state.system('gdtr.limit') };
  const ldtr = state.segment(SEG.LDTR);
  state.setSystem('gdtr.base', real.ia32e ? RESERVED.wide : RESERVED.narrow);
  state.setSystem('gdtr.limit', GDT_LIMIT);
  state.setSegment(SEG.LDTR, { selector: 0, base: 0n, limit: 0, attributes: ATTRIBUTE.UNUSABLE });
  try {
    return look();
  } finally {
    state.setSystem('gdtr.base', base);
    state.setSystem('gdtr.limit', limit);
    state.setSegment(SEG.LDTR, ldtr);
  }
}
