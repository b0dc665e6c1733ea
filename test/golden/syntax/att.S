# A comment, and then the C preprocessor's
#include "test.inc"
#define PORT(n) (0x3f8 + n) /* a comment */ \
        + 1
#ifdef __x86_64__
/* a block
   of comment */
#endif
        .section .text, "ax", @progbits
        .set SIZE, 4 * 1024
LIMIT = SIZE - 1
        .macro SAVE reg, count=1
        push \reg; mov $\count, %ecx
.Lloop\@:
        loop .Lloop\@
        .endm
        .globl start
start:  cli
1:      movl $PORT(0), %edx     // to the end
        rep stosb
        lock cmpxchgl %ecx, 8(%rbx,%rsi,4)
        movw $'a', %fs:buffer+2(%rip)
        jmp *%rax
        jne 1b
        fadd %st(1), %st
        call memcpy@PLT
        .ascii "text\n \"quoted\" # no comment"
        .if SIZE > 5
        nop
        .endif
