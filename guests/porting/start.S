#include "layout.h"

#ifdef PARAVIRTUAL
/* What the domain builder wants to know: elfnote.h. */
.macro NOTE type, kind, value:vararg
	.long 4, 2f - 1f, \type
	.asciz "Xen"
1:	\kind \value
2:	.balign 4
.endm
	.section .note.Xen, "a", @note
	NOTE 6, .asciz, "porting"
	NOTE 7, .asciz, "1"
	NOTE 5, .asciz, "xen-3.0"
	NOTE 8, .asciz, "generic"
	NOTE 9, .asciz, "yes"
	NOTE 3, .long, KERNEL
	NOTE 1, .long, start
	NOTE 2, .long, hypercall_page

	.text
	.globl start, hypercall_page
/* Paging is on; ESI: where start_info is. */
start:
	mov $boot_stack_end, %esp
	push %esi
	call main

	.balign 4096
hypercall_page:
	.skip 4096
#else
	.section .boot, "ax"
	.balign 4
	.long 0x1badb002, 2, -(0x1badb002 + 2) /* Multiboot, with a memory map */

	.globl start
/* Without paging; EBX: what the boot loader says. The same 64 MiB at 0, until paging is on, and at KERNEL. */
start:
	mov $(boot_entries - KERNEL), %edi
	mov $0x83, %eax /* present, writable, of 2 MiB */
	mov $(MAX_FRAMES / 512), %ecx
1:	mov %eax, (%edi)
	add $8, %edi
	add $0x200000, %eax
	loop 1b
	movl $(boot_entries - KERNEL + 1), boot_root - KERNEL
	movl $(boot_entries - KERNEL + 1), boot_root - KERNEL + 24
	mov $(boot_root - KERNEL), %eax
	mov %eax, %cr3
	mov %cr4, %eax
	or $0x20, %eax /* PAE */
	mov %eax, %cr4
	mov %cr0, %eax
	or $0x80010000, %eax /* PG, WP */
	mov %eax, %cr0
	mov $1f, %eax
	jmp *%eax

	.text
1:	mov $boot_stack_end, %esp
	add $KERNEL, %ebx
	push %ebx
	call main

	.bss
	.globl boot_root, boot_entries
	.balign 4096
boot_root:
	.skip 4096
boot_entries:
	.skip 4096
#endif

	.bss
	.balign 16
	.skip 8192
boot_stack_end:
