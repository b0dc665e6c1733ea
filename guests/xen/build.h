/* Domain 0 builds another domain, as Xen's toolstack does: every step is a hypercall on the new domain (domctl.h, memory.h). */
#pragma once
#include "xen.h"

#define CHILD_FRAMES 512
/* What is on its console goes to ours, behind its number. */
struct child {
	u32 domain, bits;
	u32 console_port; /* ours */
};
void must(const char *what, long result);

/* domctl.h */
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
			u32 bits;
		} address_size;
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

/* memory.c: the child that is being built, its frames by its own numbers, and a look at one */
extern word child_frames[CHILD_FRAMES];
extern u32 child_word; /* bytes */
u32 child_create(u32 bits);
void child_populate(u32 domain);
void *look_at(u32 domain, word frame, word rights); /* 0, or PAGE_WRITABLE */
void look_away(void);
void put_word(void *page, u32 index, word value);
void copy(void *to, const void *from, word bytes);
#define PAGE_WRITABLE 2
#define BY_WIDTH(wide, narrow) (child_word == 8 ? (wide) : (narrow))
#define CHILD_BASE BY_WIDTH(0xffffffff80000000ul, 0xc0000000ul)

/* context.c: struct vcpu_guest_context, of either width */
enum context_field { FLAGS, ARGUMENT, THIRD, KERNEL_SS, KERNEL_SP, CR3, RIP, CS, RFLAGS, RSP, SS, DATA }; /* DATA: the first of four */
void context_clear(void);
void context_set(enum context_field field, word value);
word context_get(enum context_field field);
void context_give(u32 domain);
void context_take(u32 domain);
#define CONTEXT_IN_KERNEL (1 << 2)
#define CONTEXT_ONLINE (1 << 5)
word frame_to_cr3(word frame);
word cr3_to_frame(word cr3);

/* build.c: behind the kernel come what a domain is told of itself, and its page tables */
enum { LIST, INFO, CONSOLE, ROOT };
extern word child_end; /* of the kernel, in pages */
void child_build(struct child *child, const char *command_line);
void child_tell(struct child *child); /* its list of frames, start info, console; before it can run */

/* watch.c */
void child_open(struct child *child, word frame); /* its console */
void child_listen(struct child *child); /* passes on what it has written since */
void child_type(char what);
void child_forget(struct child *child);

/* save.c */
void child_look(u32 domain); /* says what it would write to a file */
void child_save(u32 domain);
void child_restore(struct child *child);
