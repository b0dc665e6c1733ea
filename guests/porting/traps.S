#ifdef PARAVIRTUAL
#define KERNEL_DS 0xe021
#else
#define KERNEL_DS 0x10
#endif

.macro ENTER
	push %ds
	push %es
	pusha
	mov $KERNEL_DS, %eax
	mov %eax, %ds
	mov %eax, %es
	cld
	push %esp
	call trap
	add $4, %esp
.endm
.macro LEAVE
	popa
	pop %es
	pop %ds
	add $8, %esp /* vector and error code */
.endm

	.text
trap_common:
	ENTER
	.globl first_return
first_return:
	LEAVE
#ifdef PARAVIRTUAL
	/* Events are allowed again, or not, with the step out of the kernel. */
	jmp hypercall_page + 23 * 32
#else
	iret
#endif

/* The processor comes here by itself from a program, and leaves by itself. */
	.globl system_call_entry
system_call_entry:
	push $0
	push $0x80
	ENTER
	LEAVE
	iret

/* void switch_stacks(u32 *old, u32 new) */
	.globl switch_stacks
switch_stacks:
	mov 4(%esp), %eax
	mov 8(%esp), %edx
	push %ebp
	push %edi
	push %esi
	push %ebx
	mov %esp, (%eax)
	mov %edx, %esp
	pop %ebx
	pop %esi
	pop %edi
	pop %ebp
	ret

/* By vector: some push an error code themselves. */
	.set vector, 0
.rept 33
	.balign 16
	.if vector == 0
	.globl trap_entries
trap_entries:
	.endif
	.if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17)
	push $0
	.endif
	push $vector
	jmp trap_common
	.set vector, vector + 1
.endr
