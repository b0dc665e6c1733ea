/* One kernel, two builds: for the bare machine, and with -DPARAVIRTUAL for Xen, where it runs in ring 1. */
#pragma once
#include <stdint.h>
#include <stddef.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define PAGE 4096u
#define KERNEL 0xc0000000u /* frame 0 is here, and so on */
#define MAX_FRAMES 16384u  /* 64 MiB */
#define TICKS_A_SECOND 100u

#ifdef PARAVIRTUAL
#define KERNEL_CS 0xe019u
#define KERNEL_DS 0xe021u
#define USER_CS 0xe02bu
#define USER_DS 0xe033u
#else
#define KERNEL_CS 0x08u
#define KERNEL_DS 0x10u
#define USER_CS 0x1bu
#define USER_DS 0x23u
#endif

/* What traps.S leaves on the kernel's stack. */
struct frame {
	u32 edi, esi, ebp, unused, ebx, edx, ecx, eax;
	u32 es, ds;
	u32 vector, error;
	u32 eip, cs, eflags, esp, ss;
};
static inline int from_user(const struct frame *frame) { return (frame->cs & 3) == 3; }

/* console.c */
void console_start(void);
void print(const char *format, ...); /* %s %d %x */
void put(char c);
void console_poll(void);
int console_line(char *into, u32 size); /* -1: there is none yet */

/* hardware.c */
void hardware_start(void);
void interrupts_on(void);
void wait_for_interrupt(void);
void set_kernel_stack(u32 top);
u32 fault_address(void);
void timer_start(void);
void acknowledge_timer(void);
void raw_put(char c);
int raw_get(void); /* -1: nothing */
void power_off(void) __attribute__((noreturn));

/* memory.c: frames by number */
void memory_start(u32 first, u32 end);
u32 frame_take(void); /* filled with zeros */
void frame_share(u32 frame);
void frame_drop(u32 frame);
u32 frame_users(u32 frame);
u32 frames_free(void);
static inline void *frame_at(u32 frame) { return (void *)(KERNEL + frame * PAGE); }
static inline u32 frame_of(const void *at) { return ((u32)at - KERNEL) / PAGE; }
void copy(void *to, const void *from, u32 bytes);
void fill(void *to, int value, u32 bytes);
int equal(const char *a, const char *b);

/* tables.c: entries of page tables */
#define PRESENT 1ull
#define WRITABLE 2ull
#define USER 4ull
#define SHARED 0x200ull /* to be copied when it is written */
void tables_start(u32 *first_free, u32 *end);
u64 entry_for(u32 frame, u64 rights);
u32 entry_frame(u64 entry);
u64 *table_new(void);
void table_seal(u64 *table);
void table_free(u64 *table);
void entry_set(u64 *entry, u64 value); /* takes effect with entries_done */
void entries_done(void);
void entry_set_now(u32 address, u64 *entry, u64 value);
void root_new(u64 *root);
void root_old(u64 *root);
void root_use(u64 *root);
extern u64 *kernel_root, *kernel_entries; /* of the second level, for the last GiB */

/* space.c: address spaces of programs, below 1 GiB */
#define STACK_TOP 0x40000000u
#define STACK_BYTES 0x100000u
struct space {
	u64 *root, *user, *kernel;
	u32 heap, heap_end;
};
void space_new(struct space *space);
void space_copy(struct space *to, struct space *from);
void space_end(struct space *space);
int space_fault(struct space *space, u32 address, u32 error);
int space_reach(struct space *space, u32 address, u32 bytes, int write);
void *space_page(struct space *space, u32 address);

/* process.c */
#define FILES 6
enum file_kind { CLOSED, CONSOLE, PIPE_READ, PIPE_WRITE };
struct pipe;
struct file {
	enum file_kind kind;
	struct pipe *pipe;
};
enum state { UNUSED, READY, WAITING, ENDED };
struct process {
	u32 id, parent, stack, stack_frame, wake_at;
	enum state state;
	int status;
	const void *waits_for;
	struct space space;
	struct file files[FILES];
	char name[16];
};
extern struct process *current;
extern u32 ticks;
void processes_start(void);
void schedule(void);
void wait_on(const void *what);
void wake(const void *what);
int process_fork(struct frame *frame);
int process_exec(struct frame *frame, const char *name, u32 argument);
int process_wait(int *status);
void process_exit(int status) __attribute__((noreturn));
void process_sleep(u32 for_ticks);
void tick(int in_user);

/* pipe.c */
int pipe_new(struct file *ends);
int pipe_read(struct pipe *pipe, char *into, u32 bytes);
int pipe_write(struct pipe *pipe, const char *from, u32 bytes);
void pipe_open(struct file *file);
void pipe_close(struct file *file);

/* program-files.c */
int program_load(struct space *space, const char *name, u32 *entry);

/* calls.c */
void system_call(struct frame *frame);

/* trap-handlers.c */
void panic(const char *why, const struct frame *frame) __attribute__((noreturn));
