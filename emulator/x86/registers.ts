/**
 * Registers and vectors as the manuals number them. No behaviour.
 * Source: Intel SDM vol. 3A chapters 2 and 6 (order number 325384-080), AMD APM vol. 2 (24593 rev. 3.41).
 */

/** General registers in encoding order (SDM vol. 2A table 2-2). */
export const GPR = { RAX: 0, RCX: 1, RDX: 2, RBX: 3, RSP: 4, RBP: 5, RSI: 6, RDI: 7 } as const;
export const GPR_NAMES = [
  'rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15',
] as const; // prettier-ignore

/** Segment registers in encoding order, then the two system segments. */
export const SEG = { ES: 0, CS: 1, SS: 2, DS: 3, FS: 4, GS: 5, LDTR: 6, TR: 7 } as const;
export const SEG_NAMES = ['es', 'cs', 'ss', 'ds', 'fs', 'gs', 'ldtr', 'tr'] as const;

/** RFLAGS bits (SDM vol. 1 section 3.4.3). */
export const RFLAGS = {
  CF: 1 << 0, FIXED: 1 << 1, PF: 1 << 2, AF: 1 << 4, ZF: 1 << 6, SF: 1 << 7, TF: 1 << 8, IF: 1 << 9, DF: 1 << 10,
  OF: 1 << 11, IOPL: 3 << 12, NT: 1 << 14, RF: 1 << 16, VM: 1 << 17, AC: 1 << 18, VIF: 1 << 19, VIP: 1 << 20,
  ID: 1 << 21,
} as const; // prettier-ignore
export const ARITHMETIC_FLAGS = RFLAGS.CF | RFLAGS.PF | RFLAGS.AF | RFLAGS.ZF | RFLAGS.SF | RFLAGS.OF;

/** Control register bits (SDM vol. 3A section 2.5). */
export const CR0 = {
  PE: 1 << 0, MP: 1 << 1, EM: 1 << 2, TS: 1 << 3, ET: 1 << 4, NE: 1 << 5, WP: 1 << 16, AM: 1 << 18, NW: 1 << 29,
  CD: 1 << 30, PG: 0x8000_0000,
} as const; // prettier-ignore
export const CR4 = {
  VME: 1 << 0, PVI: 1 << 1, TSD: 1 << 2, DE: 1 << 3, PSE: 1 << 4, PAE: 1 << 5, MCE: 1 << 6, PGE: 1 << 7, PCE: 1 << 8,
  OSFXSR: 1 << 9, OSXMMEXCPT: 1 << 10, UMIP: 1 << 11, LA57: 1 << 12, VMXE: 1 << 13, SMXE: 1 << 14, FSGSBASE: 1 << 16,
  PCIDE: 1 << 17, OSXSAVE: 1 << 18, SMEP: 1 << 20, SMAP: 1 << 21, PKE: 1 << 22,
} as const; // prettier-ignore
export const EFER = { SCE: 1 << 0, LME: 1 << 8, LMA: 1 << 10, NXE: 1 << 11, SVME: 1 << 12, FFXSR: 1 << 14 } as const;

/** Model-specific registers (SDM vol. 4 chapter 2). */
export const MSR = {
  TSC: 0x10, PLATFORM_ID: 0x17, APIC_BASE: 0x1b, FEATURE_CONTROL: 0x3a, TSC_ADJUST: 0x3b, SPEC_CTRL: 0x48, PRED_CMD: 0x49,
  BIOS_UPDT_TRIG: 0x79, BIOS_SIGN_ID: 0x8b, PLATFORM_INFO: 0xce, MTRRCAP: 0xfe, ARCH_CAPABILITIES: 0x10a, MISC_FEATURES: 0x140,
  SYSENTER_CS: 0x174, SYSENTER_ESP: 0x175, SYSENTER_EIP: 0x176, MCG_CAP: 0x179, MCG_STATUS: 0x17a,
  MISC_ENABLE: 0x1a0, MC0_CTL: 0x400, XSS: 0xda0, DEBUGCTL: 0x1d9, MTRR_PHYS_BASE0: 0x200, MTRR_FIX_64K: 0x250, PAT: 0x277, MTRR_DEF_TYPE: 0x2ff,
  TSC_DEADLINE: 0x6e0, X2APIC_FIRST: 0x800, X2APIC_LAST: 0x8ff,
  EFER: 0xc000_0080, STAR: 0xc000_0081, LSTAR: 0xc000_0082, CSTAR: 0xc000_0083, FMASK: 0xc000_0084,
  FS_BASE: 0xc000_0100, GS_BASE: 0xc000_0101, KERNEL_GS_BASE: 0xc000_0102, TSC_AUX: 0xc000_0103,
  AMD_SYSCFG: 0xc001_0010, AMD_HWCR: 0xc001_0015, AMD_TOP_MEM: 0xc001_001a, AMD_NB_CFG: 0xc001_001f, AMD_PATCH_LOADER: 0xc001_0020,
  AMD_INT_PENDING: 0xc001_0055, AMD_MC4_MISC: 0x413, AMD_LS_CFG: 0xc001_1020, AMD_FP_CFG: 0xc001_1028, AMD_DE_CFG: 0xc001_1029,
} as const; // prettier-ignore

/** Exception vectors (SDM vol. 3A table 6-1). */
export const VECTOR = {
  DE: 0, DB: 1, NMI: 2, BP: 3, OF: 4, BR: 5, UD: 6, NM: 7, DF: 8, TS: 10, NP: 11, SS: 12, GP: 13, PF: 14, MF: 16,
  AC: 17, MC: 18, XM: 19, VE: 20, CP: 21,
} as const; // prettier-ignore
/** Exceptions that push an error code (SDM vol. 3A table 6-1); #CP, of which there is none here, would be another. */
export const WITH_ERROR: readonly number[] = [
  VECTOR.DF,
  VECTOR.TS,
  VECTOR.NP,
  VECTOR.SS,
  VECTOR.GP,
  VECTOR.PF,
  VECTOR.AC,
];
/** `#PF` for 14; a plain number for vectors without a name. */
export const vectorName = (vector: number): string => {
  for (const [name, value] of Object.entries(VECTOR)) if (value === vector) return name === 'NMI' ? name : `#${name}`;
  return `${vector}`;
};

/** IA32_DEBUGCTL (SDM vol. 3B 17.4.1). */
export const DEBUGCTL = { LBR: 1, BTF: 2 } as const;

/** Page-fault error code bits (SDM vol. 3A figure 4-12). */
export const PF = { P: 1, W: 2, U: 4, RSVD: 8, I: 16, PK: 32 } as const;
