# The high-precision event timer, by polling: identity, counter, one-shot and periodic comparators, legacy replacement.
#include "test.inc"

        .set HPET, 0xfed00000
        .set BOUND, 4000000             # turns of a loop that should end long before

test_main:
        REPORT  "identity", HPET
        REPORT  "femtoseconds a tick", HPET + 4
        movl    HPET + 0x100, %eax
        andl    $0x8030, %eax
        REPORT  "timer 0: periodic, 64 bits, no messages", %eax
        movl    $0, HPET + 0x10
        movl    $5, HPET + 0xf0
        movl    $1, HPET + 0xf4
        REPORT  "halted: set low", HPET + 0xf0
        REPORT  "halted: set high", HPET + 0xf4
        movl    $0, HPET + 0xf4
        movl    $1, HPET + 0x10
        REPORT  "configuration", HPET + 0x10
        movl    HPET + 0xf0, %ebx
        movl    $1000, %ecx
1:      loop    1b
        movl    HPET + 0xf0, %eax
        subl    %ebx, %eax
        cmpl    $1, %eax
        sbbl    %eax, %eax
        REPORT  "it stands still", %eax
        movl    $0, HPET + 0x10
        movl    HPET + 0xf0, %ebx
        subl    HPET + 0xf0, %ebx
        REPORT  "halted again", %ebx

        # Level-triggered and routed nowhere that is open: the status says when.
        movl    $0, HPET + 0xf0
        movl    $0x106, HPET + 0x140    # timer 2: level, enabled, 32 bits
        movl    HPET + 0x140, %eax
        andl    $0x14e, %eax
        REPORT  "timer 2 configured", %eax
        movl    $20000, HPET + 0x148
        REPORT  "comparator", HPET + 0x148
        movl    $1, HPET + 0x10
        REPORT  "status before", HPET + 0x20
        movl    $BOUND, %ecx
1:      testl   $4, HPET + 0x20
        jnz     2f
        loop    1b
2:      REPORT  "status after", HPET + 0x20
        movl    HPET + 0xf0, %eax
        cmpl    $20000, %eax
        sbbl    %eax, %eax
        REPORT  "it came early", %eax
        movl    $4, HPET + 0x20
        REPORT  "status cleared", HPET + 0x20
        movl    $0, HPET + 0x140

        # Periodic: VAL_SET, comparator, period.
        movl    $0, HPET + 0x10
        movl    $0, HPET + 0xf0
        movl    $0x14e, HPET + 0x100    # timer 0: level, enabled, periodic, VAL_SET, 32 bits
        movl    $30000, HPET + 0x108
        movl    $7000, HPET + 0x108
        movl    HPET + 0x100, %eax
        andl    $0x40, %eax
        REPORT  "VAL_SET is forgotten", %eax
        REPORT  "first comparator", HPET + 0x108
        movl    $1, HPET + 0x10
        movl    $BOUND, %ecx
3:      cmpl    $50000, HPET + 0xf0
        ja      4f
        loop    3b
4:      REPORT  "status", HPET + 0x20
        movl    $0, HPET + 0x10
        movl    HPET + 0x108, %eax
        subl    $30000, %eax
        xorl    %edx, %edx
        movl    $7000, %ecx
        divl    %ecx
        REPORT  "comparator is off the period by", %edx
        movl    HPET + 0x108, %eax
        cmpl    HPET + 0xf0, %eax
        sbbl    %eax, %eax
        REPORT  "comparator is behind", %eax
        movl    $7, HPET + 0x20
        movl    $0, HPET + 0x100

        # Legacy replacement: IRQ 0 is timer 0's, seen in the 8259's request register.
        movl    $2, HPET + 0x10
        movb    $0x11, %al              # initialise, which forgets requests
        outb    %al, $0x20
        movb    $0x20, %al
        outb    %al, $0x21
        movb    $4, %al
        outb    %al, $0x21
        movb    $1, %al
        outb    %al, $0x21
        movb    $0xff, %al
        outb    %al, $0x21
        movl    $0, HPET + 0xf0
        movl    $0x104, HPET + 0x100    # edge, enabled, 32 bits
        movl    $20000, HPET + 0x108
        movl    $3, HPET + 0x10
        call    requests
        REPORT  "IRQ 0 before", %eax
        movl    $BOUND, %ecx
5:      cmpl    $21000, HPET + 0xf0
        ja      6f
        loop    5b
6:      call    requests
        REPORT  "IRQ 0 after", %eax
        REPORT  "an edge leaves no status", HPET + 0x20
        movl    $0, HPET + 0x10
        ret

requests:
        movb    $0x0a, %al
        outb    %al, $0x20
        inb     $0x20, %al
        andl    $1, %eax
        ret
