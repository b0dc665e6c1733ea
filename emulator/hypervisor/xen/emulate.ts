/**
 * Instructions that a paravirtualised kernel executes all the same: privileged ones, which trap in its ring and are done for it as far
 * as the ABI has a meaning for them, and CPUID, which shows what such a guest can use.
 */
import type { Cpu } from '../../cpu/cpu';
import type { ExitCause } from '../../cpu/exit-cause';
import { Interruption } from '../../cpu/ports';
import type { Instruction } from '../../isa/instruction';
import { CR0, CR4, GPR, MSR, SEG } from '../../x86/registers';
import { isCanonical } from '../../util/words';
import { VCPU_INFO, VERSION } from './abi';
import type { PvDomain } from './domain';
import { ioLevelAllows, mayUsePort } from './port-rights';
import { HypercallError } from './ports';
import { TYPE } from './typed-pages';

const LOW = 0xffff_ffffn;
/** Bits of CR4 that are the guest's. */
export const GUEST_CR4 = CR4.TSD | CR4.DE;
const SEGMENT_BASES: Readonly<Record<number, 'fs' | 'gs' | 'user'>> = {
  [MSR.FS_BASE]: 'fs',
  [MSR.GS_BASE]: 'gs',
  [MSR.KERNEL_GS_BASE]: 'user',
};
/** MSRs that may be read as the processor has them; writes to any other than a segment's base change nothing. */
const READABLE: ReadonlySet<number> = new Set([MSR.EFER, MSR.PAT, MSR.TSC, MSR.MISC_ENABLE, MSR.PLATFORM_ID, MSR.BIOS_SIGN_ID, MSR.APIC_BASE, MSR.PLATFORM_INFO]); // prettier-ignore
/** Speculation's controls are the guest's too; nothing here speculates. */
const SPECULATION: ReadonlySet<number> = new Set([MSR.SPEC_CTRL, MSR.PRED_CMD]);

/** 'no': it is the guest's fault after all. Otherwise registers are as the instruction leaves them, but for RIP. */
export function emulate(domain: PvDomain, cpu: Cpu, insn: Instruction, cause: ExitCause): 'done' | 'no' {
  const { state } = cpu;
  const { mnemonic } = insn.row;
  switch (cause.reason) {
    case 'cr-access':
      if (cause.access === 'read') state.setGpr(cause.gpr, readControl(domain, cpu, cause.register));
      else return writeControl(domain, cpu, cause);
      return 'done';
    case 'dr-access':
      return debugAccess(cpu, cause);
    case 'msr-read':
      return readMsr(cpu, cause.msr);
    case 'msr-write':
      return writeMsr(cpu, cause.msr);
    case 'io':
      return portAccess(domain, cpu, cause);
    case 'invlpg':
      cpu.flushTlb(cause.gva);
      return 'done';
    case 'wbinvd':
    case 'invd':
      return 'done';
    case 'hlt':
      if (!domain.upcallPending(cpu.apicId)) state.setSystem('activity', 1n);
      domain.maskUpcalls(cpu.apicId, false);
      return 'done';
    default:
      // Delivery of events is not by IF: with the right to, they do nothing.
      return (mnemonic === 'cli' || mnemonic === 'sti') && ioLevelAllows(domain, cpu) ? 'done' : 'no';
  }
}

function readControl(domain: PvDomain, { state, apicId }: Cpu, register: number): bigint {
  const { info, inKernel, kernelRoot, userRoot } = domain.vcpuStates[apicId];
  switch (register) {
    case 2: {
      const at = info.offset + VCPU_INFO[domain.word].cr2;
      return domain.word === 8 ? domain.memory.read64(info.mfn, at) : BigInt(domain.memory.read(info.mfn, at, 4));
    }
    case 3: {
      const root = BigInt(domain.word === 4 || inKernel ? kernelRoot : userRoot);
      return domain.word === 8 ? root << 12n : ((root << 12n) & LOW) | (root >> 20n);
    }
    case 4:
      return state.system('cr4');
    default:
      return register === 0 ? state.system('cr0') : 0n;
  }
}
type ControlAccess = Extract<ExitCause, { reason: 'cr-access' }>;
function writeControl(domain: PvDomain, cpu: Cpu, { access, register, value }: ControlAccess): 'done' | 'no' {
  const { state } = cpu;
  const ts = BigInt(CR0.TS);
  if (access === 'clts') state.setSystem('cr0', state.system('cr0') & ~ts);
  else if (register === 0) state.setSystem('cr0', (state.system('cr0') & ~ts) | (value & ts));
  else if (register === 3) return newRoot(domain, cpu, value);
  else if (register === 4)
    state.setSystem('cr4', (state.system('cr4') & ~BigInt(GUEST_CR4)) | (value & BigInt(GUEST_CR4)));
  else return 'no';
  cpu.modeChanged();
  return 'done';
}
function newRoot(domain: PvDomain, cpu: Cpu, value: bigint): 'done' | 'no' {
  const vcpu = domain.vcpuStates[cpu.apicId];
  const mfn = Number(domain.word === 8 ? value >> 12n : ((value >> 12n) | (value << 20n)) & LOW);
  try {
    domain.pages.getAs(mfn, domain.word === 8 ? TYPE.l4 : TYPE.l3);
  } catch (refused) {
    if (!(refused instanceof HypercallError)) throw refused;
    return 'no';
  }
  const old = vcpu.kernelRoot;
  vcpu.kernelRoot = mfn;
  domain.loadRoot(cpu);
  domain.pages.putAs(old);
  return 'done';
}

function debugAccess(cpu: Cpu, { register, write, gpr }: Extract<ExitCause, { reason: 'dr-access' }>): 'done' | 'no' {
  return attempt(() => {
    if (write) cpu.writeDebug(register, cpu.state.gpr(gpr));
    else cpu.state.setGpr(gpr, cpu.readDebug(register));
  });
}
/** 'no': the value is none that the register can hold. */
function attempt(act: () => void): 'done' | 'no' {
  try {
    act();
    return 'done';
  } catch (fault) {
    if (!(fault instanceof Interruption)) throw fault;
    return 'no';
  }
}

function readMsr(cpu: Cpu, msr: number): 'done' | 'no' {
  const { state } = cpu;
  const base = SEGMENT_BASES[msr];
  if (base === undefined && !READABLE.has(msr) && msr !== MSR.SPEC_CTRL) return 'no';
  const value = base === undefined ? cpu.readMsr(msr) : base === 'user' ? state.system('kernel_gs_base') : state.segmentBase(base === 'fs' ? SEG.FS : SEG.GS); // prettier-ignore
  state.setGpr(GPR.RAX, value & LOW);
  state.setGpr(GPR.RDX, value >> 32n);
  return 'done';
}
function writeMsr(cpu: Cpu, msr: number): 'done' | 'no' {
  const { state } = cpu;
  const base = SEGMENT_BASES[msr];
  if (base === undefined && !SPECULATION.has(msr)) return READABLE.has(msr) ? 'done' : 'no';
  const value = (state.gpr(GPR.RAX) & LOW) | ((state.gpr(GPR.RDX) & LOW) << 32n);
  if (base === undefined) return attempt(() => cpu.writeMsr(msr, value));
  if (!isCanonical(value)) return 'no';
  if (base === 'user') state.setSystem('kernel_gs_base', value);
  else state.setSegmentBase(base === 'fs' ? SEG.FS : SEG.GS, value);
  return 'done';
}

/** No port is any domain's: with the right to I/O, reads find an empty bus. */
function portAccess(domain: PvDomain, cpu: Cpu, { port, bytes, write, string }: Extract<ExitCause, { reason: 'io' }>): 'done' | 'no' {
  const { state } = cpu;
  if (!mayUsePort(domain, cpu, port, bytes)) return 'no';
  if (string) {
    cpu.unsupported('INS and OUTS of a paravirtualised guest');
    return 'no';
  }
  if (!write) {
    if (bytes === 4) state.setGpr32(GPR.RAX, 0xffff_ffff);
    else state.setGpr(GPR.RAX, state.gpr(GPR.RAX) | (bytes === 2 ? 0xffffn : 0xffn));
  }
  return 'done';
} // prettier-ignore

// --- CPUID

const bits = (...numbers: number[]): number => numbers.reduce((mask, bit) => mask | (1 << bit), 0);
/** Bits that no paravirtualised guest can use: modes, paging and interrupts are the hypervisor's. By leaf: EAX, EBX, ECX, EDX. */
const HIDDEN: Readonly<Record<number, readonly [number, number, number, number]>> = {
  // MONITOR VMX SMX PCID x2APIC TSC-deadline XSAVE OSXSAVE AVX FMA F16C; VME PSE MCE APIC MTRR PGE MCA PSE-36 ACPI
  1: [0, 0, bits(3, 5, 6, 12, 17, 21, 24, 26, 27, 28, 29), bits(1, 3, 7, 9, 12, 13, 14, 17, 22)],
  // FSGSBASE SMEP INVPCID AVX2 SMAP AVX512; UMIP PKU OSPKE
  7: [0, bits(0, 1, 5, 7, 10, 16, 17, 20, 21, 26, 27, 28, 30, 31), bits(2, 3, 4), 0],
  0x8000_0001: [0, 0, bits(2, 12), bits(1, 3, 7, 9, 12, 13, 14, 17, 26, 27)],
};
const HYPERVISOR_BIT = 31;
const LEAVES = 0x4000_0000;
const SIGNATURE = [0x566e_6558, 0x6558_4d4d, 0x4d4d_566e] as const; // XenVMMXenVMM

/** EAX, EBX, ECX, EDX as a paravirtualised guest sees them (arch-x86/cpuid.h for the hypervisor's leaves). */
export function guestCpuid(cpu: Cpu, leaf: number, subleaf: number): readonly [number, number, number, number] {
  leaf >>>= 0;
  if (leaf === LEAVES) return [LEAVES + 4, ...SIGNATURE];
  if (leaf === LEAVES + 1) return [(VERSION.major << 16) | VERSION.minor, 0, 0, 0];
  if (leaf === LEAVES + 2) return [0, 0, 0, 0];
  if (leaf === 0xd) return [0, 0, 0, 0];
  const [a, b, c, d] = cpu.cpuid(leaf, subleaf);
  const hidden = HIDDEN[leaf];
  if (!hidden) return [a, b, c, d];
  const present = leaf === 1 ? 1 << HYPERVISOR_BIT : 0;
  return [a & ~hidden[0], b & ~hidden[1], (c & ~hidden[2]) | present, d & ~hidden[3]];
}
