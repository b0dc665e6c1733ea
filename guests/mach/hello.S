/*
 * A bootstrap program for GNU Mach: it writes by the kernel's trap mach_print (number -30, argument on the stack) and waits. 32-bit, as
 * this Mach starts programs; `gcc -m32 -nostdlib -static -no-pie`.
 */
	.globl _start
_start:
	push $message
	push $0			/* in the place of a return address */
	mov $-30, %eax
	lcall $7, $0
1:	jmp 1b

	.data
message:
	.asciz "a program of ours runs on Mach\n"
