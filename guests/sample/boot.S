# From 32-bit protected mode, where Multiboot and PVH leave us, to 64-bit mode at the kernel's own addresses.
# Everything here is linked where it is loaded, at 1 MiB; the rest of the kernel lives KERNEL_BASE higher.

#define ASSEMBLER
#include "layout.h"

#define MULTIBOOT_MAGIC 0x1badb002
#define MULTIBOOT_FLAGS 0x00010003      /* page-aligned modules, memory information, addresses in this header */
#define XEN_ELFNOTE_PHYS32_ENTRY 18
#define PVH_MAGIC 0x336ec578

#define PRESENT_WRITABLE 3
#define LARGE_PAGE 0x80

        # The addresses make a Multiboot loader load this 64-bit file that would only take 32-bit ELF.
        .section .boot.header, "a"
        .balign 4
multiboot_header:
        .long MULTIBOOT_MAGIC
        .long MULTIBOOT_FLAGS
        .long -(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS)
        .long multiboot_header
        .long load_start
        .long load_end
        .long bss_end
        .long start_multiboot

        .section .note.Xen, "a", @note
        .long 4, 4, XEN_ELFNOTE_PHYS32_ENTRY
        .asciz "Xen"
        .long start_pvh

        .section .boot.text, "ax"
        .code32

        # Multiboot: EAX is the loader's magic number, EBX its information.
        .globl start_multiboot
        .type start_multiboot, @function
start_multiboot:
        .cfi_startproc
        .cfi_undefined 16 # rip: nothing to return to
        movl    %eax, %edi
        movl    %ebx, %esi
        jmp     start
        .cfi_endproc
        .size start_multiboot, . - start_multiboot

        # PVH: EBX is struct hvm_start_info.
        .globl start_pvh
        .type start_pvh, @function
start_pvh:
        .cfi_startproc
        .cfi_undefined 16 # rip: nothing to return to
        movl    $PVH_MAGIC, %edi
        movl    %ebx, %esi
        jmp     start
        .cfi_endproc
        .size start_pvh, . - start_pvh

        .type start, @function
start:
        .cfi_startproc
        .cfi_undefined 16 # rip: nothing to return to
        cld
        movl    $(boot_stack_top - KERNEL_BASE), %esp
        call    make_boot_tables

        movl    %cr4, %eax
        orl     $CR4_PAE, %eax
        movl    %eax, %cr4
        movl    $boot_pml4, %eax
        movl    %eax, %cr3
        movl    $MSR_EFER, %ecx
        rdmsr
        orl     $(EFER_SCE | EFER_LME | EFER_NXE), %eax
        wrmsr
        movl    %cr0, %eax
        orl     $(CR0_PG | CR0_WP), %eax
        movl    %eax, %cr0

        lgdt    boot_gdt_pointer
        ljmp    $KERNEL_CS, $start64
        .cfi_endproc
        .size start, . - start

        # The first GiB three times: at 0 until the kernel has its own tables, at DIRECT_MAP, at KERNEL_BASE.
        .type make_boot_tables, @function
make_boot_tables:
        movl    $(boot_pdpt_low + PRESENT_WRITABLE), boot_pml4
        movl    $(boot_pdpt_low + PRESENT_WRITABLE), boot_pml4 + 8 * 256
        movl    $(boot_pdpt_high + PRESENT_WRITABLE), boot_pml4 + 8 * 511
        movl    $(boot_pd + PRESENT_WRITABLE), boot_pdpt_low
        movl    $(boot_pd + PRESENT_WRITABLE), boot_pdpt_high + 8 * 510
        xorl    %ecx, %ecx
1:      movl    %ecx, %eax
        shll    $21, %eax
        orl     $(PRESENT_WRITABLE | LARGE_PAGE), %eax
        movl    %eax, boot_pd(, %ecx, 8)
        incl    %ecx
        cmpl    $512, %ecx
        jb      1b
        ret
        .size make_boot_tables, . - make_boot_tables

        .code64
        .type start64, @function
start64:
        .cfi_startproc
        .cfi_undefined 16 # rip: nothing to return to
        movl    $KERNEL_DS, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        xorl    %eax, %eax
        movl    %eax, %fs
        movl    %eax, %gs
        movq    $boot_stack_top, %rsp
        movl    %edi, %edi
        movl    %esi, %esi
        movabsq $kernel_main, %rax
        call    *%rax
        ud2
        .cfi_endproc
        .size start64, . - start64

        .section .boot.data, "aw"
        .balign 8
boot_gdt:
        .quad 0
        .quad 0x00af9b000000ffff        # KERNEL_CS: 64-bit code
        .quad 0x00cf93000000ffff        # KERNEL_DS
boot_gdt_pointer:
        .word . - boot_gdt - 1
        .long boot_gdt

        .section .boot.bss, "aw", @nobits
        .balign 4096
boot_pml4:      .skip 4096
boot_pdpt_low:  .skip 4096
boot_pdpt_high: .skip 4096
boot_pd:        .skip 4096

        .bss
        .balign 16
boot_stack:
        .skip 16384
        .globl boot_stack_top
boot_stack_top:

        .section .note.GNU-stack, "", @progbits
