#ifdef __x86_64__
#define BASE 0xffffffff80000000
#else
#define BASE 0xc0000000
#endif
SECTIONS
{
  . = BASE + 0x100000;
  .text : AT(ADDR(.text) - BASE) { *(.text*) } :text
  .note.Xen : AT(ADDR(.note.Xen) - BASE) { *(.note.Xen) } :text :note
  .rodata : AT(ADDR(.rodata) - BASE) { *(.rodata*) } :text
  .data : AT(ADDR(.data) - BASE) ALIGN(4096) { *(.data*) } :data
  .bss : AT(ADDR(.bss) - BASE) ALIGN(4096) { *(.bss*) *(COMMON) }
  /DISCARD/ : { *(.comment) *(.note.gnu*) *(.eh_frame*) }
}
PHDRS { text PT_LOAD; data PT_LOAD; note PT_NOTE; }
