# Virtual-8086 mode: entering, what it may do, what comes out of it.
#include "test.inc"

        # Goes on at `entry` of section .low with these flags; segments as in the pushes.
        .macro V86 entry, flags
        movl    %esp, v86_saved
        pushl   $0x1111                 # GS
        pushl   $0x2222                 # FS
        pushl   $LOW >> 4               # DS
        pushl   $0x3333                 # ES
        pushl   $0x0700                 # SS
        pushl   $0x0ffe                 # ESP
        pushl   $\flags
        pushl   $LOW >> 4               # CS
        pushl   $\entry - low_start
        iretl
        .endm

test_main:
        EXPECT
        V86     plain, 0x20002
        DONE "INT at IOPL 0"
        REPORT  "SS", caught_ss
        REPORT  "SP", caught_esp
        REPORT  "ES", caught_es
        REPORT  "DS", caught_ds
        REPORT  "FS", caught_fs
        REPORT  "GS", caught_gs
        EXPECT
        V86     plain, 0x23002
        DONE "INT at IOPL 3"
        GATE    idt+8*0x33, CODE32, stubs+16*0x33, 0x8e
        EXPECT
        V86     int33, 0x23002
        DONE "INT through a gate of ring 0"
        EXPECT
        V86     do_cli, 0x20002
        DONE "CLI at IOPL 0"
        EXPECT
        V86     do_sti, 0x20002
        DONE "STI at IOPL 0"
        EXPECT
        V86     do_pushf, 0x20002
        DONE "PUSHF at IOPL 0"
        EXPECT
        V86     do_popf, 0x20002
        DONE "POPF at IOPL 0"
        EXPECT
        V86     do_iret, 0x20002
        DONE "IRET at IOPL 0"
        EXPECT
        V86     do_cli, 0x23202
        DONE "CLI at IOPL 3"
        EXPECT
        V86     do_popf, 0x23002
        DONE "POPF at IOPL 3"
        EXPECT
        V86     do_iret, 0x23002
        DONE "IRET at IOPL 3"
        EXPECT
        V86     do_hlt, 0x23002
        DONE "HLT"
        EXPECT
        V86     do_in, 0x23002
        DONE "IN, IOPL 3 but not in the bitmap"
        movb    $0, tss + 0x68 + 16
        EXPECT
        V86     do_in, 0x20002
        DONE "IN, in the bitmap"
        EXPECT
        V86     do_lgdt, 0x23002
        DONE "LGDT"
        EXPECT
        V86     do_lldt, 0x23002
        DONE "LLDT"
        EXPECT
        V86     do_arpl, 0x23002
        DONE "ARPL"
        EXPECT
        V86     do_divide, 0x23002
        DONE "divide error"
        EXPECT
        V86     do_int3, 0x20002
        DONE "INT3 at IOPL 0"
        EXPECT
        V86     segments, 0x23002
        DONE "segment arithmetic"
        REPORT  "read through ES:BX", caught_eax

        # Back into it: ring 0 returns to where the exception came from.
        EXPECT
        V86     do_far, 0x23002
        DONE "far call and return"
        REPORT  "SP afterwards", caught_esp
        ret

        .bss
        .balign 4
v86_saved:      .skip   4

        .section .low, "ax"
        .code16
plain:  movw    $0x1234, %ax
        addw    $0x1111, %ax
        movw    %ax, %cs:low_result - low_start
        int     $BACK
int33:  int     $0x33
do_cli: cli
        int     $BACK
do_sti: sti
        int     $BACK
do_pushf:
        pushf
        int     $BACK
do_popf:
        pushw   $0x0202
        popf
        int     $BACK
do_iret:
        pushw   $0x0002
        pushw   %cs
        pushw   $1f - low_start
        iretw
1:      int     $BACK
do_hlt: hlt
do_in:  inb     $0x80, %al
        int     $BACK
do_lgdt:
        lgdt    low_result - low_start
        int     $BACK
do_lldt:
        lldt    %ax
do_arpl:
        arpl    %ax, %bx
do_divide:
        xorw    %cx, %cx
        xorw    %dx, %dx
        divw    %cx
do_int3:
        int3
segments:
        movw    $0x0712, %ax
        movw    %ax, %es
        movw    $0x20, %bx
        movw    $0x4321, %es:(%bx)
        movw    $0x0714, %ax
        movw    %ax, %es
        xorl    %eax, %eax
        movw    %es:(0), %ax
        int     $BACK
do_far: lcall   $LOW >> 4, $1f - low_start
        int     $BACK
1:      lret
        .balign 4
low_result:
        .skip   8
        .code32
