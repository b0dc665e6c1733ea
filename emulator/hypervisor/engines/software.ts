/**
 * A guest deprivileged by software: its kernel in ring 1, its programs in ring 3, the hypervisor alone in ring 0. The
 * virtual processor holds what the guest believes; the physical one runs with these registers except where the hypervisor's
 * must be in force: control registers, shadow tables, IF and IOPL, descriptor tables. Whatever traps is executed again on the
 * virtual processor, by the same rows as ever, and with the privilege that the guest believes to have.
 */
import type { Cpu } from '../../cpu/cpu';
import * as layout from '../../execution/layout';
import { ATTRIBUTE } from '../../cpu/state';
import { CR0, CR4, EFER, RFLAGS, SEG } from '../../x86/registers';
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

/** A segment as the deprivileged guest has it in CS and SS: ring 0 becomes ring 1. */
function deprivilege(real: Cpu, index: number): void {
  const segment = real.state.segment(index);
  if ((segment.attributes & ATTRIBUTE.DPL) >>> DPL_SHIFT !== 0) return;
  real.state.setSegment(index, {
    ...segment,
    selector: (segment.selector & ~3) | KERNEL_RING,
    attributes: segment.attributes | (KERNEL_RING << DPL_SHIFT),
  });
}
function privilege(believed: Cpu, index: number): void {
  const segment = believed.state.segment(index);
  if ((segment.attributes & ATTRIBUTE.DPL) >>> DPL_SHIFT !== KERNEL_RING) return;
  believed.state.setSegment(index, {
    ...segment,
    selector: segment.selector & ~3,
    attributes: segment.attributes & ~ATTRIBUTE.DPL,
  });
}

/** Registers of the virtual processor go to the physical one, and the hypervisor's own take their places among them. */
export function load(real: Cpu, believed: Cpu, tables: ShadowTables): void {
  const { state } = real;
  state.copyFrom(believed.state);
  const wide = tables.form === '4-level';
  const cr0 = believed.state.system32('cr0');
  const cr4 = believed.state.system32('cr4');
  const efer = believed.state.system32('efer');
  state.setSystem('cr0', BigInt(((cr0 & GUEST_CR0) | CR0.PE | CR0.PG | CR0.WP | CR0.ET) >>> 0));
  state.setSystem('cr4', BigInt((cr4 & GUEST_CR4) | CR4.PAE));
  // Without SCE a system call traps: its target belongs to the hypervisor.
  state.setSystem('efer', BigInt(EFER.NXE | (wide ? efer & (EFER.LME | EFER.LMA) : 0)));
  state.setSystem('cr3', BigInt(tables.hpa));
  if (!wide) tables.pdptes.forEach((entry, i) => state.setSystem(`pdpte${i as 0 | 1 | 2 | 3}`, entry));
  state.setSystem('sysenter_cs', 0n);
  state.rflags = (believed.state.rflags & ~OWN_FLAGS) | RFLAGS.IF;
  const reserved = wide ? RESERVED.wide : RESERVED.narrow;
  state.setSystem('idtr.base', reserved + IDT_OFFSET);
  state.setSystem('idtr.limit', IDT_LIMIT);
  state.setSegment(SEG.TR, { selector: TASK_SELECTOR, base: reserved, limit: 0x63, attributes: ATTRIBUTE.P | 0xb });
  if (!(state.systemFlags & RFLAGS.VM)) {
    deprivilege(real, SEG.CS);
    deprivilege(real, SEG.SS);
  }
  state.setSystem('activity', 0n);
  state.setSystem('interruptibility', 0n);
  real.debug.loaded();
  real.modeChanged();
}

/** What the guest did to the registers that are its own goes back to the virtual processor. */
export function store(real: Cpu, believed: Cpu): void {
  const { state } = believed;
  const flags = state.systemFlags & OWN_FLAGS;
  // The x87 unit keeps the selectors of its last instruction.
  for (const at of [layout.X87_FCS, layout.X87_FDS]) {
    const selector = real.state.view.getUint16(at, true);
    if ((selector & 3) === KERNEL_RING) real.state.view.setUint16(at, selector & ~3, true);
  }
  const [ldtr, tr] = [state.segment(SEG.LDTR), state.segment(SEG.TR)];
  state.copyFrom(real.state, layout.STATE, layout.BUDGET);
  state.copyFrom(real.state, layout.SEGMENTS, layout.SYSTEM);
  state.copyFrom(real.state, layout.X87, layout.STATE_END);
  state.rflags = (real.state.rflags & ~OWN_FLAGS) | flags;
  state.setSegment(SEG.LDTR, ldtr);
  state.setSegment(SEG.TR, tr);
  if (!(state.systemFlags & RFLAGS.VM)) {
    privilege(believed, SEG.CS);
    privilege(believed, SEG.SS);
  }
  for (const name of ['dr6', 'random'] as const) state.setSystem(name, real.state.system(name));
  believed.modeChanged();
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
