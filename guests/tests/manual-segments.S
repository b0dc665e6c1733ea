# Limits of segments, which QEMU 7.2 does not check: the expected output is written by hand from SDM volume 3A, 5.3.
#include "test.inc"

        .set BYTES, SLOT                # base 0, limit FFFh, expand-up, writable
        .set PAGES, SLOT + 8            # limit 1 page: 1FFFh
        .set DOWN, SLOT + 16            # expand-down, limit FFFh: 1000h and up, 32-bit
        .set DOWN16, SLOT + 24          # expand-down, 16-bit: 1000h to FFFFh
        .set SHORT_CODE, SLOT + 32      # code that ends within a page
        .set RODATA, SLOT + 40

        # `access` through FS
        .macro TRY selector, name, access:vararg
        EXPECT
        movl    $\selector, %eax
        movl    %eax, %fs
        \access
        DONE "\name"
        .endm

test_main:
        DESCRIPTOR BYTES, window, 0xfff, 0x4093
        DESCRIPTOR PAGES, window, 1, 0xc093
        DESCRIPTOR DOWN, 0, 0xfff, 0x4097
        DESCRIPTOR DOWN16, window, 0xfff, 0x0097
        DESCRIPTOR SHORT_CODE, 0, LOW+1, 0x409b
        DESCRIPTOR RODATA, 0, 0xfffff, 0xc091

        TRY     BYTES, "last byte", movb %fs:0xfff, %al
        TRY     BYTES, "byte behind", movb %fs:0x1000, %al
        TRY     BYTES, "last word", movw %fs:0xffe, %ax
        TRY     BYTES, "word across the end", movw %fs:0xfff, %ax
        TRY     BYTES, "doubleword across the end", movl %fs:0xffd, %eax
        TRY     BYTES, "write across the end", movl %eax, %fs:0xffd
        TRY     BYTES, "wraps to the beginning", movl %fs:0xfffffffe, %eax
        TRY     PAGES, "last byte, in pages", movb %fs:0x1fff, %al
        TRY     PAGES, "byte behind, in pages", movb %fs:0x2000, %al
        TRY     DOWN, "expand-down: at the limit", movb %fs:0xfff, %al
        TRY     DOWN, "expand-down: above it", movb %fs:0x1000, %al
        TRY     DOWN, "expand-down: across it", movw %fs:0xfff, %ax
        TRY     DOWN16, "expand-down, 16 bits: top", movb %fs:0xffff, %al
        TRY     DOWN16, "expand-down, 16 bits: behind the top", movb %fs:0x10000, %al
        TRY     RODATA, "write to read-only", movb %al, %fs:window
        TRY     CODE32, "write to code", movb %al, %fs:window
        TRY     CODE32, "read of code", movb %fs:window, %al
        TRY     0, "null", movb %fs:window, %al
        TRY     0, "null: LEA does not care", leal %fs:window, %eax

        # The stack: #SS.
        EXPECT
        movl    $BYTES, %eax
        movl    %eax, %ss
        movl    $0x800, %esp
        movl    $0x2000, %ebp
        movl    (%ebp), %eax
        DONE "through EBP behind the limit"

        # Code.
        EXPECT
        ljmp    $SHORT_CODE, $LOW
        DONE "execution behind the limit"
        EXPECT
        ljmp    $SHORT_CODE, $LOW + 2
        DONE "jump behind the limit"
        EXPECT
        ljmp    $SHORT_CODE, $0x20000
        DONE "jump far behind the limit"
        ret

        .section .low, "ax"
        nop
        nop
        nop                             # the limit is before this one

        .bss
        .balign 4096
window:         .skip   3 * 4096
                .skip   65536
