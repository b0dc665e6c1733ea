/* A small 64-bit kernel to look around in: one header for all of it. */
#ifndef KERNEL_H
#define KERNEL_H

#include "layout.h"

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;

#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define NORETURN __attribute__((noreturn))
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PAGE_BYTES 4096ul

/* boot-info.c: what the loader told us, whichever it was. */
enum boot_protocol { BOOT_MULTIBOOT = 1, BOOT_PVH };
struct boot_info {
  enum boot_protocol protocol;
  u64 memory_end; /* of the RAM that begins at 1 MiB */
  const char *command_line;
};
extern struct boot_info boot_info;
void read_boot_info(u32 magic, u64 info);
int command_line_has(const char *word);

/* console.c: the first serial port. print knows %s %c %d %u %x %p (16 digits). */
void console_init(void);
void console_write(const char *text, u64 length);
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));
NORETURN void panic(const char *format, ...);
NORETURN void power_off(u32 code);

/* memory.c: page frames and page tables. */
union page_entry {
  u64 value;
  struct {
    u64 present : 1, writable : 1, user : 1, write_through : 1, no_cache : 1, accessed : 1, dirty : 1, large : 1;
    u64 global : 1, free : 3, frame : 40, free_high : 11, no_execute : 1;
  };
};
struct page_table {
  union page_entry entries[512];
};
enum page_rights { PAGE_WRITE = 1, PAGE_USER = 2, PAGE_EXECUTE = 4 };
extern struct page_table *kernel_tables;
void memory_init(void);
u64 allocate_frame(void);
void free_frame(u64 frame);
void map_page(u64 address, u64 frame, enum page_rights rights);
int unmap_page(u64 address);
void count_pages(const struct page_table *table, int level, u64 *tables, u64 *pages);

ALWAYS_INLINE void *direct(u64 physical) {
  return (void *)(DIRECT_MAP + physical);
}

/* interrupts.c: what an entry stub leaves on the kernel stack. */
struct interrupt_frame {
  u64 r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
  u64 vector, error;
  u64 rip, cs, rflags, rsp, ss;
};
extern volatile u64 ticks;
void interrupts_init(void);
void set_kernel_stack(u64 top);

/* tasks.c: tasks take turns when they yield or wait; nobody is preempted. */
enum task_state { TASK_READY, TASK_RUNNING, TASK_WAITING, TASK_EXITED };
enum region_kind { REGION_HEAP, REGION_STACK };
struct region {
  enum region_kind kind;
  u64 start, end;
};
struct counters {
  u64 page_faults, system_calls, switches;
};
struct task {
  int id;
  char name[12];
  enum task_state state;
  u64 stack_pointer; /* while it does not run */
  u64 stack_top;
  u64 wake_tick; /* TASK_WAITING */
  struct region regions[2];
  struct counters counters;
  struct task *next; /* a ring */
};
extern struct task *current;
struct task *create_task(const char *name, void (*entry)(int), int argument);
void schedule(void);
void wait_until(u64 tick);
NORETURN void exit_task(void);
NORETURN void run_tasks(void);
struct counters total_counters(void);
int handle_page_fault(u64 address, u64 error);

/* system-calls.c */
enum system_call { SYS_WRITE = 1, SYS_GET_TICKS, SYS_YIELD, SYS_WAIT, SYS_DISCARD, SYS_EXIT };

/* user.c: the program that the tasks run, in ring 3. */
void user_walker(int rounds);
void user_counter(int rounds);

/* Single instructions. */
ALWAYS_INLINE void out8(u16 port, u8 value) {
  __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}
ALWAYS_INLINE void out32(u16 port, u32 value) {
  __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}
ALWAYS_INLINE u8 in8(u16 port) {
  u8 value;
  __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}
ALWAYS_INLINE void write_msr(u32 msr, u64 value) {
  __asm__ volatile("wrmsr" : : "c"(msr), "a"((u32)value), "d"((u32)(value >> 32)));
}
ALWAYS_INLINE u64 read_cr2(void) {
  u64 value;
  __asm__ volatile("movq %%cr2, %0" : "=r"(value));
  return value;
}

#endif
