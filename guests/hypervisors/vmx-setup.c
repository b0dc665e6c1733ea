/* What the VMCS says before the first entry: EPT with a window that is not there, the host's state, the guest's, and what leaves it. */
#include "vmx.h"

#define MSR_VMX_VMFUNC 0x491
#define MSR_EFER 0xc0000080

static u8 msr_bitmap[4096] __attribute__((aligned(4096)));
static u8 io_bitmaps[2][4096] __attribute__((aligned(4096)));
static u64 ept[3][512] __attribute__((aligned(4096)));
u64 ept_leaves[512] __attribute__((aligned(4096)));
u64 window_page[512] __attribute__((aligned(4096)));
/* Another guest-physical memory, the same but for the window: the guest changes to it by a VM function. */
static u64 other_ept[4][512] __attribute__((aligned(4096)));
static u64 other_window[512] __attribute__((aligned(4096)));
static u64 eptp_list[512] __attribute__((aligned(4096)));

u32 adjust(u32 wanted, u32 msr)
{
	u64 allowed = read_msr(msr);
	u32 value = wanted | (u32)allowed;
	if (value & ~(u32)(allowed >> 32))
		fail("a control that the processor lacks");
	return value;
}

void build_ept(void)
{
	ept[0][0] = (u64)ept[1] | EPT_ALL;
	ept[1][0] = (u64)ept[2] | EPT_ALL;
	ept[2][0] = (u64)ept_leaves | EPT_ALL;
	for (u64 page = 0; page < 512; page++)
		if (page * 4096 != WINDOW)
			ept_leaves[page] = (GUEST_HPA + page * 4096) | EPT_WRITE_BACK | EPT_ALL;
	for (int level = 0; level < 3; level++)
		other_ept[level][0] = (u64)other_ept[level + 1] | EPT_ALL;
	for (u64 page = 0; page < 512; page++)
		other_ept[3][page] = ept_leaves[page];
	other_ept[3][WINDOW >> 12] = (u64)other_window | EPT_WRITE_BACK | EPT_ALL;
	other_window[1] = 0x07e4;
	eptp_list[0] = (u64)ept[0] | 3 << 3 | 6;
	eptp_list[1] = (u64)other_ept[0] | 3 << 3 | 6;
}

void host_state(void)
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
void guest_state(void)
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
void controls(void)
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
