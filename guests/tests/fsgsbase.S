# RDFSBASE and its like, RDTSCP, SWAPGS among them.
#include "test.inc"
#include "long.inc"

        .code64
long_main:
        EXPECT64
        rdfsbase %rax
        DONE64  "RDFSBASE without FSGSBASE"
        movq    %cr4, %rax
        orl     $0x10000, %eax
        movq    %rax, %cr4
        movabsq $0xffff800012345678, %rbx
        wrfsbase %rbx
        rdfsbase %rax
        NOTE    "FS base", %rax
        movl    $0xc0000100, %ecx
        rdmsr
        NOTE    "as the MSR shows it, low", %rax
        NOTE    "as the MSR shows it, high", %rdx
        wrgsbase %ebx
        rdgsbase %rax
        NOTE    "32 bits into GS base", %rax
        movq    $-1, %rax
        rdfsbase %eax
        NOTE    "32 bits out of FS base", %rax
        EXPECT64
        movabsq $0x0000800000000000, %rbx
        wrgsbase %rbx
        DONE64  "not canonical"
        rdgsbase %rax
        NOTE    "and nothing changed", %rax
        movl    $cookie, %ebx
        wrgsbase %rbx
        movq    %gs:0, %rax
        NOTE    "through GS", %rax
        movl    $0xc0000102, %ecx
        movl    $0x55aa, %eax
        xorl    %edx, %edx
        wrmsr
        swapgs
        rdgsbase %rax
        NOTE    "GS base after SWAPGS", %rax
        swapgs
        # In ring 3.
        EXPECT64
        pushq   $USER_DATA
        pushq   $user_stack_top
        pushq   $0x3202
        pushq   $USER64
        pushq   $1f
        iretq
1:      movl    $0x77, %ebx
        wrfsbase %rbx
        rdfsbase %rcx
        int     $BACK
        DONE64  "in ring 3"
        NOTE    "FS base of ring 3", %rcx
        # A null selector leaves or clears the base as the vendor likes; a real one loads it.
        movl    $DATA32, %eax
        movl    %eax, %fs
        rdfsbase %rax
        NOTE    "after a selector", %rax

        movl    $0xc0000103, %ecx       # TSC_AUX
        movl    $0x1234, %eax
        xorl    %edx, %edx
        wrmsr
        rdtscp
        NOTE    "RDTSCP's processor", %rcx
        jmp     long_leave
