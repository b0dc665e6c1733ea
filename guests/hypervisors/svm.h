/* The VMCB (APM vol. 2 appendix B) by offsets, and what svm.c and svm-checks.c share. */
#pragma once
#include "hypervisor.h"

enum offset {
	INTERCEPT_CR_READ = 0x000, INTERCEPT_EXCEPTIONS = 0x008, INTERCEPT_3 = 0x00c, INTERCEPT_4 = 0x010,
	IOPM_BASE = 0x040, MSRPM_BASE = 0x048, TSC_OFFSET = 0x050, GUEST_ASID = 0x058, TLB_CONTROL = 0x05c, V_INTR = 0x060,
	INTERRUPT_SHADOW = 0x068, EXITCODE = 0x070, EXITINFO1 = 0x078, EXITINFO2 = 0x080, EXITINTINFO = 0x088, NP_ENABLE = 0x090,
	EVENTINJ = 0x0a8, N_CR3 = 0x0b0, CLEAN = 0x0c0, NRIP = 0x0c8,
	ES = 0x400, CS = 0x410, SS = 0x420, DS = 0x430, FS = 0x440, GS = 0x450, GDTR = 0x460, LDTR = 0x470, IDTR = 0x480, TR = 0x490,
	EFER = 0x4d0, CR4 = 0x548, CR3 = 0x550, CR0 = 0x558, DR7 = 0x560, DR6 = 0x568, RFLAGS = 0x570, RIP = 0x578, RSP = 0x5d8,
	RAX = 0x5f8, CR2 = 0x640, G_PAT = 0x668,
};
extern u8 vmcb[];
#define FIELD(type, offset) (*(volatile type *)(vmcb + (offset)))

void svm_enter(u64 vmcb, struct registers *guest);
/* Breaks one rule of VMRUN after the other, and says what came of it. */
void check_entries(void);
