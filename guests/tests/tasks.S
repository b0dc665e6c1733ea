# Hardware task switches: by jump, call, gate and interrupt, and back by IRET.
#include "test.inc"

        .set TASK_A, SLOT               # 32-bit
        .set TASK_B, SLOT + 8
        .set TASK_GATE, SLOT + 16

        .macro TASK tss, entry, stack
        movl    $\entry, \tss + 32
        movl    $0x2, \tss + 36
        movl    $\stack, \tss + 56
        movl    $CODE32, \tss + 76
        movl    $DATA32, \tss + 72
        movl    $DATA32, \tss + 80
        movl    $DATA32, \tss + 84
        movl    $DATA32, \tss + 88
        movl    $DATA32, \tss + 92
        movl    $0x12345678, \tss + 40
        movl    $0, \tss + 28
        movl    $LDT_SEL, \tss + 96
        movw    $0x68, \tss + 102
        .endm

test_main:
        DESCRIPTOR TASK_A, tss_a, 0x67, 0x0089
        DESCRIPTOR TASK_B, tss_b, 0x67, 0x0089
        GATE    gdt+TASK_GATE, TASK_A, 0, 0x85

        # A call: the new task is nested, IRET goes back.
        TASK    tss_a, nested, task_stack
        EXPECT
        movl    $0x1111, %ecx
        lcall   $TASK_A, $0
        movl    %ecx, seen_ecx
        DONE "CALL of a task"
        REPORT  "ECX afterwards", seen_ecx
        REPORT  "EAX inside", inside_eax
        REPORT  "flags inside", inside_flags
        REPORT  "TR inside", inside_tr
        REPORT  "back link", inside_link
        REPORT  "caller's type while it waits", inside_caller_type
        call    types
        # Once more: it goes on where it left.
        EXPECT
        lcall   $TASK_A, $0
        DONE "CALL again"
        REPORT  "passes", passes
        # Through a task gate.
        TASK    tss_a, nested, task_stack
        EXPECT
        lcall   $TASK_GATE, $0
        DONE "CALL of a task gate"
        REPORT  "passes", passes

        # A jump: not nested; it jumps back.
        TASK    tss_b, jumped, task_stack
        EXPECT
        ljmp    $TASK_B, $0
        DONE "JMP to a task"
        REPORT  "flags inside", inside_flags
        REPORT  "TR inside", inside_tr
        call    types

        # As an interrupt handler, with an error code on the task's own stack.
        TASK    tss_a, handler, task_stack
        GATE    idt+8*13, TASK_A, 0, 0x85
        EXPECT
        movl    $0xfff8, %eax
        movl    %eax, %gs
        DONE "handled by a task"
        REPORT  "error code", inside_error
        REPORT  "stack used", inside_bytes
        REPORT  "flags inside", inside_flags
        GATE    idt+8*13, CODE32, stubs+16*13, 0x8e
        call    types

        # Refusals.
        EXPECT
        lcall   $TSS_SEL, $0
        DONE "CALL of the busy task"
        DESCRIPTOR TASK_B, tss_b, 0x66, 0x0089
        EXPECT
        lcall   $TASK_B, $0
        DONE "TSS too short"
        DESCRIPTOR TASK_B, tss_b, 0x67, 0x0009
        EXPECT
        lcall   $TASK_B, $0
        DONE "TSS not present"
        DESCRIPTOR TASK_B, tss_b, 0x67, 0x0089
        EXPECT
        USER    1f
1:      lcall   $TASK_B, $0
        DONE "task of ring 0 from ring 3"
        EXPECT
        movl    $CODE32, %eax
        ltr     %ax
        DONE "LTR of code"
        EXPECT
        movl    $TSS_SEL, %eax
        ltr     %ax
        DONE "LTR of a busy task"
        EXPECT
        str     %ecx
        movl    %ecx, seen_ecx
        DONE "STR"
        REPORT  "TR", seen_ecx
        call    types
        ret

# Type bytes of the three descriptors: busy or not.
types:  movzbl  gdt + TSS_SEL + 5, %eax
        REPORT  "type of the main task", %eax
        movzbl  gdt + TASK_A + 5, %eax
        REPORT  "type of task A", %eax
        movzbl  gdt + TASK_B + 5, %eax
        REPORT  "type of task B", %eax
        ret

        .macro NOTE_INSIDE
        movl    %eax, inside_eax
        pushfl
        popl    %eax
        andl    $0x7700, %eax
        movl    %eax, inside_flags
        xorl    %eax, %eax
        str     %ax
        movl    %eax, inside_tr
        .endm

nested: NOTE_INSIDE
        movl    tss_a, %eax
        movl    %eax, inside_link
        movzbl  gdt + TSS_SEL + 5, %eax
        movl    %eax, inside_caller_type
        incl    passes
        iretl
        incl    passes
        iretl
jumped: NOTE_INSIDE
        ljmp    $TSS_SEL, $0
handler:
        NOTE_INSIDE
        popl    inside_error
        movl    $task_stack, %eax
        subl    %esp, %eax
        movl    %eax, inside_bytes
        # The faulting task would fault again: let it go on at DONE.
        movl    catch_eip, %eax
        movl    %eax, tss + 32
        iretl

        .bss
        .balign 16
tss_a:          .skip   0x68
tss_b:          .skip   0x68
                .skip   1024
task_stack:     .skip   16
seen_ecx:       .skip   4
inside_eax:     .skip   4
inside_flags:   .skip   4
inside_tr:      .skip   4
inside_link:    .skip   4
inside_caller_type: .skip 4
inside_error:   .skip   4
inside_bytes:   .skip   4
passes:         .skip   4
