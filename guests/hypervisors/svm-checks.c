/* Every rule of VMRUN (APM vol. 2 15.5.1, "canonicalization and consistency checks"), broken once. */
#include "svm.h"

struct row { const char *rule; u16 offset; u8 bytes; u8 how; u64 value; };
enum { PUT, SET, CLEAR };
#define BIT(n) (1UL << (n))

static const struct row rows[] = {
	{ "EFER.SVME is 0", EFER, 8, CLEAR, BIT(12) },
	{ "CR0: NW without CD", CR0, 8, SET, BIT(29) },
	{ "CR0: bits 63:32", CR0, 8, SET, BIT(32) },
	{ "CR4: reserved bits", CR4, 8, SET, BIT(32) },
	{ "DR6: bits 63:32", DR6, 8, SET, BIT(32) },
	{ "DR7: bits 63:32", DR7, 8, SET, BIT(32) },
	{ "EFER: reserved bits", EFER, 8, SET, BIT(32) },
	{ "long mode without PAE", CR4, 8, CLEAR, BIT(5) },
	{ "long mode without PE", CR0, 8, CLEAR, BIT(0) },
	{ "CS: L and D", CS + 2, 2, SET, BIT(10) },
	{ "VMRUN is not intercepted", INTERCEPT_4, 4, CLEAR, BIT(0) },
	{ "ASID 0", GUEST_ASID, 4, PUT, 0 },
	{ "CR3: reserved bits", CR3, 8, SET, BIT(62) },
	{ "CR4: a bit that the processor lacks", CR4, 8, SET, BIT(13) },
	{ "N_CR3: reserved bits", N_CR3, 8, SET, BIT(62) },
	{ "I/O permission map: its end", IOPM_BASE, 8, PUT, BIT(40) - 0x2000 },
	{ "MSR permission map: its end", MSRPM_BASE, 8, PUT, BIT(40) - 0x1000 },
	{ "event: a reserved type", EVENTINJ, 8, PUT, BIT(31) | 5 << 8 | 13 },
	{ "event: an NMI as an exception", EVENTINJ, 8, PUT, BIT(31) | 3 << 8 | 2 },
	{ "event: an exception beyond 31", EVENTINJ, 8, PUT, BIT(31) | 3 << 8 | 32 },
	{ "TLB control: a reserved value", TLB_CONTROL, 1, PUT, 2 },
	{ "guest PAT: memory type 2", G_PAT, 8, PUT, 2 },
};
static struct registers registers;

static u64 attempt(void)
{
	FIELD(u32, CLEAN) = 0;
	svm_enter((u64)vmcb, &registers);
	return FIELD(u64, EXITCODE);
}
void check_entries(void)
{
	int wrong = 0;
	for (u64 i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct row *row = &rows[i];
		u8 good[sizeof(u64)];
		for (int j = 0; j < row->bytes; j++)
			good[j] = vmcb[row->offset + j];
		for (int j = 0; j < row->bytes; j++) {
			u8 value = row->value >> (8 * j);
			vmcb[row->offset + j] = row->how == SET ? good[j] | value : row->how == CLEAR ? good[j] & ~value : value;
		}
		u64 got = attempt();
		for (int j = 0; j < row->bytes; j++)
			vmcb[row->offset + j] = good[j];
		/* An emulator that we compare with writes 32 bits only. */
		if ((u32)got == ~0U)
			continue;
		wrong++;
		print("WRONG: ");
		print(row->rule);
		print_line(", got", got);
	}
	print_line("entries refused", sizeof rows / sizeof *rows - wrong);
	print_line("otherwise than the manual says", wrong);
	/* And with everything in order it enters: the guest's first exit is CPUID. */
	print_line("entered, exit code", attempt());
}
