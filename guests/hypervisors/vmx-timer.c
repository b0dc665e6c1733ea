/*
 * The VMX-preemption timer of guests that do not execute (SDM vol. 3C 26.5.1), and windows that open on them (26.2): one VM entry
 * a row. The guest is HLT and VMCALL.
 */
#include "vmx.h"

#define CODE 0x90000UL
#define BIT(n) (1U << (n))
enum activity { ACTIVE, HALTED, SHUTDOWN };
enum reason { WINDOW_OPEN = 7, NMI_WINDOW_OPEN = 8, CALL = 18, TIMER = 52 };
#define INTERRUPTS 0x202
#define PIN_TIMER BIT(6)
#define PIN_VIRTUAL_NMI BIT(5)
#define INTERRUPT_WINDOW BIT(2)
#define NMI_WINDOW BIT(22)
#define SAVE_TIMER BIT(22)
/* The timer counts once in so many ticks of the TSC; what entry and exit take besides. */
#define RATE (1UL << (read_msr(0x485) & 31))
#define SLACK 2000

static const struct row {
	const char *what;
	enum activity activity;
	u32 flags, offset, pin, primary, timer;
	/* What comes of it. `left`: of the timer. */
	enum reason reason;
	enum activity after;
	u32 behind, left;
} rows[] = {
	{ "halted, interrupts closed", HALTED, 2, 0, PIN_TIMER, 0, 1000, TIMER, HALTED, 0, 0 },
	{ "halted, interrupts open", HALTED, INTERRUPTS, 0, PIN_TIMER, 0, 1000, TIMER, HALTED, 0, 0 },
	{ "halted, the timer at 0", HALTED, 2, 0, PIN_TIMER, 0, 0, TIMER, HALTED, 0, 0 },
	{ "shut down", SHUTDOWN, 2, 0, PIN_TIMER, 0, 1000, TIMER, SHUTDOWN, 0, 0 },
	{ "it halts, which is not asked for", ACTIVE, 2, 0, PIN_TIMER, 0, 1000, TIMER, HALTED, 1, 0 },
	{ "it halts with interrupts open", ACTIVE, INTERRUPTS, 0, PIN_TIMER, 0, 1000, TIMER, HALTED, 1, 0 },
	{ "active, and calls before", ACTIVE, 2, 1, PIN_TIMER, 0, 1000, CALL, ACTIVE, 1, 1000 },
	{ "halted, an interrupt window", HALTED, INTERRUPTS, 0, PIN_TIMER, INTERRUPT_WINDOW, 1000, WINDOW_OPEN, HALTED, 0, 1000 },
	{ "halted, an interrupt window that is closed", HALTED, 2, 0, PIN_TIMER, INTERRUPT_WINDOW, 1000, TIMER, HALTED, 0, 0 },
	{ "halted, an NMI window", HALTED, 2, 0, PIN_TIMER | PIN_VIRTUAL_NMI, NMI_WINDOW, 1000, NMI_WINDOW_OPEN, HALTED, 0, 1000 },
};

static struct registers guest;

static inline u64 ticks(void)
{
	u32 low, high;
	asm volatile("lfence; rdtsc" : "=a"(low), "=d"(high));
	return low | (u64)high << 32;
}
static int is_wrong(const struct row *row, const char *what, u64 value, u64 wanted)
{
	if (value == wanted)
		return 0;
	print(row->what);
	print(", ");
	print(what);
	print_line(" is", value);
	return 1;
}
static int run(const struct row *row, int resume)
{
	vmcs_write(PIN_CONTROLS, adjust(BIT(0) | BIT(3) | row->pin, MSR_VMX_TRUE_PIN));
	vmcs_write(PRIMARY_CONTROLS, adjust(BIT(31) | row->primary, MSR_VMX_TRUE_PRIMARY));
	vmcs_write(PREEMPTION_TIMER, row->timer);
	vmcs_write(GUEST_ACTIVITY, row->activity);
	vmcs_write(GUEST_INTERRUPTIBILITY, 0);
	vmcs_write(GUEST_RFLAGS, row->flags);
	vmcs_write(GUEST_RIP, CODE + row->offset);
	u64 began = ticks();
	int wrong = is_wrong(row, "the entry", vmx_enter(&guest, resume), 0);
	u64 passed = ticks() - began, due = row->reason == TIMER ? row->timer * RATE : 0;
	wrong += is_wrong(row, "the exit", vmcs_read(EXIT_REASON), row->reason);
	wrong += is_wrong(row, "the activity", vmcs_read(GUEST_ACTIVITY), row->after);
	wrong += is_wrong(row, "RIP", vmcs_read(GUEST_RIP) - CODE, row->behind);
	wrong += is_wrong(row, "time as it should be", passed >= due && passed < due + SLACK, 1);
	/* In units of the timer some time has passed. */
	u64 left = vmcs_read(PREEMPTION_TIMER);
	return wrong + is_wrong(row, "the timer as it should be", left <= row->left && left + SLACK / RATE >= row->left, 1);
}

void check_timer(void)
{
	static const u8 code[] = { 0xf4, 0x0f, 0x01, 0xc1 };
	for (u64 i = 0; i < sizeof code; i++)
		((volatile u8 *)(GUEST_HPA + CODE))[i] = code[i];
	vmcs_write(SECONDARY_CONTROLS, adjust(BIT(1) | BIT(5) | BIT(7), MSR_VMX_SECONDARY));
	vmcs_write(EXIT_CONTROLS, vmcs_read(EXIT_CONTROLS) | SAVE_TIMER);
	vmcs_write(ENTRY_INTERRUPTION, 0);
	vmcs_write(EXCEPTION_BITMAP, 0);
	int wrong = 0, count = sizeof rows / sizeof *rows;
	for (int i = 0; i < count; i++)
		wrong += run(&rows[i], 1);
	print_line("guests under the preemption timer", count);
	print_line("otherwise than the manual says", wrong);
}
