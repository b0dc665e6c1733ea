/*
 * A hypervisor: VMXON, one guest (guest.S) under a VMCS and EPT (vmx-setup.c), and an answer to each of its exits. What it
 * prints is what it saw. Afterwards it breaks each rule of VM entry once (vmx-checks.c).
 */
#include "vmx.h"

#define MSR_FEATURE_CONTROL 0x3a
#define MSR_VMX_BASIC 0x480

static u8 vmxon_region[4096] __attribute__((aligned(4096)));
static u8 vmcs_region[4096] __attribute__((aligned(4096)));
static u8 other_region[4096] __attribute__((aligned(4096)));
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
	ept_leaves[gpa >> 12] = (u64)window_page | EPT_WRITE_BACK | (qualification & 2 ? 3 : 1);
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
		ept_leaves[(GUEST_STACK - 1) >> 12] = 0;
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
	check_virtual_apic(ept_leaves);
	guest_state();
	check_timer();
	asm volatile("vmxoff");
	print("done\n");
	power_off();
}
