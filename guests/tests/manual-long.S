# 64-bit mode where QEMU 7.2 departs from the manual: the expected output is written by hand from the SDM.
#include "test.inc"
#include "long.inc"

        .code64
long_main:
        # Volume 1, 3.3.7.1: through RSP or RBP it is a stack fault.
        EXPECT64
        movabsq $0x0000800000000000, %rbp
        movq    (%rbp), %rax
        DONE64  "the same through RBP"
        # Volume 2A, JMP: the target is checked before the jump is done.
        EXPECT64
        movabsq $0x0000800000000000, %rax
        jmp     *%rax
        DONE64  "jump to what is not canonical"
        # Volume 2D, WRMSR: bases must be canonical.
        EXPECT64
        movl    $0xc0000100, %ecx
        xorl    %eax, %eax
        movl    $0x00008000, %edx
        wrmsr
        DONE64  "FS.base not canonical"
        # Volume 2B, MOV to CR0 and CR4: 64-bit mode cannot be left like this.
        EXPECT64
        movl    $0x11, %eax             # paging off
        movq    %rax, %cr0
        DONE64  "CR0: paging off"
        EXPECT64
        movq    %cr4, %rax
        andl    $~0x20, %eax
        movq    %rax, %cr4
        DONE64  "CR4: PAE off"
        EXPECT64
        movl    $0xc0000080, %ecx       # volume 3A, 9.8.5: LME cannot change while paging is on
        xorl    %eax, %eax
        xorl    %edx, %edx
        wrmsr
        DONE64  "EFER: LME off"
        jmp     long_leave
