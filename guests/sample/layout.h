/* Addresses and numbers that C, assembly and the linker script agree on. */
#ifndef LAYOUT_H
#define LAYOUT_H

#define KERNEL_BASE 0xffffffff80000000 /* + physical address: the kernel's image */
#define DIRECT_MAP  0xffff800000000000 /* + physical address: the first GiB */
#define DIRECT_MAP_BYTES 0x40000000

#define USER_IMAGE  0x0000000000400000
#define USER_HEAP   0x0000000010000000
#define USER_STACKS 0x00007ffff0000000

#define KERNEL_CS 0x08
#define KERNEL_DS 0x10
#define USER_DS   0x1b
#define USER_CS   0x23
#define TSS_SELECTOR 0x28

#define CR0_WP  0x00010000
#define CR0_PG  0x80000000
#define CR4_PAE 0x20
#define MSR_EFER  0xc0000080
#define MSR_STAR  0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_FMASK 0xc0000084
#define EFER_SCE 0x001
#define EFER_LME 0x100
#define EFER_NXE 0x800

#define IRQ_BASE 32
#define SYSCALL_VECTOR 256 /* not a real one: marks the frame of a SYSCALL */

#endif
