/* How a kernel is entered by PVH in 32-bit protected mode (Xen docs/misc/pvh.pandoc): a note that names the address. */
#define CMDLINE 24 /* of the structure at EBX */
#define PVH_NOTE(entry) \
	.section .note.Xen, "a", @note; \
	.align 4; \
	.long 4, 4, 18; /* XEN_ELFNOTE_PHYS32_ENTRY */ \
	.asciz "Xen"; \
	.long entry
