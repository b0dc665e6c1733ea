/*
 * A hypervisor in one file: VMXON, a VMCS, EPT, one guest (guest.S), and an answer to each of its exits. What it prints is what
 * it saw. Afterwards it breaks each rule of VM entry once (vmx-checks.c).
 */
#include "vmx.h"

#define MSR_FEATURE_CONTROL 0x3a
#define MSR_VMX_BASIC 0x480
#define MSR_VMX_VMFUNC 0x491
#define MSR_EFER 0xc0000080

static u8 vmxon_region[4096] __attribute__((aligned(4096)));
static u8 vmcs_region[4096] __attribute__((aligned(4096)));
static u8 other_region[4096] __attribute__((aligned(4096)));
static u8 msr_bitmap[4096] __attribute__((aligned(4096)));
static u8 io_bitmaps[2][4096] __attribute__((aligned(4096)));
static u64 ept[4][512] __attribute__((aligned(4096)));
static u64 window[512] __attribute__((aligned(4096)));
/* Another guest-physical memory, the same but for the window: the guest changes to it by a VM function. */
static u64 other_ept[4][512] __attribute__((aligned(4096)));
static u64 other_window[512] __attribute__((aligned(4096)));
static u64 eptp_list[512] __attribute__((aligned(4096)));
static struct registers guest;

static const char *const reasons[] = {
	[0] = "exception", [2] = "triple fault", [7] = "interrupt window", [10] = "CPUID", [12] = "HLT", [18] = "VMCALL",
	[28] = "CR access", [30] = "I/O", [31] = "RDMSR", [32] = "WRMSR", [37] = "monitor trap", [48] = "EPT violation",
	[49] = "EPT misconfiguration", [52] = "preemption timer", [59] = "VMFUNC",
};

/* VMfail: 1 invalid, 2 valid; 0 success. */
#define OUTCOME "setc %0; setz %1"
#define REGION(name, instruction) \
	static int name(u64 region) { u8 c, z; asm volatile(instruction " %2; " OUTCOME : "=q"(c), "=q"(z) : "m"(region) : "cc", "memory"); return c ? 1 : z ? 2 : 0; }
REGION(vmxon, "vmxon")
REGION(vmclear, "vmclear")
REGION(vmptrld, "vmptrld")

u32 adjust(u32 wanted, u32 msr)
{
	u64 allowed = read_msr(msr);
	u32 value = wanted | (u32)allowed;
	if (value & ~(u32)(allowed >> 32))
		fail("a control that the processor lacks");
	return value;
}

static void enable(void)
{
	u32 ecx;
	asm volatile("cpuid" : "=c"(ecx) : "a"(1), "c"(0) : "ebx", "edx");
	if (!(ecx & 1 << 5))
		fail("the processor has no VT-x");
	if (!(read_msr(MSR_FEATURE_CONTROL) & 1))
		write_msr(MSR_FEATURE_CONTROL, 5);
	write_cr4(read_cr4() | 1 << 13);
	u32 revision = read_msr(MSR_VMX_BASIC) & 0x7fffffff;
	*(u32 *)vmxon_region = *(u32 *)vmcs_region = revision;
	print_line("VMXON", vmxon((u64)vmxon_region));
	print_line("VMXON again", vmxon((u64)vmxon_region));
	print_line("VMPTRLD of the VMXON region", vmptrld((u64)vmxon_region));
	print_line("VMCLEAR", vmclear((u64)vmcs_region));
	print_line("VMPTRLD", vmptrld((u64)vmcs_region));
	print_line("VMPTRLD of another revision", vmptrld((u64)other_region));
	print_line("error", vmcs_read(VM_INSTRUCTION_ERROR));
	print_line("VMCLEAR of the VMXON region", vmclear((u64)vmxon_region));
	print_line("error", vmcs_read(VM_INSTRUCTION_ERROR));
	print_line("VMRESUME before VMLAUNCH", vmx_enter(&guest, 1));
	print_line("error", vmcs_read(VM_INSTRUCTION_ERROR));
	u8 z;
	asm volatile("vmwrite %1, %2; setz %0" : "=q"(z) : "r"(0UL), "r"((u64)EXIT_REASON) : "cc");
	print_line("VMWRITE of a read-only field", z);
	print_line("error", vmcs_read(VM_INSTRUCTION_ERROR));
	u64 value = 0;
	asm volatile("vmread %2, %1; setz %0" : "=q"(z), "+r"(value) : "r"(0x7ffeUL) : "cc");
	print_line("VMREAD of a field that does not exist", z);
	print_line("error", vmcs_read(VM_INSTRUCTION_ERROR));
}

static void build_ept(void)
{
	ept[0][0] = (u64)ept[1] | EPT_ALL;
	ept[1][0] = (u64)ept[2] | EPT_ALL;
	ept[2][0] = (u64)ept[3] | EPT_ALL;
	for (u64 page = 0; page < 512; page++)
		if (page * 4096 != WINDOW)
			ept[3][page] = (GUEST_HPA + page * 4096) | EPT_WRITE_BACK | EPT_ALL;
	for (int level = 0; level < 3; level++)
		other_ept[level][0] = (u64)other_ept[level + 1] | EPT_ALL;
	for (u64 page = 0; page < 512; page++)
		other_ept[3][page] = ept[3][page];
	other_ept[3][WINDOW >> 12] = (u64)other_window | EPT_WRITE_BACK | EPT_ALL;
	other_window[1] = 0x07e4;
	eptp_list[0] = (u64)ept[0] | 3 << 3 | 6;
	eptp_list[1] = (u64)other_ept[0] | 3 << 3 | 6;
}

static void host_state(void)
{
	vmcs_write(HOST_CR0, read_cr0());
	vmcs_write(HOST_CR3, read_cr3());
	vmcs_write(HOST_CR4, read_cr4());
	vmcs_write(HOST_CS, 8);
	vmcs_write(HOST_SS, 16);
	vmcs_write(HOST_DS, 16);
	vmcs_write(HOST_ES, 16);
	vmcs_write(HOST_TR, 24);
	extern u8 gdt[], tss[];
	vmcs_write(HOST_GDTR_BASE, (u64)gdt);
	vmcs_write(HOST_TR_BASE, (u64)tss);
	vmcs_write(HOST_EFER, read_msr(MSR_EFER));
	vmcs_write(HOST_PAT, read_msr(0x277));
}
static void segment(int name, u32 selector, u32 rights, u32 limit)
{
	vmcs_write(GUEST_ES + 2 * name, selector);
	vmcs_write(GUEST_ES_LIMIT + 2 * name, limit);
	vmcs_write(GUEST_ES_RIGHTS + 2 * name, rights);
}
static void guest_state(void)
{
	enum { ES, CS, SS, DS, FS, GS, LDTR, TR };
	extern u8 guest_gdt[];
	vmcs_write(GUEST_CR0, 0x80000031);
	vmcs_write(GUEST_CR3, GUEST_TABLES);
	vmcs_write(GUEST_CR4, 0x2020);
	vmcs_write(GUEST_EFER, 0x500);
	vmcs_write(GUEST_PAT, read_msr(0x277));
	segment(CS, 8, 0xa09b, 0xffffffff);
	for (int name = ES; name <= GS; name++)
		if (name != CS)
			segment(name, 16, 0xc093, 0xffffffff);
	segment(LDTR, 0, 0x10000, 0);
	segment(TR, 24, 0x8b, 0x67);
	vmcs_write(GUEST_GDTR_BASE, GUEST_IMAGE + (guest_gdt - guest_image));
	vmcs_write(GUEST_GDTR_LIMIT, 23);
	vmcs_write(GUEST_DR7, 0x400);
	vmcs_write(GUEST_RFLAGS, 2);
	vmcs_write(GUEST_RIP, GUEST_IMAGE);
	vmcs_write(GUEST_RSP, GUEST_STACK);
	vmcs_write(VMCS_LINK_POINTER, ~0UL);
}
static void controls(void)
{
	vmcs_write(PIN_CONTROLS, adjust(1 << 0 | 1 << 3, MSR_VMX_TRUE_PIN));
	vmcs_write(PRIMARY_CONTROLS, adjust(1 << 7 | 1 << 25 | 1 << 28 | 1U << 31, MSR_VMX_TRUE_PRIMARY));
	vmcs_write(SECONDARY_CONTROLS, adjust(1 << 1 | 1 << 5 | 1 << 7 | 1 << 13, MSR_VMX_SECONDARY));
	vmcs_write(EXIT_CONTROLS, adjust(1 << 2 | 1 << 9 | 1 << 18 | 1 << 19 | 1 << 20 | 1 << 21, MSR_VMX_TRUE_EXIT));
	vmcs_write(ENTRY_CONTROLS, adjust(1 << 2 | 1 << 9 | 1 << 14 | 1 << 15, MSR_VMX_TRUE_ENTRY));
	vmcs_write(MSR_BITMAPS, (u64)msr_bitmap);
	vmcs_write(IO_BITMAP_A, (u64)io_bitmaps[0]);
	vmcs_write(IO_BITMAP_B, (u64)io_bitmaps[1]);
	vmcs_write(EPT_POINTER, (u64)ept[0] | 3 << 3 | 6);
	vmcs_write(VM_FUNCTION_CONTROLS, read_msr(MSR_VMX_VMFUNC) & 1);
	vmcs_write(EPTP_LIST, (u64)eptp_list);
	vmcs_write(VPID, 1);
	vmcs_write(CR0_MASK, 1 << 5);
	vmcs_write(CR0_SHADOW, 0);
	/* KERNEL_GS_BASE is asked for by its bit in the bitmap, port 80h too. */
	msr_bitmap[0x400 + (0x102 >> 3)] = 1 << (0x102 & 7);
	io_bitmaps[0][0x80 >> 3] = 1 << (0x80 & 7);
}

static u8 port_80;
static void skip(void)
{
	vmcs_write(GUEST_RIP, vmcs_read(GUEST_RIP) + vmcs_read(EXIT_INSTRUCTION_LENGTH));
}
static void primary(u32 set, u32 clear)
{
	vmcs_write(PRIMARY_CONTROLS, (vmcs_read(PRIMARY_CONTROLS) | set) & ~clear);
}

/* The guest has called. 0: it is done. */
static int answer(void)
{
	skip();
	print("  call ");
	print_hex(guest.rax);
	print_line(", it says", guest.rbx);
	if (guest.rax == CALL_OPEN)
		primary(1 << 2, 0);
	return guest.rax != CALL_DONE;
}
static void cpuid_for_guest(void)
{
	u32 a = guest.rax, b, c = guest.rcx, d;
	asm volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	guest.rax = a, guest.rbx = b, guest.rcx = c, guest.rdx = d;
	skip();
}
static void port(u64 qualification)
{
	print_line("  port", qualification >> 16);
	if (qualification & 8)
		guest.rax = (guest.rax & ~0xffUL) | (u8)(port_80 + 1);
	else
		port_80 = guest.rax;
	skip();
}
static void invalidate(void)
{
	struct { u64 pointer, reserved; } all = { 0, 0 };
	asm volatile("invept %0, %1" : : "m"(all), "r"(2UL) : "cc", "memory");
}
static void violation(u64 qualification)
{
	u64 gpa = vmcs_read(GUEST_PHYSICAL_ADDRESS);
	print_line("  guest-physical", gpa);
	print_line("  linear", vmcs_read(GUEST_LINEAR_ADDRESS));
	print_line("  qualification", qualification);
	/* First for reading alone, then for writing, too. */
	ept[3][gpa >> 12] = (u64)window | EPT_WRITE_BACK | (qualification & 2 ? 3 : 1);
	invalidate();
	/* It was for an event on its way in, which did not arrive: once more. */
	u32 event = vmcs_read(IDT_VECTORING);
	if (event & 0x80000000) {
		print_line("  while it delivered", event);
		vmcs_write(ENTRY_INTERRUPTION, event);
	}
}
static void event(void)
{
	u32 info = vmcs_read(EXIT_INTERRUPTION);
	print_line("  event", info);
	print_line("  address", vmcs_read(EXIT_QUALIFICATION));
	/* It is the guest's own: deliver it. */
	asm volatile("mov %0, %%cr2" : : "r"(vmcs_read(EXIT_QUALIFICATION)));
	vmcs_write(ENTRY_INTERRUPTION, info);
	vmcs_write(ENTRY_ERROR_CODE, vmcs_read(EXIT_ERROR_CODE));
}

static int handle(u32 reason)
{
	u64 qualification = vmcs_read(EXIT_QUALIFICATION);
	switch (reason) {
	case 0: event(); return 1;
	case 7: /* Interrupts are open: inject one, and look at single instructions for a while. */
		primary(1 << 27, 1 << 2);
		/* Its stack is gone: delivery leaves the guest again. */
		ept[3][(GUEST_STACK - 1) >> 12] = 0;
		invalidate();
		vmcs_write(ENTRY_INTERRUPTION, 0x80000000 | INJECTED_VECTOR);
		return 1;
	case 10: cpuid_for_guest(); return 1;
	case 12:
		skip();
		/* Before it goes on, the timer has to expire. */
		vmcs_write(PIN_CONTROLS, vmcs_read(PIN_CONTROLS) | 1 << 6);
		vmcs_write(PREEMPTION_TIMER, 0);
		return 1;
	case 18: return answer();
	case 30: port(qualification); return 1;
	case 31:
		guest.rax = 0x4711, guest.rdx = 0;
		skip();
		return 1;
	case 37: primary(0, 1 << 27); vmcs_write(EXCEPTION_BITMAP, 1 << 14); return 1;
	case 48: violation(qualification); return 1;
	case 59: print_line("  function", guest.rax); print_line("  of the list", guest.rcx); skip(); return 1;
	case 52: vmcs_write(PIN_CONTROLS, vmcs_read(PIN_CONTROLS) & ~(1UL << 6)); return 1;
	default: return 0;
	}
}

static void count_exits(void)
{
	vmcs_write(GUEST_RIP, GUEST_IMAGE + (exit_loop - guest_image));
	for (int launched = 0;; launched = 1) {
		vmx_enter(&guest, launched);
		cpuid_for_guest();
		mark_exit();
	}
}

void main(void)
{
	enable();
	prepare_guest();
	build_ept();
	controls();
	host_state();
	guest_state();
	if (counts_exits())
		count_exits();
	for (int launched = 0;; launched = 1) {
		int failed = vmx_enter(&guest, launched);
		if (failed) {
			print_line("entry failed", failed);
			fail("VM entry");
		}
		u32 reason = vmcs_read(EXIT_REASON);
		print("exit: ");
		print(reason < sizeof reasons / sizeof *reasons && reasons[reason] ? reasons[reason] : "?");
		print_line(", reason", reason);
		if (!handle(reason))
			break;
	}
	print_line("VMLAUNCH of a launched VMCS", vmx_enter(&guest, 0));
	print_line("error", vmcs_read(VM_INSTRUCTION_ERROR));
	guest_state();
	controls();
	vmcs_write(EXCEPTION_BITMAP, 0);
	vmcs_write(GUEST_ACTIVITY, 0);
	vmcs_write(GUEST_INTERRUPTIBILITY, 0);
	check_entries();
	check_virtual_apic(ept[3]);
	asm volatile("vmxoff");
	print("done\n");
	power_off();
}
