# What the virtual machines of kvm.c execute, at 1000h. Port 1 is the console; a halt is the end.
        .macro GUEST name
        .globl \name
\name:
        .endm
        .macro END name
        .globl \name\()_end
\name\()_end:
        .endm
        .macro SAY text
        jmp     782f
781:    .ascii  "\text"
782:    movw    $(781b - start + 0x1000), %si
        movw    $(782b - 781b), %cx
        cld
        rep outsb
        .endm

        .globl _start
        .text
_start: xorl    %ebp, %ebp
        andq    $-16, %rsp
        call    begin

        .section .rodata
# Real mode: a word by OUTS, then into protected mode and back.
        .code16
GUEST real_mode
        .set start, real_mode
        movw    $1, %dx
        SAY "16 bits"
        inb     $0x42, %al
        movzbw  %al, %bx
        lgdtl   %cs:(gdt_pointer - start + 0x1000)
        movl    %cr0, %eax
        orb     $1, %al
        movl    %eax, %cr0
        ljmpl   $8, $(protected - start + 0x1000)
        .code32
protected:
        movw    $16, %ax
        movw    %ax, %ds
        movb    $'+', %al
        outb    %al, %dx
        ljmpl   $24, $(narrow - start + 0x1000)
        .code16
narrow: movl    %cr0, %eax
        andb    $0xfe, %al
        movl    %eax, %cr0
        ljmpw   $0, $(back - start + 0x1000)
back:   movb    $'-', %al
        outb    %al, %dx
        hlt
        .balign 8
gdt:    .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00009b000000ffff
gdt_pointer:
        .word 31
        .long gdt - start + 0x1000
END real_mode

# Long mode: devices in memory, CPUID, MSRs, a page made writable.
        .code64
GUEST long_mode
        movl    $1, %edx
        movl    $0x34366362, %eax               # "bc64"
        movl    $4, %ecx
1:      outb    %al, %dx
        shrl    $8, %eax
        loop    1b
        movl    $0x300000, %edi
        movb    %al, (%rdi)
        movzbl  8(%rdi), %ebx
        xorl    %eax, %eax
        cpuid
        movl    $0xc0000102, %ecx
        movl    $0x12345678, %eax
        xorl    %edx, %edx
        wrmsr
        rdmsr
        movl    %eax, %ebx
        movq    %cr3, %rax
        movq    %rax, %cr3
        movq    $0x5a5a, 0x100000
        addq    0x100000, %rbx
        hlt
END long_mode

# Real mode with KVM's interrupt controllers and timer: five ticks.
        .code16
GUEST interrupts
        .set start, interrupts
        xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %ss
        movw    $0x8000, %sp
        movw    $(tick - start + 0x1000), 0x20 * 4
        movw    %ax, 0x20 * 4 + 2
        movb    $0x11, %al
        outb    %al, $0x20
        movb    $0x20, %al
        outb    %al, $0x21
        movb    $4, %al
        outb    %al, $0x21
        movb    $1, %al
        outb    %al, $0x21
        movb    $0xfe, %al
        outb    %al, $0x21
        movb    $0x34, %al
        outb    %al, $0x43
        movb    $0x00, %al
        outb    %al, $0x40
        movb    $0x04, %al
        outb    %al, $0x40
        xorw    %bx, %bx
        sti
1:      hlt
        cmpw    $5, %bx
        jb      1b
        # The port has the last word: with a controller in the kernel a halt does not return.
        movw    $1, %dx
        movb    $'t', %al
        outb    %al, %dx
        movw    $2, %dx
        outb    %al, %dx
        hlt
tick:   incw    %bx
        movb    $0x20, %al
        outb    %al, $0x20
        iretw
END interrupts

# The local APIC in memory: its version, and a priority that is CR8, too.
        .code64
GUEST local_apic
        movl    $0xfee00030, %edi
        movl    (%rdi), %ebx
        shlq    $32, %rbx
        movl    $0xfee00080, %edi
        movl    $0x50, (%rdi)
        movq    %cr8, %rax
        orq     %rax, %rbx
        movl    $3, %eax
        movq    %rax, %cr8
        movl    (%rdi), %eax
        orq     %rax, %rbx
        movl    $2, %edx
        outb    %al, %dx
        hlt
END local_apic

# Interrupts by the local APIC: to itself, a higher one within its handler, one that the task priority holds back, the timer's that ends a
# halt. RBX collects the vectors.
        .set IDT, 0x6000
GUEST virtual_interrupts
        .set start, virtual_interrupts
        movl    $0xfee00000, %edi
        movl    $0x1ff, 0xf0(%rdi)
        lgdt    wide_gdt(%rip)
        .irp    vector, 0x41, 0x61, 0x71
        movl    $IDT + 16 * \vector, %esi
        movl    $(on_\vector - start + 0x1000) | 8 << 16, (%rsi)
        movl    $0x8e00, 4(%rsi)
        .endr
        lidt    wide_idt(%rip)
        xorl    %ebx, %ebx
        sti
        movl    $0x40041, 0x300(%rdi)
        nop
        movl    $0x50, 0x80(%rdi)
        movl    $0x40041, 0x300(%rdi)
        shlq    $4, %rbx                # it has not come yet
        movl    $0, 0x80(%rdi)
        nop
        # KVM may need longer for an exit than the timer runs: an interrupt before the halt would leave none to end it.
        cli
        movl    $0xb, 0x3e0(%rdi)
        movl    $0x71, 0x320(%rdi)
        movl    $10000, 0x380(%rdi)
        sti
        hlt
        movl    $2, %edx
        outb    %al, %dx
        hlt
on_0x41:
        shlq    $8, %rbx
        orq     $0x41, %rbx
        movl    $0x40061, 0x300(%rdi)
        sti
        nop
        nop
        cli
        jmp     1f
on_0x61:
        shlq    $8, %rbx
        orq     $0x61, %rbx
        jmp     1f
on_0x71:
        shlq    $8, %rbx
        orq     $0x71, %rbx
1:      movl    $0, 0xb0(%rdi)
        iretq
        .balign 8
        .quad   0, 0x00af9b000000ffff, 0x00cf93000000ffff
wide_gdt:
        .word   23
        .quad   wide_gdt - 24 - start + 0x1000
wide_idt:
        .word   16 * 0x72 - 1
        .quad   IDT
END virtual_interrupts

        .section .note.GNU-stack, "", @progbits
