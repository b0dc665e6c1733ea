# Sensitive instructions in 64-bit mode, and what it adds to them.
#include "test.inc"
#include "long.inc"

        .code64
long_main:
        sgdt    image64
        movzwl  image64, %eax
        NOTE    "SGDT, limit", %rax
        movq    image64 + 2, %rax
        NOTE    "SGDT, base", %rax
        sidt    image64
        movzwl  image64, %eax
        NOTE    "SIDT, limit", %rax
        movq    image64 + 2, %rax
        NOTE    "SIDT, base", %rax
        xorl    %eax, %eax
        sldt    %ax
        NOTE    "SLDT", %rax
        str     %ax
        NOTE    "STR", %rax
        smsw    %rax
        NOTE    "SMSW", %rax

        pushq   $0x3202                 # IF, IOPL 3
        popfq
        pushfq
        popq    %rax
        NOTE    "POPF and PUSHF, IF and IOPL 3", %rax
        pushq   $0x0002
        popfq
        pushfq
        popq    %rax
        NOTE    "POPF and PUSHF, neither", %rax

        xorl    %eax, %eax
        movl    $DATA32, %ecx
        lar     %cx, %eax
        NOTE    "LAR of ring 0's data", %rax
        xorl    %eax, %eax
        lsl     %cx, %eax
        NOTE    "LSL of ring 0's data", %rax
        xorl    %eax, %eax
        verr    %cx
        setz    %al
        NOTE    "VERR of ring 0's data", %rax
        xorl    %eax, %eax
        verw    %cx
        setz    %al
        NOTE    "VERW of ring 0's data", %rax
        movl    %cs, %eax
        NOTE    "MOV from CS", %rax
        movl    $DATA32, %eax
        movl    %eax, %ss
        movl    %ss, %eax
        NOTE    "MOV to SS and from it", %rax
        pushq   %fs
        popq    %rax
        NOTE    "PUSH FS", %rax
        pushq   %gs
        popq    %gs
        movl    %gs, %eax
        NOTE    "PUSH GS and POP GS", %rax

        EXPECT64
        rex.w lcall *far_return
        DONE64  "far CALL and RET"
        NOTE    "CS that the far CALL pushed", %rax
        xorl    %eax, %eax
        rex.w ljmp *far_jump
jumped: movl    %cs, %eax
        NOTE    "CS behind a far JMP", %rax
        EXPECT64
        movl    %cs, %eax
        pushq   %rax
        pushq   $1f
        lretq
1:      DONE64  "MOV from CS, pushed, and far RET"
        EXPECT64
        movq    %rsp, %rdx
        movl    %ss, %eax
        pushq   %rax
        pushq   %rdx
        pushfq
        movl    %cs, %eax
        pushq   %rax
        pushq   $1f
        iretq
1:      DONE64  "IRET with what MOV and PUSHF gave"

        # RDFSBASE, RDGSBASE and SWAPGS speak of registers that are the kernel's own in every ring.
        movq    %cr4, %rax
        orl     $0x10000, %eax
        movq    %rax, %cr4
        movl    $0x1234, %ebx
        wrgsbase %rbx
        swapgs
        movl    $0x5678, %ebx
        wrgsbase %rbx
        swapgs
        rdgsbase %rax
        NOTE    "GS base behind two SWAPGS", %rax
        wrfsbase %rbx
        rdfsbase %rax
        NOTE    "RDFSBASE", %rax

        # SYSCALL to ring 0, SYSRET to ring 3: STAR, LSTAR and SFMASK.
        movl    $0xc0000081, %ecx
        xorl    %eax, %eax
        movl    $CODE64 | (USER_DATA - 8) << 16, %edx
        wrmsr
        movl    $0xc0000082, %ecx
        movl    $entered, %eax
        xorl    %edx, %edx
        wrmsr
        movl    $0xc0000084, %ecx
        movl    $0x200, %eax
        wrmsr
        movl    $0xc0000080, %ecx
        rdmsr
        orl     $1, %eax
        wrmsr
        pushq   $0x3202
        popfq
        syscall
entered:
        pushfq
        popq    %rax
        NOTE    "PUSHF behind SYSCALL that masks IF", %rax
        NOTE    "R11", %r11
        movl    %cs, %eax
        NOTE    "CS behind SYSCALL", %rax
        movl    %ss, %eax
        NOTE    "SS behind SYSCALL", %rax
        movl    $DATA32, %eax
        movl    %eax, %ss
        # SYSRET to a program with IF and IOPL 3, which looks around and comes back.
        movl    $0xc0000082, %ecx
        movl    $came_back, %eax
        xorl    %edx, %edx
        wrmsr
        movl    $program, %ecx
        movl    $0x3202, %r11d
        movq    %rsp, %rbp
        sysretq
program:
        movl    $user_stack_top, %esp
        movl    %cs, %r8d
        movl    %ss, %r9d
        pushfq
        popq    %r10
        str     %r12d
        syscall
came_back:
        movq    %rbp, %rsp
        NOTE    "CS behind SYSRET", %r8
        NOTE    "SS behind SYSRET", %r9
        NOTE    "PUSHF behind SYSRET with IF and IOPL 3", %r10
        NOTE    "STR in a program", %r12
        NOTE    "R11 behind its SYSCALL", %r11
        movl    $DATA32, %eax
        movl    %eax, %ss
        pushq   $0x0002
        popfq
        jmp     long_leave

far_callee:
        movq    8(%rsp), %rax
        lretq

        .data
        .balign 16
far_return:
        .quad   far_callee
        .word   CODE64
        .balign 16
far_jump:
        .quad   jumped
        .word   CODE64
        .balign 8
image64:
        .skip   10
