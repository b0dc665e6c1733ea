/* A child's console, which its toolstack serves. */
#include "build.h"

#define BASE 0xffffffff80000000ul

static volatile struct {
	char in[1024], out[2048];
	u32 in_taken, in_put, out_taken, out_put;
	u8 rest[PAGE - 3088];
} ring __attribute__((aligned(PAGE)));

/* An entry of our own tables, for mmu_update: tables are found by what we call their frames. */
static word entry_of(const void *page)
{
	word table = start_info->tables, at = 0;
	for (int shift = 39; shift >= 12; shift -= 9) {
		at = table + ((word)page >> shift & 511) * 8;
		table = BASE + ((const word *)0xffff800000000000ul)[*(word *)at >> 12 & 0xffffffffff] * PAGE;
	}
	return machine_frame((void *)(at & ~(word)(PAGE - 1))) * PAGE | (at & (PAGE - 1));
}
void child_open(struct child *child, word frame)
{
	struct {
		u64 at, value;
	} update = { entry_of((void *)&ring), frame * PAGE | 7 };
	must("mmu_update", hypercall(1, (word)&update, 1, 0, child->domain));
	asm volatile("" : : : "memory");
}
void child_listen(struct child *child)
{
	static int at_start = 1;
	while (ring.out_taken != ring.out_put) {
		char text[2] = { ring.out[ring.out_taken++ % sizeof ring.out], 0 };
		if (at_start)
			print("domain %d: ", (word)child->domain);
		print("%s", (word)text);
		at_start = text[0] == '\n';
	}
}
void child_type(char what)
{
	ring.in[ring.in_put % sizeof ring.in] = what;
	asm volatile("" : : : "memory");
	ring.in_put++;
}
void child_forget(struct child *child)
{
	event_close(child->console_port);
	unmap_page((void *)&ring);
	look_away();
}
