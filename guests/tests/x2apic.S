# The local APIC through MSRs, its timer on a deadline, INVPCID and PCIDs, RDPID. QEMU's emulation has none of them: what
# is expected is what SDM volume 3A, sections 4.10 and 10.12, says.
#include "test.inc"
#include "long.inc"

        .set VECTOR, 0x31

        .macro WRITE_MSR index, low, high=0
        movl    $\index, %ecx
        movl    $\low, %eax
        movl    $\high, %edx
        wrmsr
        .endm
        .macro NOTE_MSR name, index
        movl    $\index, %ecx
        rdmsr
        shlq    $32, %rdx
        orq     %rdx, %rax
        NOTE    "\name", %rax
        .endm
        .macro FAULTS name, index, low, high=0
        EXPECT64
        WRITE_MSR \index, \low, \high
        DONE64  "\name"
        .endm

        .code64
long_main:
        EXPECT64
        movl    $0x802, %ecx
        rdmsr
        DONE64  "x2APIC register in xAPIC mode"
        NOTE_MSR "base", 0x1b
        FAULTS  "x2APIC without xAPIC", 0x1b, 0xfee00500
        WRITE_MSR 0x1b, 0xfee00d00
        NOTE_MSR "base in x2APIC mode", 0x1b
        FAULTS  "back to xAPIC", 0x1b, 0xfee00900
        NOTE_MSR "identifier", 0x802
        NOTE_MSR "version", 0x803
        NOTE_MSR "logical destination", 0x80d
        FAULTS  "identifier is read-only", 0x802, 0
        FAULTS  "end of interrupt takes 0", 0x80b, 1
        FAULTS  "task priority has 8 bits", 0x808, 0x100
        FAULTS  "upper half of a 32-bit register", 0x808, 0, 1
        FAULTS  "no high half of ICR", 0x831, 0
        FAULTS  "no destination format", 0x80e, 0
        FAULTS  "ICR: reserved bit", 0x830, 0x100000
        EXPECT64
        movl    $0x83f, %ecx
        rdmsr
        DONE64  "self IPI cannot be read"
        WRITE_MSR 0x80f, 0x1ff          # enabled
        NOTE_MSR "spurious vector", 0x80f

        # Interrupts to oneself.
        WRITE_MSR 0x83f, VECTOR
        NOTE_MSR "requested", 0x821
        EXPECT64
        sti
        nop
        nop
        DONE64  "self IPI"
        NOTE_MSR "in service", 0x811
        WRITE_MSR 0x80b, 0
        NOTE_MSR "in service after its end", 0x811
        WRITE_MSR 0x830, 0x40000|VECTOR         # shorthand: self
        NOTE_MSR "ICR", 0x830
        EXPECT64
        sti
        nop
        DONE64  "shorthand self"
        WRITE_MSR 0x80b, 0
        WRITE_MSR 0x830, 0x800|VECTOR, 1        # logical: cluster 0, processor 0
        EXPECT64
        sti
        nop
        DONE64  "logical destination 1"
        WRITE_MSR 0x80b, 0
        WRITE_MSR 0x830, 0x800|VECTOR, 2        # nobody
        EXPECT64
        sti
        nop
        cli
        DONE64  "logical destination 2"
        WRITE_MSR 0x830, VECTOR, 0xffffffff     # everybody
        EXPECT64
        sti
        nop
        DONE64  "broadcast"
        WRITE_MSR 0x80b, 0
        WRITE_MSR 0x808, 0x40           # task priority above the vector's class
        WRITE_MSR 0x83f, VECTOR
        EXPECT64
        sti
        nop
        cli
        DONE64  "held back by priority"
        movq    %cr8, %rax
        NOTE    "CR8", %rax
        EXPECT64
        sti
        xorl    %eax, %eax
        movq    %rax, %cr8
        nop
        DONE64  "and let through"
        WRITE_MSR 0x80b, 0

        # A deadline.
        WRITE_MSR 0x832, 0x40000|VECTOR
        NOTE_MSR "timer entry", 0x832
        WRITE_MSR 0x838, 1000           # ignored in this mode
        NOTE_MSR "count", 0x839
        rdtsc
        shlq    $32, %rdx
        orq     %rax, %rdx
        leaq    2000(%rdx), %rbx
        movl    $0x6e0, %ecx
        movq    %rbx, %rax
        movq    %rbx, %rdx
        shrq    $32, %rdx
        wrmsr
        rdmsr
        shlq    $32, %rdx
        orq     %rdx, %rax
        subq    %rbx, %rax
        NOTE    "armed, off by", %rax
        EXPECT64
        sti
        hlt
        DONE64  "deadline"
        rdtsc
        shlq    $32, %rdx
        orq     %rdx, %rax
        cmpq    %rbx, %rax
        sbbq    %rax, %rax
        NOTE    "it came early", %rax
        NOTE_MSR "disarmed", 0x6e0
        WRITE_MSR 0x80b, 0
        WRITE_MSR 0x6e0, 1              # long past
        EXPECT64
        sti
        nop
        nop
        DONE64  "deadline in the past"
        WRITE_MSR 0x80b, 0
        WRITE_MSR 0x6e0, 0xffffffff, 0x7fffffff
        WRITE_MSR 0x832, VECTOR         # another mode disarms
        NOTE_MSR "disarmed by the mode", 0x6e0

        # Process-context identifiers.
        EXPECT64
        movq    %cr3, %rax
        orq     $1, %rax
        movq    %rax, %cr3
        movq    %cr4, %rbx
        orl     $0x20000, %ebx
        movq    %rbx, %cr4
        DONE64  "PCIDE while CR3 has an identifier"
        movl    $pml4, %eax
        movq    %rax, %cr3
        movq    %cr4, %rbx
        orl     $0x20000, %ebx
        movq    %rbx, %cr4
        leaq    5(%rax), %rax
        btsq    $63, %rax
        movq    %rax, %cr3
        movq    %cr3, %rax
        subq    $pml4, %rax
        NOTE    "identifier, bit 63 not kept", %rax
        EXPECT64
        movl    $pml4, %eax
        btsq    $62, %rax
        movq    %rax, %cr3
        DONE64  "bit 62"

        # 2 MiB at 16 MiB, seen through two pages in turn.
        movl    $0x1122, 0x1000000
        movl    $0x3344, 0x1200000
        movl    0x1000000, %eax
        NOTE    "before", %rax
        movl    $0x1200087, pd+8*8
        movq    $0, descriptor
        movq    $5, descriptor
        movq    $0x1000000, descriptor+8
        xorl    %eax, %eax
        invpcid descriptor, %rax
        movl    0x1000000, %eax
        NOTE    "after INVPCID of the address", %rax
        movl    $0x1000087, pd+8*8
        movl    $1, %eax
        invpcid descriptor, %rax
        movl    0x1000000, %eax
        NOTE    "after INVPCID of the identifier", %rax
        movl    $0x1200087, pd+8*8
        movl    $2, %eax
        invpcid descriptor, %rax
        movl    0x1000000, %eax
        NOTE    "after INVPCID of everything", %rax
        EXPECT64
        movl    $4, %eax
        invpcid descriptor, %rax
        DONE64  "INVPCID type 4"
        EXPECT64
        movq    $0x1000, descriptor
        xorl    %eax, %eax
        invpcid descriptor, %rax
        DONE64  "identifier of 13 bits"
        EXPECT64
        movq    $5, descriptor
        btsq    $47, descriptor+8
        xorl    %eax, %eax
        invpcid descriptor, %rax
        DONE64  "address that is not canonical"
        EXPECT64
        movl    $1, %eax
        invpcid descriptor, %rax
        DONE64  "which does not matter for the identifier"
        movl    $pml4, %eax
        movq    %rax, %cr3
        movq    %cr4, %rbx
        andl    $~0x20000, %ebx
        movq    %rbx, %cr4
        EXPECT64
        movl    $1, %eax
        invpcid descriptor, %rax
        DONE64  "an identifier without PCIDE"

        WRITE_MSR 0xc0000103, 0x1234
        rdpid   %rax
        NOTE    "RDPID", %rax
        jmp     long_leave

        .data
        .balign 16
descriptor: .quad 0, 0
