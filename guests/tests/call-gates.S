# Far calls and returns across privileges in 32-bit protected mode.
#include "test.inc"

        .set GATE_SEL, SLOT + 3         # ring 3 calls ring 0, two parameters
        .set GATE0_SEL, SLOT + 8        # DPL 0
        .set GATE16_SEL, SLOT + 16 + 3  # 16-bit gate, one parameter
        .set CONFORMING, SLOT + 24

test_main:
        GATE    gdt+SLOT, CODE32, gate_target, 0xec, 2
        GATE    gdt+SLOT+8, CODE32, same_target, 0x8c, 0
        GATE    gdt+SLOT+16, CODE16, LOW, 0xe4, 1
        DESCRIPTOR CONFORMING, 0, 0xfffff, 0xc09f

        # Within ring 0.
        EXPECT
        lcall   $CODE32, $same_target
        DONE "far call"
        REPORT  "CS pushed", seen_cs
        REPORT  "bytes pushed", seen_bytes
        EXPECT
        lcall   $GATE0_SEL, $0x12345678
        DONE "call gate within ring 0"
        REPORT  "bytes pushed by the gate", seen_bytes
        EXPECT
        lcall   $CONFORMING, $same_target
        DONE "conforming code"
        EXPECT
        ljmp    $CODE32, $1f
1:      pushl   $CODE32
        pushl   $2f
        lret
2:      DONE "far jump and far return"

        # From ring 3 through a gate to ring 0 and back.
        EXPECT
        USER    1f
1:      movl    %esp, user_esp
        pushl   $0x11111111
        pushl   $0x22222222
        lcall   $GATE_SEL, $0
        movl    %esp, %eax
        subl    user_esp, %eax
        movl    %eax, seen_bytes
        movl    %cs, %eax
        movl    %eax, seen_cs
        int     $BACK
        DONE "call gate to ring 0"
        REPORT  "CS inside", inside_cs
        REPORT  "SS inside", inside_ss
        REPORT  "bytes on the inner stack", inside_bytes
        REPORT  "first parameter", inside_first
        REPORT  "second parameter", inside_second
        REPORT  "return address CS", inside_return_cs
        REPORT  "CS afterwards", seen_cs
        REPORT  "stack afterwards", seen_bytes

        EXPECT
        USER    LOW+low_user-low_start
        DONE "16-bit call gate to ring 0"
        REPORT  "parameter", inside_first
        REPORT  "bytes on the inner stack", inside_bytes

        # Refusals.
        EXPECT
        USER    1f
1:      lcall   $GATE0_SEL, $0
        DONE "gate of ring 0 from ring 3"
        EXPECT
        USER    1f
1:      ljmp    $GATE_SEL, $0
        DONE "jump through a gate to ring 0"
        EXPECT
        USER    1f
1:      lcall   $CODE32, $0
        DONE "far call to ring 0 without a gate"
        EXPECT
        lcall   $USER_CODE, $0
        DONE "far call to ring 3"
        EXPECT
        lcall   $DATA32, $0
        DONE "far call to data"
        EXPECT
        lcall   $0, $0
        DONE "far call to null"
        EXPECT
        lcall   $0xfff8, $0
        DONE "far call beyond the GDT"
        GATE    gdt+SLOT, CODE32, gate_target, 0x6c, 2
        EXPECT
        USER    1f
1:      lcall   $GATE_SEL, $0
        DONE "gate not present"
        GATE    gdt+SLOT, 0, gate_target, 0xec, 2
        EXPECT
        USER    1f
1:      lcall   $GATE_SEL, $0
        DONE "gate to null"
        GATE    gdt+SLOT, CODE32, gate_target, 0xec, 2

        # Returns.
        EXPECT
        pushl   $CODE16 + 3
        pushl   $0
        lret
        DONE "far return outwards to code of ring 0"
        EXPECT
        pushl   $0
        pushl   $0
        lret
        DONE "far return to null"
        EXPECT
        pushl   $DATA32
        pushl   $user_stack_top
        pushl   $USER_CODE
        pushl   $0
        lret
        DONE "far return outwards with a stack of ring 0"
        EXPECT
        USER    1f
1:      pushl   $CODE32
        pushl   $0
        lret
        DONE "far return inwards"
        # Returning outwards drops segments that ring 3 may not have.
        EXPECT
        movl    $DATA32, %eax
        movl    %eax, %fs
        movl    $USER_DATA, %eax
        movl    %eax, %gs
        pushl   $USER_DATA
        pushl   $user_stack_top
        pushl   $0x3002
        popfl
        pushl   $USER_CODE
        pushl   $1f
        lret
1:      movl    $USER_DATA, %eax
        movl    %eax, %ds
        movl    %fs, %eax
        movl    %eax, seen_cs
        movl    %gs, %eax
        movl    %eax, seen_bytes
        int     $BACK
        DONE "far return outwards"
        REPORT  "FS of ring 0 is now", seen_cs
        REPORT  "GS of ring 3 is now", seen_bytes
        ret

same_target:
        movl    4(%esp), %eax
        movl    %eax, seen_cs
        movl    catch_esp, %eax
        subl    %esp, %eax
        movl    %eax, seen_bytes
        lret

gate_target:
        pushl   %eax
        movl    %cs, %eax
        movl    %eax, inside_cs
        movl    %ss, %eax
        movl    %eax, inside_ss
        movl    8(%esp), %eax
        movl    %eax, inside_return_cs
        movl    12(%esp), %eax
        movl    %eax, inside_first
        movl    16(%esp), %eax
        movl    %eax, inside_second
        movl    $ring0_stack_top - 4, %eax
        subl    %esp, %eax
        movl    %eax, inside_bytes
        popl    %eax
        lret    $8

        .section .low, "ax"
        .code16
        movzwl  %ss:4(%esp), %eax
        movl    $ring0_stack_top, %ecx
        subl    %esp, %ecx
        addr32 movl %eax, inside_first
        addr32 movl %ecx, inside_bytes
        lretw   $2
        .code32
low_user:                               # below 64 KiB, as a 16-bit gate keeps no more of the return address
        pushw   $0x3333
        lcall   $GATE16_SEL, $0
        int     $BACK

        .bss
        .balign 4
seen_cs:        .skip   4
seen_bytes:     .skip   4
user_esp:       .skip   4
inside_cs:      .skip   4
inside_ss:      .skip   4
inside_first:   .skip   4
inside_second:  .skip   4
inside_return_cs: .skip 4
inside_bytes:   .skip   4
