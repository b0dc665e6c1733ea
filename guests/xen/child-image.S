/* The kernels that domain 0 builds domains from. */
	.section .rodata
	.balign 4096
	.globl child_image_64, child_image_32
child_image_64:
	.incbin CHILD_64
	.balign 4096
child_image_32:
	.incbin CHILD_32
