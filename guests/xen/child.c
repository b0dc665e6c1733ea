/*
 * A small kernel that domain 0 builds: it speaks on its console ring and powers itself off; or it is to stay, and counts until it is told to
 * suspend itself or to end.
 */
#include "xen.h"

static volatile word count;
static struct registers {
	u8 x87[16];
	u64 vector;
} before, after;

static void show_registers(struct registers *into)
{
	asm volatile("fld %%st(0); fstpt %0; movq %%xmm5, %1" : "=m"(into->x87), "=m"(into->vector));
}
/* Nothing of the hypervisor's may be mapped meanwhile, and nothing may remember a machine frame. */
static void suspend(void)
{
	static const u64 pattern = 0x0123456789abcdef;
	static u32 reason = 2;
	word counted = count;
	asm volatile("fldpi; movq %0, %%xmm5" : : "m"(pattern));
	show_registers(&before);
	xen_leave();
	long result = hypercall(HYPERCALL_SCHED_OP, 2, (word)&reason, machine_frame(start_info), 0);
	show_registers(&after);
	xen_start(start_info);
	int same = after.vector == pattern;
	for (u32 i = 0; i < 10; i++)
		same &= after.x87[i] == before.x87[i];
	print("goes on (%d): count %s, registers %s\n", result, (word)(count == counted ? "kept" : "lost"), (word)(same ? "kept" : "lost"));
}

void main(struct start_info *info)
{
	xen_start(info);
	print("%d bits, %d frames, told %s\n", (word)(8 * sizeof(word)), info->frames, (word)info->command_line);
	while (info->command_line[0] == 's') {
		int told = typed();
		count++;
		if (told == 's')
			suspend();
		if (told == 'e')
			break;
		hypercall(HYPERCALL_SCHED_OP, 0, 0, 0, 0); /* yield */
	}
	power_off();
}
