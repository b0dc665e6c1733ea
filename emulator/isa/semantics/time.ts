/** RDTSC and RDTSCP: emitted, because guests that wait spin on them. The MSR is with the other system instructions. */
import { GuestFault } from '../../cpu/ports';
import type { Processor } from '../../cpu/ports';
import type { Emitter } from '../../execution/builder';
import * as layout from '../../execution/layout';
import { i32, load } from '../../execution/wasm';
import { CR4, GPR, SEG, VECTOR } from '../../x86/registers';

const { SYSTEM_ADDRESS } = layout;
const DPL = 3 << 5;
const SS_ATTRIBUTES = layout.SEGMENTS + SEG.SS * layout.SEGMENT_SIZE + layout.SEGMENT.ATTRIBUTES;

/** CR4.TSD keeps it from CPL above 0 (SDM vol. 2, RDTSC). */
export function rdtsc(e: Emitter): void {
  const disabled = e.state32(SYSTEM_ADDRESS.cr4).and(CR4.TSD);
  const user = e.state32(SS_ATTRIBUTES).and(DPL);
  e.raiseIf(disabled.eqz().eqz().and(user.eqz().eqz()), VECTOR.GP, 0);
  const tsc = e.let(e.ticks().add(load(64, i32(0), SYSTEM_ADDRESS.tsc_offset)));
  e.setGpr(GPR.RAX, 32, tsc.wrap());
  e.setGpr(GPR.RDX, 32, tsc.shrU(32).wrap());
}
/** The same, where a hypervisor is asked first. */
export function rdtscPlain(cpu: Processor): void {
  if (cpu.state.cpl !== 0 && cpu.state.system32('cr4') & CR4.TSD) throw new GuestFault(VECTOR.GP, 0);
  const tsc = cpu.tsc();
  cpu.state.setGpr32(GPR.RAX, Number(tsc & 0xffff_ffffn));
  cpu.state.setGpr32(GPR.RDX, Number(tsc >> 32n));
}
export function rdtscp(e: Emitter): void {
  rdtsc(e);
  e.setGpr(GPR.RCX, 32, e.state32(SYSTEM_ADDRESS.tsc_aux));
}
export function rdtscpPlain(cpu: Processor): void {
  rdtscPlain(cpu);
  cpu.state.setGpr32(GPR.RCX, cpu.state.system32('tsc_aux'));
}
