/* The programs, as they were linked: the same bytes in both kernels. */
.macro PROGRAM name
	.section .programs, "a"
	.balign 4
1:	.incbin "\name\().program"
2:	.section .rodata
3:	.ascii "\name"
	.org 3b + 16
	.long 1b, 2b
.endm
	.section .rodata
	.balign 4
	.globl programs, programs_end
programs:
	PROGRAM init
	PROGRAM hello
	PROGRAM primes
	PROGRAM sharing
	PROGRAM stack
	PROGRAM pipes
	PROGRAM turns
	PROGRAM sleep
	PROGRAM kernel
	PROGRAM nowhere
	PROGRAM zero
	.section .rodata
programs_end:
