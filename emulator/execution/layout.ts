/**
 * Where everything lies in the linear memory that the generated WebAssembly works on. Addresses in bytes.
 * The state of one processor is one block, [STATE, STATE_END): plain data, copied whole by a snapshot. Of several
 * processors the one whose turn it is has its state here; the others' are kept aside (cpu/state.ts).
 */

export const STATE = 0x400;

/** Sixteen general registers, 8 bytes each, in encoding order. Byte 1 of the first four is AH, CH, DH, BH. */
export const GPRS = STATE;
/** Always 0: the base or index of an address that has none. */
export const ZERO = STATE + 0x80;
export const RIP = STATE + 0x88;
/**
 * Arithmetic flags without a kind: five sign-extended 64-bit values from which every flag follows.
 *   CF = S <u X    OF = sign((S^X) & (S^Y))    AF = bit 4 of S^X^Y
 *   ZF = (R == 0)  SF = sign(R^P)              PF = even parity of the low byte of R^P
 * a+b=r is S=r X=a Y=b; a-b=r is S=a X=r Y=b; a logical result r is S=X=Y=0. P is 0 except after POPF and its like,
 * which can set combinations that no result has (ZF together with SF).
 */
export const FLAG_S = STATE + 0x90;
export const FLAG_X = STATE + 0x98;
export const FLAG_Y = STATE + 0xa0;
export const FLAG_R = STATE + 0xa8;
export const FLAG_P = STATE + 0xb0;
/** RFLAGS without the six arithmetic flags. */
export const RFLAGS_SYSTEM = STATE + 0xb8;

// --- Conversation between the generated code and the run loop: not architectural, zero in a snapshot.
/** i32: instructions that may still start. A block takes its whole length when entered. */
export const BUDGET = STATE + 0xc0;
/** i32: why the generated code returned (interpreter.ts, EXIT). */
export const EXIT_REASON = STATE + 0xc4;
/** i32: the record that was being executed when the generated code returned. */
export const EXIT_RECORD = STATE + 0xc8;
/** i32: address of the link word to patch once the target of a branch is known, or 0. */
export const EXIT_LINK = STATE + 0xcc;
/** i32 each: the TLB tables in force (privilege, SMAP and alignment checking select one of four). */
export const TLB_READ = STATE + 0xd0;
export const TLB_WRITE = STATE + 0xd4;
/** i32: the execution mode that blocks in the jump cache must have been translated for; from bit 20 on whose entry it is. */
export const MODE = STATE + 0xd8;
/** i32 each: an exception that emitted code raised: vector, | 0x100 with an error code; the code. 0xff: see the processor. */
export const EXIT_FAULT = STATE + 0xdc;
export const EXIT_FAULT_CODE = STATE + 0xe0;

/** i64: what the processor's ticks would be with an empty budget; with what is left of it, the time now. */
export const TICKS_BASE = STATE + 0xe8;
/** i32: not 0 while PAUSE gives way to another processor. */
export const GIVE_WAY = STATE + 0xf0;

/** Eight segments, 64 bytes each, in SEG order. */
export const SEGMENTS = STATE + 0x100;
export const SEGMENT_SIZE = 64;
export const SEGMENT = {
  /** i64 */ BASE: 0,
  /** u32 each, inclusive; low > high where nothing may be read or written. */ READ_LOW: 8, READ_HIGH: 12, WRITE_LOW: 16, WRITE_HIGH: 20,
  /** u32, in bytes, G already applied. */ LIMIT: 24,
  /** u32, VMX format (SDM vol. 3C table 25-2): type 3:0, S 4, DPL 6:5, P 7, AVL 12, L 13, D/B 14, G 15, unusable 16. */ ATTRIBUTES: 28,
  /** u16 */ SELECTOR: 32,
} as const; // prettier-ignore

/** 64-bit system registers, 8 bytes each, in the order of SYSTEM_REGISTERS. */
export const SYSTEM = STATE + 0x300;
export const SYSTEM_REGISTERS = [
  'cr0', 'cr2', 'cr3', 'cr4', 'cr8', 'xcr0', 'dr0', 'dr1', 'dr2', 'dr3', 'dr6', 'dr7',
  'gdtr.base', 'gdtr.limit', 'idtr.base', 'idtr.limit',
  'efer', 'star', 'lstar', 'cstar', 'fmask', 'kernel_gs_base', 'sysenter_cs', 'sysenter_esp', 'sysenter_eip',
  'tsc_offset', 'tsc_aux', 'tsc_deadline', 'apic_base', 'pat', 'misc_enable', 'debugctl', 'mtrr_def_type',
  'pdpte0', 'pdpte1', 'pdpte2', 'pdpte3',
  /** 0 running, 1 halted, 2 shut down, 3 waiting for SIPI */ 'activity',
  /** bit 0: blocked by STI, bit 1: blocked by MOV SS, bit 2: NMI blocked, bit 3: AMD's GIF is clear */ 'interruptibility',
  /** pending debug exceptions, DR6 format */ 'pending_debug',
  'mtrr_fix_64k', 'mtrr_fix_16k_80000', 'mtrr_fix_16k_a0000',
  'mtrr_fix_4k0', 'mtrr_fix_4k1', 'mtrr_fix_4k2', 'mtrr_fix_4k3', 'mtrr_fix_4k4', 'mtrr_fix_4k5', 'mtrr_fix_4k6', 'mtrr_fix_4k7',
  'mtrr_base0', 'mtrr_mask0', 'mtrr_base1', 'mtrr_mask1', 'mtrr_base2', 'mtrr_mask2', 'mtrr_base3', 'mtrr_mask3',
  'mtrr_base4', 'mtrr_mask4', 'mtrr_base5', 'mtrr_mask5', 'mtrr_base6', 'mtrr_mask6', 'mtrr_base7', 'mtrr_mask7',
  'spec_ctrl', 'misc_features', 'mc0_ctl', 'mc1_ctl', 'mc2_ctl', 'mc3_ctl',
  'amd_syscfg', 'amd_hwcr', 'amd_nb_cfg', 'amd_ls_cfg', 'amd_fp_cfg', 'amd_de_cfg',
  /** where RDRAND's sequence is */ 'random',
  'feature_control', 'vm_cr', 'vm_hsave',
  /** who runs: 0 no virtualisation, 1 VMX root operation, 2 a guest of VMXON, 3 a guest of VMRUN */ 'vm_mode',
  /** VMXON region, current VMCS or VMCB; all ones: none */ 'vmxon', 'vmcs',
  /** tick at which VMX's preemption timer expires */ 'preemption_deadline',
] as const; // prettier-ignore
export type SystemRegister = (typeof SYSTEM_REGISTERS)[number];
/** Where each lies. Whoever asks at every exit from generated code takes the address once: looking up a name is dear. */
export const SYSTEM_ADDRESS = Object.fromEntries(SYSTEM_REGISTERS.map((name, i) => [name, SYSTEM + i * 8])) as Record<
  SystemRegister,
  number
>;

/** x87: eight 80-bit registers by physical number, 16 bytes each; then the environment (SDM vol. 1 section 8.1). */
export const X87 = STATE + 0x600;
export const X87_CONTROL = STATE + 0x680; // u16
export const X87_STATUS = STATE + 0x682; // u16, TOP in bits 13:11
export const X87_TAGS = STATE + 0x684; // u8, bit set: register in use (FXSAVE's abridged form)
export const X87_OPCODE = STATE + 0x686; // u16
export const X87_FIP = STATE + 0x688; // i64
export const X87_FDP = STATE + 0x690; // i64
export const X87_FCS = STATE + 0x698; // u16
export const X87_FDS = STATE + 0x69a; // u16
export const MXCSR = STATE + 0x69c; // u32
/** Sixteen vector registers, 32 bytes each: XMM in the low half, the rest of YMM in the high. */
export const VECTORS = STATE + 0x700;
export const VECTOR_SIZE = 32;

export const STATE_END = STATE + 0x900;

/**
 * The page of the stack, a cache in front of the TLB for compiled code: its gva (i64) or NO_PAGE, and its entry's addend (i32). Only a page
 * that both tables in force have; forgotten with any change of the TLB or of the tables in force.
 */
export const STACK_PAGE = STATE_END;
export const STACK_ADDEND = STATE_END + 8;
export const NO_PAGE = -1n;

/** Where out-of-line helpers leave wide results, and where writes to what is not plain RAM are collected: slots of 32 bytes. */
export const SCRATCH = 0x2000;
export const SCRATCH_SLOT = 32;
export const SCRATCH_END = SCRATCH + 8 * SCRATCH_SLOT;

/**
 * Software TLB: four contexts (CONTEXT), each a read and a write table of TLB_ENTRIES entries of 16 bytes:
 * i64 tag (the page's gva), i32 addend (linear-memory address minus the low 32 bits of the gva), i32 log2 of the page size.
 * Index: gva bits 12 and up. A hit is tag == (gva + size - 1) & ~4095, so that an access across pages misses.
 * Each processor has its own, and a hypervisor's one for its guests: the first at TLB, the others behind RAM. Generated code finds it by TLB_READ and TLB_WRITE.
 */
export const TLB_ENTRIES = 4096;
export const TLB_TABLE_BYTES = TLB_ENTRIES * 16;
export const TLB = 0x10000;
/** `aligned` is never filled: with CR0.AM and EFLAGS.AC at CPL 3 every access takes the slow path, which checks. */
export const CONTEXT = { user: 0, supervisor: 1, supervisorNoSmap: 2, aligned: 3 } as const;
export type Context = (typeof CONTEXT)[keyof typeof CONTEXT];
export const TLB_BYTES = 8 * TLB_TABLE_BYTES;
/** Where a TLB's tables begin, by its number: a processor's own has the processor's (mmu/tlbs.ts). `ramBytes`: the guest's RAM. */
export const tlbOf = (number: number, ramBytes: number): number =>
  number === 0 ? TLB : RAM + ramBytes + (number - 1) * TLB_BYTES;
/** Bytes of linear memory for so many TLBs and so much RAM. */
export const memoryBytes = (tlbs: number, ramBytes: number): number => RAM + ramBytes + (tlbs - 1) * TLB_BYTES;

/**
 * Jump cache of all processors: i64 rip, i32 record, i32 MODE, so that an entry serves only the processor that made it.
 * A processor's entries are emptied with its TLB.
 */
export const JUMP_CACHE = TLB + TLB_BYTES;
/** Which entry: `rip` its low 32 bits. As interpreter.ts computes it. */
export const jumpCacheEntry = (rip: number, mode: number): number =>
  JUMP_CACHE + ((rip ^ ((rip ^ mode) >>> 12)) & (JUMP_CACHE_ENTRIES - 1)) * 16;
export const PROCESSOR_SHIFT = 20;
export const JUMP_CACHE_ENTRIES = 32768;
export const JUMP_CACHE_END = JUMP_CACHE + JUMP_CACHE_ENTRIES * 16;

/** Decoded records of all blocks. */
export const RECORDS = 0x12_0000;
export const RECORDS_END = 0x200_0000;

/** Host-physical memory, from which guests' RAM is taken, begins here. */
export const RAM = 0x200_0000;
