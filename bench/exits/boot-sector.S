/*
 * A boot sector for emulators that start from a disk alone: the sectors behind it go to where a Multiboot kernel is linked, which is
 * entered as Multiboot says. Who makes the disk (support/bochs-disk.ts) fills in the words at the end.
 */
#define SECTORS_A_READ 64
#define BUFFER 0x10000
#define MULTIBOOT 0x2badb002

  .text
  .code16
  .globl start
start:
  ljmp $0, $1f
1:
  xor %ax, %ax
  mov %ax, %ds
  mov %ax, %es
  mov %ax, %ss
  mov $0x7c00, %sp
  mov %dl, drive
  in $0x92, %al
  or $2, %al
  out %al, $0x92
  mov kernel, %edi
read:
  mov $packet, %si
  mov drive, %dl
  mov $0x42, %ah
  int $0x13
  jc stuck
  /* The BIOS may have set the limits of segments again. */
  cli
  lgdt gdt_pointer
  mov %cr0, %eax
  or $1, %al
  mov %eax, %cr0
  mov $16, %bx
  mov %bx, %es
  and $0xfe, %al
  mov %eax, %cr0
  mov $BUFFER >> 4, %ax
  mov %ax, %ds
  xor %esi, %esi
  mov $SECTORS_A_READ * 128, %ecx
copy:
  mov (%esi), %eax
  mov %eax, %es:(%edi)
  add $4, %esi
  add $4, %edi
  dec %ecx
  jnz copy
  xor %ax, %ax
  mov %ax, %ds
  mov %ax, %es
  sti
  addl $SECTORS_A_READ, block
  decw reads
  jnz read
  cli
  lgdt gdt_pointer
  mov %cr0, %eax
  or $1, %al
  mov %eax, %cr0
  ljmp $8, $protected
stuck:
  hlt
  jmp stuck

  .code32
protected:
  mov $16, %ax
  mov %ax, %ds
  mov %ax, %es
  mov %ax, %ss
  mov $MULTIBOOT, %eax
  mov $information, %ebx
  jmp *entry

  .balign 8
gdt:
  .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
gdt_pointer:
  .word 23
  .long gdt
/* Flags: there is a command line; where it lies. */
information:
  .long 4, 0, 0, 0, command
packet:
  .word 16, SECTORS_A_READ, 0, BUFFER >> 4
block:
  .quad 1
drive:
  .byte 0

  .org 400
/* Address of the first byte, entry, reads of 64 sectors. */
kernel:
  .long 0
entry:
  .long 0
reads:
  .word 0
/* Up to 99 letters. */
command:
  .byte 0
  .org 510
  .word 0xaa55
