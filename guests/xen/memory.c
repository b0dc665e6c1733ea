/* Domctls, and another domain's memory: a page at a time. */
#include "build.h"

#define PRESENT 1
#define USER 4

word child_frames[CHILD_FRAMES];
u32 child_word;
struct domctl domctl_op;

long domctl(u32 command, u32 domain)
{
	domctl_op.command = command;
	domctl_op.version = DOMCTL_VERSION;
	domctl_op.domain = domain;
	return hypercall(HYPERCALL_DOMCTL, (word)&domctl_op, 0, 0, 0);
}
void must(const char *what, long result)
{
	if (!result)
		return;
	print("%s says %d: ", (word)what, (word)-result);
	fail("a domain cannot be built");
}

u32 child_create(u32 bits)
{
	child_word = bits / 8;
	fill(&domctl_op, 0, sizeof domctl_op);
	domctl_op.create.vcpus = 1;
	domctl_op.create.grant_frames = domctl_op.create.mappings = -1;
	must("createdomain", domctl(1, 0));
	u32 domain = domctl_op.domain;
	domctl_op.address_size.bits = bits;
	must("set_address_size", domctl(35, domain));
	return domain;
}
void child_populate(u32 domain)
{
	struct {
		word *list, count;
		u32 order, flags;
		u16 domain;
	} memory = { child_frames, CHILD_FRAMES, 0, 0, domain };
	for (u32 i = 0; i < CHILD_FRAMES; i++)
		child_frames[i] = i;
	domctl_op.most.kib = CHILD_FRAMES * 4;
	must("max_mem", domctl(11, domain));
	if (hypercall(12, 6, (word)&memory, 0, 0) != CHILD_FRAMES)
		fail("populate_physmap");
}

static u8 window[PAGE] __attribute__((aligned(PAGE)));
void *look_at(u32 domain, word frame, word rights)
{
	must("update_va_mapping_otherdomain", hypercall(22, (word)window, frame * PAGE | PRESENT | USER | rights, 2, domain));
	return window;
}
void look_away(void)
{
	unmap_page(window);
}
void put_word(void *page, u32 index, word value)
{
	copy((u8 *)page + index * child_word, &value, child_word);
}
void copy(void *to, const void *from, word bytes)
{
	asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
}
