# Where QEMU 7.2 departs from the manual: the expected output is written by hand from the SDM, volume 3A.
#include "test.inc"

test_main:
        # 6.15, "Interrupt 1": INT1 is a trap.
        EXPECT
        .byte   0xf1
        DONE "INT1"

        # 6.13: EXT is set when the event that could not be delivered was an exception.
        GATE    idt+8*6, CODE32, 0, 0x0e
        EXPECT
        ud2
        DONE "no gate for the invalid opcode"
        GATE    idt+8*6, CODE32, stubs+16*6, 0x8e

        # 6.8.3 / table 17-1: faults leave RF set in the saved EFLAGS, traps leave it clear.
        EXPECT
        ud2
        DONE "a fault"
        andl    $0x10000, caught_all_flags
        REPORT  "RF after a fault", caught_all_flags
        EXPECT
        int3
        DONE "a trap"
        andl    $0x10000, caught_all_flags
        REPORT  "RF after a trap", caught_all_flags

        # 6.15, "Interrupt 17": only in ring 3, with CR0.AM and EFLAGS.AC.
        movl    %cr0, %eax
        orl     $0x40000, %eax
        movl    %eax, %cr0
        EXPECT
        USER    1f, 0x40002
1:      movl    scratch + 1, %eax
        int     $BACK
        DONE "unaligned read with AC in ring 3"
        EXPECT
        USER    1f, 0x40002
1:      movb    %al, scratch + 1
        movw    %ax, scratch + 2
        int     $BACK
        DONE "aligned writes with AC in ring 3"
        EXPECT
        pushl   $0x40002
        popfl
        movl    scratch + 1, %eax
        DONE "unaligned read with AC in ring 0"
        pushl   $2
        popfl

        # Control and model-specific registers that do not take a value.
        EXPECT
        movl    $0x80000000, %eax       # PG without PE
        movl    %eax, %cr0
        DONE "CR0: PG without PE"
        EXPECT
        movl    $0x20000001, %eax       # NW without CD
        movl    %eax, %cr0
        DONE "CR0: NW without CD"
        EXPECT
        movl    $0xdeadbeef, %ecx
        rdmsr
        DONE "RDMSR of no register"
        EXPECT
        movl    $0xdeadbeef, %ecx
        wrmsr
        DONE "WRMSR of no register"
        EXPECT
        xorl    %eax, %eax
        ltr     %ax
        DONE "LTR of null"

        # 17.2.4: general detect is a fault; the handler may use the registers. DR6.BD says that it was this.
        movl    $0x2000, %eax
        movl    %eax, %dr7
        EXPECT
        movl    %dr3, %eax
        DONE "GD"
        movl    %dr7, %eax
        REPORT  "DR7: GD is gone", %eax
        movl    %dr6, %eax
        REPORT  "DR6", %eax
        ret

        .data
        .balign 8
scratch: .skip  16
