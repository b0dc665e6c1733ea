/*
 * Loops that do nothing but leave their guest. PVH's 32-bit entry; the first letter of the command
 * line chooses the loop. Each ends by going round, for as long as it is run.
 */
#include "../kernels/entry.h"
#define CR0_PE_PG 0x80000001
#define CR4_PSE 0x10
/* Present, writable, 4 MiB. */
#define LARGE 0x83
#define PRESENT_WRITABLE 3
#define UNUSED_PORT 0x80
/* The version register of the local APIC. */
#define APIC_VERSION 0xfee00030
/* Mapped by `table`, in the second 4 MiB. */
#define PAGE 0x400000

PVH_NOTE(entry)

  .text
  .code32
  .globl entry
entry:
  cli
  mov PVH_CMDLINE(%ebx), %ebp
  mov $directory, %edi
  movl $LARGE, (%edi)
  mov $(table + PRESENT_WRITABLE), %eax
  mov %eax, 4(%edi)
  movl $(APIC_VERSION & 0xffc00000) + LARGE, (APIC_VERSION >> 22) * 4(%edi)
  movl $(0x200000 + PRESENT_WRITABLE), table
  mov $CR4_PSE, %eax
  mov %eax, %cr4
  mov %edi, %cr3
  mov $CR0_PE_PG, %eax
  mov %eax, %cr0
  mov (%ebp), %al
  cmp $'c', %al
  je cpuid_loop
  cmp $'o', %al
  je out_loop
  cmp $'m', %al
  je mmio_loop
  cmp $'3', %al
  je cr3_loop
  cmp $'p', %al
  je page_loop

/* What no technique leaves for. */
nothing:
  inc %eax
  jmp nothing

cpuid_loop:
  xor %eax, %eax
  cpuid
  jmp cpuid_loop

out_loop:
  out %al, $UNUSED_PORT
  jmp out_loop

mmio_loop:
  mov APIC_VERSION, %eax
  jmp mmio_loop

cr3_loop:
  mov %edi, %cr3
  jmp cr3_loop

/* A new entry each time: the write is seen under shadow paging, and the access finds no translation. */
page_loop:
  movl $(0x200000 + PRESENT_WRITABLE), table
  invlpg PAGE
  mov PAGE, %eax
  jmp page_loop

  .bss
  .align 4096
directory:
  .skip 4096
table:
  .skip 4096
