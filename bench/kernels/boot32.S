/*
 * From Multiboot's entry to 32-bit C: 64 MiB mapped one to one in 4 KiB pages, as boot.S does for 64-bit mode. Nobody loads
 * a segment or takes an interrupt, so that the loader's descriptors do.
 */
#include "entry.h"
#define MAPPED_MIB 64
#define TABLES (MAPPED_MIB / 4)
#define PRESENT_WRITABLE 3
#define CR0_PE_PG 0x80000001

MULTIBOOT_HEADER

  .text
  .globl entry
entry:
  cli
  cld
  COMMAND_LINE_TO_EBP
  mov $PRESENT_WRITABLE, %eax
  mov $page_tables, %edi
1: stosl
  add $4096, %eax
  cmp $(MAPPED_MIB << 20), %eax
  jb 1b
  mov $(page_tables + PRESENT_WRITABLE), %eax
  mov $directory, %edi
  mov $TABLES, %ecx
2: stosl
  add $4096, %eax
  loop 2b
  mov $directory, %eax
  mov %eax, %cr3
  mov %cr0, %eax
  or $CR0_PE_PG, %eax
  mov %eax, %cr0
  mov $stack_end, %esp
  push %ebp
  xor %ebp, %ebp
  call guest_main

  .bss
  .align 4096
directory: .skip 4096
page_tables: .skip TABLES * 4096
stack: .skip 65536
stack_end:
