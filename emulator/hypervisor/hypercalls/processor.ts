/** Single registers of the processor by hypercall: FPU, debug registers, segment bases; and what the guest asked to be assisted in. */
import { CR0, SEG } from '../../x86/registers';
import { Interruption } from '../../cpu/ports';
import { isCanonical } from '../../util/words';
import { ASSIST } from '../xen/abi';
import { refuse } from '../xen/errno';
import { asUint } from './call';
import type { Call } from './call';

export function fpuTaskswitch({ args, cpu }: Call): void {
  const { state } = cpu;
  const ts = BigInt(CR0.TS);
  state.setSystem('cr0', args[0] !== 0n ? state.system('cr0') | ts : state.system('cr0') & ~ts);
  cpu.modeChanged();
}

const DEBUG_REGISTERS = 8;
/** Addresses of the hypervisor and general detection are not the guest's. */
const GENERAL_DETECT = 1n << 13n;
export function setDebugreg({ args, cpu }: Call): void {
  const index = asUint(args[0]);
  if (index >= DEBUG_REGISTERS || index === 4 || index === 5) refuse('EINVAL', `there is no DR${index}`);
  if (index < 4 && !isCanonical(args[1])) refuse('EINVAL', `0x${args[1].toString(16)} is no address`);
  try {
    writeDebug(cpu, index, args[1]);
  } catch (fault) {
    if (!(fault instanceof Interruption)) throw fault;
    refuse('EINVAL', `DR${index} cannot hold 0x${args[1].toString(16)}`);
  }
}
/** Interruption: it cannot hold this. */
export const writeDebug = (cpu: Call['cpu'], register: number, value: bigint): void =>
  cpu.writeDebug(register, register === 7 ? value & ~GENERAL_DETECT : value);
export function getDebugreg({ args, cpu }: Call): bigint {
  const index = asUint(args[0]);
  if (index >= DEBUG_REGISTERS || index === 4 || index === 5) refuse('EINVAL', `there is no DR${index}`);
  return cpu.readDebug(index);
}

const SEGBASE = { FS: 0, GS_USER: 1, GS_KERNEL: 2, GS_USER_SEL: 3 } as const;
export function setSegmentBase({ args, cpu, domain }: Call): void {
  if (domain.word === 4) refuse('ENOSYS', '32-bit guests set bases by descriptors');
  const { state } = cpu;
  const which = asUint(args[0]);
  const base = args[1];
  if (which !== SEGBASE.GS_USER_SEL && !isCanonical(base)) refuse('EINVAL', `0x${base.toString(16)} is no address`);
  switch (which) {
    case SEGBASE.FS:
      return state.setSegmentBase(SEG.FS, base);
    case SEGBASE.GS_USER:
      return state.setSystem('kernel_gs_base', base);
    case SEGBASE.GS_KERNEL:
      return state.setSegmentBase(SEG.GS, base);
    case SEGBASE.GS_USER_SEL:
      return loadUserGs(cpu, Number(base & 0xffffn));
    default:
      return refuse('EINVAL', `segment base ${which} is not known`);
  }
}
/** The selector goes into GS, its base to where the programs' is kept. */
function loadUserGs(cpu: Call['cpu'], selector: number): void {
  const { state } = cpu;
  const kernel = state.segmentBase(SEG.GS);
  try {
    cpu.loadSegment(SEG.GS, selector);
  } catch (fault) {
    if (!(fault instanceof Interruption)) throw fault;
    cpu.loadSegment(SEG.GS, 0);
  }
  state.setSystem('kernel_gs_base', state.segmentBase(SEG.GS));
  state.setSegmentBase(SEG.GS, kernel);
}

const KNOWN: ReadonlySet<number> = new Set(Object.values(ASSIST));
/** What can be assisted in is always on: writable page tables, roots above 4 GiB; the rest changes nothing here. */
export function vmAssist({ args }: Call): void {
  if (asUint(args[0]) > 1) refuse('ENOSYS', `vm_assist command ${args[0]} is not known`);
  if (!KNOWN.has(asUint(args[1]))) refuse('EINVAL', `vm_assist type ${args[1]} is not known`);
}
