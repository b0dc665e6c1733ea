# Each exception that a program can cause in 32-bit protected mode: vector, error code, where it says it happened.
#include "test.inc"

test_main:
        # Faults: EIP is at the instruction.
        EXPECT
        xorl    %edx, %edx
        movl    $1, %eax
        xorl    %ecx, %ecx
        divl    %ecx
        DONE "divide by zero"
        EXPECT
        movl    $0x80000000, %eax
        cltd
        movl    $-1, %ecx
        idivl   %ecx
        DONE "quotient too large"
        EXPECT
        movw    $0x8000, %ax
        movb    $1, %cl
        idivb   %cl
        DONE "quotient too large, byte"
        EXPECT
        aam     $0
        DONE "AAM by zero"
        EXPECT
        ud2
        DONE "UD2"
        EXPECT
        .byte   0xf0, 0x90              # LOCK NOP
        DONE "LOCK on what cannot be locked"
        EXPECT
        .byte   0xf0, 0x01, 0xc0        # LOCK ADD EAX, EAX
        DONE "LOCK with a register"
        EXPECT
        .byte   0x0f, 0x20, 0xc8        # MOV EAX, CR1
        DONE "CR1"
        EXPECT
        .byte   0x8e, 0xc8              # MOV CS, AX
        DONE "MOV to CS"
        EXPECT
        .byte   0x8d, 0xc0              # LEA with a register
        DONE "LEA of a register"
        EXPECT
        movl    $bounds, %ebx
        movl    $11, %eax
        boundl  %eax, (%ebx)
        DONE "BOUND outside"
        EXPECT
        movl    $10, %eax
        boundl  %eax, (%ebx)
        DONE "BOUND inside"

        # Traps: EIP is behind the instruction.
        EXPECT
        int3
        DONE "INT3"
        EXPECT
        .byte   0xcd, 0x03
        DONE "INT 3 of two bytes"
        EXPECT
        movb    $0x7f, %al
        addb    $1, %al
        into
        DONE "INTO with overflow"
        EXPECT
        xorl    %eax, %eax
        into
        DONE "INTO without"
        EXPECT
        int     $BACK
        DONE "INT"

        # The table of interrupts: error codes are the vector * 8 + 2 (+ 1 if it came from outside).
        EXPECT
        int     $0x41
        DONE "vector beyond the table"
        GATE    idt+8*0x31, CODE32, 0, 0x0e
        EXPECT
        int     $0x31
        DONE "gate not present"
        GATE    idt+8*0x31, CODE32, 0, 0x82
        EXPECT
        int     $0x31
        DONE "not a gate"
        GATE    idt+8*0x31, 0, 0, 0x8e
        EXPECT
        int     $0x31
        DONE "gate to the null selector"
        GATE    idt+8*0x31, DATA32, 0, 0x8e
        EXPECT
        int     $0x31
        DONE "gate to data"
        GATE    idt+8*0x31, 0xfff8, 0, 0x8e
        EXPECT
        int     $0x31
        DONE "gate beyond the GDT"
        DESCRIPTOR SLOT, 0, 0xfffff, 0xc01b
        GATE    idt+8*0x31, SLOT, 0, 0x8e
        EXPECT
        int     $0x31
        DONE "gate to an absent segment"
        GATE    idt+8*0x31, USER_CODE, 0, 0x8e
        EXPECT
        int     $0x31
        DONE "gate to a less privileged segment"

        # From ring 3.
        EXPECT
        USER    1f
1:      int     $0x32
        DONE "gate of ring 0 from ring 3"
        EXPECT
        USER    1f
1:      int     $BACK
        DONE "gate of ring 3 from ring 3"
        REPORT  "stack pointer in the frame", caught_esp
        REPORT  "stack segment in the frame", caught_ss
        EXPECT
        USER    1f
1:      hlt
        DONE "HLT in ring 3"
        EXPECT
        USER    1f
1:      movl    %cr0, %eax
        DONE "MOV from CR0 in ring 3"
        EXPECT
        USER    1f
1:      lgdt    gdt_pointer
        DONE "LGDT in ring 3"
        EXPECT
        USER    1f
1:      rdmsr
        DONE "RDMSR in ring 3"
        EXPECT
        USER    1f
1:      clts
        DONE "CLTS in ring 3"
        EXPECT
        USER    1f
1:      sgdt    scratch
        sidt    scratch
        smsw    %ax
        str     %ax
        sldt    %ax
        int     $BACK
        DONE "SGDT, SIDT, SMSW, STR, SLDT in ring 3"
        EXPECT
        USER    1f, 0x0002
1:      cli
        DONE "CLI above IOPL"
        EXPECT
        USER    1f, 0x0002
1:      inb     $0x80, %al
        DONE "IN without permission"
        movl    tss + 0x68 + 16, %eax
        movb    $0, tss + 0x68 + 16     # ports 80h to 87h
        EXPECT
        USER    1f, 0x0002
1:      inb     $0x80, %al
        inw     $0x86, %ax
        inl     $0x84, %eax
        int     $BACK
        DONE "IN with permission"
        EXPECT
        USER    1f, 0x0002
1:      inl     $0x86, %eax
        DONE "IN half permitted"
        # POPF changes what the privilege allows, silently.
        EXPECT
        USER    1f, 0x0202
1:      pushl   $0x3002
        popfl
        int     $BACK
        DONE "POPF above IOPL changes neither IF nor IOPL"

        # An exception while another is delivered.
        GATE    idt+8*13, CODE32, 0, 0x0e
        EXPECT
        movl    $0xfff0, %eax
        movl    %eax, %fs
        DONE "no gate for the protection fault"
        GATE    idt+8*13, CODE32, stubs+16*13, 0x8e
        GATE    idt+8*0, CODE32, 0, 0x0e
        EXPECT
        xorl    %ecx, %ecx
        divl    %ecx
        DONE "no gate for the divide error"
        GATE    idt+8*0, CODE32, stubs, 0x8e
        ret

        .data
bounds: .long   5, 10
scratch: .skip  16
