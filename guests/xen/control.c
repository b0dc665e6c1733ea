/* Domain 0: looks at the other domains, pauses and resumes one, and builds, saves and destroys as many as its command line says. */
#include "build.h"

#define PAUSED 8
#define SHUTDOWN 4
#define SUSPENDED 2

static u64 free_pages(void)
{
	struct {
		u32 command, version, some[10];
		u64 total, free, others[3];
		u32 capabilities[8];
	} physical = { .command = 3, .version = DOMCTL_VERSION };
	if (hypercall(35, (word)&physical, 0, 0, 0))
		fail("physinfo");
	return physical.free;
}
/* Sleeps for a moment: others run, and what was asked for at the end of this turn is done. */
static void give_way(void)
{
	volatile u32 *time = shared_info->vcpu[0].time;
	u32 low, high;
	asm volatile("rdtsc" : "=a"(low), "=d"(high));
	u64 now = ((((u64)high << 32 | low) << (time[7] & 255)) * time[6]) >> 32;
	struct {
		u32 *ports;
		u32 count;
		u64 until;
	} poll = { 0, 0, now + 10000 };
	hypercall(HYPERCALL_SCHED_OP, 3, (word)&poll, 0, 0);
}
static u64 time_of(u32 domain)
{
	if (domctl(5, domain) || domctl_op.info.domain != domain)
		fail("getdomaininfo");
	return domctl_op.info.time;
}

static void list(void)
{
	for (u32 domain = 0; !domctl(5, domain); domain = domctl_op.info.domain + 1)
		print("domain %d: %d pages, %d processors\n", (word)domctl_op.info.domain, (word)domctl_op.info.pages, (word)domctl_op.info.vcpus);
}
/* Time that passed for it: none. */
static void pause(u32 domain)
{
	u64 before;
	if (domctl(3, domain))
		fail("pausedomain");
	do {
		give_way();
		before = time_of(domain);
	} while (!(domctl_op.info.flags & PAUSED));
	for (int i = 0; i < 100; i++)
		give_way();
	print("paused: %d instructions\n", (word)(time_of(domain) - before));
}
static void resume(u32 domain)
{
	u64 before = time_of(domain);
	if (domctl(4, domain))
		fail("unpausedomain");
	while (time_of(domain) == before)
		give_way();
	print("resumed, and it runs\n");
}
static void destroy(u32 domain, u64 before)
{
	if (domctl(2, domain))
		fail("destroydomain");
	while (free_pages() != before)
		give_way();
	if (!domctl(3, domain))
		fail("a domain that is no more was paused");
}
/* Those that nobody has built. */
static void create_and_destroy(u32 times)
{
	u64 before = free_pages();
	for (u32 i = 0; i < times; i++) {
		u32 domain = child_create(i & 1 ? 32 : 64);
		if (domctl(5, domain) || domctl_op.info.domain != domain || !(domctl_op.info.flags & PAUSED))
			fail("a new domain is paused");
		destroy(domain, before);
	}
	print("%d domains created and destroyed\n", (word)times);
}
static void wait_for_end(struct child *child, u32 reason, int aloud)
{
	do {
		give_way();
		time_of(child->domain);
		if (aloud)
			child_listen(child);
	} while (!(domctl_op.info.flags & SHUTDOWN));
	if ((domctl_op.info.flags >> 16 & 255) != reason)
		fail("a child shut itself down for another reason");
}
static void build_and_destroy(u32 times)
{
	u64 before = free_pages();
	for (u32 i = 0; i < times; i++) {
		u32 bits = i & 1 ? 32 : 64;
		struct child child = { child_create(bits), bits, 0 };
		child_build(&child, i < 2 ? "to end, the first" : "to end");
		wait_for_end(&child, 0, i < 2);
		child_forget(&child);
		destroy(child.domain, before);
	}
	print("%d domains built, run to their end and destroyed\n", (word)times);
}
static void listen_for_a_line(struct child *child)
{
	event_wait(child->console_port);
	for (int i = 0; i < 20; i++)
		give_way();
	child_listen(child);
}
static void build_and_save(u32 bits)
{
	u64 before = free_pages();
	struct child child = { child_create(bits), bits, 0 };
	child_build(&child, "stay");
	listen_for_a_line(&child);
	pause(child.domain);
	child_look(child.domain);
	resume(child.domain);
	child_type('s');
	wait_for_end(&child, SUSPENDED, 1);
	child_save(child.domain);
	destroy(child.domain, before); /* while we map its console */
	child_forget(&child);
	child.domain = child_create(bits);
	child_restore(&child);
	listen_for_a_line(&child);
	child_type('e');
	wait_for_end(&child, 0, 1);
	child_forget(&child);
	destroy(child.domain, before);
	print("suspended, saved, destroyed, restored, run to its end\n");
}

void main(struct start_info *info)
{
	xen_start(info);
	if (!(info->flags & 1)) {
		print("not privileged: domctl says %d\n", (word)-domctl(3, 1));
		for (;;)
			give_way();
	}
	list();
	pause(1);
	resume(1);
	create_and_destroy(number(info->command_line));
	build_and_save(64);
	build_and_save(32);
	build_and_destroy(number(info->command_line));
	if (domctl(2, 1))
		fail("destroydomain");
	list();
	power_off();
}
