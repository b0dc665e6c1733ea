# int vmx_enter(struct registers *guest, int resume): VMLAUNCH or VMRESUME with the guest's registers, and back with them at its
# exit. Answers 0 after an exit, 1 or 2 where the instruction failed (VMfailInvalid, VMfailValid).
        .text
        .globl vmx_enter
vmx_enter:
        pushq   %rbx
        pushq   %rbp
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
        pushq   %rdi
        movq    $0x6c14, %rax           # HOST_RSP
        vmwrite %rsp, %rax
        movq    $0x6c16, %rax           # HOST_RIP
        leaq    vmx_left(%rip), %rcx
        vmwrite %rcx, %rax
        testl   %esi, %esi
        movq    0(%rdi), %rax
        movq    8(%rdi), %rbx
        movq    16(%rdi), %rcx
        movq    24(%rdi), %rdx
        movq    32(%rdi), %rsi
        movq    48(%rdi), %rbp
        movq    56(%rdi), %r8
        movq    64(%rdi), %r9
        movq    72(%rdi), %r10
        movq    80(%rdi), %r11
        movq    88(%rdi), %r12
        movq    96(%rdi), %r13
        movq    104(%rdi), %r14
        movq    112(%rdi), %r15
        movq    40(%rdi), %rdi
        jnz     1f
        vmlaunch
        jmp     2f
1:      vmresume
2:      movl    $1, %eax                # only a failure comes here
        movl    $2, %ecx
        cmovzl  %ecx, %eax
        addq    $8, %rsp
        jmp     3f
vmx_left:
        xchgq   %rdi, (%rsp)
        movq    %rax, 0(%rdi)
        movq    %rbx, 8(%rdi)
        movq    %rcx, 16(%rdi)
        movq    %rdx, 24(%rdi)
        movq    %rsi, 32(%rdi)
        movq    %rbp, 48(%rdi)
        movq    %r8, 56(%rdi)
        movq    %r9, 64(%rdi)
        movq    %r10, 72(%rdi)
        movq    %r11, 80(%rdi)
        movq    %r12, 88(%rdi)
        movq    %r13, 96(%rdi)
        movq    %r14, 104(%rdi)
        movq    %r15, 112(%rdi)
        popq    40(%rdi)
        xorl    %eax, %eax
3:      popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rbp
        popq    %rbx
        ret
