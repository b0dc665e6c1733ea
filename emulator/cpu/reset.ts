/** The registers after power-up, RESET and INIT (SDM vol. 3A table 9-1). */
import * as layout from '../execution/layout';
import { CR0, GPR, RFLAGS, SEG } from '../x86/registers';
import { signature } from './cpuid';
import { ATTRIBUTE } from './state';
import { HWCR_RESET, MISC_ENABLE_RESET, SYSCFG_RESET } from './msr-vendor';
import type { Cpu } from './cpu';
import { ACTIVITY } from './turns';

/** UC-, UC, WT, WB twice (SDM vol. 3A table 11-12). */
const PAT_RESET = 0x0007_0406_0007_0406n;
const PRESENT = ATTRIBUTE.P;

export function resetState(cpu: Cpu, kind: 'power' | 'init'): void {
  const { state } = cpu;
  const cr0 = state.system32('cr0');
  if (kind === 'power') {
    state.bytes.fill(0, layout.STATE, layout.STATE_END);
    state.setSystem('pat', PAT_RESET);
    state.setSystem('misc_enable', MISC_ENABLE_RESET);
    state.setSystem('amd_hwcr', HWCR_RESET);
    state.setSystem('amd_syscfg', SYSCFG_RESET);
    // A sequence of its own for each processor.
    state.setSystem('random', BigInt(cpu.apicId) << 48n);
    state.setSystem('xcr0', 1n);
    // The boot processor's flag, and the APIC enabled.
    state.setSystem('apic_base', 0xfee0_0800n | (cpu.apicId === 0 ? 0x100n : 0n));
    state.view.setUint16(layout.X87_CONTROL, 0x40, true);
    state.view.setUint32(layout.MXCSR, 0x1f80, true);
  } else {
    for (let i = 0; i < 16; i++) state.setGpr(i, 0n);
    for (const name of ['cr2', 'cr3', 'cr4', 'cr8', 'dr0', 'dr1', 'dr2', 'dr3', 'efer', 'interruptibility', 'pending_debug'] as const)
      state.setSystem(name, 0n); // prettier-ignore
  }
  // The boot processor begins by itself, the others wait to be told where (SDM vol. 3A section 8.4.3).
  state.setSystem('activity', cpu.apicId === 0 ? ACTIVITY.active : ACTIVITY.waitForSipi);
  // CD and NW survive INIT.
  const cache = kind === 'power' ? (CR0.CD | CR0.NW) >>> 0 : cr0 & (CR0.CD | CR0.NW);
  state.setSystem('cr0', BigInt((CR0.ET | cache) >>> 0));
  state.setSystem('dr6', 0xffff_0ff0n);
  state.setSystem('dr7', 0x400n);
  const limits = ['gdtr.limit', 'idtr.limit'] as const;
  for (const name of limits) state.setSystem(name, 0xffffn);
  for (const name of ['gdtr.base', 'idtr.base'] as const) state.setSystem(name, 0n);
  const data = PRESENT | ATTRIBUTE.S | 3;
  for (const index of [SEG.ES, SEG.SS, SEG.DS, SEG.FS, SEG.GS])
    state.setSegment(index, { selector: 0, base: 0n, limit: 0xffff, attributes: data });
  state.setSegment(SEG.CS, { selector: 0xf000, base: 0xffff_0000n, limit: 0xffff, attributes: data });
  state.setSegment(SEG.LDTR, { selector: 0, base: 0n, limit: 0xffff, attributes: PRESENT | 2 });
  state.setSegment(SEG.TR, { selector: 0, base: 0n, limit: 0xffff, attributes: PRESENT | 11 });
  state.setGpr(GPR.RDX, BigInt(signature(cpu.model)));
  state.rip = 0xfff0n;
  state.rflags = RFLAGS.FIXED;
}

/** Start-up IPI: real mode at page * 4 KiB (SDM vol. 3A section 8.4.4). */
export function startUp(cpu: Cpu, page: number): void {
  const { state } = cpu;
  state.setSegment(SEG.CS, { ...state.segment(SEG.CS), selector: page << 8, base: BigInt(page << 12) });
  state.rip = 0n;
  state.setSystem('activity', 0n);
  cpu.modeChanged();
}
