# The guest of both hypervisors: 64-bit code at guest-physical GUEST_IMAGE, position-dependent on nothing. CALL is VMCALL under
# VT-x and VMMCALL under AMD-V: the guest finds out by the vendor that CPUID names. It does one thing after the other that a
# hypervisor can ask to see; the number of a call is in EAX, what it tells in RBX.
        .section .guest, "ax"
        .code64
guest_start:
        xorl    %eax, %eax
        cpuid
        xorl    %r12d, %r12d
        cmpl    $0x68747541, %ebx       # "Auth"
        sete    %r12b
        .macro HYPERCALL number
        movl    $\number, %eax
        testl   %r12d, %r12d
        jnz     771f
        vmcall
        jmp     772f
771:    vmmcall
772:
        .endm

        movq    $0x1122334455667788, %rbx
        HYPERCALL 1                          # hello
        movl    $0xc0000102, %ecx       # MSR_KERNEL_GS_BASE
        rdmsr
        movl    %eax, %ebx
        HYPERCALL 1
        movb    $0x5a, %al              # a port of the hypervisor's
        outb    %al, $0x80
        inb     $0x80, %al
        movzbl  %al, %ebx
        HYPERCALL 1
        movq    0x100000, %rbx          # WINDOW: nothing is there yet
        HYPERCALL 2
        movl    $0x600d, 0x100008
        movq    0x100008, %rbx
        HYPERCALL 2
        testl   %r12d, %r12d
        jnz     1f
        # VT-x alone has VM functions. Function 0: another of the hypervisor's address spaces, with another page there.
        xorl    %eax, %eax
        movl    $1, %ecx
        vmfunc
        movq    0x100008, %rbx
        HYPERCALL 2
        xorl    %eax, %eax
        xorl    %ecx, %ecx
        vmfunc
        movq    0x100008, %rbx
        HYPERCALL 2
        # The hypervisor is asked about what its list does not hold, and about functions that it has not enabled.
        xorl    %eax, %eax
        movl    $2, %ecx
        vmfunc
        movl    $512, %ecx
        vmfunc
        movl    $1, %eax
        xorl    %ecx, %ecx
        vmfunc
1:
        movq    %cr0, %rbx              # the hypervisor's bits are masked
        HYPERCALL 1
        # An IDT, for what the hypervisor injects and for a page fault of our own.
        leaq    handler(%rip), %rdi
        movl    $0x40, %ecx
        call    set_gate
        leaq    fault(%rip), %rdi
        movl    $14, %ecx
        call    set_gate
        leaq    idt_pointer(%rip), %rax
        leaq    idt(%rip), %rdx
        movq    %rdx, 2(%rax)
        lidt    (%rax)
        HYPERCALL 6                          # the hypervisor asks to be told when interrupts are open
        sti
        nop
        nop
        cli
        movq    0x40000000, %rax        # beyond the guest's own tables
after_fault:
        hlt
        HYPERCALL 4
1:      jmp     1b

        # For who counts exits.
        .globl exit_loop
exit_loop:
        xorl    %eax, %eax
        cpuid
        jmp     exit_loop

handler:
        movl    $0x40, %ebx
        HYPERCALL 3
        iretq
fault:  popq    %rbx                    # error code
        movq    %cr2, %rax
        addq    %rax, %rbx
        HYPERCALL 5
        leaq    after_fault(%rip), %rax
        movq    %rax, (%rsp)
        iretq

set_gate:                               # vector ECX to RDI
        leaq    idt(%rip), %rsi
        shll    $4, %ecx
        addq    %rcx, %rsi
        movw    %di, (%rsi)
        movw    $8, 2(%rsi)
        movw    $0x8e00, 4(%rsi)
        shrq    $16, %rdi
        movw    %di, 6(%rsi)
        ret

        .balign 16
        .globl guest_gdt
guest_gdt:
        .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff
idt_pointer:
        .word 0x41 * 16 - 1
        .quad 0
        .balign 16
idt:    .skip 0x41 * 16
