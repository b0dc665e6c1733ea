/**
 * The virtual machine control block of AMD-V: where fields lie, what intercepts and exit codes mean.
 * Source: AMD64 Architecture Programmer's Manual vol. 2 (24593, revision 3.42), chapter 15, appendices B and C.
 */

export interface VmcbField {
  readonly name: string;
  readonly offset: number;
  readonly bytes: 1 | 2 | 4 | 8;
}
const field = (name: string, offset: number, bytes: VmcbField['bytes']): VmcbField => ({ name, offset, bytes });

/** Appendix B table B-1. */
export const CONTROL = {
  INTERCEPT_CR_READ: field('intercept reads of CR0-15', 0x000, 2),
  INTERCEPT_CR_WRITE: field('intercept writes of CR0-15', 0x002, 2),
  INTERCEPT_DR_READ: field('intercept reads of DR0-15', 0x004, 2),
  INTERCEPT_DR_WRITE: field('intercept writes of DR0-15', 0x006, 2),
  INTERCEPT_EXCEPTIONS: field('intercept exceptions', 0x008, 4),
  INTERCEPT_MISC1: field('intercepts, vector 3', 0x00c, 4),
  INTERCEPT_MISC2: field('intercepts, vector 4', 0x010, 4),
  PAUSE_FILTER_COUNT: field('PAUSE filter count', 0x03e, 2),
  IOPM_BASE_PA: field('I/O permission map', 0x040, 8),
  MSRPM_BASE_PA: field('MSR permission map', 0x048, 8),
  TSC_OFFSET: field('TSC offset', 0x050, 8),
  GUEST_ASID: field('guest ASID', 0x058, 4),
  TLB_CONTROL: field('TLB control', 0x05c, 1),
  V_INTR: field('virtual interrupt', 0x060, 8),
  INTERRUPT_SHADOW: field('interrupt shadow', 0x068, 8),
  EXITCODE: field('exit code', 0x070, 8),
  EXITINFO1: field('exit information 1', 0x078, 8),
  EXITINFO2: field('exit information 2', 0x080, 8),
  EXITINTINFO: field('event that was being delivered', 0x088, 8),
  NP_ENABLE: field('nested paging', 0x090, 8),
  EVENTINJ: field('event to inject', 0x0a8, 8),
  N_CR3: field('nested CR3', 0x0b0, 8),
  LBR_VIRTUALIZATION: field('LBR virtualisation', 0x0b8, 8),
  CLEAN: field('clean bits', 0x0c0, 4),
  NRIP: field('next RIP', 0x0c8, 8),
} as const;

/** What was fetched at a page fault (15.33.5): how many, and each. */
export const INSTRUCTION_BYTES = {
  most: 15,
  count: field('number of bytes fetched', 0x0d0, 1),
  at: (i: number): VmcbField => field('guest instruction byte', 0x0d1 + i, 1),
} as const;

/** Appendix B table B-2. Segments: selector, attributes, limit, base. */
export const SAVE = 0x400;
export const SEGMENT_OFFSETS = { es: 0x00, cs: 0x10, ss: 0x20, ds: 0x30, fs: 0x40, gs: 0x50, gdtr: 0x60, ldtr: 0x70, idtr: 0x80, tr: 0x90 } as const; // prettier-ignore
export const SEGMENT_FIELD = { SELECTOR: 0, ATTRIBUTES: 2, LIMIT: 4, BASE: 8 } as const;
const SEGMENT_BYTES = { SELECTOR: 2, ATTRIBUTES: 2, LIMIT: 4, BASE: 8 } as const;
export const segmentField = (name: keyof typeof SEGMENT_OFFSETS, part: keyof typeof SEGMENT_FIELD): VmcbField =>
  field(part.toLowerCase(), SAVE + SEGMENT_OFFSETS[name] + SEGMENT_FIELD[part], SEGMENT_BYTES[part]);
export const STATE = {
  CPL: field('CPL', SAVE + 0x0cb, 1),
  EFER: field('EFER', SAVE + 0x0d0, 8),
  CR4: field('CR4', SAVE + 0x148, 8),
  CR3: field('CR3', SAVE + 0x150, 8),
  CR0: field('CR0', SAVE + 0x158, 8),
  DR7: field('DR7', SAVE + 0x160, 8),
  DR6: field('DR6', SAVE + 0x168, 8),
  RFLAGS: field('RFLAGS', SAVE + 0x170, 8),
  RIP: field('RIP', SAVE + 0x178, 8),
  RSP: field('RSP', SAVE + 0x1d8, 8),
  RAX: field('RAX', SAVE + 0x1f8, 8),
  STAR: field('STAR', SAVE + 0x200, 8),
  LSTAR: field('LSTAR', SAVE + 0x208, 8),
  CSTAR: field('CSTAR', SAVE + 0x210, 8),
  SFMASK: field('SFMASK', SAVE + 0x218, 8),
  KERNEL_GS_BASE: field('KernelGsBase', SAVE + 0x220, 8),
  SYSENTER_CS: field('SYSENTER_CS', SAVE + 0x228, 8),
  SYSENTER_ESP: field('SYSENTER_ESP', SAVE + 0x230, 8),
  SYSENTER_EIP: field('SYSENTER_EIP', SAVE + 0x238, 8),
  CR2: field('CR2', SAVE + 0x240, 8),
  G_PAT: field('guest PAT', SAVE + 0x268, 8),
  DBGCTL: field('DBGCTL', SAVE + 0x270, 8),
} as const;

/** Bits of INTERCEPT_MISC1 and INTERCEPT_MISC2, in order: bit n exits with code 60h + n, 80h + n. */
export const MISC1 = [
  'intr', 'nmi', 'smi', 'init', 'vintr', 'cr0-selective-write', 'idtr-read', 'gdtr-read', 'ldtr-read', 'tr-read',
  'idtr-write', 'gdtr-write', 'ldtr-write', 'tr-write', 'rdtsc', 'rdpmc', 'pushf', 'popf', 'cpuid', 'rsm', 'iret', 'int',
  'invd', 'pause', 'hlt', 'invlpg', 'invlpga', 'io', 'msr', 'task-switch', 'ferr-freeze', 'shutdown',
] as const; // prettier-ignore
export const MISC2 = [
  'vmrun', 'vmmcall', 'vmload', 'vmsave', 'stgi', 'clgi', 'skinit', 'rdtscp', 'icebp', 'wbinvd', 'monitor', 'mwait',
  'mwait-armed', 'xsetbv',
] as const; // prettier-ignore
export type Intercept = (typeof MISC1)[number] | (typeof MISC2)[number];

/** Appendix C. */
export const EXIT = {
  CR_READ: 0x00, CR_WRITE: 0x10, DR_READ: 0x20, DR_WRITE: 0x30, EXCEPTION: 0x40, MISC1: 0x60, MISC2: 0x80, NPF: 0x400,
  INVALID: -1,
} as const; // prettier-ignore

/** EXITINFO1 of IOIO (figure 15-2) and of NPF (15.25.6). */
export const IOIO = {
  IN: 1 << 0,
  STRING: 1 << 2,
  REP: 1 << 3,
  SIZE_SHIFT: 4,
  ADDRESS_SHIFT: 7,
  SEGMENT_SHIFT: 10,
  PORT_SHIFT: 16,
} as const;
export const NPF = { P: 1n << 0n, W: 1n << 1n, U: 1n << 2n, RSVD: 1n << 3n, ID: 1n << 4n, FINAL: 1n << 32n, TABLE: 1n << 33n } as const; // prettier-ignore
/** EVENTINJ and EXITINTINFO (15.20): vector 7:0, type 10:8, error code valid 11, valid 31, error code 63:32. */
export const EVENT = { INTERRUPT: 0, NMI: 2, EXCEPTION: 3, SOFTWARE: 4, ERROR_VALID: 1n << 11n, VALID: 1n << 31n } as const; // prettier-ignore

/** EFER.SVME. */
export const SVME = 1 << 12;
/** Offsets of the MSR permission map: two bits an MSR, read and write, in three ranges (15.11). */
export const MSRPM_RANGES = [
  { first: 0x0000_0000, last: 0x0000_1fff, bytes: 0x000 },
  { first: 0xc000_0000, last: 0xc000_1fff, bytes: 0x800 },
  { first: 0xc001_0000, last: 0xc001_1fff, bytes: 0x1000 },
] as const;

/** TLB_CONTROL (15.16.1): nothing, all, this guest's, this guest's but global ones. */
export const TLB_CONTROLS: readonly number[] = [0, 1, 3, 7];
/** V_INTR (appendix B, offset 060h; 15.21). */
export const V_INTR = { TPR: 0xffn, IRQ: 1n << 8n, VGIF: 1n << 9n, PRIORITY_SHIFT: 16n, IGNORE_TPR: 1n << 20n, MASKING: 1n << 24n, VGIF_ENABLE: 1n << 25n, VECTOR_SHIFT: 32n } as const; // prettier-ignore
/** Model-specific registers of SVM (15.30). */
export const SVM_MSR = { VM_CR: 0xc001_0114, VM_HSAVE_PA: 0xc001_0117 } as const;
export const VM_CR = { LOCK: 1n << 3n, SVMDIS: 1n << 4n } as const;
