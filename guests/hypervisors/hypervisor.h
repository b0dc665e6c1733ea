/* What the two hypervisors share: the console, the guest's memory and registers, paging structures. */
#pragma once
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;

/* Host-physical memory: the hypervisor has the first 16 MiB, its guest lies behind. */
#define GUEST_HPA 0x1000000UL
#define GUEST_BYTES 0x200000UL
/* Guest-physical: the image at 0x8000, tables and a stack of its own. Nothing is mapped at WINDOW until it is touched. */
#define GUEST_IMAGE 0x8000UL
#define GUEST_TABLES 0x1000UL
#define GUEST_STACK 0x80000UL
#define WINDOW 0x100000UL

/* General registers that neither VMCS nor VMCB hold, in the order in which *-enter.S moves them. */
struct registers { u64 rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15; };

/* Numbers by which the guest calls (guest.S). */
enum call { CALL_HELLO = 1, CALL_WINDOW = 2, CALL_HANDLER = 3, CALL_DONE = 4, CALL_FAULT = 5, CALL_OPEN = 6 };
#define INJECTED_VECTOR 0x40

extern u8 guest_image[], guest_image_end[], exit_loop[], stack_top[];
extern u64 page_tables[];

void print(const char *text);
void print_hex(u64 value);
void print_line(const char *name, u64 value);
void power_off(void) __attribute__((noreturn));
/* Copies the image and builds the guest's own page tables: linear is guest-physical, in one 2 MiB page. */
void prepare_guest(void);
/* The command line has the word `exits`: the guest does nothing but leave, for ever, and each mark stands for so many exits. */
int counts_exits(void);
#define EXITS_A_MARK 0x4000
void mark_exit(void);
void fail(const char *what) __attribute__((noreturn));

static inline void out8(u16 port, u8 value) { asm volatile("outb %0, %1" : : "a"(value), "Nd"(port)); }
static inline u8 in8(u16 port) { u8 value; asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port)); return value; }
static inline u64 read_msr(u32 msr) { u32 low, high; asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr)); return low | (u64)high << 32; }
static inline void write_msr(u32 msr, u64 value) { asm volatile("wrmsr" : : "a"((u32)value), "d"((u32)(value >> 32)), "c"(msr)); }
static inline u64 read_cr0(void) { u64 v; asm volatile("mov %%cr0, %0" : "=r"(v)); return v; }
static inline u64 read_cr3(void) { u64 v; asm volatile("mov %%cr3, %0" : "=r"(v)); return v; }
static inline u64 read_cr4(void) { u64 v; asm volatile("mov %%cr4, %0" : "=r"(v)); return v; }
static inline void write_cr0(u64 v) { asm volatile("mov %0, %%cr0" : : "r"(v) : "memory"); }
static inline void write_cr4(u64 v) { asm volatile("mov %0, %%cr4" : : "r"(v) : "memory"); }
