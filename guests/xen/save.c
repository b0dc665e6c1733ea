/*
 * A child that has suspended itself (SCHEDOP_shutdown), kept in our memory, and put into a new domain with other frames. What names frames
 * is kept as the child numbers them: page tables, CR3, and where it says that its start info lies.
 */
#include "build.h"

#define PRESENT 1
#define FRAME 0x000ffffffffff000ul
#define LEVEL(type) ((type) >> 28 & 7)
#define PINNED(type) ((type) >> 31)

static word types[CHILD_FRAMES];
static u8 pages[CHILD_FRAMES][PAGE];
static word root;

static void take_types(u32 domain)
{
	copy(types, child_frames, sizeof types);
	domctl_op.types.count = CHILD_FRAMES;
	domctl_op.types.frames = types;
	must("getpageframeinfo3", domctl(61, domain));
}
void child_look(u32 domain)
{
	u32 counts[8] = { 0 }, pinned = 0;
	word sums[2];
	context_take(domain);
	take_types(domain);
	for (u32 i = 0; i < CHILD_FRAMES; i++) {
		counts[LEVEL(types[i])]++;
		pinned += PINNED(types[i]);
	}
	for (u32 pass = 0; pass < 2; pass++) {
		sums[pass] = 0;
		for (u32 i = 0; i < CHILD_FRAMES; i++) {
			const word *page = look_at(domain, child_frames[i], 0);
			for (u32 j = 0; j < PAGE / 8; j += 8)
				sums[pass] += page[j];
		}
	}
	int in_kernel = context_get(RIP) >= CHILD_BASE && context_get(FLAGS) & CONTEXT_IN_KERNEL;
	print("stands in its %s, tables of each level %d %d %d %d, %d pinned, memory %s\n", (word)(in_kernel ? "kernel" : "programs"),
	      (word)counts[1], (word)counts[2], (word)counts[3], (word)counts[4], (word)pinned,
	      (word)(sums[0] == sums[1] ? "at rest" : "changes"));
}

static u32 number_of(word frame)
{
	u32 i = 0;
	while (i < CHILD_FRAMES && child_frames[i] != frame)
		i++;
	return i;
}
/* The hypervisor's own entries are nobody's to save. */
static int is_hypervisors(u32 level, u32 index)
{
	return level == 4 ? index >= 256 && index < 272 : level == 2 && child_word == 4 && index >= 428;
}
static void number_frames(word *table, u32 level)
{
	for (u32 i = 0; i < (level == 3 ? BY_WIDTH(512, 4) : 512); i++) {
		u32 number = number_of((table[i] & FRAME) / PAGE);
		if (!(table[i] & PRESENT) || is_hypervisors(level, i))
			table[i] = 0;
		else if (number == CHILD_FRAMES)
			fail("a child maps a frame that is not its own");
		else
			table[i] = (table[i] & ~FRAME) | number * PAGE;
	}
}
void child_save(u32 domain)
{
	context_take(domain);
	root = number_of(cr3_to_frame(context_get(CR3)));
	if (context_get(THIRD) != child_frames[child_end + INFO])
		fail("a child that suspends itself says where its start info is");
	take_types(domain);
	for (u32 i = 0; i < CHILD_FRAMES; i++) {
		copy(pages[i], look_at(domain, child_frames[i], 0), PAGE);
		if (LEVEL(types[i]))
			number_frames((word *)pages[i], LEVEL(types[i]));
	}
	look_away();
}

void child_restore(struct child *child)
{
	u32 domain = child->domain;
	child_populate(domain);
	for (u32 i = 0; i < CHILD_FRAMES; i++) {
		word *table = (word *)pages[i];
		for (u32 j = 0; LEVEL(types[i]) && j < 512; j++)
			if (table[j] & PRESENT)
				table[j] = (table[j] & ~FRAME) | child_frames[(table[j] & FRAME) / PAGE] * PAGE;
		copy(look_at(domain, child_frames[i], PAGE_WRITABLE), pages[i], PAGE);
	}
	child_tell(child);
	for (u32 i = 0; i < CHILD_FRAMES; i++) {
		struct {
			u32 command, pad;
			word frame, more;
		} pin = { LEVEL(types[i]) - 1, 0, child_frames[i], 0 };
		if (PINNED(types[i]))
			must("mmuext_op", hypercall(26, (word)&pin, 1, 0, domain));
	}
	context_set(CR3, frame_to_cr3(child_frames[root]));
	context_set(THIRD, child_frames[child_end + INFO]);
	context_give(domain);
	must("unpausedomain", domctl(4, domain));
}
