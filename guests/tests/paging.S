# Paging in 32-bit mode: 2 levels and PAE; error codes, CR2, accessed and dirty bits, WP, NX, SMEP, SMAP.
#include "test.inc"
#include "paging.inc"

test_main:
        call    setup_paging

        # Not there.
        EXPECT
        movl    WINDOW + 0x10, %eax
        DONE "read of nothing"
        EXPECT
        movl    %eax, WINDOW + 0x10
        DONE "write of nothing"
        EXPECT
        cmpl    $0, WINDOW + 0x10
        DONE "compare with nothing"
        EXPECT
        movl    $WINDOW, %eax
        jmp     *%eax
        DONE "execution of nothing"
        EXPECT
        movl    0x10000000, %eax
        DONE "no table"
        EXPECT
        USER    1f
1:      movl    WINDOW, %eax
        DONE "read of nothing in ring 3"
        EXPECT
        USER    1f
1:      movl    %eax, WINDOW
        DONE "write of nothing in ring 3"
        EXPECT
        movl    $WINDOW, %edi
        movl    $4, %ecx
        rep stosl
        DONE "string write"
        REPORT  "ECX left", %ecx

        # Rights.
        PAGE    0, P
        PAGE    1, P + W
        PAGE    2, P + U
        PAGE    3, P + W + U
        EXPECT
        movl    WINDOW, %eax
        DONE "read of a page of ring 0"
        ENTRY   "its entry", 0
        EXPECT
        movl    %eax, WINDOW
        DONE "ring 0 writes what is read-only, WP off"
        ENTRY   "its entry", 0
        CR0_SET 0x10000
        PAGE    0, P
        EXPECT
        movl    %eax, WINDOW
        DONE "ring 0 writes what is read-only, WP on"
        ENTRY   "its entry", 0
        EXPECT
        xchgl   %eax, WINDOW
        DONE "XCHG with what is read-only"
        EXPECT
        lock cmpxchgl %ecx, WINDOW
        DONE "CMPXCHG with what is read-only"
        EXPECT
        movl    %eax, WINDOW + 0x1000
        DONE "ring 0 writes a page of ring 0"
        ENTRY   "its entry", 1
        movl    directory + 4, %eax
        andl    $0xfff, %eax
        REPORT  "directory entry", %eax
        EXPECT
        USER    1f
1:      movl    WINDOW, %eax
        DONE "ring 3 reads a page of ring 0"
        EXPECT
        USER    1f
1:      movl    WINDOW + 0x2000, %eax
        int     $BACK
        DONE "ring 3 reads what is read-only"
        EXPECT
        USER    1f
1:      movl    %eax, WINDOW + 0x2000
        DONE "ring 3 writes what is read-only"
        EXPECT
        USER    1f
1:      movl    %eax, WINDOW + 0x3000
        int     $BACK
        DONE "ring 3 writes its page"
        movl    $window_table + 3, directory + 4
        movl    %cr3, %eax
        movl    %eax, %cr3
        EXPECT
        USER    1f
1:      movl    WINDOW + 0x3000, %eax
        DONE "the directory forbids ring 3"
        movl    $window_table + 5, directory + 4
        movl    %cr3, %eax
        movl    %eax, %cr3
        EXPECT
        movl    %eax, WINDOW + 0x3000
        DONE "the directory forbids writing"
        movl    $window_table + 7, directory + 4
        movl    %cr3, %eax
        movl    %eax, %cr3

        # Across a boundary: nothing is written, CR2 is in the second page.
        movl    $0x11111111, frames + 0x3ffc
        EXPECT
        movl    $0x22222222, WINDOW + 0x3ffe
        DONE "write across into nothing"
        movl    frames + 0x3ffc, %eax
        REPORT  "the first half", %eax
        EXPECT
        movl    WINDOW + 0x3ffd, %eax
        DONE "read across into nothing"
        movb    $0xb8, frames + 0x3ffe  # MOV EAX, imm32
        EXPECT
        movl    $WINDOW + 0x3ffe, %eax
        jmp     *%eax
        DONE "instruction across into nothing"

        # INVLPG takes the new entry into force.
        movl    $0x33333333, frames + 0x1000
        movl    $0x44444444, frames + 0x2000
        PAGE    4, P + W
        movl    WINDOW + 0x4000, %eax
        movl    $frames + 0x1000 + 3, window_table + 16
        invlpg  WINDOW + 0x4000
        movl    WINDOW + 0x4000, %eax
        REPORT  "through the new entry", %eax
        movl    $frames + 0x2000 + 3, window_table + 16
        movl    %cr3, %eax
        movl    %eax, %cr3
        movl    WINDOW + 0x4000, %eax
        REPORT  "through the next one", %eax

        # Large pages.
        EXPECT
        CR4_SET 0x10
        movl    $0x55555555, 0x800000 + frames
        DONE "page of 4 MiB"
        movl    frames, %eax
        REPORT  "written through it", %eax
        movl    directory + 8, %eax
        REPORT  "its entry", %eax

        # SMEP and SMAP.
        movb    $0xc3, frames + 0x3000  # RET
        PAGE    3, P + W + U
        andl    $~4, directory          # the kernel itself becomes ring 0's
        movl    $0, %ecx
3:      andl    $~4, low_table(, %ecx, 4)
        incl    %ecx
        cmpl    $1024, %ecx
        jb      3b
        movl    %cr3, %eax
        movl    %eax, %cr3
        CR4_SET 0x100000
        EXPECT
        movl    $WINDOW + 0x3000, %eax
        call    *%eax
        DONE "SMEP"
        CR4_CLEAR 0x100000
        EXPECT
        movl    $WINDOW + 0x3000, %eax
        call    *%eax
        DONE "without SMEP"
        CR4_SET 0x200000
        EXPECT
        movl    WINDOW + 0x3000, %eax
        DONE "SMAP: read"
        EXPECT
        movl    %eax, WINDOW + 0x3000
        DONE "SMAP: write"
        EXPECT
        stac
        movl    WINDOW + 0x3000, %eax
        clac
        DONE "SMAP: with AC"
        CR4_CLEAR 0x200000

        # PAE.
        PAE_ON
        EXPECT
        movl    WINDOW, %eax
        DONE "PAE: read of nothing"
        PAE_PAGE 0, P + W + U
        PAE_PAGE 1, P + W + U, 0x80000000
        PAE_PAGE 2, P + W + U, 0x00080000
        movb    $0xc3, frames
        movb    $0xc3, frames + 0x1000
        EXPECT
        movl    $WINDOW, %eax
        call    *%eax
        DONE "PAE: execution"
        movl    pae_window_table, %eax
        andl    $0xfff, %eax
        REPORT  "its entry", %eax
        EXPECT
        movl    $WINDOW + 0x1000, %eax
        call    *%eax
        DONE "PAE: execution of NX"
        EXPECT
        movl    WINDOW + 0x1000, %eax
        DONE "PAE: read of NX"
        EXPECT
        USER    1f
1:      movl    $WINDOW + 0x1000, %eax
        call    *%eax
        DONE "PAE: execution of NX in ring 3"
        EXPECT
        movl    $WINDOW + 0x5000, %eax
        call    *%eax
        DONE "PAE: execution of nothing"
        EXPECT
        movl    0x40000000, %eax
        DONE "PAE: no directory"
        movl    $0x83, pae_directory + 24 # 2 MiB at 6 MiB
        EXPECT
        movl    0x600000 + frames, %eax
        DONE "PAE: page of 2 MiB"
        movl    pae_directory + 24, %eax
        REPORT  "its entry", %eax
        CR0_CLEAR 0x80000000
        CR4_CLEAR 0x20
        ret
