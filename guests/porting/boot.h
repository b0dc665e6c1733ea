#pragma once
#include "kernel.h"

#ifdef PARAVIRTUAL
/* xen.h: what the domain builder says. */
struct boot {
	char magic[32];
	u32 frames, shared_info, flags, store_frame, store_port, console_frame, console_port;
	u32 tables, table_frames, machine_frames;
};
/* xen.h: what the hypervisor and the kernel share. */
struct shared {
	struct {
		u8 pending, masked;
		u32 selector, fault_address, unused[5], time[8];
	} vcpu[32];
	u32 event_pending[32], event_mask[32];
	u8 others[PAGE - 2048 - 256]; /* the page is mapped as a whole */
};
extern struct boot boot_info;
extern struct shared shared_info;

int hypercall(u32 number, u32 a, u32 b, u32 c, u32 d);
#define HYPERCALL_SET_TRAP_TABLE 0
#define HYPERCALL_MMU_UPDATE 1
#define HYPERCALL_STACK_SWITCH 3
#define HYPERCALL_SET_CALLBACKS 4
#define HYPERCALL_UPDATE_VA_MAPPING 14
#define HYPERCALL_XEN_VERSION 17
#define HYPERCALL_VCPU_OP 24
#define HYPERCALL_MMUEXT_OP 26
#define HYPERCALL_SCHED_OP 29
#define HYPERCALL_EVENT_CHANNEL_OP 32
/* update_va_mapping: and forget what the processor knows of the page. */
#define INVALIDATE 2
#else
/* Multiboot. */
struct boot {
	u32 flags, lower_kib, upper_kib;
};
extern struct boot boot_info;
#endif
extern const char boot_name[];
void boot_take(struct boot *boot);
