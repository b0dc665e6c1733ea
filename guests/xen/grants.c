#include "xen.h"

#define FIRST 8
static volatile struct {
	u16 flags, domain;
	u32 frame;
} entries[PAGE / 8] __attribute__((aligned(PAGE)));
static u32 next = FIRST;

static void grant_op(u32 command, void *argument)
{
	if (hypercall(HYPERCALL_GRANT_TABLE_OP, command, (word)argument, 1, 0))
		fail("grant_table_op");
}
void grants_start(void)
{
	word frame;
	struct {
		u16 domain;
		u32 frames;
		short status;
		word *list;
	} op = { SELF, 1, 0, &frame };
	grant_op(2, &op);
	if (op.status)
		fail("setup_table");
	map_frame((void *)entries, frame);
}
u32 grant(u32 remote, const void *page)
{
	u32 ref = next++;
	entries[ref].domain = remote;
	entries[ref].frame = machine_frame(page);
	asm volatile("" : : : "memory");
	entries[ref].flags = 1; /* permit access */
	return ref;
}
int grant_end(u32 ref)
{
	u16 flags = entries[ref].flags;
	if (flags & 0x18)
		return -1;
	return __sync_bool_compare_and_swap(&entries[ref].flags, flags, 0) ? 0 : -1;
}
u32 grant_map(u32 remote, u32 ref, void *page)
{
	struct {
		u64 address;
		u32 flags, ref;
		u16 domain;
		short status;
		u32 handle;
		u64 bus;
	} op = { (word)page, 2, ref, remote, 0, 0, 0 };
	unmap_page(page);
	grant_op(0, &op);
	if (op.status) {
		print("map_grant_ref: %d\n", (word)-op.status);
		fail("a page that was granted");
	}
	return op.handle;
}
void grant_unmap(u32 handle, void *page)
{
	struct {
		u64 address, bus;
		u32 handle;
		short status;
	} op = { (word)page, 0, handle, 0 };
	grant_op(1, &op);
	if (op.status)
		fail("unmap_grant_ref");
}
