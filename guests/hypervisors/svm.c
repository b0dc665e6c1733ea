/*
 * A hypervisor in one file: SVM switched on, a VMCB, nested page tables, one guest (guest.S), and an answer to each of its exits.
 * What it prints is what it saw. Afterwards it breaks each rule of VMRUN once (svm-checks.c).
 */
#include "svm.h"

#define MSR_EFER 0xc0000080
#define MSR_VM_HSAVE_PA 0xc0010117
#define USER_WRITABLE 7

u8 vmcb[4096] __attribute__((aligned(4096)));
static u8 host_save[4096] __attribute__((aligned(4096)));
static u8 iopm[3 * 4096] __attribute__((aligned(4096)));
static u8 msrpm[2 * 4096] __attribute__((aligned(4096)));
static u64 npt[4][512] __attribute__((aligned(4096)));
static u64 window[512] __attribute__((aligned(4096)));
static struct registers guest;
static u8 port_80;

static const char *name(u64 code)
{
	switch (code) {
	case 0x4e: return "#PF";
	case 0x64: return "virtual interrupt";
	case 0x72: return "CPUID";
	case 0x78: return "HLT";
	case 0x7b: return "I/O";
	case 0x7c: return "MSR";
	case 0x7f: return "shutdown";
	case 0x81: return "VMMCALL";
	case 0x400: return "nested page fault";
	default: return "?";
	}
}

static void enable(void)
{
	u32 ecx;
	asm volatile("cpuid" : "=c"(ecx) : "a"(0x80000001), "c"(0) : "ebx", "edx");
	if (!(ecx & 4))
		fail("the processor has no AMD-V");
	write_msr(MSR_EFER, read_msr(MSR_EFER) | 1 << 12);
	write_msr(MSR_VM_HSAVE_PA, (u64)host_save);
}
static void build_tables(void)
{
	npt[0][0] = (u64)npt[1] | USER_WRITABLE;
	npt[1][0] = (u64)npt[2] | USER_WRITABLE;
	npt[2][0] = (u64)npt[3] | USER_WRITABLE;
	for (u64 page = 0; page < 512; page++)
		if (page * 4096 != WINDOW)
			npt[3][page] = (GUEST_HPA + page * 4096) | USER_WRITABLE;
}
static void segment(int at, u16 selector, u16 attributes, u32 limit)
{
	FIELD(u16, at) = selector;
	FIELD(u16, at + 2) = attributes;
	FIELD(u32, at + 4) = limit;
	FIELD(u64, at + 8) = 0;
}
static void build_vmcb(void)
{
	extern u8 guest_gdt[];
	/* Vector 3: virtual interrupts, CPUID, HLT, I/O, MSRs, shutdown; vector 4: VMRUN, VMMCALL. */
	FIELD(u32, INTERCEPT_3) = 1 << 18 | 1 << 24 | 1 << 27 | 1 << 28 | 1U << 31;
	FIELD(u32, INTERCEPT_4) = 1 << 0 | 1 << 1;
	FIELD(u64, IOPM_BASE) = (u64)iopm;
	FIELD(u64, MSRPM_BASE) = (u64)msrpm;
	FIELD(u32, GUEST_ASID) = 1;
	FIELD(u64, NP_ENABLE) = 1;
	FIELD(u64, N_CR3) = (u64)npt[0];
	FIELD(u64, G_PAT) = read_msr(0x277);
	/* Port 80h; reads of KERNEL_GS_BASE: two bits for each MSR. */
	iopm[0x80 >> 3] = 1 << (0x80 & 7);
	msrpm[0x800 + 2 * 0x102 / 8] = 1 << (2 * 0x102 & 7);
	segment(CS, 8, 0xa9b, 0xffffffff);
	for (int at = ES; at <= GS; at += 0x10)
		if (at != CS)
			segment(at, 16, 0xc93, 0xffffffff);
	segment(TR, 24, 0x8b, 0x67);
	FIELD(u64, GDTR + 8) = GUEST_IMAGE + (guest_gdt - guest_image);
	FIELD(u32, GDTR + 4) = 23;
	FIELD(u64, EFER) = 0x1500;
	FIELD(u64, CR4) = 0x20;
	FIELD(u64, CR3) = GUEST_TABLES;
	FIELD(u64, CR0) = 0x80000011;
	FIELD(u64, DR7) = 0x400;
	FIELD(u64, DR6) = 0xffff0ff0;
	FIELD(u64, RFLAGS) = 2;
	FIELD(u64, RIP) = GUEST_IMAGE;
	FIELD(u64, RSP) = GUEST_STACK;
}

/* The guest has called. 0: it is done. */
static int answer(void)
{
	u64 call = FIELD(u64, RAX);
	FIELD(u64, RIP) += 3;
	print("  call ");
	print_hex(call);
	print_line(", it says", guest.rbx);
	if (call == CALL_OPEN) {
		/* A virtual interrupt: taken when the guest opens; first the hypervisor is told. */
		FIELD(u64, V_INTR) = 1UL << 8 | 15UL << 16 | 1UL << 20 | (u64)INJECTED_VECTOR << 32;
		FIELD(u32, INTERCEPT_3) |= 1 << 4;
	}
	return call != CALL_DONE;
}
static void cpuid_for_guest(void)
{
	u32 a = FIELD(u64, RAX), b, c = guest.rcx, d;
	asm volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	FIELD(u64, RAX) = a, guest.rbx = b, guest.rcx = c, guest.rdx = d;
	FIELD(u64, RIP) += 2;
}
static void port(u64 info)
{
	print_line("  port", info >> 16);
	if (info & 1)
		FIELD(u8, RAX) = port_80 + 1;
	else
		port_80 = FIELD(u8, RAX);
	FIELD(u64, RIP) = FIELD(u64, EXITINFO2);
}
static void nested_fault(u64 info, u64 gpa)
{
	print_line("  guest-physical", gpa);
	print_line("  error code", info);
	/* First for reading alone, then for writing, too. */
	npt[3][gpa >> 12] = (u64)window | 5 | (info & 2);
	FIELD(u8, TLB_CONTROL) = 1;
	/* It was for an event on its way in, which did not arrive: once more. */
	u64 event = FIELD(u64, EXITINTINFO);
	if (event & 1UL << 31) {
		print_line("  while it delivered", event);
		FIELD(u64, EVENTINJ) = event;
	}
}
static int handle(u64 code)
{
	u64 info1 = FIELD(u64, EXITINFO1), info2 = FIELD(u64, EXITINFO2);
	FIELD(u8, TLB_CONTROL) = 0;
	switch (code) {
	case 0x4e: /* It is the guest's own: deliver it. */
		print_line("  error code", info1);
		print_line("  address", info2);
		FIELD(u64, CR2) = info2;
		/* Its stack is gone: delivery leaves the guest again. */
		npt[3][(GUEST_STACK - 1) >> 12] = 0;
		FIELD(u8, TLB_CONTROL) = 1;
		FIELD(u64, EVENTINJ) = 14 | 3 << 8 | 1 << 11 | 1UL << 31 | info1 << 32;
		return 1;
	case 0x64: /* Interrupts are open: let it have the interrupt. */
		FIELD(u32, INTERCEPT_3) &= ~(1 << 4);
		FIELD(u32, INTERCEPT_EXCEPTIONS) = 1 << 14;
		return 1;
	case 0x72: cpuid_for_guest(); return 1;
	case 0x78: FIELD(u64, RIP) += 1; return 1;
	case 0x7b: port(info1); return 1;
	case 0x7c:
		FIELD(u64, RAX) = 0x4711, guest.rdx = 0;
		FIELD(u64, RIP) += 2;
		return 1;
	case 0x81: return answer();
	case 0x400: nested_fault(info1, info2); return 1;
	default: return 0;
	}
}

static void count_exits(void)
{
	FIELD(u64, RIP) = GUEST_IMAGE + (exit_loop - guest_image);
	for (;;) {
		svm_enter((u64)vmcb, &guest);
		FIELD(u8, TLB_CONTROL) = 0;
		cpuid_for_guest();
		mark_exit();
	}
}

void main(void)
{
	enable();
	prepare_guest();
	build_tables();
	build_vmcb();
	if (counts_exits())
		count_exits();
	u64 code;
	do {
		svm_enter((u64)vmcb, &guest);
		code = FIELD(u64, EXITCODE);
		print("exit: ");
		print(name(code));
		print_line(", code", code);
	} while (handle(code));
	build_vmcb();
	FIELD(u32, INTERCEPT_EXCEPTIONS) = 0;
	check_entries();
	print("done\n");
	power_off();
}
