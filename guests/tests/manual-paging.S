# Paging where QEMU 7.2 departs from the manual: the expected output is written by hand from the SDM, volume 3A.
#include "test.inc"
#include "paging.inc"

test_main:
        call    setup_paging

        # Table 4-1 and section 4.7: an instruction that will write asks for the right to write at once.
        EXPECT
        incl    WINDOW + 0x10
        DONE "read and write of nothing"

        # 4.7: bit 3 comes with bit 0.
        PAE_ON
        PAE_PAGE 2, P + W + U, 0x00080000
        EXPECT
        movl    WINDOW + 0x2000, %eax
        DONE "PAE: reserved bit"
        EXPECT
        movl    %eax, WINDOW + 0x2000
        DONE "PAE: reserved bit, write"
        # 4.4.1: the four upper entries are read when CR3 is written, not before, and their reserved bits checked.
        movl    $0, pdpt
        invlpg  WINDOW
        movl    frames, %eax
        movl    $pae_directory + 1, pdpt
        movl    $0x2083, pae_directory + 24
        invlpg  0x600000
        EXPECT
        movl    0x600000 + frames, %eax
        DONE "PAE: reserved bit of a page of 2 MiB"
        EXPECT
        movl    $pae_directory + 0x1e7, pdpt + 8
        movl    $pae_directory + 1, pdpt
        movl    %cr3, %eax
        movl    %eax, %cr3
        DONE "PAE: reserved bits in an upper entry"
        movl    $0, pdpt + 8
        ret
