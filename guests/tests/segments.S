# Loading segment registers: types, privileges, presence; LAR, LSL, VERR, VERW; SYSENTER and SYSEXIT; forms of IRET.
#include "test.inc"

        .set RODATA, SLOT               # read-only data
        .set EXECUTE, SLOT + 8          # execute-only code
        .set ABSENT, SLOT + 16          # data, not present
        .set DATA_3, SLOT + 24          # data of ring 3
        .set CONFORMING, SLOT + 32
        .set ABSENT_CODE, SLOT + 40
        .set DOWN, SLOT + 48            # expand-down
        .set CALL_GATE, SLOT + 56

        .macro LOAD register, selector, name
        EXPECT
        movl    $\selector, %eax
        movl    %eax, %\register
        movl    $DATA32, %eax
        movl    %eax, %ds
        DONE "\name"
        .endm

        .macro LAR_OF selector, name
        movl    $\selector, %ecx
        xorl    %eax, %eax
        larl    %ecx, %eax
        pushfl
        popl    %edx
        andl    $0x40, %edx
        REPORT  "LAR of \name", %eax
        REPORT  "LAR of \name, ZF", %edx
        xorl    %eax, %eax
        lsll    %ecx, %eax
        REPORT  "LSL of \name", %eax
        verr    %cx
        pushfl
        popl    %edx
        verw    %cx
        pushfl
        popl    %eax
        andl    $0x40, %edx
        andl    $0x40, %eax
        REPORT  "VERR of \name", %edx
        REPORT  "VERW of \name", %eax
        .endm

test_main:
        DESCRIPTOR RODATA, 0, 0xfffff, 0xc091
        DESCRIPTOR EXECUTE, 0, 0xfffff, 0xc099
        DESCRIPTOR ABSENT, 0, 0xfffff, 0xc013
        DESCRIPTOR DATA_3, 0x1000, 0x12345, 0x40f3
        DESCRIPTOR CONFORMING, 0, 0xfffff, 0xc09f
        DESCRIPTOR ABSENT_CODE, 0, 0xfffff, 0xc01b
        DESCRIPTOR DOWN, 0, 0xfff, 0x4097
        GATE    gdt+CALL_GATE, CODE32, 0, 0x8c
        GATE    ldt+8, 0, 0, 0
        movl    gdt + DATA32, %eax
        movl    %eax, ldt + 8
        movl    gdt + DATA32 + 4, %eax
        movl    %eax, ldt + 12

        LOAD    ds, 0, "null into DS"
        LOAD    ss, 0, "null into SS"
        LOAD    ss, USER_DATA, "data of ring 3 into SS"
        LOAD    ss, DATA32 + 3, "RPL 3 into SS"
        LOAD    ss, RODATA, "read-only into SS"
        LOAD    ss, CODE32, "code into SS"
        LOAD    ss, ABSENT, "absent into SS"
        LOAD    ds, ABSENT, "absent into DS"
        LOAD    ds, EXECUTE, "execute-only into DS"
        LOAD    ds, CODE32, "readable code into DS"
        LOAD    ds, TSS_SEL, "a TSS into DS"
        LOAD    ds, CALL_GATE, "a gate into DS"
        LOAD    ds, 0xfff8, "beyond the GDT"
        LOAD    ds, 0x0c, "LDT entry 1"
        LOAD    ds, 0x84, "beyond the LDT"
        LOAD    ds, DATA_3, "data of ring 3 into DS"
        LOAD    fs, DATA32 + 3, "RPL 3, DPL 0"
        movzbl  gdt + DATA_3 + 5, %eax
        REPORT  "type byte after loading: accessed", %eax
        EXPECT
        USER    1f
1:      movl    $DATA32, %eax
        movl    %eax, %fs
        DONE "ring 3 loads data of ring 0"
        EXPECT
        USER    1f
1:      movl    $CONFORMING, %eax
        movl    %eax, %fs
        int     $BACK
        DONE "ring 3 loads conforming code"
        EXPECT
        movl    $far_pointer, %ebx
        lfs     (%ebx), %eax
        DONE "LFS"
        REPORT  "its offset", %eax
        EXPECT
        ljmp    $ABSENT_CODE, $0
        DONE "jump to absent code"
        EXPECT
        movl    $DATA32, %eax
        lldt    %ax
        DONE "LLDT of data"
        EXPECT
        movl    $LDT_SEL, %eax
        lldt    %ax
        DONE "LLDT"

        LAR_OF  0, "null"
        LAR_OF  CODE32, "code"
        LAR_OF  DATA32, "data"
        LAR_OF  RODATA, "read-only data"
        LAR_OF  EXECUTE, "execute-only code"
        LAR_OF  ABSENT, "absent data"
        LAR_OF  DATA_3, "data of ring 3"
        LAR_OF  TSS_SEL, "a busy TSS"
        LAR_OF  LDT_SEL, "an LDT"
        LAR_OF  CALL_GATE, "a call gate"
        LAR_OF  0xfff8, "what is beyond the GDT"
        movl    $DATA32 + 3, %eax
        movl    $0x10, %ecx
        arpl    %ax, %cx
        REPORT  "ARPL", %ecx

        # SYSENTER and SYSEXIT.
        EXPECT
        USER    1f
1:      sysenter
        DONE "SYSENTER without a target"
        movl    $0x174, %ecx
        movl    $CODE32, %eax
        xorl    %edx, %edx
        wrmsr
        movl    $0x175, %ecx
        movl    $ring0_stack_top, %eax
        wrmsr
        movl    $0x176, %ecx
        movl    $sysenter_target, %eax
        wrmsr
        EXPECT
        USER    1f, 0x3202
1:      sysenter
2:      DONE "SYSENTER"
        REPORT  "CS inside", inside_cs
        REPORT  "SS inside", inside_ss
        REPORT  "flags inside", inside_flags
        # The selectors that SYSEXIT gives are those behind SYSENTER_CS: 18h and 20h, which here are code and data of ring 3.
        EXPECT
        movl    $1f, %edx
        movl    $user_stack_top, %ecx
        pushl   $0x3002
        popfl
        sysexit
1:      movl    %cs, %eax
        movl    %eax, inside_cs
        int     $BACK
        DONE "SYSEXIT"
        REPORT  "CS outside", inside_cs
        REPORT  "SS outside", caught_ss
        EXPECT
        USER    1f
1:      sysexit
        DONE "SYSEXIT in ring 3"

        # IRET.
        EXPECT
        pushl   $0x3002
        pushl   $CODE32
        pushl   $1f
        iretl
1:      pushfl
        popl    inside_flags
        DONE "IRET within ring 0"
        andl    $0x7700, inside_flags
        REPORT  "flags", inside_flags
        pushl   $2
        popfl
        EXPECT
        pushl   $2
        pushl   $0
        pushl   $0
        iretl
        DONE "IRET to null"
        EXPECT
        pushl   $2
        pushl   $DATA32
        pushl   $0
        iretl
        DONE "IRET to data"
        EXPECT
        pushl   $2
        pushl   $ABSENT_CODE
        pushl   $0
        iretl
        DONE "IRET to absent code"
        EXPECT
        pushl   $DATA32
        pushl   $user_stack_top
        pushl   $2
        pushl   $USER_CODE
        pushl   $0
        iretl
        DONE "IRET outwards with a stack of ring 0"
        EXPECT
        USER    1f
1:      pushl   $2
        pushl   $CODE32
        pushl   $0
        iretl
        DONE "IRET inwards"
        EXPECT
        pushl   $0x4002                 # NT, and the back link of this task is 0
        popfl
        movl    $0, tss
        iretl
        DONE "IRET to no task"
        EXPECT
        pushw   $0x0002
        pushw   $CODE16
        pushw   $LOW + 0
        iretw
        DONE "IRET of 16 bits"
        ret

sysenter_target:
        pushfl
        popl    %eax
        andl    $0x23700, %eax
        movl    $DATA32, %ecx
        movl    %ecx, %ds
        movl    %eax, inside_flags
        movl    %cs, %eax
        movl    %eax, inside_cs
        movl    %ss, %eax
        movl    %eax, inside_ss
        movl    catch_esp, %esp
        pushl   $2
        popfl
        jmp     *catch_eip

        .section .low, "ax"
        .code16
        int     $BACK
        .code32

        .data
far_pointer:
        .long   0x12345678
        .word   DATA_3

        .bss
        .balign 4
inside_cs:      .skip   4
inside_ss:      .skip   4
inside_flags:   .skip   4
