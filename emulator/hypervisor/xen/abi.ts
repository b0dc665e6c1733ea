/**
 * Numbers of Xen's public ABI for paravirtualised guests on x86. No behaviour.
 * Source: the public headers of Xen 4.17 (libxen-dev): xen.h, arch-x86/xen.h, arch-x86/xen-x86_{32,64}.h.
 */

/** xen.h: reserved domain numbers. */
export const DOMID = { SELF: 0x7ff0, IO: 0x7ff1, XEN: 0x7ff2, COW: 0x7ff3, INVALID: 0x7ff4, IDLE: 0x7fff } as const;

/** xen.h: VMASST_TYPE_*, for vm_assist. */
export const ASSIST = {
  '4gb_segments': 0, '4gb_segments_notify': 1, writable_pagetables: 2, pae_extended_cr3: 3, architectural_iopl: 4,
  runstate_update_flag: 5, m2p_strict: 32,
} as const; // prettier-ignore

/** xen.h: virtual interrupts. */
export const VIRQ = { TIMER: 0, DEBUG: 1, CONSOLE: 2 } as const;

/** arch-x86/xen.h: the hypervisor's part of the GDT. */
export const FIRST_RESERVED_GDT_BYTE = 14 * 4096;
export const FIRST_RESERVED_GDT_ENTRY = FIRST_RESERVED_GDT_BYTE / 8;

/** Selectors that every guest has, by its width (xen-x86_64.h, xen-x86_32.h). */
export const FLAT = {
  8: { kernelCs: 0xe033, kernelSs: 0xe02b, kernelDs: 0, userCs: 0xe033, userSs: 0xe02b, userCs32: 0xe023 },
  4: { kernelCs: 0xe019, kernelSs: 0xe021, kernelDs: 0xe021, userCs: 0xe02b, userSs: 0xe033, userCs32: 0xe02b },
} as const;

/** The reserved region: where it begins and ends, and the table of machine frames' places in the guest at its start. */
export const RESERVED = {
  8: { start: 0xffff_8000_0000_0000n, end: 0xffff_8800_0000_0000n, m2pEnd: 0xffff_8040_0000_0000n },
  4: { start: 0xf580_0000n, end: 0x1_0000_0000n, m2pEnd: 0xf680_0000n },
} as const;
/** Entries of a root table (4-level) and of the top second-level table (PAE) that belong to the hypervisor. */
export const RESERVED_L4 = { first: 256, last: 271 } as const;
export const RESERVED_L2 = { first: 428, last: 511 } as const;

/** struct start_info: flags. */
export const SIF = { PRIVILEGED: 1, INITDOMAIN: 2, MULTIBOOT_MOD: 4, MOD_START_PFN: 8 } as const;

/** struct trap_info: flags. */
export const TRAP_INFO = { DPL: 3, MASK_EVENTS: 4 } as const;

/** struct shared_info and vcpu_info, by the guest's word: offsets. */
export const VCPU_INFO = {
  8: { bytes: 64, pending: 0, mask: 1, selector: 8, cr2: 16, time: 32 },
  4: { bytes: 64, pending: 0, mask: 1, selector: 4, cr2: 8, time: 32 },
} as const;
const VCPU_INFOS_BYTES = 32 * 64;
export const SHARED_INFO = {
  8: { pending: VCPU_INFOS_BYTES, mask: VCPU_INFOS_BYTES + 512, wallclock: VCPU_INFOS_BYTES + 1024, wallclockHigh: VCPU_INFOS_BYTES + 1036, arch: VCPU_INFOS_BYTES + 1040 },
  4: { pending: VCPU_INFOS_BYTES, mask: VCPU_INFOS_BYTES + 128, wallclock: VCPU_INFOS_BYTES + 256, wallclockHigh: VCPU_INFOS_BYTES + 292, arch: VCPU_INFOS_BYTES + 268 },
} as const; // prettier-ignore
/** struct vcpu_time_info. */
export const TIME_INFO = { version: 0, tsc: 8, system: 16, mul: 24, shift: 28, flags: 29, bytes: 32 } as const;
export const TSC_STABLE = 1;

/** features.h: bits of submap 0. */
export const FEATURE = {
  writable_page_tables: 0, writable_descriptor_tables: 1, auto_translated_physmap: 2, supervisor_mode_kernel: 3,
  pae_pgdir_above_4gb: 4, mmu_pt_update_preserve_ad: 5, highmem_assist: 6, gnttab_map_avail_bits: 7, hvm_callback_vector: 8,
  hvm_safe_pvclock: 9, hvm_pirqs: 10, dom0: 11, grant_map_identity: 12, memory_op_vnode_supported: 13,
  ARM_SMCCC_supported: 14, linux_rsdp_unrestricted: 15, not_direct_mapped: 16, direct_mapped: 17,
} as const; // prettier-ignore
/** What we offer. */
export const FEATURES =
  (1 << FEATURE.writable_page_tables) | (1 << FEATURE.pae_pgdir_above_4gb) | (1 << FEATURE.mmu_pt_update_preserve_ad) | (1 << FEATURE.gnttab_map_avail_bits); // prettier-ignore

/** sched.h */
export const SHUTDOWN = ['poweroff', 'reboot', 'suspend', 'crash', 'watchdog', 'soft_reset'] as const;

export const VERSION = { major: 4, minor: 17 } as const;
