# 64-bit mode: exceptions there, segment bases, SYSCALL, ring 3, compatibility mode.
#include "test.inc"
#include "long.inc"

        .code64
long_main:
        movq    %rsp, %rax
        NOTE    "RSP", %rax
        movabsq $0x123456789abcdef0, %rax
        NOTE    "64-bit immediate", %rax
        movl    %eax, %eax
        NOTE    "32-bit move clears the upper half", %rax
        movabsq $-1, %rcx
        movb    $0, %cl
        movw    $0x1234, %cx
        NOTE    "16-bit move keeps it", %rcx
        leaq    1f(%rip), %rax
        subq    $1f, %rax
1:      NOTE    "RIP-relative", %rax

        EXPECT64
        ud2
        DONE64  "UD2 on an interrupt stack"
        EXPECT64
        movabsq $0x0000800000000000, %rax
        movq    (%rax), %rax
        DONE64  "address that is not canonical"
        EXPECT64
        movabsq $0xffff800000000000, %rax
        movq    (%rax), %rax
        DONE64  "address that is not mapped"
        movq    %cr2, %rax
        NOTE    "CR2", %rax
        EXPECT64
        xorl    %ecx, %ecx
        divl    %ecx
        DONE64  "divide error"
        EXPECT64
        .byte   0x06                    # PUSH ES
        DONE64  "PUSH ES"
        EXPECT64
        .byte   0x27                    # DAA
        DONE64  "DAA"
        EXPECT64
        pushq   $CODE64
        pushq   $1f
        lretq
1:      DONE64  "far return"
        EXPECT64
        pushq   %rsp
        andq    $~15, %rsp
        subq    $8, %rsp
        int     $BACK
        DONE64  "frame aligned to 16"

        # Segment bases.
        movl    $0xc0000100, %ecx       # FS.base
        movl    $0x11223344, %eax
        movl    $0x00005566, %edx
        wrmsr
        rdmsr
        NOTE    "FS.base low", %rax
        NOTE    "FS.base high", %rdx
        movl    $0xc0000101, %ecx       # GS.base
        movl    $records, %eax
        xorl    %edx, %edx
        wrmsr
        movl    $0xc0000102, %ecx       # KERNEL_GS_BASE
        movl    $cookie, %eax
        wrmsr
        swapgs
        movq    %gs:0, %rax
        NOTE    "through GS after SWAPGS", %rax
        swapgs

        # Ring 3 in 64-bit mode, and SYSCALL out of it.
        movl    $0xc0000081, %ecx       # STAR: SYSCALL to CODE64, SYSRET to USER64
        xorl    %eax, %eax
        movl    $(SLOT - 16) << 16 | CODE64, %edx
        wrmsr
        movl    $0xc0000082, %ecx
        movl    $syscall_target, %eax
        xorl    %edx, %edx
        wrmsr
        movl    $0xc0000084, %ecx
        movl    $0x200, %eax
        wrmsr
        EXPECT64
        pushq   $USER_DATA
        pushq   $user_stack_top
        pushq   $0x3202
        pushq   $USER64
        pushq   $1f
        iretq
1:      xorl    %r11d, %r11d
        syscall
2:      int     $BACK
        DONE64  "SYSCALL and back by IRETQ"
        NOTE    "RCX inside", syscall_rcx
        movq    syscall_r11, %rax
        andl    $0x7700, %eax
        NOTE    "R11 inside", %rax
        movq    syscall_flags, %rax
        andl    $0x7700, %eax
        NOTE    "flags inside", %rax
        NOTE    "CS inside", syscall_cs
        NOTE    "SS inside", syscall_ss
        EXPECT64
        pushq   $USER_DATA
        pushq   $user_stack_top
        pushq   $0x3002
        pushq   $USER64
        pushq   $1f
        iretq
1:      hlt
        DONE64  "HLT in ring 3"
        EXPECT64
        pushq   $USER_DATA
        pushq   $user_stack_top
        pushq   $0x3002
        pushq   $USER_CODE
        pushq   $user32
        iretq
        DONE64  "compatibility mode in ring 3"
        NOTE    "what 32-bit code computed", seen32
        EXPECT64
        pushq   $COMPAT
        pushq   $compat_entry
        lretq
compat_back:
        DONE64  "compatibility mode in ring 0"
        NOTE    "what 32-bit code computed", seen32
        EXPECT64
        pushq   $0
        pushq   $1f
        lretq
1:      DONE64  "far return to null"
        jmp     long_leave

syscall_target:
        movq    %rcx, syscall_rcx
        movq    %r11, syscall_r11
        movq    $catch64_stack, %rsp
        pushfq
        popq    syscall_flags
        movl    %cs, %eax
        movl    %eax, syscall_cs
        movl    %ss, %eax
        movl    %eax, syscall_ss
        subq    base64, %rcx
        xchgq   %rcx, syscall_rcx
        pushq   $USER_DATA
        pushq   $user_stack_top
        pushq   $0x3002
        pushq   $USER64
        pushq   %rcx
        iretq

        .code32
user32: movl    $USER_DATA, %eax        # IRETQ took away the DS of ring 0
        movl    %eax, %ds
        movl    $0x7fffffff, %eax
        incl    %eax                    # 40h: a REX prefix in 64-bit mode, INC EAX here
        .byte   0x40
        movl    %eax, %ds:seen32
        int     $BACK
compat_entry:
        movl    $DATA32, %eax
        movl    %eax, %ds
        xorl    %eax, %eax
        .byte   0x48                    # DEC EAX
        movl    %eax, seen32
        ljmp    $CODE64, $compat_back

        .bss
        .balign 8
seen32:         .skip   8
syscall_rcx:    .skip   8
syscall_r11:    .skip   8
syscall_flags:  .skip   8
syscall_cs:     .skip   8
syscall_ss:     .skip   8
