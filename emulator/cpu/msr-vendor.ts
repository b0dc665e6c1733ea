/**
 * Registers of one vendor, or of speculation control. Source: SDM vol. 4 chapter 2; APM vol. 2 appendix A and the
 * processor programming reference of family 17h for what operating systems look at.
 */
import { MAXPHYADDR } from '../mmu/guest-paging';
import { EFER, MSR } from '../x86/registers';
import { SVM_MSR, VM_CR } from '../x86/vmcb';
import { VMX_MSR } from '../x86/vmcs';
import { knownCr4 } from './control';
import { gp } from './faults';
import { capability } from './vmx-capabilities';
import { below, constant, fixed, isAmd, isIntel, only, plain, withFeature } from './msr-kinds';
import type { MsrRegister, MsrRow } from './msr-kinds';

const intel = (register: MsrRegister): MsrRegister => ({ ...register, exists: isIntel });
const amd = (register: MsrRegister): MsrRegister => ({ ...register, exists: isAmd });

/** Fast strings; BTS and PEBS unavailable. */
export const MISC_ENABLE_RESET = 0x1801n;
/** Newer than every list of updates that are needed. */
const MICROCODE_INTEL = 0x7000_0000n << 32n;
const MICROCODE_AMD = 0x0800_1250n;

/**
 * IA32_ARCH_CAPABILITIES: instructions are executed one after the other here, so that none of the known leaks exists
 * (SDM vol. 4 table 2-2): meltdown (RDCL_NO 0), IBRS_ALL 1, L1TF 3, SSB 4, MDS 5, page-size change 6, TAA 8, MMIO stale
 * data 13 to 15, BHI 20, PBRSB 24, GDS 26, RFDS 27, ITS 62.
 */
const ARCH_CAPABILITIES = [0, 1, 3, 4, 5, 6, 8, 13, 14, 15, 20, 24, 26, 27, 62].reduce(
  (sum, bit) => sum | (1n << BigInt(bit)),
  0n,
);

const speculation = (): MsrRow[] => [
  [MSR.ARCH_CAPABILITIES, withFeature('arch-capabilities', constant(ARCH_CAPABILITIES))],
  [
    MSR.SPEC_CTRL,
    {
      ...plain('spec_ctrl', (value, { model }) =>
        only((model.has('ibrs') ? 1n : 0n) | (model.has('stibp') ? 2n : 0n) | (model.has('ssbd') ? 4n : 0n) | (model.has('bhi-ctrl') ? 0x400n : 0n))(value)),
      exists: ({ model }) => model.has('ibrs') || model.has('stibp') || model.has('ssbd'),
    },
  ],
  // A barrier: there is nothing to hold back.
  [MSR.PRED_CMD, { write: () => {}, exists: ({ model }) => model.has('ibrs') || model.has('ibpb') }],
]; // prettier-ignore

/** TscFreqSel: the TSC counts at the frequency of P-state 0. */
export const HWCR_RESET = 1n << 24n;
/** Fixed and variable MTRRs reach DRAM. */
export const SYSCFG_RESET = 0x14_0000n;

/** Lock, and VMX outside SMX (24.7). Without VMX it is locked from the beginning. */
const LOCK = 1n;
const featureControl: MsrRegister = {
  read: (cpu) => (cpu.model.has('vmx') ? cpu.state.system('feature_control') : LOCK),
  write(cpu, value) {
    if (!cpu.model.has('vmx') || cpu.state.system('feature_control') & LOCK || value & ~5n) throw gp(0);
    cpu.state.setSystem('feature_control', value);
  },
};
const vmxCapabilities = (): MsrRow[] =>
  Object.values(VMX_MSR).map((msr): MsrRow => [
    msr,
    withFeature('vmx', { read: (cpu) => capability(msr, knownCr4(cpu)) ?? 0n }),
  ]);
const vmCr: MsrRegister = {
  read: (cpu) => cpu.state.system('vm_cr'),
  write(cpu, value) {
    const old = cpu.state.system('vm_cr');
    // SVMDIS cannot be cleared, or changed at all once locked (APM vol. 2 15.30.1).
    const kept = old & VM_CR.LOCK ? VM_CR.LOCK | VM_CR.SVMDIS : 0n;
    if (value & VM_CR.SVMDIS && cpu.state.system32('efer') & EFER.SVME) throw gp(0);
    cpu.state.setSystem('vm_cr', (value & ~kept & 0x1fn) | (old & kept));
  },
};

export const msrVendor = (): MsrRow[] => [
  ...speculation(),
  [MSR.FEATURE_CONTROL, intel(featureControl)],
  ...vmxCapabilities(),
  [SVM_MSR.VM_CR, withFeature('svm', vmCr)],
  [
    SVM_MSR.VM_HSAVE_PA,
    withFeature(
      'svm',
      plain('vm_hsave', (value) => (value & 0xfffn) === 0n && below(MAXPHYADDR)(value)),
    ),
  ],
  [MSR.PLATFORM_ID, intel(constant(0n))],
  // Writing 0 before CPUID is how the level is asked for. Updates are accepted and do nothing.
  [MSR.BIOS_SIGN_ID, { read: (cpu) => (isIntel(cpu) ? MICROCODE_INTEL : MICROCODE_AMD), write: () => {} }],
  [MSR.BIOS_UPDT_TRIG, intel({ write: () => {} })],
  [MSR.AMD_PATCH_LOADER, amd({ write: () => {} })],
  [MSR.MISC_ENABLE, intel(plain('misc_enable'))],
  // Neither MWAIT nor CPUID can be made to fault in user mode.
  [MSR.PLATFORM_INFO, intel(constant(0n))],
  [MSR.MISC_FEATURES, intel(plain('misc_features', only(0n)))],
  [MSR.AMD_SYSCFG, amd(plain('amd_syscfg'))],
  [MSR.AMD_HWCR, amd(plain('amd_hwcr'))],
  [MSR.AMD_NB_CFG, amd(plain('amd_nb_cfg'))],
  [MSR.AMD_TOP_MEM, amd(fixed(0xc000_0000n))],
  [MSR.AMD_LS_CFG, amd(plain('amd_ls_cfg'))],
  [MSR.AMD_FP_CFG, amd(plain('amd_fp_cfg'))],
  [MSR.AMD_DE_CFG, amd(plain('amd_de_cfg'))],
  [MSR.AMD_INT_PENDING, amd(fixed(0n))],
  // The northbridge counts no errors: read without asking how many banks there are (Xen does).
  [MSR.AMD_MC4_MISC, amd(fixed(0n))],
];
