/**
 * VMCB clean bits (APM vol. 2 15.15). This processor keeps no part of a VMCB, as the manual allows: it reads all of it on every
 * VMRUN. A hypervisor that says "clean" of what it has changed works here and fails on a processor that does keep it, so that is
 * looked for, and named.
 */
import type { PhysicalMemory } from '../mmu/physical-memory';
import { CONTROL } from '../x86/vmcb';
import type { Vmcb } from './svm-state';

type Range = readonly [first: number, end: number];
/** 15.15.3, by bit. Ranges of bytes in the VMCB. */
export const CLEAN_GROUPS: readonly { name: string; ranges: readonly Range[] }[] = [
  { name: 'intercepts, TSC offset, PAUSE filter', ranges: [[0x000, 0x014], [0x03c, 0x040], [0x050, 0x058]] },
  { name: 'I/O and MSR permission maps', ranges: [[0x040, 0x050]] },
  { name: 'ASID', ranges: [[0x058, 0x05c]] },
  { name: 'virtual interrupts', ranges: [[0x060, 0x068]] },
  { name: 'nested paging', ranges: [[0x090, 0x098], [0x0b0, 0x0b8], [0x668, 0x670]] },
  { name: 'CR0, CR3, CR4, EFER', ranges: [[0x4d0, 0x4d8], [0x548, 0x560]] },
  { name: 'DR6, DR7', ranges: [[0x560, 0x570]] },
  { name: 'GDT, IDT', ranges: [[0x460, 0x470], [0x480, 0x490]] },
  { name: 'CS, DS, SS, ES, CPL', ranges: [[0x400, 0x440], [0x4cb, 0x4cc]] },
  { name: 'CR2', ranges: [[0x640, 0x648]] },
  { name: 'debug control', ranges: [[0x670, 0x678]] },
]; // prettier-ignore
const END = 0x678;

export class CleanBits {
  private readonly left = new Uint8Array(END);
  private of = -1;

  constructor(private readonly memory: PhysicalMemory) {}

  /** #VMEXIT: what a processor would keep. */
  keep({ hpa }: Vmcb): void {
    const at = this.memory.hostAddress(hpa);
    this.left.set(this.memory.data.subarray(at, at + END));
    this.of = hpa;
  }
  /** VMRUN: the first group that is called clean and is not. */
  broken(vmcb: Vmcb): string | undefined {
    const clean = Number(vmcb.read(CONTROL.CLEAN));
    if (clean === 0 || vmcb.hpa !== this.of) return undefined;
    const at = this.memory.hostAddress(vmcb.hpa);
    const { data } = this.memory;
    const changed = ([first, end]: Range): boolean => {
      for (let i = first; i < end; i++) if (data[at + i] !== this.left[i]) return true;
      return false;
    };
    const bit = CLEAN_GROUPS.findIndex(({ ranges }, i) => (clean & (1 << i)) !== 0 && ranges.some(changed));
    return bit < 0 ? undefined : `bit ${bit}, ${CLEAN_GROUPS[bit]!.name}`;
  }
}
