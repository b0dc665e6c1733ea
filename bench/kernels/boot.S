/*
 * From the 32-bit entry to 64-bit C: 64 MiB mapped one to one in 4 KiB pages, so that the
 * workloads' memory accesses pay for TLB misses as a kernel's do.
 */
#include "entry.h"
#define MAPPED_MIB 64
#define TABLES (MAPPED_MIB / 2)
#define PRESENT_WRITABLE 3
#define CR4_PAE 0x20
#define EFER 0xc0000080
#define EFER_LME 0x100
#define CR0_PE_PG 0x80000001

PVH_NOTE(entry)

  .text
  .code32
  .globl entry
entry:
  cli
  cld
  COMMAND_LINE_TO_EBP
  mov $PRESENT_WRITABLE, %eax
  mov $page_tables, %edi
1: mov %eax, (%edi)
  movl $0, 4(%edi)
  add $4096, %eax
  add $8, %edi
  cmp $(MAPPED_MIB << 20), %eax
  jb 1b
  mov $(page_tables + PRESENT_WRITABLE), %eax
  mov $directory, %edi
  mov $TABLES, %ecx
2: mov %eax, (%edi)
  add $4096, %eax
  add $8, %edi
  loop 2b
  movl $(directory + PRESENT_WRITABLE), pointers
  movl $(pointers + PRESENT_WRITABLE), root
  mov $root, %eax
  mov %eax, %cr3
  mov %cr4, %eax
  or $CR4_PAE, %eax
  mov %eax, %cr4
  mov $EFER, %ecx
  rdmsr
  or $EFER_LME, %eax
  wrmsr
  mov %cr0, %eax
  or $CR0_PE_PG, %eax
  mov %eax, %cr0
  lgdt gdtr
  ljmp $8, $long_mode

  .code64
long_mode:
  mov $16, %eax
  mov %eax, %ss
  mov %eax, %ds
  mov %eax, %es
  mov $stack_end, %rsp
  xor %eax, %eax
  mov %ebp, %edi
  xor %ebp, %ebp
  call guest_main

  .section .rodata
  .align 8
gdt:
  .quad 0
  .quad 0x00af9b000000ffff
  .quad 0x00cf93000000ffff
gdtr:
  .word gdtr - gdt - 1
  .long gdt

  .bss
  .align 4096
root: .skip 4096
pointers: .skip 4096
directory: .skip 4096
page_tables: .skip TABLES * 4096
stack: .skip 65536
stack_end:
