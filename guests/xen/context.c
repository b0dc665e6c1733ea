/* struct vcpu_guest_context (arch-x86/xen.h): words of the child's width, behind what FXSAVE writes. */
#include "build.h"

#define FPU_BYTES 512
static u8 context[6144];

static u32 place(enum context_field field)
{
	/* Registers come first, then 256 trap entries of two words each. */
	u32 rip = BY_WIDTH(17, 9), behind_traps = rip + 9 + 512;
	switch (field) {
	case FLAGS:
		return 0;
	case ARGUMENT: /* RSI */
		return BY_WIDTH(14, 4);
	case THIRD: /* RDX, of hypercalls */
		return BY_WIDTH(13, 3);
	case KERNEL_SS:
		return behind_traps + 19;
	case KERNEL_SP:
		return behind_traps + 20;
	case CR3:
		return behind_traps + 21 + 3;
	default:
		return rip + (field - RIP);
	}
}
void context_clear(void)
{
	fill(context, 0, sizeof context);
}
void context_set(enum context_field field, word value)
{
	put_word(context + FPU_BYTES, place(field), value);
}
word context_get(enum context_field field)
{
	word value = 0;
	copy(&value, context + FPU_BYTES + place(field) * child_word, child_word);
	return value;
}
void context_give(u32 domain)
{
	domctl_op.vcpu.vcpu = 0;
	domctl_op.vcpu.context = context;
	must("setvcpucontext", domctl(12, domain));
}
void context_take(u32 domain)
{
	domctl_op.vcpu.vcpu = 0;
	domctl_op.vcpu.context = context;
	must("getvcpucontext", domctl(13, domain));
}
/* In 32-bit guests turned, so that frames above 4 GiB fit. */
word frame_to_cr3(word frame)
{
	return BY_WIDTH(frame << 12, (u32)(frame << 12 | frame >> 20));
}
word cr3_to_frame(word cr3)
{
	return BY_WIDTH(cr3 >> 12, (u32)(cr3 >> 12 | cr3 << 20));
}
