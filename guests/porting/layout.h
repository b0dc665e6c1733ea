/* For assembly as well. */
#define KERNEL 0xc0000000
#define MAX_FRAMES 16384
