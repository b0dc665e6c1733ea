/** Where the guest's code lies, found without a trace: no accessed bit, no entry in a TLB. */
import type { Cpu } from '../../cpu/cpu';
import { executionMode } from '../../cpu/mode';
import { GuestFault } from '../../cpu/ports';
import type { CpuState } from '../../cpu/state';
import { NO_PAGING } from '../../mmu/guest-paging';
import type { PagingContext } from '../../mmu/guest-paging';
import { PAGE_BYTES } from '../../mmu/physical-memory';
import type { PhysicalMemory } from '../../mmu/physical-memory';
import { ACCESS, RIGHTS, Walker } from '../../mmu/walk';
import type { AccessCode } from '../../mmu/walk';
import { PF, VECTOR } from '../../x86/registers';
import { gvaOf } from '../shadow/space';
import type { GuestCode } from './translation';

/** A walk with a recorder changes nothing. */
const LOOK = { step: (): void => {} };

/** `va`: the low 48 bits of a gva. gpa, or below 0: there is none. */
export function lookAt(walker: Walker, context: PagingContext, va: number, access: AccessCode): number {
  if (context.format === NO_PAGING) return va;
  const high = Number(BigInt.asIntN(32, gvaOf(va, context.format.name === '4-level') >> 32n));
  return walker.walk(context, va | 0, high, access, RIGHTS.supervisor, LOOK);
}

/** The code of a guest's kernel. `state`: the registers of whoever executes it. */
export function kernelCode(state: CpuState, physical: PhysicalMemory, fetch: (rip: bigint) => number): GuestCode {
  return {
    codeSize: executionMode(state).codeSize,
    fetch,
    bytes: (gpa, length) => physical.readBytes(gpa, Math.min(length, PAGE_BYTES - (gpa % PAGE_BYTES))),
  };
}
/** The same for who only looks: throws some GuestFault where a fetch would. */
export function kernelCodeUnseen(cpu: Cpu, physical: PhysicalMemory): GuestCode {
  const walker = new Walker(physical);
  return kernelCode(cpu.state, physical, (rip) => {
    const va = Number(BigInt.asUintN(48, rip));
    const cached = cpu.mmu.tlb.lookupCode(va | 0, Number(BigInt.asIntN(32, rip >> 32n)), false);
    const gpa = cached >= 0 ? cached : lookAt(walker, cpu.mmu.paging, va, ACCESS.execute);
    if (gpa < 0) throw new GuestFault(VECTOR.PF, PF.I, rip);
    return gpa;
  });
}
