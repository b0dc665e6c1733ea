# Multiboot leaves us in 32-bit protected mode: long mode with the first 1 GiB mapped where it is, then main().
#define STACK_BYTES 0x4000
        .section .boot.header, "a"
        .balign 4
header: .long 0x1badb002, 0x00010003, -(0x1badb002 + 0x00010003)
        .long header, load_start, load_end, bss_end, start

        .section .boot.text, "ax"
        .code32
        .globl start
start:  cli
        cld
        movl    $stack_top, %esp
        movl    %ebx, multiboot_info
        # PML4 and PDPT, then a page directory of 2 MiB pages.
        movl    $page_tables + 0x1003, page_tables
        movl    $page_tables + 0x2003, page_tables + 0x1000
        movl    $0x83, %eax
        xorl    %ecx, %ecx
1:      movl    %eax, page_tables + 0x2000(, %ecx, 8)
        addl    $0x200000, %eax
        incl    %ecx
        cmpl    $512, %ecx
        jb      1b
        movl    $page_tables, %eax
        movl    %eax, %cr3
        movl    $0x20, %eax             # CR4.PAE
        movl    %eax, %cr4
        movl    $0xc0000080, %ecx       # EFER.LME
        rdmsr
        orl     $0x100, %eax
        wrmsr
        movl    $0x80000031, %eax       # PG, NE, ET, PE
        movl    %eax, %cr0
        lgdt    gdt_pointer
        ljmp    $8, $2f
        .code64
2:      movl    $16, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        xorl    %eax, %eax
        movl    %eax, %fs
        movl    %eax, %gs
        movl    $tss, %eax              # the base of a TSS that nobody reads
        movw    %ax, gdt + 26
        shrl    $16, %eax
        movb    %al, gdt + 28
        movb    %ah, gdt + 31
        movl    $24, %eax
        ltr     %ax
        movb    $3, %al                 # the serial line has 8 data bits
        movw    $0x3fb, %dx
        outb    %al, %dx
        movb    $0xff, %al              # no interrupts from the interrupt controllers
        outb    %al, $0x21
        outb    %al, $0xa1
        call    main
        call    power_off

        .data
        .balign 8
        .globl gdt
gdt:    .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0x0000890000000067, 0
gdt_pointer:
        .word 39
        .long gdt
        .globl multiboot_info
multiboot_info:
        .long   0
        .bss
        .balign 4096
        .globl page_tables, stack_top, tss
page_tables:
        .skip 3 * 4096
        .skip STACK_BYTES
stack_top:
tss:    .skip 104
