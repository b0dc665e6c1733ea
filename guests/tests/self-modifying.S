# Code that guests write: the next instruction, other pages, under other names, and data beside code.
#include "test.inc"
#include "paging.inc"

        # MOV EAX, imm32; RET
        .macro VALUE at, value
        movl    \at, %edi
        movb    $0xb8, (%edi)
        movl    $\value, 1(%edi)
        movb    $0xc3, 5(%edi)
        .endm
        .macro SAYS name, where
        movl    \where, %edx
        call    *%edx
        REPORT  "\name", %eax
        .endm

test_main:
        movb    $0x11, 1f + 1
1:      movl    $0, %eax
        REPORT  "the next instruction", %eax
        # As SDM volume 3A section 9.1.3 asks for it.
        movb    $0x22, 1f + 1
        jmp     1f
1:      movl    $0, %eax
        REPORT  "behind a jump", %eax
        movb    $0x33, 1f + 1
        xorl    %eax, %eax
        cpuid
1:      movl    $0, %eax
        REPORT  "behind CPUID", %eax

        xorl    %ebx, %ebx
        movl    $5, %ecx
1:      addl    $1, %ebx
        incb    1b + 2
        loop    1b
        REPORT  "a loop that changes itself", %ebx
        # Before itself, in the same run of code.
        xorl    %ebx, %ebx
        movl    $3, %ecx
1:      addl    $1, %ebx
        cmpl    $2, %ecx
        jne     2f
        movb    $0x40, 1b + 2
2:      decl    %ecx
        jnz     1b
        REPORT  "an instruction that was executed before", %ebx
        # MOV to the bytes that come next, which are others then: INC EBX becomes DEC EBX.
        movl    $8, %ebx
        movb    $0x4b, 1f
1:      incl    %ebx
        REPORT  "another opcode", %ebx
        # A write that covers two instructions, from the middle of one on.
        xorl    %ebx, %ebx
        movl    $0xb3aaaaaa, 1f + 2
1:      movl    $0, %eax
        movb    $0x90, %dl
        REPORT  "two instructions at once", %eax
        REPORT  "the second is MOV BL", %ebx

        # Elsewhere, called before and after.
        VALUE   $near, 1
        SAYS    "a function", $near
        VALUE   $near, 2
        SAYS    "the function, written again", $near
        movl    $3, near + 1
        SAYS    "its immediate alone", $near
        movb    $0xb9, near             # MOV ECX
        movl    $4, %eax
        SAYS    "its opcode alone", $near
        VALUE   $far, 5
        SAYS    "a function in another page", $far
        VALUE   $far, 6
        SAYS    "that one, written again", $far

        # An instruction across two pages, whose halves are written one after the other.
        VALUE   $across, 0x01010101
        SAYS    "across two pages", $across
        movb    $2, across + 1
        SAYS    "the first page", $across
        movb    $3, across + 4
        SAYS    "the second page", $across
        movl    $0x04040404, across + 1
        SAYS    "both at once", $across

        # Copied over what was executed, by one instruction.
        VALUE   $far, 7
        movl    $far, %esi
        movl    $near, %edi
        movl    $6, %ecx
        rep movsb
        SAYS    "copied by REP MOVSB", $near
        # It overwrites the instruction behind itself.
        movl    $1f, %edi
        movb    $0x90, %al
        movl    $3, %ecx
        xorl    %ebx, %ebx
        rep stosb
1:      addl    $1, %ebx
        REPORT  "REP STOSB over what comes next", %ebx

        # Data beside code, written more often than anybody follows.
        VALUE   $far, 8
        movl    $200, %ecx
1:      movl    %ecx, far + 64
        movl    $far, %edx
        call    *%edx
        addl    %eax, %ebp
        loop    1b
        SAYS    "data beside code", $far
        # The same with code.
        movl    $200, %ecx
        xorl    %ebx, %ebx
1:      movl    %ecx, far + 1
        movl    $far, %edx
        call    *%edx
        addl    %eax, %ebx
        loop    1b
        REPORT  "200 values of one instruction", %ebx

        # Under two names, and a name that comes to mean another page.
        call    setup_paging
        PAGE    0, P | W
        PAGE    1, P | W
        VALUE   $frames, 9
        VALUE   $frames + 4096, 10
        SAYS    "a page under another name", $WINDOW
        VALUE   $frames, 11
        SAYS    "written under its first name", $WINDOW
        VALUE   $WINDOW, 12
        SAYS    "written under its second name", $frames
        movl    $frames + 4096 + P + W, window_table
        invlpg  WINDOW
        SAYS    "the second name means another page", $WINDOW
        SAYS    "the first name", $frames
        # Two at once change places, by CR3.
        movl    $frames + P + W, window_table
        movl    $frames + 4096 + P + W, window_table + 4
        movl    %cr3, %eax
        movl    %eax, %cr3
        SAYS    "a page by CR3", $WINDOW
        SAYS    "and its neighbour", $WINDOW + 4096
        # From one page into the next, which is another then.
        movb    $0x90, WINDOW + 0xfff
        SAYS    "into the next page", $WINDOW + 0xfff
        movl    $frames + P + W, window_table + 4
        invlpg  WINDOW + 4096
        SAYS    "into another next page", $WINDOW + 0xfff
        # Another directory, where the window is otherwise.
        movl    $low_table + 7, directory2
        movl    $window_table2 + 7, directory2 + 4
        movl    $frames + 4096 + P + W, window_table2
        movl    $directory2, %eax
        movl    %eax, %cr3
        SAYS    "in another address space", $WINDOW
        movl    $directory, %eax
        movl    %eax, %cr3
        SAYS    "in the first one", $WINDOW
        VALUE   $frames, 13
        movl    $directory2, %eax
        movl    %eax, %cr3
        SAYS    "in the second one", $WINDOW
        movl    $directory, %eax
        movl    %eax, %cr3
        SAYS    "written meanwhile", $WINDOW
        ret

        .data
        .balign 4096
far:    .skip   4096
        .skip   4096 - 3
across: .skip   16
        .balign 4096
near:   .skip   64
        .bss
        .balign 4096
directory2:     .skip   4096
window_table2:  .skip   4096
