/*
 * How a kernel is entered in 32-bit protected mode: by PVH (Xen docs/misc/pvh.pandoc), whose note names the address, or by Multiboot 1,
 * whose header is found in the first 8 KiB of the file, or by our boot sector for disks (exits/boot-sector.S), which needs neither.
 */
#define PVH_NOTE(entry) \
	.section .note.Xen, "a", @note; \
	.align 4; \
	.long 4, 4, 18; /* XEN_ELFNOTE_PHYS32_ENTRY */ \
	.asciz "Xen"; \
	.long entry

#define MULTIBOOT_MAGIC 0x1badb002
#define MULTIBOOT_HEADER \
	.section .multiboot, "a"; \
	.align 4; \
	.long MULTIBOOT_MAGIC, 0, -MULTIBOOT_MAGIC

/* Where the structure at EBX has the command line: PVH's begins with a magic number, Multiboot's with a few flags. */
#define PVH_MAGIC 0x336ec578
#define PVH_CMDLINE 24
#define MULTIBOOT_CMDLINE 16
#define COMMAND_LINE_TO_EBP \
	mov MULTIBOOT_CMDLINE(%ebx), %ebp; \
	cmpl $PVH_MAGIC, (%ebx); \
	jne 9f; \
	mov PVH_CMDLINE(%ebx), %ebp; \
9:
