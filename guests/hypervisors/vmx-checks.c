/*
 * Every rule of VM entry (SDM vol. 3C 27.2, 27.3), broken once: fields take bad values, the entry must be refused as the manual
 * says, and the good values come back. Where a rule is about several registers alike, each of them has its row.
 */
#include "vmx.h"

struct change { u32 field; u64 value; };
#define CHANGES 5
struct row { const char *rule; u32 expected; struct change changes[CHANGES]; };

#define BIT(n) (1UL << (n))
/* Values that set or clear bits of what is there. */
#define SET 0x10000
#define CLEAR 0x20000
#define PAST BIT(40)
#define NOT_CANONICAL BIT(47)
/* Memory of the hypervisor that nobody writes. */
#define ZEROS 0x600000
#define INJECT(vector, type, more) 0x80000000UL | (vector) | (type) << 8 | (more)
#define WITH_ERROR BIT(11)
/* A TPR shadow and virtual interrupts. */
#define POSTED { PRIMARY_CONTROLS | SET, BIT(21) }, { SECONDARY_CONTROLS | SET, BIT(9) }

static const struct row rows[] = {
	/* 27.2.1: controls */
	{ "pin-based controls: a bit that must be 1", ERROR_CONTROLS, { { PIN_CONTROLS | CLEAR, BIT(1) } } },
	{ "pin-based controls: a bit that must be 0", ERROR_CONTROLS, { { PIN_CONTROLS | SET, BIT(31) } } },
	{ "primary controls: a bit that must be 1", ERROR_CONTROLS, { { PRIMARY_CONTROLS | CLEAR, BIT(1) } } },
	{ "secondary controls: a bit that must be 0", ERROR_CONTROLS, { { SECONDARY_CONTROLS | SET, BIT(31) } } },
	{ "exit controls: a bit that must be 1", ERROR_CONTROLS, { { EXIT_CONTROLS | CLEAR, BIT(0) } } },
	{ "entry controls: a bit that must be 1", ERROR_CONTROLS, { { ENTRY_CONTROLS | CLEAR, BIT(0) } } },
	{ "more than 4 CR3 targets", ERROR_CONTROLS, { { CR3_TARGET_COUNT, 5 } } },
	{ "I/O bitmap A: alignment", ERROR_CONTROLS, { { IO_BITMAP_A | SET, 1 } } },
	{ "I/O bitmap B: width", ERROR_CONTROLS, { { IO_BITMAP_B, PAST } } },
	{ "MSR bitmaps: alignment", ERROR_CONTROLS, { { MSR_BITMAPS | SET, 8 } } },
	{ "virtual-APIC page: alignment", ERROR_CONTROLS, { { PRIMARY_CONTROLS | SET, BIT(21) }, { VIRTUAL_APIC_PAGE, 1 } } },
	{ "APIC-access page: alignment", ERROR_CONTROLS, { { SECONDARY_CONTROLS | SET, BIT(0) }, { APIC_ACCESS_PAGE, 1 } } },
	{ "TPR threshold: bits 31:4", ERROR_CONTROLS, { { PRIMARY_CONTROLS | SET, BIT(21) }, { TPR_THRESHOLD, 16 } } },
	{ "TPR threshold: above the virtual TPR", ERROR_CONTROLS, { { PRIMARY_CONTROLS | SET, BIT(21) }, { VIRTUAL_APIC_PAGE, ZEROS }, { TPR_THRESHOLD, 1 } } },
	{ "x2APIC mode without a TPR shadow", ERROR_CONTROLS, { { SECONDARY_CONTROLS | SET, BIT(4) } } },
	{ "APIC registers without a TPR shadow", ERROR_CONTROLS, { { SECONDARY_CONTROLS | SET, BIT(8) } } },
	{ "virtual interrupts without a TPR shadow", ERROR_CONTROLS, { { SECONDARY_CONTROLS | SET, BIT(9) } } },
	{ "x2APIC mode and APIC accesses", ERROR_CONTROLS, { { PRIMARY_CONTROLS | SET, BIT(21) }, { SECONDARY_CONTROLS | SET, BIT(4) | BIT(0) } } },
	{ "virtual interrupts without external-interrupt exiting", ERROR_CONTROLS, { { PRIMARY_CONTROLS | SET, BIT(21) }, { SECONDARY_CONTROLS | SET, BIT(9) }, { PIN_CONTROLS | CLEAR, BIT(0) } } },
	{ "posted interrupts without virtual interrupts", ERROR_CONTROLS, { { PRIMARY_CONTROLS | SET, BIT(21) }, { PIN_CONTROLS | SET, BIT(7) }, { EXIT_CONTROLS | SET, BIT(15) } } },
	{ "posted interrupts without acknowledgement on exit", ERROR_CONTROLS, { POSTED, { PIN_CONTROLS | SET, BIT(7) } } },
	{ "posted interrupts: a vector above 255", ERROR_CONTROLS, { POSTED, { PIN_CONTROLS | SET, BIT(7) }, { EXIT_CONTROLS | SET, BIT(15) }, { POSTED_INTERRUPT_VECTOR, 256 } } },
	{ "posted interrupts: alignment of the descriptor", ERROR_CONTROLS, { POSTED, { PIN_CONTROLS | SET, BIT(7) }, { EXIT_CONTROLS | SET, BIT(15) }, { POSTED_INTERRUPT_DESCRIPTOR, 32 } } },
	{ "posted interrupts: width of the descriptor", ERROR_CONTROLS, { POSTED, { PIN_CONTROLS | SET, BIT(7) }, { EXIT_CONTROLS | SET, BIT(15) }, { POSTED_INTERRUPT_DESCRIPTOR, PAST } } },
	{ "virtual NMIs without NMI exiting", ERROR_CONTROLS, { { PIN_CONTROLS | SET, BIT(5) }, { PIN_CONTROLS | CLEAR, BIT(3) } } },
	{ "NMI-window exiting without virtual NMIs", ERROR_CONTROLS, { { PRIMARY_CONTROLS | SET, BIT(22) } } },
	{ "VPID 0", ERROR_CONTROLS, { { VPID | CLEAR, 0xffff } } },
	{ "EPT pointer: memory type", ERROR_CONTROLS, { { EPT_POINTER | CLEAR, 7 }, { EPT_POINTER | SET, 1 } } },
	{ "EPT pointer: page-walk length", ERROR_CONTROLS, { { EPT_POINTER | CLEAR, 0x38 } } },
	{ "EPT pointer: reserved bits", ERROR_CONTROLS, { { EPT_POINTER | SET, BIT(8) } } },
	{ "an unrestricted guest without EPT", ERROR_CONTROLS, { { SECONDARY_CONTROLS | CLEAR, BIT(1) } } },
	{ "VM functions: one that does not exist", ERROR_CONTROLS, { { VM_FUNCTION_CONTROLS | SET, BIT(1) } } },
	{ "EPTP switching without EPT", ERROR_CONTROLS, { { SECONDARY_CONTROLS | CLEAR, BIT(1) | BIT(7) } } },
	{ "EPTP list: alignment", ERROR_CONTROLS, { { EPTP_LIST | SET, 8 } } },
	{ "saving a timer that is not active", ERROR_CONTROLS, { { EXIT_CONTROLS | SET, BIT(22) } } },
	{ "exit MSR-store list: alignment", ERROR_CONTROLS, { { EXIT_MSR_STORE_COUNT, 1 }, { EXIT_MSR_STORE, 8 } } },
	{ "exit MSR-load list: alignment", ERROR_CONTROLS, { { EXIT_MSR_LOAD_COUNT, 1 }, { EXIT_MSR_LOAD, 8 } } },
	{ "entry MSR-load list: width", ERROR_CONTROLS, { { ENTRY_MSR_LOAD_COUNT, 1 }, { ENTRY_MSR_LOAD, PAST } } },
	{ "exit MSR-store list: its end", ERROR_CONTROLS, { { EXIT_MSR_STORE_COUNT, 2 }, { EXIT_MSR_STORE, PAST - 16 } } },
	{ "exit MSR-load list: its end", ERROR_CONTROLS, { { EXIT_MSR_LOAD_COUNT, 2 }, { EXIT_MSR_LOAD, PAST - 16 } } },
	{ "entry MSR-load list: its end", ERROR_CONTROLS, { { ENTRY_MSR_LOAD_COUNT, 2 }, { ENTRY_MSR_LOAD, PAST - 16 } } },
	{ "injection: another event than a pending monitor trap", ERROR_CONTROLS, { { ENTRY_INTERRUPTION, INJECT(1, 7, 0) } } },
	{ "injection: reserved type", ERROR_CONTROLS, { { ENTRY_INTERRUPTION, INJECT(0x40, 1, 0) } } },
	{ "injection: an NMI of another vector", ERROR_CONTROLS, { { ENTRY_INTERRUPTION, INJECT(3, 2, 0) } } },
	{ "injection: an exception beyond 31", ERROR_CONTROLS, { { ENTRY_INTERRUPTION, INJECT(32, 3, 0) } } },
	{ "injection: #GP without an error code", ERROR_CONTROLS, { { ENTRY_INTERRUPTION, INJECT(13, 3, 0) } } },
	{ "injection: #UD with an error code", ERROR_CONTROLS, { { ENTRY_INTERRUPTION, INJECT(6, 3, WITH_ERROR) } } },
	{ "injection: an error code of more than 16 bits", ERROR_CONTROLS, { { ENTRY_INTERRUPTION, INJECT(13, 3, WITH_ERROR) }, { ENTRY_ERROR_CODE, BIT(16) } } },
	{ "injection: INT n of length 0", ERROR_CONTROLS, { { ENTRY_INTERRUPTION, INJECT(0x40, 4, 0) }, { ENTRY_INSTRUCTION_LENGTH, 0 } } },

	/* 27.2.2 to 27.2.4: the host's state */
	{ "host CR0: a fixed bit", ERROR_HOST, { { HOST_CR0 | CLEAR, BIT(5) } } },
	{ "host CR4: VMXE", ERROR_HOST, { { HOST_CR4 | CLEAR, BIT(13) } } },
	{ "host CR3: width", ERROR_HOST, { { HOST_CR3 | SET, PAST } } },
	{ "host SYSENTER_ESP: canonical", ERROR_HOST, { { HOST_SYSENTER_ESP, NOT_CANONICAL } } },
	{ "host SYSENTER_EIP: canonical", ERROR_HOST, { { HOST_SYSENTER_EIP, NOT_CANONICAL } } },
	{ "host FS base: canonical", ERROR_HOST, { { HOST_FS_BASE, NOT_CANONICAL } } },
	{ "host GS base: canonical", ERROR_HOST, { { HOST_GS_BASE, NOT_CANONICAL } } },
	{ "host GDTR base: canonical", ERROR_HOST, { { HOST_GDTR_BASE, NOT_CANONICAL } } },
	{ "host IDTR base: canonical", ERROR_HOST, { { HOST_IDTR_BASE, NOT_CANONICAL } } },
	{ "host TR base: canonical", ERROR_HOST, { { HOST_TR_BASE, NOT_CANONICAL } } },
	{ "host PAT: memory type 2", ERROR_HOST, { { HOST_PAT, 2 } } },
	{ "host EFER: LMA against the host size", ERROR_HOST, { { HOST_EFER | CLEAR, BIT(10) } } },
	{ "host ES: RPL", ERROR_HOST, { { HOST_ES, 19 } } },
	{ "host CS: RPL", ERROR_HOST, { { HOST_CS, 11 } } },
	{ "host SS: TI", ERROR_HOST, { { HOST_SS, 20 } } },
	{ "host DS: RPL", ERROR_HOST, { { HOST_DS, 17 } } },
	{ "host FS: RPL", ERROR_HOST, { { HOST_FS, 1 } } },
	{ "host GS: TI", ERROR_HOST, { { HOST_GS, 4 } } },
	{ "host TR: TI", ERROR_HOST, { { HOST_TR, 28 } } },
	{ "host CS: 0", ERROR_HOST, { { HOST_CS, 0 } } },
	{ "host TR: 0", ERROR_HOST, { { HOST_TR, 0 } } },
	{ "host CR4: PAE of a 64-bit host", ERROR_HOST, { { HOST_CR4 | CLEAR, BIT(5) } } },
	{ "a 32-bit host on a 64-bit processor", ERROR_HOST, { { EXIT_CONTROLS | CLEAR, BIT(9) }, { HOST_EFER, 0 } } },

	/* 27.3.1: the guest's state */
	{ "guest CR0: NE", FAILED_GUEST, { { GUEST_CR0 | CLEAR, BIT(5) } } },
	{ "guest CR0: PG without PE", FAILED_GUEST, { { GUEST_CR0 | CLEAR, 1 } } },
	{ "guest CR4: VMXE", FAILED_GUEST, { { GUEST_CR4 | CLEAR, BIT(13) } } },
	{ "IA-32e mode without PG", FAILED_GUEST, { { GUEST_CR0 | CLEAR, BIT(31) } } },
	{ "IA-32e mode without PAE", FAILED_GUEST, { { GUEST_CR4 | CLEAR, BIT(5) } } },
	{ "PCIDE outside IA-32e mode", FAILED_GUEST, { { ENTRY_CONTROLS | CLEAR, BIT(9) }, { GUEST_EFER, 0 }, { GUEST_CR4 | SET, BIT(17) } } },
	{ "guest CR3: width", FAILED_GUEST, { { GUEST_CR3 | SET, PAST } } },
	{ "guest DR7: bits 63:32", FAILED_GUEST, { { GUEST_DR7 | SET, BIT(32) } } },
	{ "guest DEBUGCTL: reserved bits", FAILED_GUEST, { { GUEST_DEBUGCTL, BIT(20) } } },
	{ "guest SYSENTER_ESP: canonical", FAILED_GUEST, { { GUEST_SYSENTER_ESP, NOT_CANONICAL } } },
	{ "guest SYSENTER_EIP: canonical", FAILED_GUEST, { { GUEST_SYSENTER_EIP, NOT_CANONICAL } } },
	{ "guest PAT: memory type 3", FAILED_GUEST, { { GUEST_PAT, 3 } } },
	{ "guest EFER: LMA against the IA-32e control", FAILED_GUEST, { { GUEST_EFER | CLEAR, BIT(10) } } },
	{ "SS: RPL against that of CS", FAILED_GUEST, { { SECONDARY_CONTROLS | CLEAR, BIT(7) }, { GUEST_SS, 17 } } },
	{ "SS: DPL against its RPL", FAILED_GUEST, { { SECONDARY_CONTROLS | CLEAR, BIT(7) }, { GUEST_CS_RIGHTS, 0xa09f }, { GUEST_SS_RIGHTS | SET, 0x20 } } },
	{ "TR: TI", FAILED_GUEST, { { GUEST_TR | SET, 4 } } },
	{ "LDTR: TI", FAILED_GUEST, { { GUEST_LDTR | SET, 4 }, { GUEST_LDTR_RIGHTS, 0x82 } } },
	{ "TR base: canonical", FAILED_GUEST, { { GUEST_TR_BASE, NOT_CANONICAL } } },
	{ "FS base: canonical", FAILED_GUEST, { { GUEST_FS_BASE, NOT_CANONICAL } } },
	{ "GS base: canonical", FAILED_GUEST, { { GUEST_GS_BASE, NOT_CANONICAL } } },
	{ "LDTR base: canonical", FAILED_GUEST, { { GUEST_LDTR_BASE, NOT_CANONICAL }, { GUEST_LDTR_RIGHTS, 0x82 } } },
	{ "CS base: bits 63:32", FAILED_GUEST, { { GUEST_CS_BASE, BIT(32) } } },
	{ "SS base: bits 63:32", FAILED_GUEST, { { GUEST_SS_BASE, BIT(32) } } },
	{ "DS base: bits 63:32", FAILED_GUEST, { { GUEST_DS_BASE, BIT(32) } } },
	{ "ES base: bits 63:32", FAILED_GUEST, { { GUEST_ES_BASE, BIT(32) } } },
	{ "CS: type of data", FAILED_GUEST, { { GUEST_CS_RIGHTS, 0xa091 } } },
	{ "SS: type 1", FAILED_GUEST, { { GUEST_SS_RIGHTS, 0xc091 } } },
	{ "DS: not accessed", FAILED_GUEST, { { GUEST_DS_RIGHTS, 0xc092 } } },
	{ "ES: not accessed", FAILED_GUEST, { { GUEST_ES_RIGHTS, 0xc092 } } },
	{ "FS: code that is not readable", FAILED_GUEST, { { GUEST_FS_RIGHTS, 0xc099 } } },
	{ "GS: not accessed", FAILED_GUEST, { { GUEST_GS_RIGHTS, 0xc092 } } },
	{ "CS: S", FAILED_GUEST, { { GUEST_CS_RIGHTS | CLEAR, 0x10 } } },
	{ "SS: S", FAILED_GUEST, { { GUEST_SS_RIGHTS | CLEAR, 0x10 } } },
	{ "DS: S", FAILED_GUEST, { { GUEST_DS_RIGHTS | CLEAR, 0x10 } } },
	{ "ES: S", FAILED_GUEST, { { GUEST_ES_RIGHTS | CLEAR, 0x10 } } },
	{ "FS: S", FAILED_GUEST, { { GUEST_FS_RIGHTS | CLEAR, 0x10 } } },
	{ "GS: S", FAILED_GUEST, { { GUEST_GS_RIGHTS | CLEAR, 0x10 } } },
	{ "CS: DPL against that of SS", FAILED_GUEST, { { GUEST_CS_RIGHTS | SET, 0x60 } } },
	{ "SS: DPL of real mode", FAILED_GUEST, { { GUEST_CS_RIGHTS, 0x93 }, { GUEST_SS_RIGHTS | SET, 0x60 } } },
	{ "CS: P", FAILED_GUEST, { { GUEST_CS_RIGHTS | CLEAR, 0x80 } } },
	{ "SS: P", FAILED_GUEST, { { GUEST_SS_RIGHTS | CLEAR, 0x80 } } },
	{ "DS: P", FAILED_GUEST, { { GUEST_DS_RIGHTS | CLEAR, 0x80 } } },
	{ "ES: P", FAILED_GUEST, { { GUEST_ES_RIGHTS | CLEAR, 0x80 } } },
	{ "FS: P", FAILED_GUEST, { { GUEST_FS_RIGHTS | CLEAR, 0x80 } } },
	{ "GS: P", FAILED_GUEST, { { GUEST_GS_RIGHTS | CLEAR, 0x80 } } },
	{ "CS: reserved bits", FAILED_GUEST, { { GUEST_CS_RIGHTS | SET, BIT(9) } } },
	{ "SS: reserved bits", FAILED_GUEST, { { GUEST_SS_RIGHTS | SET, BIT(9) } } },
	{ "DS: reserved bits", FAILED_GUEST, { { GUEST_DS_RIGHTS | SET, BIT(9) } } },
	{ "ES: reserved bits", FAILED_GUEST, { { GUEST_ES_RIGHTS | SET, BIT(9) } } },
	{ "FS: reserved bits", FAILED_GUEST, { { GUEST_FS_RIGHTS | SET, BIT(9) } } },
	{ "GS: reserved bits", FAILED_GUEST, { { GUEST_GS_RIGHTS | SET, BIT(9) } } },
	{ "CS: L and D", FAILED_GUEST, { { GUEST_CS_RIGHTS | SET, BIT(14) } } },
	{ "CS: G against the limit", FAILED_GUEST, { { GUEST_CS_RIGHTS | CLEAR, BIT(15) } } },
	{ "SS: G against the limit", FAILED_GUEST, { { GUEST_SS_RIGHTS | CLEAR, BIT(15) } } },
	{ "DS: G against the limit", FAILED_GUEST, { { GUEST_DS_LIMIT, 0xffff0000 } } },
	{ "ES: G against the limit", FAILED_GUEST, { { GUEST_ES_RIGHTS | CLEAR, BIT(15) } } },
	{ "FS: G against the limit", FAILED_GUEST, { { GUEST_FS_RIGHTS | CLEAR, BIT(15) } } },
	{ "GS: G against the limit", FAILED_GUEST, { { GUEST_GS_RIGHTS | CLEAR, BIT(15) } } },
	{ "TR: not busy", FAILED_GUEST, { { GUEST_TR_RIGHTS, 0x89 } } },
	{ "TR: P", FAILED_GUEST, { { GUEST_TR_RIGHTS | CLEAR, 0x80 } } },
	{ "TR: G against the limit", FAILED_GUEST, { { GUEST_TR_LIMIT, 0x100000 } } },
	{ "LDTR: type", FAILED_GUEST, { { GUEST_LDTR_RIGHTS, 0x83 } } },
	{ "LDTR: G against the limit", FAILED_GUEST, { { GUEST_LDTR_RIGHTS, 0x82 }, { GUEST_LDTR_LIMIT, 0x100000 } } },
	{ "GDTR base: canonical", FAILED_GUEST, { { GUEST_GDTR_BASE, NOT_CANONICAL } } },
	{ "IDTR base: canonical", FAILED_GUEST, { { GUEST_IDTR_BASE, NOT_CANONICAL } } },
	{ "GDTR limit: bits 31:16", FAILED_GUEST, { { GUEST_GDTR_LIMIT, 0x10000 } } },
	{ "IDTR limit: bits 31:16", FAILED_GUEST, { { GUEST_IDTR_LIMIT, 0x10000 } } },
	{ "RIP: canonical", FAILED_GUEST, { { GUEST_RIP, NOT_CANONICAL } } },
	{ "RFLAGS: bit 1", FAILED_GUEST, { { GUEST_RFLAGS, 0 } } },
	{ "an external interrupt while IF is 0", FAILED_GUEST, { { ENTRY_INTERRUPTION, INJECT(0x40, 0, 0) } } },
	{ "activity state 4", FAILED_GUEST, { { GUEST_ACTIVITY, 4 } } },
	{ "halted at CPL 3", FAILED_GUEST, { { GUEST_ACTIVITY, 1 }, { GUEST_SS_RIGHTS | SET, 0x60 }, { GUEST_CS_RIGHTS | SET, 0x60 } } },
	{ "halted while STI blocks", FAILED_GUEST, { { GUEST_ACTIVITY, 1 }, { GUEST_INTERRUPTIBILITY, 1 }, { GUEST_RFLAGS | SET, BIT(9) } } },
	{ "an exception for one that is shut down", FAILED_GUEST, { { GUEST_ACTIVITY, 2 }, { ENTRY_INTERRUPTION, INJECT(6, 3, 0) } } },
	{ "interruptibility: reserved bits", FAILED_GUEST, { { GUEST_INTERRUPTIBILITY, BIT(5) } } },
	{ "blocked by STI and MOV SS", FAILED_GUEST, { { GUEST_INTERRUPTIBILITY, 3 }, { GUEST_RFLAGS | SET, BIT(9) } } },
	{ "blocked by STI without IF", FAILED_GUEST, { { GUEST_INTERRUPTIBILITY, 1 } } },
	{ "an external interrupt while MOV SS blocks", FAILED_GUEST, { { GUEST_INTERRUPTIBILITY, 2 }, { GUEST_RFLAGS | SET, BIT(9) }, { ENTRY_INTERRUPTION, INJECT(0x40, 0, 0) } } },
	{ "an NMI while MOV SS blocks", FAILED_GUEST, { { GUEST_INTERRUPTIBILITY, 2 }, { ENTRY_INTERRUPTION, INJECT(2, 2, 0) } } },
	{ "a virtual NMI while NMIs are blocked", FAILED_GUEST, { { PIN_CONTROLS | SET, BIT(5) }, { GUEST_INTERRUPTIBILITY, 8 }, { ENTRY_INTERRUPTION, INJECT(2, 2, 0) } } },
	{ "a page fault for one that is halted", FAILED_GUEST, { { GUEST_ACTIVITY, 1 }, { ENTRY_INTERRUPTION, INJECT(14, 3, WITH_ERROR) } } },
	{ "an NMI for one that waits for a SIPI", FAILED_GUEST, { { GUEST_ACTIVITY, 3 }, { ENTRY_INTERRUPTION, INJECT(2, 2, 0) } } },
	{ "blocked by SMI", FAILED_GUEST, { { GUEST_INTERRUPTIBILITY, 4 } } },
	{ "pending debug exceptions: reserved bits", FAILED_GUEST, { { GUEST_PENDING_DEBUG, BIT(8) } } },
	{ "pending debug exceptions: a single step behind MOV SS", FAILED_GUEST, { { GUEST_INTERRUPTIBILITY, 2 }, { GUEST_PENDING_DEBUG, BIT(14) } } },
	{ "pending debug exceptions: no single step with TF", FAILED_GUEST, { { GUEST_ACTIVITY, 1 }, { GUEST_RFLAGS | SET, BIT(8) } } },
	{ "PDPTE 0: reserved bits", FAILED_GUEST, { { ENTRY_CONTROLS | CLEAR, BIT(9) }, { GUEST_EFER, 0 }, { GUEST_PDPTE0, 3 } } },
	{ "PDPTE 1: reserved bits", FAILED_GUEST, { { ENTRY_CONTROLS | CLEAR, BIT(9) }, { GUEST_EFER, 0 }, { GUEST_PDPTE1, 1 | PAST } } },
	{ "PDPTE 2: reserved bits", FAILED_GUEST, { { ENTRY_CONTROLS | CLEAR, BIT(9) }, { GUEST_EFER, 0 }, { GUEST_PDPTE2, 0x81 } } },
	{ "PDPTE 3: reserved bits", FAILED_GUEST, { { ENTRY_CONTROLS | CLEAR, BIT(9) }, { GUEST_EFER, 0 }, { GUEST_PDPTE3, 1 | BIT(63) } } },
	{ "VMCS link pointer", FAILED_GUEST, { { VMCS_LINK_POINTER, 0x1000 } } },
};

static struct registers registers;

static u32 attempt(void)
{
	int failed = vmx_enter(&registers, 1);
	if (failed)
		return failed == 2 ? vmcs_read(VM_INSTRUCTION_ERROR) : 0xffffffff;
	return vmcs_read(EXIT_REASON);
}
static int is_wrong(const struct row *row)
{
	u64 good[CHANGES];
	for (int i = 0; i < CHANGES && row->changes[i].field; i++) {
		u32 field = row->changes[i].field & 0xffff;
		u64 value = row->changes[i].value;
		good[i] = vmcs_read(field);
		vmcs_write(field, row->changes[i].field & SET ? good[i] | value : row->changes[i].field & CLEAR ? good[i] & ~value : value);
	}
	u32 got = attempt();
	for (int i = CHANGES - 1; i >= 0; i--)
		if (row->changes[i].field)
			vmcs_write(row->changes[i].field & 0xffff, good[i]);
	if (got == row->expected)
		return 0;
	print("WRONG: ");
	print(row->rule);
	print_line(", got", got);
	return 1;
}

/* All that virtual-8086 mode asks for; then each part of it otherwise. */
static int check_virtual_8086(int *count)
{
	static const u32 fields[] = { GUEST_ES_BASE, GUEST_ES_LIMIT, GUEST_ES_RIGHTS };
	static const u64 good[] = { 0x100, 0xffff, 0xf3 };
	static const char *const rules[] = { "virtual-8086 mode: base", "virtual-8086 mode: limit", "virtual-8086 mode: rights" };
	u64 saved[3][6], flags = vmcs_read(GUEST_RFLAGS), efer = vmcs_read(GUEST_EFER), controls = vmcs_read(ENTRY_CONTROLS);
	int wrong = 0;
	for (int kind = 0; kind < 3; kind++)
		for (int name = 0; name < 6; name++) {
			saved[kind][name] = vmcs_read(fields[kind] + 2 * name);
			vmcs_write(fields[kind] + 2 * name, kind == 0 ? vmcs_read(GUEST_ES + 2 * name) << 4 : good[kind]);
		}
	vmcs_write(GUEST_RFLAGS, flags | BIT(17));
	static const struct row wide = { "virtual-8086 mode in IA-32e mode", FAILED_GUEST, { { 0, 0 } } };
	wrong += is_wrong(&wide);
	vmcs_write(GUEST_EFER, 0);
	vmcs_write(ENTRY_CONTROLS, controls & ~BIT(9));
	for (int kind = 0; kind < 3; kind++)
		for (int name = 0; name < 6; name++, ++*count) {
			struct row row = { rules[kind], FAILED_GUEST, { { fields[kind] + 2 * name, 0x93 } } };
			wrong += is_wrong(&row);
		}
	for (int kind = 0; kind < 3; kind++)
		for (int name = 0; name < 6; name++)
			vmcs_write(fields[kind] + 2 * name, saved[kind][name]);
	vmcs_write(GUEST_RFLAGS, flags);
	vmcs_write(GUEST_EFER, efer);
	vmcs_write(ENTRY_CONTROLS, controls);
	++*count;
	return wrong;
}

/* 27.4: MSRs that entry may not load; the qualification says which of the list. */
static int check_msr_list(int *count)
{
	static const struct { const char *rule; u32 msr, reserved; u64 value; } bad[] = {
		{ "MSR list: FS base", 0xc0000100, 0, 0 }, { "MSR list: GS base", 0xc0000101, 0, 0 },
		{ "MSR list: an x2APIC register", 0x808, 0, 0 }, { "MSR list: bits 63:32 of the index", 0xc0000102, 1, 0 },
		{ "MSR list: a value that WRMSR refuses", 0xc0000080, 0, BIT(40) }, { "MSR list: no such register", 0x4711, 0, 0 },
	};
	static struct { u32 msr, reserved; u64 value; } list[2] __attribute__((aligned(16))) = { { 0xc0000102, 0, 0 } };
	int wrong = 0;
	vmcs_write(ENTRY_MSR_LOAD, (u64)list);
	vmcs_write(ENTRY_MSR_LOAD_COUNT, 2);
	for (u64 i = 0; i < sizeof bad / sizeof *bad; i++, ++*count) {
		list[1].msr = bad[i].msr, list[1].reserved = bad[i].reserved, list[1].value = bad[i].value;
		u32 got = attempt();
		u64 which = vmcs_read(EXIT_QUALIFICATION);
		if (got == FAILED_MSRS && which == 2)
			continue;
		print("WRONG: ");
		print(bad[i].rule);
		print_line(", got", got);
		print_line("  qualification", which);
		wrong++;
	}
	vmcs_write(ENTRY_MSR_LOAD_COUNT, 0);
	return wrong;
}

void check_entries(void)
{
	int wrong = 0, count = 0;
	wrong += check_virtual_8086(&count);
	wrong += check_msr_list(&count);
	for (u64 i = 0; i < sizeof rows / sizeof *rows; i++) {
		count++;
		wrong += is_wrong(&rows[i]);
	}
	print_line("entries refused", count);
	print_line("otherwise than the manual says", wrong);
	/* And with everything in order it enters: the guest's first exit is CPUID. */
	print_line("entered, exit reason", attempt());
}
