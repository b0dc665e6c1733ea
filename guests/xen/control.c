/* Domain 0: looks at the other domains, pauses and resumes one, and creates and destroys as many as its command line says. */
#include "xen.h"

#define VERSION 0x15
struct info {
	u16 domain, pad;
	u32 flags;
	u64 pages, most_pages, others[3], shared_info, time;
	u32 vcpus, last_vcpu;
};
static struct {
	u32 command, version;
	u16 domain, pad[3];
	union {
		struct {
			u32 ssid;
			u8 handle[16];
			u32 flags, iommu, vcpus, ports;
			int grant_frames, mappings;
			u32 grants, trace, pool, emulation, misc;
		} create;
		struct info info;
		u8 all[256];
	};
} op;
#define PAUSED 8
#define DEAD 4

static long domctl(u32 command, u32 domain)
{
	op.command = command;
	op.version = VERSION;
	op.domain = domain;
	return hypercall(HYPERCALL_DOMCTL, (word)&op, 0, 0, 0);
}
static u64 free_pages(void)
{
	struct {
		u32 command, version, some[10];
		u64 total, free, others[3];
		u32 capabilities[8];
	} physical = { .command = 3, .version = VERSION };
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
	if (domctl(5, domain) || op.info.domain != domain)
		fail("getdomaininfo");
	return op.info.time;
}

static void list(void)
{
	for (u32 domain = 0; !domctl(5, domain); domain = op.info.domain + 1)
		print("domain %d: %d pages, %d processors\n", (word)op.info.domain, (word)op.info.pages, (word)op.info.vcpus);
}
static void pause_and_resume(u32 domain)
{
	if (domctl(3, domain))
		fail("pausedomain");
	u64 before;
	do {
		give_way();
		before = time_of(domain);
	} while (!(op.info.flags & PAUSED));
	for (int i = 0; i < 100; i++)
		give_way();
	print("paused: %d instructions\n", (word)(time_of(domain) - before));
	if (domctl(4, domain))
		fail("unpausedomain");
	while (time_of(domain) == before)
		give_way();
	print("resumed, and it runs\n");
}
static void create_and_destroy(u32 times)
{
	u64 before = free_pages();
	for (u32 i = 0; i < times; i++) {
		fill(&op, 0, sizeof op);
		op.create.vcpus = 1;
		op.create.grant_frames = op.create.mappings = -1;
		if (domctl(1, 0))
			fail("createdomain");
		u32 domain = op.domain;
		if (domctl(5, domain) || op.info.domain != domain || !(op.info.flags & PAUSED))
			fail("a new domain is paused");
		if (domctl(2, domain))
			fail("destroydomain");
		while (free_pages() != before)
			give_way();
		if (!domctl(3, domain))
			fail("a domain that is no more was paused");
	}
	print("%d domains created and destroyed\n", (word)times);
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
	pause_and_resume(1);
	create_and_destroy(number(info->command_line));
	if (domctl(2, 1))
		fail("destroydomain");
	list();
	power_off();
}
