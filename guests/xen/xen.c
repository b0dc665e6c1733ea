#include "xen.h"
#include <stdarg.h>

struct start_info *start_info;
volatile struct shared_info *shared_info;
static u8 shared_page[PAGE] __attribute__((aligned(PAGE)));

#ifdef __x86_64__
#define BASE 0xffffffff80000000ul
#define FRAME_OF_MACHINE ((const u64 *)0xffff800000000000ul)
long hypercall(word number, word a, word b, word c, word d)
{
	extern u8 hypercall_page[];
	long result;
	register word fourth asm("r10") = d;
	asm volatile("call *%[at]" : "=a"(result), "+D"(a), "+S"(b), "+d"(c), "+r"(fourth)
		     : [at] "0"(hypercall_page + number * 32) : "rcx", "r11", "memory");
	return result;
}
static long update(void *page, u64 entry)
{
	return hypercall(HYPERCALL_UPDATE_VA_MAPPING, (word)page, entry, 2, 0);
}
#else
#define BASE 0xc0000000ul
#define FRAME_OF_MACHINE ((const u32 *)0xf5800000ul)
long hypercall(word number, word a, word b, word c, word d)
{
	extern u8 hypercall_page[];
	long result;
	asm volatile("call *%[at]" : "=a"(result), "+b"(a), "+c"(b), "+d"(c), "+S"(d)
		     : [at] "0"(hypercall_page + number * 32) : "memory");
	return result;
}
static long update(void *page, u64 entry)
{
	return hypercall(HYPERCALL_UPDATE_VA_MAPPING, (word)page, entry, entry >> 32, 2);
}
#endif

static volatile struct {
	char in[1024], out[2048];
	u32 in_taken, in_put, out_taken, out_put;
} *console;

void xen_start(struct start_info *info)
{
	start_info = info;
	console = (void *)(BASE + FRAME_OF_MACHINE[info->console_frame] * PAGE);
	map_frame(shared_page, info->shared_info / PAGE);
	shared_info = (void *)shared_page;
}
void xen_leave(void)
{
	unmap_page(shared_page);
}
void *store_ring(void)
{
	return (void *)(BASE + FRAME_OF_MACHINE[start_info->store_frame] * PAGE);
}
word machine_frame(const void *page)
{
	return ((word *)start_info->machine_frames)[((word)page - BASE) / PAGE];
}
void map_frame(void *page, u64 frame)
{
	if (update(page, frame * PAGE | 3))
		fail("update_va_mapping");
}
void unmap_page(void *page)
{
	update(page, 0);
}
void power_off(void)
{
	u32 reason = 0;
	for (;;)
		hypercall(HYPERCALL_SCHED_OP, 2, (word)&reason, 0, 0);
}
void fail(const char *what)
{
	print("FAILED: %s\n", what);
	power_off();
}

int typed(void)
{
	if (console->in_taken == console->in_put)
		return -1;
	return console->in[console->in_taken++ % sizeof console->in];
}
static void put(char c)
{
	while (console->out_put - console->out_taken == sizeof console->out)
		event_send(start_info->console_port);
	console->out[console->out_put % sizeof console->out] = c;
	asm volatile("" : : : "memory");
	console->out_put++;
	if (c == '\n')
		event_send(start_info->console_port);
}
static void put_number(word value, u32 base)
{
	char digits[24];
	u32 n = 0;
	do
		digits[n++] = "0123456789abcdef"[value % base];
	while (value /= base);
	while (n)
		put(digits[--n]);
}
void print(const char *format, ...)
{
	va_list list;
	va_start(list, format);
	for (; *format; format++) {
		if (*format != '%') {
			put(*format);
			continue;
		}
		format++;
		if (*format == 's')
			for (const char *text = va_arg(list, const char *); *text; text++)
				put(*text);
		else
			put_number(va_arg(list, word), *format == 'x' ? 16 : 10);
	}
	va_end(list);
}
void fill(void *to, int value, word bytes)
{
	asm volatile("rep stosb" : "+D"(to), "+c"(bytes) : "a"(value) : "memory");
}

/* Events stay masked: who waits, polls. */
static void event_op(u32 command, void *argument)
{
	if (hypercall(HYPERCALL_EVENT_CHANNEL_OP, command, (word)argument, 0, 0))
		fail("event_channel_op");
}
u32 event_unbound(u32 remote)
{
	struct {
		u16 domain, remote;
		u32 port;
	} op = { SELF, remote, 0 };
	event_op(6, &op);
	return op.port;
}
u32 event_connect(u32 remote, u32 port)
{
	struct {
		u16 remote;
		u32 remote_port, port;
	} op = { remote, port, 0 };
	event_op(0, &op);
	return op.port;
}
void event_send(u32 port)
{
	event_op(4, &port);
}
void event_close(u32 port)
{
	event_op(3, &port);
}
void event_wait(u32 port)
{
	volatile word *pending = &shared_info->event_pending[port / (8 * sizeof(word))];
	word bit = (word)1 << port % (8 * sizeof(word));
	struct {
		u32 *ports;
		u32 count;
		u64 timeout;
	} poll = { &port, 1, 0 };
	while (!(*pending & bit))
		hypercall(HYPERCALL_SCHED_OP, 3, (word)&poll, 0, 0);
	__atomic_fetch_and(pending, ~bit, __ATOMIC_SEQ_CST);
}
