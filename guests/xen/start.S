/* Entry of a guest for Xen, of either width: elfnote.h, xen.h ("Start-of-day memory layout"). */
#ifdef __x86_64__
#define WORD .quad
#define BASE 0xffffffff80000000
#else
#define WORD .long
#define BASE 0xc0000000
#endif

.macro NOTE type, kind, value:vararg
	.long 4, 2f - 1f, \type
	.asciz "Xen"
1:	\kind \value
2:	.balign 4
.endm
	.section .note.Xen, "a", @note
	NOTE 6, .asciz, "ringside"
	NOTE 5, .asciz, "xen-3.0"
	NOTE 8, .asciz, "generic"
	NOTE 9, .asciz, "yes"
	NOTE 3, WORD, BASE
	NOTE 1, WORD, start
	NOTE 2, WORD, hypercall_page

	.text
	.globl start, hypercall_page
start:
#ifdef __x86_64__
	mov $stack_end, %rsp
	mov %rsi, %rdi
	xor %ebp, %ebp
	call main
#else
	mov $stack_end, %esp
	push %esi
	call main
#endif
	call power_off

	.balign 4096
hypercall_page:
	.skip 4096

	.bss
	.balign 16
	.skip 16384
stack_end:
