# The guest of vmx-apic.c: one thing that a guest can do to its local APIC, then a call. EDI says which, ESI is an offset in the APIC
# page or the number of an MSR, RBX a value, or what was read. Vectors that come are collected in R8, a byte each.
#define APIC 0x140000
        .section .guest, "ax"
        .code64
        .globl apic_guest, apic_handlers
apic_guest:
        xorl    %r8d, %r8d
        leaq    actions(%rip), %rax
        movslq  (%rax, %rdi, 4), %rcx
        addq    %rcx, %rax
        movl    %esi, %ecx
        jmp     *%rax
        .balign 4
actions:
        .long   read - actions, write - actions, read_wide - actions, write_byte - actions
        .long   write_cr8 - actions, read_cr8 - actions, read_x2apic - actions, write_x2apic - actions
        .long   open - actions, halt - actions, execute - actions, write_open - actions, stack - actions, wait - actions
read:   movl    APIC(%rsi), %ebx
        jmp     done
write:  movl    %ebx, APIC(%rsi)
        jmp     done
read_wide:
        movq    APIC(%rsi), %rbx
        jmp     done
write_byte:
        movb    %bl, APIC(%rsi)
        jmp     done
write_cr8:
        movq    %rbx, %cr8
        jmp     done
read_cr8:
        movq    %cr8, %rbx
        jmp     done
read_x2apic:
        rdmsr
        shlq    $32, %rdx
        leaq    (%rax, %rdx), %rbx
        jmp     done
write_x2apic:
        movl    %ebx, %eax
        movq    %rbx, %rdx
        shrq    $32, %rdx
        wrmsr
        jmp     done
open:   sti
        nop
        nop
        cli
        jmp     done
halt:   sti
        hlt
        cli
        jmp     done
execute:
        movl    $APIC, %eax
        jmp     *%rax
write_open:                             # open to interrupts before and behind the write
        sti
        nop
        movl    %ebx, APIC(%rsi)
        nop
        cli
        jmp     done
stack:                                  # what comes is to be pushed onto the APIC page
        movl    $APIC + 0x800, %esp
        jmp     open
wait:                                   # whatever it takes
        sti
1:      testl   %r8d, %r8d
        jz      1b
        cli
done:   vmcall
        ud2

# Every gate leads here: eight bytes each, so that the return address tells the vector.
        .balign 8
apic_handlers:
        .rept   256
        call    handler_of_all
        .skip   3, 0x90
        .endr
handler_of_all:
        popq    %rax
        leaq    apic_handlers(%rip), %rdx
        subq    %rdx, %rax
        shrq    $3, %rax
        shlq    $8, %r8
        orq     %rax, %r8
        iretq
