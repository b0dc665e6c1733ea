# Single steps and debug registers.
#include "test.inc"

        .macro DR6_IS name
        movl    %dr6, %eax
        REPORT  "\name", %eax
        xorl    %eax, %eax
        movl    %eax, %dr6
        .endm

test_main:
        movl    %dr6, %eax
        REPORT  "DR6 at the start", %eax
        movl    %dr7, %eax
        REPORT  "DR7 at the start", %eax
        xorl    %eax, %eax
        movl    %eax, %dr6
        movl    %dr6, %eax
        REPORT  "DR6 after writing 0", %eax

        EXPECT
        pushl   $0x102
        popfl
        nop
        nop
        DONE "TF: after the instruction behind POPF"
        DR6_IS  "DR6"
        EXPECT
        pushl   $0x102
        popfl
        movl    $DATA32, %eax
        nop
        DONE "TF: a move"
        DR6_IS  "DR6"
        EXPECT
        movl    $DATA32, %ecx
        pushl   $0x102
        popfl
        jmp     1f
        nop
1:      nop
        DONE "TF: a jump"
        DR6_IS  "DR6"
        EXPECT
        movl    $4, %ecx
        movl    $scratch, %esi
        movl    $scratch + 64, %edi
        pushl   $0x102
        popfl
        rep movsb
        nop
        DONE "TF: REP MOVSB after one iteration"
        REPORT  "ECX left", %ecx
        DR6_IS  "DR6"
        EXPECT
        pushl   $0x102
        popfl
        int     $BACK
        nop
        DONE "TF: INT clears it in the handler"
        EXPECT
        pushl   $0x102
        popfl
        ud2
        DONE "TF: a fault comes first"

        # Instruction breakpoints are faults, data breakpoints traps.
        movl    $point, %eax
        movl    %eax, %dr0
        movl    $0x2, %eax
        movl    %eax, %dr7
        EXPECT
        nop
point:  nop
        nop
        DONE "execution"
        DR6_IS  "DR6"
        movl    $resumed, %eax
        movl    %eax, %dr0
        EXPECT
        pushl   $0x10002                # RF: not this time
        pushl   $CODE32
        pushl   $resumed
        iretl
resumed:
        nop
        DONE "execution with RF"
        DR6_IS  "DR6"

        movl    $scratch + 4, %eax
        movl    %eax, %dr1
        movl    $0x00d00008, %eax       # DR1: writes of 4 bytes
        movl    %eax, %dr7
        EXPECT
        movl    scratch + 4, %eax
        movl    %eax, scratch + 8
        movl    %eax, scratch
        DONE "data: what it does not watch"
        EXPECT
        movl    $1, scratch + 4
        nop
        DONE "data: a write"
        DR6_IS  "DR6"
        EXPECT
        movb    $1, scratch + 7
        nop
        DONE "data: a write to its last byte"
        DR6_IS  "DR6"
        EXPECT
        movl    $1, scratch + 1
        nop
        DONE "data: a write across its beginning"
        DR6_IS  "DR6"
        EXPECT
        movl    $scratch + 64, %esi
        movl    $scratch, %edi
        movl    $8, %ecx
        rep movsb
        nop
        DONE "data: a string write"
        REPORT  "ECX left", %ecx
        DR6_IS  "DR6"
        movl    $0x00f00008, %eax       # DR1: reads and writes
        movl    %eax, %dr7
        EXPECT
        movl    scratch + 4, %eax
        nop
        DONE "data: a read"
        DR6_IS  "DR6"
        EXPECT
        pushl   scratch + 4
        nop
        DONE "data: a push reads"
        DR6_IS  "DR6"
        xorl    %eax, %eax
        movl    %eax, %dr7

        # Not enabled: nothing.
        EXPECT
        movl    $1, scratch + 4
        DONE "data: not enabled"
        DR6_IS  "DR6"

        EXPECT
        movl    %cr4, %eax
        andl    $~8, %eax
        movl    %eax, %cr4
        movl    %dr4, %eax
        DONE "DR4 without CR4.DE"
        EXPECT
        movl    %cr4, %eax
        orl     $8, %eax
        movl    %eax, %cr4
        movl    %dr4, %eax
        DONE "DR4 with CR4.DE"
        EXPECT
        USER    1f
1:      movl    %dr0, %eax
        DONE "DR0 in ring 3"
        ret

        .bss
        .balign 16
scratch:        .skip   128
