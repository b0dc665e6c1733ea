/*
 * The virtual APIC (SDM vol. 3C chapter 30), row by row: what is on the virtual-APIC page, RVI and SVI, the controls; what the guest
 * does (apic-guest.S); the exit that must come, and what must be on the page then. What is not told of is 0, or as it was.
 */
#include "vmx.h"

#define APIC_GPA 0x140000UL
#define IDT_GPA 0x20000UL
#define NOTIFICATION 0xf2

/* Controls, beside those that vmx.c has set. */
#define SHADOW 1
#define ACCESSES 2
#define X2APIC 4
#define REGISTERS 8
#define DELIVERY 16
#define POSTING 32
#define OPENING 64
/* HLT does not leave. */
#define HALTS 128
#define PAGE (SHADOW | ACCESSES)
#define ALL (PAGE | REGISTERS | DELIVERY)
#define MSRS (SHADOW | X2APIC)

enum action { READ, WRITE, READ_WIDE, WRITE_BYTE, WRITE_CR8, READ_CR8, READ_MSR, WRITE_MSR, OPEN, HALT, EXECUTE, WRITE_OPEN, STACK, WAIT };
/* Exit reasons. */
#define FAULT 0
#define EXTERNAL 1
#define OPENED 7
#define CALL 18
#define BELOW 43
#define ACCESS 44
#define EOI 45
#define WRITTEN 56

struct state { u8 rvi, svi, irr[3], isr[3]; u32 tpr, ppr; };
struct row {
	const char *rule;
	u32 controls;
	enum action action;
	u32 at;
	u64 value;
	struct state before;
	u8 threshold, eoi_exit, posted[3], physical;
	/* The guest is open to interrupts from the beginning. */
	u8 open;
	/* APIC timer of the host: its vector, due while the guest runs. */
	u8 timer;
	u64 cr3;
	u32 reason;
	u64 qualification;
	struct state after;
	/* Read by the guest, vectors that came to it, a register of the page. */
	u64 read, came;
	u32 look, shows;
};

static const struct row rows[] = {
	/* 30.1.2, 30.3: CR8 */
	{ "CR8 is bits 7:4 of VTPR", SHADOW, READ_CR8, .before = { .tpr = 0x93 }, .reason = CALL, .after = { .tpr = 0x93 }, .read = 9 },
	{ "MOV to CR8 sets VTPR, bits 3:0 are 0", SHADOW, WRITE_CR8, .value = 5, .before = { .tpr = 0x93 }, .reason = CALL, .after = { .tpr = 0x50 } },
	{ "MOV to CR8: 16 is too much", SHADOW, WRITE_CR8, .value = 16, .reason = FAULT },
	{ "MOV to CR8 below the threshold", SHADOW, WRITE_CR8, .value = 3, .before = { .tpr = 0x60 }, .threshold = 4, .reason = BELOW, .after = { .tpr = 0x30 } },
	{ "MOV to CR8, the threshold itself", SHADOW, WRITE_CR8, .value = 4, .before = { .tpr = 0x60 }, .threshold = 4, .reason = CALL, .after = { .tpr = 0x40 } },
	/* 30.4: the APIC-access page */
	{ "no TPR shadow: a read leaves", ACCESSES, READ, 0x80, .reason = ACCESS, .qualification = 0x80 },
	{ "no TPR shadow: a write leaves", ACCESSES, WRITE, 0x80, .reason = ACCESS, .qualification = 0x1080 },
	{ "a fetch leaves", ALL, EXECUTE, .reason = ACCESS, .qualification = 0x2000 },
	{ "VTPR is read", PAGE, READ, 0x80, .before = { .tpr = 0x93 }, .reason = CALL, .after = { .tpr = 0x93 }, .read = 0x93 },
	{ "VTPR is written, its upper bytes are 0", PAGE, WRITE, 0x80, 0x1234, .reason = CALL, .after = { .tpr = 0x34 } },
	{ "VTPR is written by a byte", PAGE, WRITE_BYTE, 0x80, 0x34, .reason = CALL, .after = { .tpr = 0x34 } },
	{ "VTPR is written below the threshold", PAGE, WRITE, 0x80, 0x3f, .before = { .tpr = 0x60 }, .threshold = 4, .reason = BELOW, .after = { .tpr = 0x3f } },
	{ "another register is read", PAGE, READ, 0x30, .reason = ACCESS, .qualification = 0x30 },
	{ "another register is written", PAGE, WRITE, 0xb0, .reason = ACCESS, .qualification = 0x10b0 },
	{ "64 bits are too many", PAGE, READ_WIDE, 0x80, .reason = ACCESS, .qualification = 0x80 },
	{ "bytes 4 to 7 of a register", ALL, READ, 0x84, .reason = ACCESS, .qualification = 0x84 },
	{ "across byte 3 of a register", ALL, READ, 0x82, .reason = ACCESS, .qualification = 0x82 },
	/* APIC-register virtualisation */
	{ "the version is read", PAGE | REGISTERS, READ, 0x30, .reason = CALL, .read = 0x50014 },
	{ "IRR is read", PAGE | REGISTERS, READ, 0x220, .before = { .irr = { 0x41 } }, .reason = CALL, .after = { .irr = { 0x41 } }, .read = 2 },
	{ "VPPR is not read", PAGE | REGISTERS, READ, 0xa0, .reason = ACCESS, .qualification = 0xa0 },
	{ "the current count is not read", PAGE | REGISTERS, READ, 0x390, .reason = ACCESS, .qualification = 0x390 },
	{ "the ID is written", PAGE | REGISTERS, WRITE, 0x20, 0x7000000, .reason = WRITTEN, .qualification = 0x20, .look = 0x20, .shows = 0x7000000 },
	{ "a byte of SVR is written", PAGE | REGISTERS, WRITE_BYTE, 0xf1, 1, .reason = WRITTEN, .qualification = 0xf1, .look = 0xf0, .shows = 0x100 },
	{ "the version is not written", PAGE | REGISTERS, WRITE, 0x30, .reason = ACCESS, .qualification = 0x1030 },
	{ "VICR_HI keeps its upper byte", PAGE | REGISTERS, WRITE, 0x310, 0x12345678, .reason = CALL, .look = 0x310, .shows = 0x12000000 },
	{ "EOI is written, without virtual interrupts", PAGE | REGISTERS, WRITE, 0xb0, .reason = WRITTEN, .qualification = 0xb0 },
	{ "VICR_LO is written, without virtual interrupts", PAGE | REGISTERS, WRITE, 0x300, 0x40061, .reason = WRITTEN, .qualification = 0x300 },
	/* Virtual interrupts: PPR at VM entry (30.1.3) */
	{ "VPPR is the TPR", ALL, READ, 0x30, .before = { .tpr = 0x57, .svi = 0x51 }, .reason = CALL, .after = { .tpr = 0x57, .ppr = 0x57, .svi = 0x51 }, .read = 0x50014 },
	{ "VPPR is SVI's class", ALL, READ, 0x30, .before = { .tpr = 0x42, .svi = 0x51 }, .reason = CALL, .after = { .tpr = 0x42, .ppr = 0x50, .svi = 0x51 }, .read = 0x50014 },
	{ "the threshold does not count", ALL, WRITE, 0x80, 0x20, .before = { .tpr = 0x60 }, .threshold = 15, .reason = CALL, .after = { .tpr = 0x20, .ppr = 0x20 } },
	/* 30.2: evaluation and delivery */
	{ "a virtual interrupt comes", ALL, OPEN, .before = { .rvi = 0x41, .irr = { 0x41 } }, .reason = CALL, .after = { .svi = 0x41, .isr = { 0x41 }, .ppr = 0x40 }, .came = 0x41 },
	{ "IF holds it back", ALL, READ, 0x30, .before = { .rvi = 0x41, .irr = { 0x41 } }, .reason = CALL, .after = { .rvi = 0x41, .irr = { 0x41 } }, .read = 0x50014 },
	{ "VPPR of its class holds it back", ALL, OPEN, .before = { .rvi = 0x4f, .irr = { 0x4f }, .tpr = 0x40 }, .reason = CALL, .after = { .rvi = 0x4f, .irr = { 0x4f }, .tpr = 0x40, .ppr = 0x40 } },
	{ "of two the higher one comes", ALL, OPEN, .before = { .rvi = 0x91, .irr = { 0x41, 0x91 } }, .reason = CALL, .after = { .rvi = 0x41, .irr = { 0x41 }, .svi = 0x91, .isr = { 0x91 }, .ppr = 0x90 }, .came = 0x91 },
	{ "interrupt-window exiting comes instead", ALL | OPENING, OPEN, .before = { .rvi = 0x41, .irr = { 0x41 } }, .reason = OPENED, .after = { .rvi = 0x41, .irr = { 0x41 } } },
	{ "it wakes one that has halted", ALL | HALTS, HALT, .before = { .rvi = 0x41, .irr = { 0x41 } }, .reason = CALL, .after = { .svi = 0x41, .isr = { 0x41 }, .ppr = 0x40 }, .came = 0x41 },
	{ "CR8 opens the way", SHADOW | DELIVERY, WRITE_CR8, .value = 3, .open = 1, .before = { .rvi = 0x41, .irr = { 0x41 }, .tpr = 0x50 }, .reason = CALL, .after = { .svi = 0x41, .isr = { 0x41 }, .tpr = 0x30, .ppr = 0x40 }, .came = 0x41 },
	{ "VTPR opens the way", ALL, WRITE_OPEN, 0x80, 0x30, .before = { .rvi = 0x41, .irr = { 0x41 }, .tpr = 0x50 }, .reason = CALL, .after = { .svi = 0x41, .isr = { 0x41 }, .tpr = 0x30, .ppr = 0x40 }, .came = 0x41 },
	{ "what cannot be delivered leaves, acknowledged", ALL, STACK, .before = { .rvi = 0x41, .irr = { 0x41 } }, .reason = ACCESS, .qualification = 0x37f8, .after = { .svi = 0x41, .isr = { 0x41 }, .ppr = 0x40 } },
	{ "before an external interrupt", ALL, READ, 0x30, .open = 1, .physical = 0x55, .before = { .rvi = 0x41, .irr = { 0x41 } }, .reason = EXTERNAL, .after = { .svi = 0x41, .isr = { 0x41 }, .ppr = 0x40 } },
	{ "behind one that it is not open to", ALL, READ, 0x30, .physical = 0x55, .before = { .rvi = 0x41, .irr = { 0x41 } }, .reason = EXTERNAL, .after = { .rvi = 0x41, .irr = { 0x41 } } },
	/* 30.1.4: end of interrupt */
	{ "EOI is read", PAGE | DELIVERY, READ, 0xb0, .reason = CALL },
	{ "an interrupt ends", ALL, WRITE, 0xb0, 5, .before = { .svi = 0x51, .isr = { 0x31, 0x51 } }, .reason = CALL, .after = { .svi = 0x31, .isr = { 0x31 }, .ppr = 0x30 }, .look = 0xb0, .shows = 0 },
	{ "an interrupt ends, as its hypervisor is told", ALL, WRITE, 0xb0, .before = { .svi = 0x51, .isr = { 0x31, 0x51 } }, .eoi_exit = 0x51, .reason = EOI, .qualification = 0x51, .after = { .svi = 0x31, .isr = { 0x31 }, .ppr = 0x30 } },
	{ "the next one comes", ALL, WRITE_OPEN, 0xb0, .before = { .rvi = 0x41, .irr = { 0x41 }, .svi = 0x51, .isr = { 0x51 } }, .reason = CALL, .after = { .svi = 0x41, .isr = { 0x41 }, .ppr = 0x40 }, .came = 0x41 },
	/* 30.1.5, 30.4.3.2: interrupts to itself */
	{ "to itself", ALL, WRITE, 0x300, 0x40061, .before = { .rvi = 0x41, .irr = { 0x41 } }, .reason = CALL, .after = { .rvi = 0x61, .irr = { 0x41, 0x61 } } },
	{ "to itself, below what waits", ALL, WRITE, 0x300, 0x44831, .before = { .rvi = 0x41, .irr = { 0x41 } }, .reason = CALL, .after = { .rvi = 0x41, .irr = { 0x41, 0x31 } } },
	{ "to itself, at once", PAGE | DELIVERY, WRITE_OPEN, 0x300, 0x40061, .reason = CALL, .after = { .svi = 0x61, .isr = { 0x61 }, .ppr = 0x60 }, .came = 0x61 },
	{ "not to itself", ALL, WRITE, 0x300, 0x00061, .reason = WRITTEN, .qualification = 0x300 },
	{ "to all", ALL, WRITE, 0x300, 0x80061, .reason = WRITTEN, .qualification = 0x300 },
	{ "an NMI", ALL, WRITE, 0x300, 0x40461, .reason = WRITTEN, .qualification = 0x300 },
	{ "level-triggered", ALL, WRITE, 0x300, 0x48061, .reason = WRITTEN, .qualification = 0x300 },
	{ "a reserved bit", ALL, WRITE, 0x300, 0x42061, .reason = WRITTEN, .qualification = 0x300 },
	{ "a vector below 16", ALL, WRITE, 0x300, 0x4000f, .reason = WRITTEN, .qualification = 0x300 },
	/* 30.5: x2APIC mode */
	{ "MSR 808h is VTPR", MSRS, READ_MSR, 0x808, .before = { .tpr = 0x93 }, .reason = CALL, .after = { .tpr = 0x93 }, .read = 0x93 },
	{ "MSR 808h is written", MSRS, WRITE_MSR, 0x808, 0x35, .reason = CALL, .after = { .tpr = 0x35 } },
	{ "MSR 808h: bits 63:8", MSRS, WRITE_MSR, 0x808, 0x100, .reason = FAULT },
	{ "MSR 808h below the threshold", MSRS, WRITE_MSR, 0x808, 0x35, .before = { .tpr = 0x60 }, .threshold = 4, .reason = BELOW, .after = { .tpr = 0x35 } },
	{ "others are the processor's", MSRS, READ_MSR, 0x80f, .reason = CALL, .read = 0x1ff },
	{ "all are the page's", MSRS | REGISTERS, READ_MSR, 0x803, .reason = CALL, .read = 0x8800050014 },
	{ "also those that do not exist", MSRS | REGISTERS, READ_MSR, 0x8ff, .reason = CALL, .read = 0x99 },
	{ "MSR 80Bh ends an interrupt", MSRS | DELIVERY, WRITE_MSR, 0x80b, .before = { .svi = 0x51, .isr = { 0x31, 0x51 } }, .reason = CALL, .after = { .svi = 0x31, .isr = { 0x31 }, .ppr = 0x30 } },
	{ "MSR 80Bh, as its hypervisor is told", MSRS | DELIVERY, WRITE_MSR, 0x80b, .before = { .svi = 0x31, .isr = { 0x31 } }, .eoi_exit = 0x31, .reason = EOI, .qualification = 0x31 },
	{ "MSR 80Bh: 0 alone", MSRS | DELIVERY, WRITE_MSR, 0x80b, 1, .before = { .svi = 0x31, .isr = { 0x31 } }, .reason = FAULT, .after = { .svi = 0x31, .isr = { 0x31 }, .ppr = 0x30 } },
	{ "MSR 83Fh, to itself", MSRS | DELIVERY, WRITE_MSR, 0x83f, 0x61, .open = 1, .reason = CALL, .after = { .svi = 0x61, .isr = { 0x61 }, .ppr = 0x60 }, .came = 0x61, .look = 0x3f0, .shows = 0x61 },
	{ "MSR 83Fh: bits 63:8", MSRS | DELIVERY, WRITE_MSR, 0x83f, 0x161, .reason = FAULT, .look = 0x3f0, .shows = 0x99 },
	{ "MSR 83Fh: a vector below 16", MSRS | DELIVERY, WRITE_MSR, 0x83f, 0xf, .reason = WRITTEN, .qualification = 0x3f0, .look = 0x3f0, .shows = 0xf },
	/* 30.6: posted interrupts */
	{ "posted", ALL | POSTING, OPEN, .posted = { 0x41, 0x61 }, .physical = NOTIFICATION, .reason = CALL, .after = { .rvi = 0x41, .irr = { 0x41 }, .svi = 0x61, .isr = { 0x61 }, .ppr = 0x60 }, .came = 0x61 },
	{ "posted below what waits", ALL | POSTING, READ, 0x30, .before = { .rvi = 0x51, .irr = { 0x51 } }, .posted = { 0x41 }, .physical = NOTIFICATION, .reason = CALL, .after = { .rvi = 0x51, .irr = { 0x41, 0x51 } }, .read = 0x50014 },
	{ "a notification of nothing", ALL | POSTING, READ, 0x30, .before = { .rvi = 0x51, .irr = { 0x51 }, .tpr = 0x60 }, .physical = NOTIFICATION, .reason = CALL, .after = { .rvi = 0x51, .irr = { 0x51 }, .tpr = 0x60, .ppr = 0x60 }, .read = 0x50014 },
	{ "another vector leaves", ALL | POSTING, OPEN, .posted = { 0x41 }, .physical = 0x55, .reason = EXTERNAL },
	{ "posted to one that waits", ALL | POSTING, WAIT, .posted = { 0x61 }, .timer = NOTIFICATION, .reason = CALL, .after = { .svi = 0x61, .isr = { 0x61 }, .ppr = 0x60 }, .came = 0x61 },
	{ "posted to one that has halted", ALL | POSTING | HALTS, HALT, .posted = { 0x61 }, .timer = NOTIFICATION, .reason = CALL, .after = { .svi = 0x61, .isr = { 0x61 }, .ppr = 0x60 }, .came = 0x61 },
	/* 30.4.6: the guest's tables on the APIC-access page */
	{ "a walk of the guest's tables", PAGE, OPEN, .cr3 = APIC_GPA, .reason = ACCESS, .qualification = 0xf000 },
};

static u32 page[1024] __attribute__((aligned(4096)));
static u8 access_page[4096] __attribute__((aligned(4096)));
static u32 descriptor[16] __attribute__((aligned(64)));
static struct registers guest;

#define X2APIC_EOI 0x80b
#define X2APIC_SVR 0x80f
#define X2APIC_TIMER 0x832
#define X2APIC_INITIAL 0x838
#define X2APIC_DIVIDE 0x83e
#define X2APIC_SELF 0x83f

static void set_vectors(u32 *words, int stride, const u8 *vectors)
{
	for (int i = 0; i < 3; i++)
		if (vectors[i])
			words[(vectors[i] >> 5) * stride] |= 1U << (vectors[i] & 31);
}
static void prepare(const struct row *row)
{
	for (int i = 0; i < 1024; i++)
		page[i] = 0;
	page[0x30 / 4] = 0x50014, page[0x34 / 4] = 0x88;
	page[0xff0 / 4] = page[0x3f0 / 4] = 0x99;
	page[0x80 / 4] = row->before.tpr;
	set_vectors(page + 0x200 / 4, 4, row->before.irr);
	set_vectors(page + 0x100 / 4, 4, row->before.isr);
	for (int i = 0; i < 16; i++)
		descriptor[i] = 0;
	set_vectors(descriptor, 1, row->posted);
	/* A notification is outstanding, and a bit that is software's. */
	descriptor[8] = 3;
	u32 on = row->controls;
	vmcs_write(GUEST_INTERRUPT_STATUS, row->before.rvi | row->before.svi << 8);
	vmcs_write(TPR_THRESHOLD, row->threshold);
	for (int i = 0; i < 4; i++)
		vmcs_write(EOI_EXIT_BITMAP0 + 2 * i, row->eoi_exit >> 6 == i && row->eoi_exit ? 1UL << (row->eoi_exit & 63) : 0);
	vmcs_write(PIN_CONTROLS, adjust(1 << 0 | 1 << 3 | (on & POSTING ? 1 << 7 : 0), MSR_VMX_TRUE_PIN));
	vmcs_write(PRIMARY_CONTROLS, adjust((on & HALTS ? 0 : 1 << 7) | 1 << 28 | 1U << 31 | (on & SHADOW ? 1 << 21 : 0) | (on & OPENING ? 1 << 2 : 0), MSR_VMX_TRUE_PRIMARY));
	vmcs_write(SECONDARY_CONTROLS, adjust(1 << 1 | 1 << 7 | (on & ACCESSES ? 1 : 0) | (on & X2APIC ? 1 << 4 : 0) | (on & REGISTERS ? 1 << 8 : 0) | (on & DELIVERY ? 1 << 9 : 0), MSR_VMX_SECONDARY));
	vmcs_write(EXIT_CONTROLS, adjust(1 << 2 | 1 << 9 | 1 << 15 | 1 << 18 | 1 << 19 | 1 << 20 | 1 << 21, MSR_VMX_TRUE_EXIT));
	extern u8 apic_guest[];
	vmcs_write(GUEST_RIP, GUEST_IMAGE + (apic_guest - guest_image));
	vmcs_write(GUEST_RSP, GUEST_STACK);
	vmcs_write(GUEST_RFLAGS, row->open ? 0x202 : 2);
	vmcs_write(GUEST_CR3, row->cr3 ? row->cr3 : GUEST_TABLES);
	vmcs_write(GUEST_ACTIVITY, 0);
	vmcs_write(GUEST_INTERRUPTIBILITY, 0);
	guest.rdi = row->action, guest.rsi = row->at, guest.rbx = row->value, guest.r8 = 0;
	if (row->physical)
		write_msr(X2APIC_SELF, row->physical);
	if (row->timer) {
		write_msr(X2APIC_TIMER, row->timer);
		write_msr(X2APIC_INITIAL, 2000);
	}
}
static u32 enter(void)
{
	int failed = vmx_enter(&guest, 1);
	return failed ? 0x1000 + (u32)vmcs_read(VM_INSTRUCTION_ERROR) : (u32)vmcs_read(EXIT_REASON);
}

static int is_wrong(const struct row *row, const char *what, u64 got, u64 wanted)
{
	if (got == wanted)
		return 0;
	print("WRONG: ");
	print(row->rule);
	print(": ");
	print(what);
	print_line(" is", got);
	print_line("  and should be", wanted);
	return 1;
}
static int differ(const struct row *row, const char *what, const u32 *words, int stride, const u8 *vectors)
{
	u32 wanted[8] = { 0 };
	int wrong = 0;
	set_vectors(wanted, 1, vectors);
	for (int i = 0; i < 8; i++)
		wrong += is_wrong(row, what, words[i * stride], wanted[i]);
	return wrong;
}
/* Exits behind an instruction: the next entry goes on with the one after it. */
static int goes_on(const struct row *row, u32 reason)
{
	if (reason != BELOW && reason != EOI && reason != WRITTEN)
		return 0;
	vmcs_write(TPR_THRESHOLD, 0);
	return is_wrong(row, "the exit behind it", enter(), CALL);
}
static int run(const struct row *row)
{
	static const u8 none[3];
	prepare(row);
	u32 reason = enter();
	int wrong = is_wrong(row, "the exit", reason, row->reason);
	wrong += is_wrong(row, "the qualification", vmcs_read(EXIT_QUALIFICATION), row->qualification);
	if (reason == EXTERNAL) {
		wrong += is_wrong(row, "the vector", vmcs_read(EXIT_INTERRUPTION), 0x80000000 | row->physical);
		write_msr(X2APIC_EOI, 0);
	}
	if (row->action == STACK)
		wrong += is_wrong(row, "the event on its way", vmcs_read(IDT_VECTORING), 0x80000041);
	wrong += is_wrong(row, "RVI and SVI", vmcs_read(GUEST_INTERRUPT_STATUS), row->after.rvi | row->after.svi << 8);
	wrong += is_wrong(row, "VTPR", page[0x80 / 4], row->after.tpr);
	wrong += is_wrong(row, "VPPR", page[0xa0 / 4], row->after.ppr);
	wrong += differ(row, "VIRR", page + 0x200 / 4, 4, row->after.irr);
	wrong += differ(row, "VISR", page + 0x100 / 4, 4, row->after.isr);
	if (row->reason == CALL) {
		wrong += is_wrong(row, "what it read", guest.rbx, row->action == READ || row->action == READ_CR8 || row->action == READ_MSR ? row->read : row->value);
		wrong += is_wrong(row, "what came", guest.r8, row->came);
	}
	if (row->look)
		wrong += is_wrong(row, "the register", page[row->look / 4], row->shows);
	if (row->controls & POSTING) {
		int taken = reason != EXTERNAL;
		wrong += differ(row, "the posted requests", descriptor, 1, taken ? none : row->posted);
		wrong += is_wrong(row, "the notification", descriptor[8], taken ? 2 : 3);
		wrong += is_wrong(row, "the physical interrupt in service", read_msr(0x817), 0);
	}
	return wrong + goes_on(row, reason);
}

/* `ept_leaves`: of the guest's first 2 MiB. */
void check_virtual_apic(u64 *ept_leaves)
{
	extern u8 apic_handlers[];
	u64 *idt = (u64 *)(GUEST_HPA + IDT_GPA);
	for (u64 vector = 0; vector < 256; vector++) {
		u64 to = GUEST_IMAGE + (apic_handlers - guest_image) + 8 * vector;
		idt[2 * vector] = (to & 0xffff) | 8 << 16 | 0x8eUL << 40 | (to >> 16) << 48;
		idt[2 * vector + 1] = 0;
	}
	ept_leaves[APIC_GPA >> 12] = (u64)access_page | EPT_WRITE_BACK | EPT_ALL;
	ept_leaves[(GUEST_STACK - 1) >> 12] = (GUEST_HPA + GUEST_STACK - 4096) | EPT_WRITE_BACK | EPT_ALL;
	vmcs_write(GUEST_IDTR_BASE, IDT_GPA);
	vmcs_write(GUEST_IDTR_LIMIT, 4095);
	vmcs_write(EXCEPTION_BITMAP, 1 << 13);
	vmcs_write(VIRTUAL_APIC_PAGE, (u64)page);
	vmcs_write(APIC_ACCESS_PAGE, (u64)access_page);
	vmcs_write(POSTED_INTERRUPT_VECTOR, NOTIFICATION);
	vmcs_write(POSTED_INTERRUPT_DESCRIPTOR, (u64)descriptor);
	write_msr(0x1b, read_msr(0x1b) | 0xc00);
	write_msr(X2APIC_SVR, 0x1ff);
	write_msr(X2APIC_DIVIDE, 0xb);
	int wrong = 0, count = sizeof rows / sizeof *rows;
	for (int i = 0; i < count; i++)
		wrong += run(&rows[i]);
	print_line("rules of the virtual APIC", count);
	print_line("otherwise than the manual says", wrong);
}
