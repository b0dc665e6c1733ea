#include "kernel.h"
#include "boot.h"

extern u8 trap_entries[], system_call_entry[]; /* traps.S */
#define TRAPS 32
#define ENTRY_BYTES 16
struct boot boot_info;
void boot_take(struct boot *boot)
{
	boot_info = *boot;
}

#ifdef PARAVIRTUAL
const char boot_name[] = "in ring 1 of Xen";
struct shared shared_info __attribute__((aligned(PAGE)));
static u32 timer_port;
static struct {
	char in[1024], out[2048];
	volatile u32 in_taken, in_put, out_taken, out_put;
} *console;

int hypercall(u32 number, u32 a, u32 b, u32 c, u32 d)
{
	extern u8 hypercall_page[];
	int result;
	asm volatile("call *%[at]"
		     : "=a"(result), "+b"(a), "+c"(b), "+d"(c), "+S"(d)
		     : [at] "0"(hypercall_page + number * 32)
		     : "memory");
	return result;
}

struct trap_info {
	u8 vector, flags;
	u16 cs;
	u32 address;
};
#define MASKS_EVENTS 4
void hardware_start(void)
{
	static struct trap_info traps[TRAPS + 2];
	for (u32 i = 0; i < TRAPS; i++) {
		u8 flags = i == 3 || i == 4 ? 3 : 0;
		traps[i] = (struct trap_info){ i, flags | MASKS_EVENTS, KERNEL_CS, (u32)trap_entries + i * ENTRY_BYTES };
	}
	traps[TRAPS] = (struct trap_info){ 0x80, 3, KERNEL_CS, (u32)system_call_entry };
	if (hypercall(HYPERCALL_SET_TRAP_TABLE, (u32)traps, 0, 0, 0))
		panic("set_trap_table was refused", 0);
	hypercall(HYPERCALL_SET_CALLBACKS, KERNEL_CS, (u32)trap_entries + TRAPS * ENTRY_BYTES, KERNEL_CS, (u32)trap_entries + 13 * ENTRY_BYTES);
}
void interrupts_on(void)
{
	shared_info.vcpu[0].masked = 0;
	asm volatile("" : : : "memory");
	/* Any hypercall delivers what came meanwhile. */
	if (shared_info.vcpu[0].pending)
		hypercall(HYPERCALL_XEN_VERSION, 0, 0, 0, 0);
}
void wait_for_interrupt(void)
{
	hypercall(HYPERCALL_SCHED_OP, 1, 0, 0, 0); /* SCHEDOP_block: with events allowed */
}
void set_kernel_stack(u32 top)
{
	hypercall(HYPERCALL_STACK_SWITCH, KERNEL_DS, top, 0, 0);
}
u32 fault_address(void)
{
	return shared_info.vcpu[0].fault_address;
}
void timer_start(void)
{
	struct {
		u32 virq, vcpu, port;
	} bind = { 0, 0, 0 };
	u64 period = 1000000000u / TICKS_A_SECOND;
	hypercall(HYPERCALL_EVENT_CHANNEL_OP, 1, (u32)&bind, 0, 0); /* bind_virq */
	timer_port = bind.port;
	hypercall(HYPERCALL_EVENT_CHANNEL_OP, 9, (u32)&timer_port, 0, 0); /* unmask */
	if (hypercall(HYPERCALL_VCPU_OP, 6, 0, (u32)&period, 0)) /* set_periodic_timer */
		panic("there is no timer", 0);
}
void acknowledge_timer(void)
{
	shared_info.vcpu[0].pending = 0;
	shared_info.vcpu[0].selector = 0;
	shared_info.event_pending[timer_port / 32] &= ~(1u << timer_port % 32);
}
void console_start(void)
{
	console = frame_at(entry_frame((u64)boot_info.console_frame << 12));
}
static void console_notify(void)
{
	hypercall(HYPERCALL_EVENT_CHANNEL_OP, 4, (u32)&boot_info.console_port, 0, 0); /* send */
}
void raw_put(char c)
{
	while (console->out_put - console->out_taken == sizeof console->out)
		console_notify();
	console->out[console->out_put % sizeof console->out] = c;
	console->out_put++;
	if (c == '\n')
		console_notify();
}
int raw_get(void)
{
	if (console->in_put == console->in_taken)
		return -1;
	int c = console->in[console->in_taken % sizeof console->in];
	console->in_taken++;
	console_notify();
	return c;
}
void power_off(void)
{
	u32 reason = 0;
	for (;;)
		hypercall(HYPERCALL_SCHED_OP, 2, (u32)&reason, 0, 0); /* SCHEDOP_shutdown */
}
#else
const char boot_name[] = "on the bare machine";
struct gate {
	u16 low, selector;
	u8 zero, type;
	u16 high;
};
static struct gate gates[256];
static u64 segments[6] = { 0, 0x00cf9a000000ffff, 0x00cf92000000ffff, 0x00cffa000000ffff, 0x00cff2000000ffff, 0 };
static struct {
	u32 link, esp0, ss0, others[22];
	u16 trap, io_map;
} task = { .ss0 = KERNEL_DS, .io_map = sizeof task };
struct table {
	u16 limit;
	u32 base;
} __attribute__((packed));

static void out8(u16 port, u8 value)
{
	asm volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}
static u8 in8(u16 port)
{
	u8 value;
	asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}
static void set_gate(u32 vector, u32 address, u8 type)
{
	gates[vector] = (struct gate){ address, KERNEL_CS, 0, type, address >> 16 };
}
void hardware_start(void)
{
	u32 base = (u32)&task;
	segments[5] = (u64)(base >> 24) << 56 | 0x89ull << 40 | (u64)(base & 0xffffff) << 16 | (sizeof task - 1);
	struct table gdt = { sizeof segments - 1, (u32)segments }, idt = { sizeof gates - 1, (u32)gates };
	asm volatile("lgdt %0\n ljmp %1, $1f\n1: mov %2, %%ds\n mov %2, %%es\n mov %2, %%ss\n mov %2, %%fs\n mov %2, %%gs\n ltr %w3"
		     : : "m"(gdt), "i"(KERNEL_CS), "r"(KERNEL_DS), "r"(0x28));
	for (u32 i = 0; i <= TRAPS; i++)
		set_gate(i, (u32)trap_entries + i * ENTRY_BYTES, i == 3 || i == 4 ? 0xee : 0x8e);
	set_gate(0x80, (u32)system_call_entry, 0xef);
	asm volatile("lidt %0" : : "m"(idt));
}
void interrupts_on(void)
{
	asm volatile("sti");
}
void wait_for_interrupt(void)
{
	asm volatile("sti; hlt");
}
void set_kernel_stack(u32 top)
{
	task.esp0 = top;
}
u32 fault_address(void)
{
	u32 address;
	asm volatile("mov %%cr2, %0" : "=r"(address));
	return address;
}
void timer_start(void)
{
	const u32 divisor = 1193182 / TICKS_A_SECOND;
	static const u8 pic[][2] = { { 0x20, 0x11 }, { 0xa0, 0x11 }, { 0x21, 32 }, { 0xa1, 40 }, { 0x21, 4 }, { 0xa1, 2 }, { 0x21, 1 }, { 0xa1, 1 }, { 0x21, 0xfe }, { 0xa1, 0xff } };
	for (u32 i = 0; i < sizeof pic / sizeof pic[0]; i++)
		out8(pic[i][0], pic[i][1]);
	out8(0x43, 0x34);
	out8(0x40, divisor & 255);
	out8(0x40, divisor >> 8);
}
void acknowledge_timer(void)
{
	out8(0x20, 0x20);
}
void console_start(void)
{
	static const u8 uart[][2] = { { 1, 0 }, { 3, 0x80 }, { 0, 1 }, { 1, 0 }, { 3, 3 }, { 2, 7 } };
	for (u32 i = 0; i < sizeof uart / sizeof uart[0]; i++)
		out8(0x3f8 + uart[i][0], uart[i][1]);
}
void raw_put(char c)
{
	while (!(in8(0x3fd) & 0x20))
		;
	out8(0x3f8, c);
}
int raw_get(void)
{
	return in8(0x3fd) & 1 ? in8(0x3f8) : -1;
}
void power_off(void)
{
	asm volatile("outl %0, %1" : : "a"(0), "Nd"((u16)0xf4));
	for (;;)
		asm volatile("cli; hlt");
}
#endif
