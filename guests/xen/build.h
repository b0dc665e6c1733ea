/* Domain 0 builds another domain, as Xen's toolstack does: every step is a hypercall on the new domain (domctl.h, memory.h). */
#pragma once
#include "xen.h"

#define CHILD_FRAMES 512
/* Frames of the child's machine memory, by its own numbers. */
extern word child_frames[CHILD_FRAMES];
/* What is on its console goes to ours, behind its number. */
struct child {
	u32 domain;
	u32 console_port; /* ours */
};

long domctl(u32 command, u32 domain);
#define DOMCTL_VERSION 0x15
extern struct domctl {
	u32 command, version;
	u16 domain, pad[3];
	union {
		struct {
			u32 ssid;
			u8 handle[16];
			u32 flags, iommu, vcpus, ports;
			int grant_frames, mappings;
			u32 grants, trace, pool, emulation, misc;
		} create;
		struct {
			u16 domain, pad;
			u32 flags;
			u64 pages, most_pages, others[3], shared_info, time;
			u32 vcpus, last_vcpu;
		} info;
		struct {
			u64 kib;
		} most;
		struct {
			u64 frame;
		} hypercall_page;
		struct {
			u32 vcpu, pad;
			void *context;
		} vcpu;
		struct {
			u64 count;
			word *frames;
		} types;
		u8 all[256];
	};
} domctl_op;

u32 child_create(void);
void child_build(struct child *child, const char *command_line);
void child_listen(struct child *child); /* passes on what it has written since */
void child_forget(struct child *child);
void child_save(u32 domain); /* says what it would write to a file */
