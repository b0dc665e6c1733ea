/* The kernel that domain 0 builds domains from. */
	.section .rodata
	.balign 4096
	.globl child_image
child_image:
	.incbin "child-64.elf"
