#include "kernel.h"

#define PAGE_FAULT 14
#define TIMER 32

static void end_program(const struct frame *frame, const char *why)
{
	print("%s: %s at %x\n", current->name, why, frame->eip);
	process_exit(128 + frame->vector);
}
static void page_fault(struct frame *frame)
{
	u32 address = fault_address();
	if (!from_user(frame))
		panic("a page fault of the kernel's own", frame);
	if (space_fault(&current->space, address, frame->error))
		end_program(frame, address >= KERNEL ? "touched the kernel" : "touched what it does not have");
}

/* From traps.S, on the kernel's stack. */
void trap(struct frame *frame)
{
	switch (frame->vector) {
	case PAGE_FAULT:
		page_fault(frame);
		return;
	case TIMER:
		acknowledge_timer();
		tick(from_user(frame));
		return;
	case 0x80:
		system_call(frame);
		interrupts_on();
		return;
	default:
		if (!from_user(frame))
			panic("a trap of the kernel's own", frame);
		end_program(frame, frame->vector == 0 ? "divided by zero" : "did what it may not");
	}
}

void panic(const char *why, const struct frame *frame)
{
	print("\nPANIC: %s\n", why);
	if (frame)
		print("vector %d error %x at %x, address %x\n", frame->vector, frame->error, frame->eip, fault_address());
	power_off();
}
