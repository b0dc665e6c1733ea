/* What the guests here use of Xen's ABI. Structures are those of the public headers, for both widths. */
#pragma once
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef unsigned long word;

#define PAGE 4096u
#define SELF 0x7ff0

struct start_info {
	char magic[32];
	word frames, shared_info;
	u32 flags;
	word store_frame;
	u32 store_port;
	word console_frame;
	u32 console_port;
	word tables, table_frames, machine_frames, module, module_bytes;
	char command_line[1024];
};
struct shared_info {
	struct {
		u8 pending, masked;
		word selector, fault_address, unused[sizeof(word) == 4 ? 5 : 1];
		u32 time[8];
	} vcpu[32];
	word event_pending[sizeof(word) * 8], event_mask[sizeof(word) * 8];
};
extern struct start_info *start_info;
extern volatile struct shared_info *shared_info;

/* xen.c */
void xen_start(struct start_info *info);
void xen_leave(void); /* before what it found is void */
int typed(void); /* -1: nothing */
long hypercall(word number, word a, word b, word c, word d);
void power_off(void) __attribute__((noreturn));
void print(const char *format, ...); /* %s, %d, %x */
void fail(const char *what) __attribute__((noreturn));
word machine_frame(const void *page);
void map_frame(void *page, u64 frame); /* instead of what is there */
void unmap_page(void *page);
u32 event_unbound(u32 remote);
u32 event_connect(u32 remote, u32 port);
void event_send(u32 port);
void event_wait(u32 port);
void event_close(u32 port);
void fill(void *to, int value, word bytes);

/* store.c: xenstore, one request at a time */
void store_start(void);
int store_read(const char *path, char *into, u32 size); /* -1: there is no such node */
int store_write(const char *path, const char *value);
int store_permit(const char *path, const char *first, const char *second);
u32 number(const char *text);
char *number_text(u32 value, char *into); /* 11 bytes */

/* grants.c */
void grants_start(void);
u32 grant(u32 remote, const void *page);
int grant_end(u32 ref); /* -1: it is in use */
u32 grant_map(u32 remote, u32 ref, void *page);
void grant_unmap(u32 handle, void *page);

#define HYPERCALL_UPDATE_VA_MAPPING 14
#define HYPERCALL_GRANT_TABLE_OP 20
#define HYPERCALL_SCHED_OP 29
#define HYPERCALL_EVENT_CHANNEL_OP 32
#define HYPERCALL_DOMCTL 36
