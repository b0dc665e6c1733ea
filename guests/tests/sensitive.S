# Sensitive instructions: they show the ring, the flags or the tables of the processor and do not trap outside ring 0. On a
# bare machine each line below says what a kernel in ring 0 sees; under plain trap-and-emulate some say otherwise.
#include "test.inc"

        .set CONFORMING, SLOT
        .set LDT, SLOT + 8

test_main:
        DESCRIPTOR CONFORMING, 0, 0xfffff, 0xc09f
        DESCRIPTOR LDT, ldt, 127, 0x0082
        movl    $LDT, %eax
        lldt    %ax

        sgdt    image
        movzwl  image, %eax
        REPORT  "SGDT, limit", %eax
        REPORT  "SGDT, base", base
        sidt    image
        movzwl  image, %eax
        REPORT  "SIDT, limit", %eax
        REPORT  "SIDT, base", base
        xorl    %eax, %eax
        sldt    %ax
        REPORT  "SLDT", %eax
        str     %ax
        REPORT  "STR", %eax
        smsw    %ax
        REPORT  "SMSW", %eax

        pushl   $0x3202                 # IF, IOPL 3
        popfl
        pushfl
        popl    %eax
        REPORT  "POPF and PUSHF, IF and IOPL 3", %eax
        pushl   $0x0002
        popfl
        pushfl
        popl    %eax
        REPORT  "POPF and PUSHF, neither", %eax
        sti
        pushfl
        popl    %eax
        REPORT  "PUSHF behind STI", %eax
        pushl   $0x0002
        popfl
        pushfl
        popl    %eax
        REPORT  "PUSHF behind POPF that clears IF", %eax
        cli

        xorl    %eax, %eax
        movl    $DATA32, %ecx
        lar     %cx, %eax
        REPORT  "LAR of ring 0's data", %eax
        xorl    %eax, %eax
        lsl     selector, %eax
        REPORT  "LSL of ring 0's data, selector in memory", %eax
        xorl    %eax, %eax
        verr    %cx
        setz    %al
        REPORT  "VERR of ring 0's data", %eax
        verw    selector
        setz    %al
        REPORT  "VERW of ring 0's data, selector in memory", %eax

        pushl   %cs
        popl    %eax
        REPORT  "PUSH CS", %eax
        pushl   %ss
        popl    %eax
        REPORT  "PUSH SS", %eax
        movl    %cs, %eax
        REPORT  "MOV from CS", %eax
        movl    %ss, %eax
        REPORT  "MOV from SS", %eax
        pushl   $USER_DATA
        popl    %es
        movl    %es, %eax
        REPORT  "POP ES and MOV from it", %eax
        pushl   $DATA32
        popl    %es
        movl    %es, %eax
        REPORT  "POP ES, ring 0's data", %eax
        EXPECT
        pushl   %ss
        popl    %ss
        DONE    "PUSH SS and POP SS"

        # A far call to a conforming segment needs no other ring.
        EXPECT
        lcall   $CONFORMING, $show_return
        DONE    "far CALL to conforming code, and RET"
        REPORT  "CS that the far CALL pushed", %eax
        REPORT  "CS within", %ecx
        lcall   $CODE32, $show_return
        REPORT  "CS that a far CALL to ring 0's code pushed", %eax
        ljmp    $CONFORMING, $1f
1:      movl    %cs, %eax
        ljmp    $CODE32, $1f
1:      REPORT  "CS behind a far JMP to conforming code", %eax
        EXPECT
        pushl   %cs
        pushl   $1f
        lretl
1:      DONE    "PUSH CS and far RET"
        EXPECT
        pushfl
        pushl   %cs
        pushl   $1f
        iretl
1:      DONE    "PUSHF, PUSH CS and IRET"
        pushl   $0x3202
        pushl   $CODE32
        pushl   $1f
        iretl
1:      pushfl
        popl    %eax
        REPORT  "PUSHF behind IRET with IF and IOPL 3", %eax
        pushl   $0x0002
        popfl

        # A program with interrupts on: what IRET made of its flags is seen by the next trap.
        EXPECT
        USER    program
program:
        int     $BACK
        DONE    "IRET to ring 3 with IF and IOPL 3, INT"
        ret

show_return:
        movl    4(%esp), %eax
        movl    %cs, %ecx
        lretl

        .data
selector:
        .long   DATA32
        .word   0                       # so that the base is aligned
image:  .word   0
base:   .long   0
