# Entries into the kernel: exceptions, interrupts and system calls all leave a struct interrupt_frame on the stack.
# The call-frame information is right at every instruction, so that a debugger walks from a handler through the entry
# into the code that was interrupted ("signal frame": that code's address is not behind a call).

#define ASSEMBLER
#include "layout.h"

        .cfi_sections .debug_frame

        # What the processor pushes in 64-bit mode: RIP, CS, RFLAGS, RSP, SS; and below them `extra` bytes.
        .macro CFI_INTERRUPTED extra
        .cfi_startproc simple
        .cfi_signal_frame
        .cfi_def_cfa rsp, 40 + \extra
        .cfi_offset rip, -40
        .cfi_offset rsp, -16
        .endm

        .macro PUSH_REGISTER name
        pushq   %\name
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset \name, 0
        .endm

        .macro POP_REGISTER name
        popq    %\name
        .cfi_adjust_cfa_offset -8
        .cfi_restore \name
        .endm

        .macro PUSH_REGISTERS
        .irp name, rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
        PUSH_REGISTER \name
        .endr
        .endm

        .macro POP_REGISTERS
        .irp name, r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax
        POP_REGISTER \name
        .endr
        .endm

        .text

        # A stub of 16 bytes for each vector. Some exceptions come with an error code, the others get a 0.
        .macro STUB vector
        .balign 16
        .type interrupt_stub_\vector, @function
interrupt_stub_\vector:
        .if \vector == 8 || (\vector >= 10 && \vector <= 14) || \vector == 17 || \vector == 21
        CFI_INTERRUPTED 8
        .else
        CFI_INTERRUPTED 0
        pushq   $0
        .cfi_adjust_cfa_offset 8
        .endif
        pushq   $\vector
        .cfi_adjust_cfa_offset 8
        jmp     interrupt_common
        .cfi_endproc
        .size interrupt_stub_\vector, . - interrupt_stub_\vector
        .endm

        .balign 16
        .globl interrupt_stubs
interrupt_stubs:
        .altmacro
        .set vector, 0
        .rept 48
        STUB %vector
        .set vector, vector + 1
        .endr
        .noaltmacro

        .balign 16
        .type interrupt_common, @function
interrupt_common:
        CFI_INTERRUPTED 16
        PUSH_REGISTERS
        cld
        movq    %rsp, %rdi
        call    handle_interrupt
        .globl  return_from_interrupt
return_from_interrupt:
        POP_REGISTERS
        addq    $16, %rsp
        .cfi_adjust_cfa_offset -16
        iretq
        .cfi_endproc
        .size interrupt_common, . - interrupt_common

        # SYSCALL: RCX is the caller's RIP, R11 its RFLAGS, RSP still its own; interrupts are off (FMASK). RAX is the
        # number, RDI, RSI, RDX the arguments; RCX, R10 and R11 are lost to the caller.
        .globl syscall_entry
        .type syscall_entry, @function
syscall_entry:
        .cfi_startproc simple
        .cfi_signal_frame
        .cfi_def_cfa rsp, 0
        .cfi_register rip, rcx
        movq    %rsp, %r10
        .cfi_def_cfa_register r10
        movq    syscall_stack(%rip), %rsp
        pushq   $USER_DS
        pushq   %r10
        pushq   %r11
        pushq   $USER_CS
        pushq   %rcx
        .cfi_def_cfa rsp, 40
        .cfi_offset rip, -40
        .cfi_offset rsp, -16
        pushq   $0
        .cfi_adjust_cfa_offset 8
        pushq   $SYSCALL_VECTOR
        .cfi_adjust_cfa_offset 8
        PUSH_REGISTERS
        cld
        movq    %rsp, %rdi
        call    handle_syscall
        POP_REGISTERS
        movq    16(%rsp), %rcx
        .cfi_register rip, rcx
        movq    32(%rsp), %r11
        movq    40(%rsp), %rsp
        .cfi_def_cfa rsp, 0
        .cfi_restore rsp
        sysretq
        .cfi_endproc
        .size syscall_entry, . - syscall_entry

        # void switch_stacks(u64 *save_rsp, u64 load_rsp): goes to sleep here and wakes up on another task's stack.
        .globl switch_stacks
        .type switch_stacks, @function
switch_stacks:
        .cfi_startproc
        .irp name, rbx, rbp, r12, r13, r14, r15
        PUSH_REGISTER \name
        .endr
        movq    %rsp, (%rdi)
        movq    %rsi, %rsp
        .irp name, r15, r14, r13, r12, rbp, rbx
        POP_REGISTER \name
        .endr
        ret
        .cfi_endproc
        .size switch_stacks, . - switch_stacks

        .section .note.GNU-stack, "", @progbits
