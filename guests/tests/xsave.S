# XSAVE and XRSTOR of x87 and SSE state in 64-bit mode: what is written, what is checked.
#include "test.inc"
#include "long.inc"

        .macro MASK value
        movl    $\value, %eax
        xorl    %edx, %edx
        .endm

        .code64
long_main:
        movl    $1, %eax
        cpuid
        shrl    $26, %ecx
        andl    $3, %ecx
        NOTE    "XSAVE, OSXSAVE before", %rcx
        EXPECT64
        xorl    %ecx, %ecx
        xgetbv
        DONE64  "XGETBV without OSXSAVE"
        EXPECT64
        xsave   area
        DONE64  "XSAVE without OSXSAVE"
        movq    %cr4, %rax
        orl     $0x40600, %eax          # OSFXSR, OSXMMEXCPT, OSXSAVE
        movq    %rax, %cr4
        movl    $1, %eax
        cpuid
        shrl    $26, %ecx
        andl    $3, %ecx
        NOTE    "XSAVE, OSXSAVE after", %rcx
        xorl    %ecx, %ecx
        xgetbv
        NOTE    "XCR0 at first", %rax
        movl    $13, %eax
        xorl    %ecx, %ecx
        cpuid
        andl    $3, %eax
        NOTE    "components", %rax
        NOTE    "bytes for x87", %rbx

        EXPECT64
        xorl    %ecx, %ecx
        MASK    2
        xsetbv
        DONE64  "XCR0 without x87"
        EXPECT64
        xorl    %ecx, %ecx
        MASK    5
        xsetbv
        DONE64  "AVX without SSE"
        EXPECT64
        movl    $7, %ecx
        MASK    3
        xsetbv
        DONE64  "XCR7"
        xorl    %ecx, %ecx
        MASK    3
        xsetbv
        xgetbv
        NOTE    "XCR0", %rax

        fninit
        fld1
        fldpi
        movl    $0x1fa0, mxcsr
        ldmxcsr mxcsr
        movabsq $0x1122334455667788, %rax
        movq    %rax, %xmm0
        movq    %rax, %xmm9
        movl    $area, %edi
        movl    $0xaaaaaaaa, %eax
        movl    $160, %ecx
        rep     stosl
        movq    $0, area + 512
        movl    $area + 520, %edi
        xorl    %eax, %eax
        movl    $14, %ecx
        rep     stosl

        MASK    -1
        xsave   area
        NOTE    "XSTATE_BV", area+512
        movzwl  area, %eax
        NOTE    "control word", %rax
        movzwl  area + 2, %eax
        NOTE    "status word", %rax
        movzbl  area + 4, %eax
        NOTE    "tags", %rax
        NOTE    "ST0", area+32
        NOTE    "XMM9", area+304
        movl    area + 24, %eax
        NOTE    "MXCSR", %rax
        NOTE    "bytes that belong to software", area+464

        # Only SSE: x87's part stays.
        movq    $-1, area
        MASK    2
        xsave   area
        NOTE    "x87 was not asked for", area
        MASK    -1
        xsave   area

        # Back, after other contents.
        fninit
        pxor    %xmm0, %xmm0
        pxor    %xmm9, %xmm9
        movl    $0x1f80, mxcsr
        ldmxcsr mxcsr
        MASK    3
        xrstor  area
        movq    %xmm9, %rax
        NOTE    "XMM9 restored", %rax
        stmxcsr mxcsr
        movl    mxcsr, %eax
        NOTE    "MXCSR restored", %rax
        fstpl   number
        NOTE    "ST0 restored", number

        # What XSTATE_BV does not have begins anew.
        movq    $1, area + 512
        MASK    3
        xrstor  area
        movq    %xmm9, %rax
        NOTE    "XMM9 initial", %rax
        movq    $2, area + 512
        xrstor  area
        movq    %xmm9, %rax
        NOTE    "XMM9 again", %rax
        fnstcw  mxcsr
        movzwl  mxcsr, %eax
        NOTE    "control word initial", %rax

        EXPECT64
        MASK    3
        xsave   area + 16
        DONE64  "not aligned to 64"
        EXPECT64
        movq    $16, area + 512
        MASK    3
        xrstor  area
        DONE64  "XSTATE_BV beyond XCR0"
        movq    $3, area + 512
        EXPECT64
        movq    %cr0, %rax
        orl     $8, %eax
        movq    %rax, %cr0
        MASK    3
        xsave   area
        DONE64  "task switched"
        clts
        EXPECT64
        movl    $0x10000, area + 24
        MASK    3
        xrstor  area
        DONE64  "reserved bit of MXCSR"
        movq    %cr4, %rax
        andl    $~0x40000, %eax
        movq    %rax, %cr4
        jmp     long_leave

        .bss
        .balign 64
area:   .skip   1024
mxcsr:  .skip   8
number: .skip   8
