# Four processors: start-up, locks, interrupts from one to another, another's TLB, code that another one wrote, timers.
#include "test.inc"

        .set APIC, 0xfee00000
        .set IOAPIC, 0xfec00000
        .set OTHERS, 3
        .set ROUNDS, 10000
        .set COUNT, 0x31                # vectors
        .set FLUSH, 0x32
        .set TIMER, 0x33
        .set PIT, 0x34
        .set WINDOW, 0x40000000
        .set ALL_BUT_SELF, 0xc0000
        .set ALL, 0x80000
        .set SELF, 0x40000
        .set LOGICAL, 0x800
        .set ASSERT, 0x4000

        .macro IPI command, destination=0
        movl    $\destination << 24, APIC + 0x310
        movl    $\command | ASSERT, APIC + 0x300
        .endm
        .macro WAIT variable, value
9:      pause
        cmpl    $\value, \variable
        jne     9b
        .endm
        # The others begin `job`; this processor goes on.
        .macro BEGIN job
        movl    $0, done
        movl    $0, ready
        movl    $0, go
        movl    $\job, current_job
        lock incl phase
        .endm
        .macro COUNTED name
        call    digits_of_counts
        REPORT  "\name", %eax
        .endm

test_main:
        call    enable_apic
        .irp vector, COUNT, FLUSH, TIMER, PIT
        GATE    idt+8*\vector, CODE32, on_\vector, 0x8e
        .endr
        GATE    idt+8*2, CODE32, on_nmi, 0x8e
        call    make_tables

        IPI     ALL_BUT_SELF | 0x500    # INIT, and twice where to begin: the second time they do not listen
        call    delay
        IPI     ALL_BUT_SELF | 0x600 | LOW >> 12
        call    delay
        IPI     ALL_BUT_SELF | 0x600 | LOW >> 12
        WAIT    alive, OTHERS
        REPORT  "started, by APIC id", started
        REPORT  "boot processors among them", boot_processors
        movl    LOW + first_cs - low_start, %eax
        REPORT  "CS at start-up", %eax
        movl    LOW + first_cr0 - low_start, %eax
        REPORT  "CR0 at start-up", %eax

        BEGIN   job_lock
        call    job_lock
        WAIT    done, OTHERS
        REPORT  "counted under a lock", counter
        BEGIN   job_atomic
        call    job_atomic
        WAIT    done, OTHERS
        REPORT  "counted by LOCK XADD", atomic
        REPORT  "counted by LOCK CMPXCHG", exchanged

        BEGIN   job_listen
        call    send_all_kinds
        lock incl phase
        WAIT    done, OTHERS
        BEGIN   job_halt
        WAIT    ready, OTHERS
        call    send_all_kinds
        lock incl phase
        IPI     ALL_BUT_SELF | COUNT
        WAIT    done, OTHERS
        COUNTED "woken at last"

        BEGIN   job_map
        call    enable_paging
        WAIT    ready, OTHERS
        movl    $frame_b + 3, window_table
        invlpg  WINDOW
        IPI     ALL_BUT_SELF | FLUSH
        WAIT    flushed, OTHERS
        incl    go
        WAIT    done, OTHERS
        REPORT  "read before the mapping changed", before
        REPORT  "read after it", after

        movl    $0, before
        movl    $0, after
        BEGIN   job_code
        WAIT    ready, OTHERS
        movl    $0x200, patched + 1
        incl    go
        WAIT    done, OTHERS
        REPORT  "code returned before it was written", before
        REPORT  "and after it", after

        BEGIN   job_timer
        WAIT    done, OTHERS
        COUNTED "timer interrupts"

        BEGIN   job_listen
        movl    $0x10 + 2 * 2 + 1, IOAPIC
        movl    $2 << 24, IOAPIC + 0x10
        movl    $0x10 + 2 * 2, IOAPIC
        movl    $PIT, IOAPIC + 0x10
        movb    $0x34, %al
        outb    %al, $0x43
        movb    $0xe8, %al
        outb    %al, $0x40
        movb    $0x03, %al
        outb    %al, $0x40
1:      pause
        cmpl    $3, counts + 4 * 2
        jb      1b
        movl    $0x10000 + PIT, IOAPIC + 0x10
        lock incl phase
        WAIT    done, OTHERS
        movl    $1, counts + 4 * 2
        COUNTED "by the I/O APIC to the third processor"

        BEGIN   job_die
        WAIT    ready, OTHERS
        WAIT    done, 2
        movl    $0, alive
        IPI     0x500, 1
        call    delay
        IPI     0x600 | LOW >> 12, 1
        WAIT    alive, 1
        BEGIN   job_atomic
        WAIT    done, OTHERS
        REPORT  "one started anew", atomic
        ret

# Interrupts with every kind of destination, to processors that run job_listen or job_halt.
send_all_kinds:
        IPI     ALL_BUT_SELF | COUNT
        WAIT    counted, 3
        COUNTED "all but self"
        sti
        IPI     ALL | COUNT
        WAIT    counted, 4
        COUNTED "all"
        IPI     SELF | COUNT
        WAIT    counted, 1
        COUNTED "self"
        cli
        IPI     COUNT, 2
        WAIT    counted, 1
        COUNTED "the third"
        IPI     LOGICAL | COUNT, 0xa
        WAIT    counted, 2
        COUNTED "the second and the fourth, by logical destination"
        IPI     COUNT, 0xff
        WAIT    counted, 3
        COUNTED "broadcast, interrupts off here"
        sti
        WAIT    counted, 1
        cli
        COUNTED "and on"
        IPI     0x400, 3
        WAIT    counted, 1
        COUNTED "NMI to the fourth"
        ret

# A digit for each processor, the first one lowest; forgets them.
digits_of_counts:
        xorl    %eax, %eax
        movl    $3, %ecx
1:      shll    $4, %eax
        xorl    %edx, %edx
        xchgl   counts(, %ecx, 4), %edx
        orl     %edx, %eax
        decl    %ecx
        jns     1b
        movl    $0, counted
        ret

delay:  movl    $20000, %ecx
1:      pause
        loop    1b
        ret

enable_apic:                            # EBP: APIC id; logical destinations have a bit for each
        movl    APIC + 0x20, %ebp
        shrl    $24, %ebp
        movl    $0x1ff, APIC + 0xf0
        movl    $-1, APIC + 0xe0
        movl    $1 << 24, %eax
        movl    %ebp, %ecx
        shll    %cl, %eax
        movl    %eax, APIC + 0xd0
        ret

# Everything in 4 MiB pages where it is, but for one page.
make_tables:
        xorl    %ecx, %ecx
1:      movl    %ecx, %eax
        shll    $22, %eax
        orl     $0x83, %eax
        movl    %eax, directory(, %ecx, 4)
        incl    %ecx
        cmpl    $1024, %ecx
        jb      1b
        movl    $window_table + 3, directory + WINDOW >> 20
        movl    $frame_a + 3, window_table
        movl    $0x111, frame_a
        movl    $0x222, frame_b
        ret
enable_paging:
        movl    %cr4, %eax
        orl     $0x10, %eax
        movl    %eax, %cr4
        movl    $directory, %eax
        movl    %eax, %cr3
        movl    %cr0, %eax
        orl     $0x80000000, %eax
        movl    %eax, %cr0
        ret

# What the other processors do when asked.
ap_start:
        movl    $DATA32, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        movl    APIC + 0x20, %esp       # a stack each, by APIC id
        shrl    $14, %esp
        addl    $stacks + 1024, %esp
        call    enable_apic
        lidt    idt_pointer
        movl    $0x1b, %ecx
        rdmsr
        testl   $0x100, %eax
        jz      1f
        lock btsl %ebp, boot_processors
1:      lock btsl %ebp, started
        movl    phase, %ebx
        lock incl alive
2:      pause
        cmpl    phase, %ebx
        je      2b
        movl    phase, %ebx
        call    *current_job
        lock incl done
        jmp     2b

job_lock:
        movl    $ROUNDS, %ecx
1:      movl    $1, %eax
        xchgl   %eax, lock_word
        testl   %eax, %eax
        jz      2f
        pause
        jmp     1b
2:      movl    counter, %eax
        incl    %eax
        movl    %eax, counter
        movl    $0, lock_word
        loop    1b
        ret
job_atomic:
        movl    $ROUNDS, %ecx
1:      movl    $1, %eax
        lock xaddl %eax, atomic
2:      movl    exchanged, %eax
        leal    1(%eax), %edx
        lock cmpxchgl %edx, exchanged
        jne     2b
        loop    1b
        ret
job_listen:
        sti
1:      pause
        cmpl    phase, %ebx
        je      1b
        movl    phase, %ebx
        cli
        ret
job_halt:
        lock incl ready
1:      cli
        cmpl    phase, %ebx
        jne     2f
        sti
        hlt
        jmp     1b
2:      movl    phase, %ebx
        sti
3:      pause
        cmpl    $0, counts(, %ebp, 4)
        je      3b
        cli
        ret
job_map:
        call    enable_paging
        movl    WINDOW, %eax
        lock addl %eax, before
        sti
        lock incl ready
        WAIT    go, 1
        movl    WINDOW, %eax
        lock addl %eax, after
        cli
        ret
job_code:
        call    patched
        lock addl %eax, before
        lock incl ready
        WAIT    go, 1
        pushl   %ebx
        xorl    %eax, %eax
        cpuid                           # serialises, as SDM volume 3A section 8.1.3 wants it
        popl    %ebx
        call    patched
        lock addl %eax, after
        ret
patched: movl   $0x100, %eax
        ret
job_timer:
        movl    $0x0b, APIC + 0x3e0
        movl    $TIMER, APIC + 0x320
        movl    $100000, APIC + 0x380
1:      cli
        cmpl    $0, counts(, %ebp, 4)
        jne     2f
        sti
        hlt
        jmp     1b
2:      ret
job_die:
        lock incl ready
        cmpl    $1, %ebp
        je      1f
        movl    phase, %ebx
        ret
1:      cli
        hlt
        jmp     1b

        .irp vector, COUNT, TIMER, PIT
on_\vector:
        call    count_one
        movl    $0, APIC + 0xb0
        iretl
        .endr
on_FLUSH:
        invlpg  WINDOW
        lock incl flushed
        movl    $0, APIC + 0xb0
        iretl
on_nmi: call    count_one
        iretl
count_one:
        pushl   %eax
        movl    APIC + 0x20, %eax
        shrl    $24, %eax
        lock incl counts(, %eax, 4)
        lock incl counted
        popl    %eax
        ret

        # Real mode, at LOW: where start-up interrupts lead.
        .section .low, "ax"
        .code16
        cli
        movw    %cs, %cs:first_cs - low_start
        movl    %cr0, %eax
        movl    %eax, %cs:first_cr0 - low_start
        lgdtl   %cs:low_gdt - low_start
        andl    $0x9fffffff, %eax
        orl     $1, %eax
        movl    %eax, %cr0
        ljmpl   $CODE32, $ap_start
        .balign 4
first_cs: .long 0
first_cr0: .long 0
low_gdt: .word  27 * 8 - 1
        .long   gdt

        .bss
        .balign 4096
directory:      .skip   4096
window_table:   .skip   4096
frame_a:        .skip   4096
frame_b:        .skip   4096
stacks:         .skip   4 * 1024
phase:          .skip   4
current_job:    .skip   4
done:           .skip   4
ready:          .skip   4
go:             .skip   4
alive:          .skip   4
started:        .skip   4
boot_processors: .skip  4
lock_word:      .skip   4
counter:        .skip   4
atomic:         .skip   4
exchanged:      .skip   4
before:         .skip   4
after:          .skip   4
flushed:        .skip   4
counted:        .skip   4
counts:         .skip   4 * 4
