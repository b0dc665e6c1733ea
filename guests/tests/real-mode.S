# Real mode: reached from protected mode, interrupts through its own table, 16-bit arithmetic of addresses, and back.
# 16-bit code writes its results to the table at RESULTS; they are reported in 32-bit mode.
#include "test.inc"

        .set RESULTS, 0x7000
        .set STACK, 0x6000

        .macro SHOW name, n
        movl    RESULTS + 4 * \n, %eax
        REPORT  "\name", %eax
        .endm

        .text
test_main:
        movl    %esp, saved_esp
        # Vectors 0, 4, 6, 13 and 21h go to 16-bit handlers.
        movl    $(LOW >> 4) << 16, %eax
        .irp vector, 0, 4, 6, 13, 0x21
        leal    on_\vector-low_start(%eax), %ecx
        movl    %ecx, 4 * \vector
        .endr
        ljmp    $CODE16, $LOW + leave_protected - low_start

back:   movl    $DATA32, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        movl    saved_esp, %esp
        movl    %ebp, saved_ebp
        lidt    idt_pointer
        SHOW    "CR0", 0
        SHOW    "16-bit addition wraps", 1
        SHOW    "offset wraps at 64 KiB", 2
        SHOW    "pushed flags after CLI", 3
        SHOW    "INT: bytes pushed", 4
        SHOW    "INT: return address", 5
        SHOW    "INT: IF inside", 6
        SHOW    "divide error: return address", 7
        SHOW    "invalid opcode: return address", 8
        SHOW    "word at offset FFFFh: vector 13, return address", 9
        SHOW    "far call: bytes pushed", 10
        SHOW    "32-bit operand", 11
        SHOW    "32-bit address", 12
        SHOW    "address beyond 64 KiB: vector 13, return address", 13
        SHOW    "LOOP with CX", 14
        SHOW    "segments: ES * 16", 15
        SHOW    "string across segments", 16
        SHOW    "INTO: return address", 17
        SHOW    "PUSHA: SP", 18
        SHOW    "POPF: IOPL", 19
        SHOW    "SMSW", 20
        SHOW    "LEA of a wrapped sum", 21
        SHOW    "XLAT", 22
        SHOW    "big real: read at 1 MiB", 23
        ret

        .section .low, "ax"
        .code16
        .macro SAVE n, register
        movl    \register, %cs:RESULTS - LOW + 4 * \n
        .endm

leave_protected:
        movw    $DATA16, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movl    %cr0, %eax
        andl    $~1, %eax
        movl    %eax, %cr0
        ljmp    $LOW >> 4, $real - low_start
real:   movw    %cs, %ax
        movw    %ax, %ds
        xorw    %ax, %ax
        movw    %ax, %ss
        movw    %ax, %es
        movw    $STACK, %sp
        lidtl   real_idt - low_start

        # Through segment 700h everything is at RESULTS.
        movl    %cr0, %eax
        andl    $0x8000001f, %eax
        movw    $RESULTS >> 4, %bx
        movw    %bx, %es
        movl    %eax, %es:0
        xorl    %eax, %eax
        movw    $0xffff, %ax
        addw    $2, %ax
        movl    %eax, %es:4
        xorl    %eax, %eax
        movw    $0xfff0, %bx
        movb    %es:0x10(%bx), %al      # offset 0 again
        movl    %eax, %es:8
        cli
        pushf
        xorl    %eax, %eax
        popw    %ax
        andl    $0x7700, %eax
        movl    %eax, %es:12

        # INT and what it pushes.
        xorl    %ebp, %ebp
        movw    %sp, %bp
        sti
        int     $0x21
after_int:
        cli
        # Faults: the handlers skip two bytes.
        movb    $7, which - low_start
        xorw    %cx, %cx
        divw    %cx
        movb    $8, which - low_start
        ud2
        movb    $9, which - low_start
        movw    $0xffff, %bx
        movw    (%bx), %ax
        # Far call.
        movw    %sp, %bp
        lcall   $LOW >> 4, $far_target - low_start
        movl    $0x12345678, %eax
        addl    $0x11111111, %eax
        movl    %eax, %es:44
        movl    $LOW + cookie - low_start, %eax
        xorw    %dx, %dx
        movw    %dx, %gs
        movl    %gs:(%eax), %ecx
        movl    %ecx, %es:48
        movb    $13, which - low_start
        movl    $0x10000, %eax
        movw    %ds:(%eax), %cx         # three bytes: 67h; the handler skips what it must
        nop
        movw    $3, %cx
        xorl    %eax, %eax
1:      incw    %ax
        loop    1b
        movl    %eax, %es:56
        # ES:BX far apart.
        movw    $0x1234, %dx
        movw    %dx, %fs
        movl    $0xcafe, %fs:(0)
        movw    $0x1230, %dx
        movw    %dx, %fs
        xorl    %eax, %eax
        movw    %fs:0x40, %ax
        movl    %eax, %es:60
        # MOVSB from DS:SI to ES:DI.
        movw    $cookie - low_start, %si
        movw    $64, %di
        movw    $4, %cx
        cld
        rep movsb
        movb    $17, which - low_start
        movb    $0x7f, %al
        addb    $1, %al
        into
        movw    %sp, %bp
        pushaw
        movw    %sp, %ax
        popaw
        subw    %sp, %bp
        movw    %sp, %bp
        pushaw
        xorl    %eax, %eax
        movw    %bp, %ax
        subw    %sp, %ax
        movl    %eax, %es:72
        popaw
        pushw   $0x3002
        popf
        pushf
        xorl    %eax, %eax
        popw    %ax
        andl    $0x7700, %eax
        movl    %eax, %es:76
        pushw   $0x0002
        popf
        xorl    %eax, %eax
        smsww   %ax
        andl    $0xf, %eax
        movl    %eax, %es:80
        movl    $0xffffffff, %eax
        movw    $0xfff0, %bx
        leaw    0x20(%bx), %ax
        movl    %eax, %es:84
        movw    $table - low_start, %bx
        movl    $2, %eax
        xlat
        movl    %eax, %es:88

        # Into protected mode for a limit of 4 GiB, and out again with it.
        lgdtl   big_gdt - low_start
        movl    %cr0, %eax
        orb     $1, %al
        movl    %eax, %cr0
        movw    $DATA32, %bx
        movw    %bx, %fs
        andb    $0xfe, %al
        movl    %eax, %cr0
        movl    $0x100000, %ebx
        xorl    %eax, %eax
        movl    %fs:(%ebx), %eax        # the Multiboot magic: FS keeps the limit that it was given
        movl    %eax, %es:92

        movl    %cr0, %eax
        orb     $1, %al
        movl    %eax, %cr0
        ljmpl   $CODE32, $back

on_0x21:
        movw    %bp, %ax
        subw    %sp, %ax
        movzwl  %ax, %eax
        movl    %eax, %es:16
        movw    %sp, %bx
        movzwl  %ss:(%bx), %eax
        subw    $after_int - low_start, %ax
        movl    %eax, %es:20
        pushf
        xorl    %eax, %eax
        popw    %ax
        andl    $0x200, %eax
        movl    %eax, %es:24
        iretw
on_0:
on_6:
on_13:
        pushaw
        movw    %sp, %bp
        movb    which - low_start, %bl
        movzbw  %bl, %bx
        shlw    $2, %bx
        movzwl  16(%bp), %eax
        movl    %eax, %es:(%bx)
        addw    $2, 16(%bp)
        cmpb    $13, which - low_start
        jne     1f
        addw    $1, 16(%bp)
1:      popaw
        iretw
on_4:   pushaw
        movw    %sp, %bp
        movzwl  16(%bp), %eax
        movl    %eax, %es:68
        popaw
        iretw
far_target:
        movw    %bp, %ax
        subw    %sp, %ax
        movzwl  %ax, %eax
        movl    %eax, %es:40
        lret

        .balign 4
cookie: .long   0xc001d00d
table:  .byte   0x10, 0x20, 0x30, 0x40
which:  .byte   0
        .balign 4
real_idt:
        .word   0x3ff
        .long   0
big_gdt:
        .word   0x4f
        .long   gdt
        .code32

        .bss
        .balign 4
saved_esp:      .skip   4
saved_ebp:      .skip   4
