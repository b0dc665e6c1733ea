/** Lists of MSRs that entries and exits move (SDM vol. 3C 25.7.2, 25.8.2, 27.4, 28.4, 28.6): index, reserved word, value. */
import { MSR } from '../x86/registers';
import type { Cpu } from './cpu';
import { GuestFault } from './ports';
import type { Vmcs } from './vmcs-region';

const ENTRY_BYTES = 16;
const VALUE = 8;
const SMM_MONITOR_CTL = 0x9b;
const SMBASE = 0x9e;

const isX2apic = (msr: number): boolean => msr >>> 8 === MSR.X2APIC_FIRST >>> 8;
/** What no list may load: the segment state is in fields of its own. */
const mayNotBeLoaded = (msr: number): boolean =>
  msr === MSR.FS_BASE || msr === MSR.GS_BASE || msr === SMM_MONITOR_CTL || isX2apic(msr);
const mayNotBeStored = (msr: number): boolean => msr === SMBASE || isX2apic(msr);

/** 0, or the number of the entry, from 1, at which it failed. */
function each(cpu: Cpu, first: number, count: number, one: (msr: number, at: number) => boolean): number {
  for (let i = 0; i < count; i++) {
    const at = first + i * ENTRY_BYTES;
    const word = cpu.mmu.readPhysical(at, 8);
    try {
      if (word >> 32n || !one(Number(word), at + VALUE)) return i + 1;
    } catch (fault) {
      if (!(fault instanceof GuestFault)) throw fault;
      return i + 1;
    }
  }
  return 0;
}
export const loadMsrs = (cpu: Cpu, vmcs: Vmcs, list: 'ENTRY_MSR_LOAD' | 'EXIT_MSR_LOAD'): number =>
  each(cpu, Number(vmcs.read(list)), Number(vmcs.read(`${list}_COUNT`)), (msr, at) => {
    if (mayNotBeLoaded(msr)) return false;
    cpu.writeMsr(msr, cpu.mmu.readPhysical(at, 8));
    return true;
  });
export const storeMsrs = (cpu: Cpu, vmcs: Vmcs): number =>
  each(cpu, Number(vmcs.read('EXIT_MSR_STORE')), Number(vmcs.read('EXIT_MSR_STORE_COUNT')), (msr, at) => {
    if (mayNotBeStored(msr)) return false;
    cpu.mmu.writePhysical(at, 8, cpu.readMsr(msr));
    return true;
  });
