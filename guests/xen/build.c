#include "build.h"

#define BASE 0xffffffff80000000ul
#define PRESENT 1
#define WRITABLE 2
#define USER 4
/* Behind the kernel: what a domain is told of itself, and its page tables. */
enum { LIST, INFO, CONSOLE, L4, L3, L2, L1, LAST };
struct elf {
	u8 magic[16];
	u16 type, machine;
	u32 version;
	word entry, headers, sections;
	u32 flags;
	u16 size, header_size, header_count;
};
struct header {
	u32 type, flags;
	word offset, gva, physical, bytes, memory_bytes, align;
};
extern const u8 child_image[];
word child_frames[CHILD_FRAMES];
struct domctl domctl_op;

static struct {
	u8 fpu[512];
	word flags;
	word r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi, error;
	word rip, cs, rflags, rsp, ss, es, ds, fs, gs;
	u8 traps[256][16];
	word ldt[2], gdt[16], descriptors, kernel_ss, kernel_sp, control[8], debug[8], callbacks[3], assist, bases[3];
} context;

long domctl(u32 command, u32 domain)
{
	domctl_op.command = command;
	domctl_op.version = DOMCTL_VERSION;
	domctl_op.domain = domain;
	return hypercall(HYPERCALL_DOMCTL, (word)&domctl_op, 0, 0, 0);
}
static void must(const char *what, long result)
{
	if (!result)
		return;
	print("%s says %d: ", (word)what, (word)-result);
	fail("a domain cannot be built");
}

/* --- Its memory, a page at a time */
static u8 window[PAGE] __attribute__((aligned(PAGE)));
static void *map_window(u32 domain, word frame, word rights)
{
	must("update_va_mapping_otherdomain", hypercall(22, (word)window, frame * PAGE | PRESENT | rights, 2, domain));
	return window;
}
static void *look_at(u32 domain, word frame)
{
	return map_window(domain, frame, USER | WRITABLE);
}
static void copy(u8 *to, const u8 *from, word bytes)
{
	asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
}
static void put_bytes(u32 domain, word gva, const u8 *from, word bytes)
{
	while (bytes) {
		word offset = gva % PAGE, part = PAGE - offset < bytes ? PAGE - offset : bytes;
		copy((u8 *)look_at(domain, child_frames[(gva - BASE) / PAGE]) + offset, from, part);
		gva += part;
		from += part;
		bytes -= part;
	}
}

/* --- What its file says */
static word frame_of_note, entry;
static word place_kernel(u32 domain)
{
	const struct elf *elf = (const void *)child_image;
	const struct header *header = (const void *)(child_image + elf->headers);
	word end = 0;
	for (u32 i = 0; i < elf->header_count; i++, header++) {
		const u8 *at = child_image + header->offset;
		if (header->type == 1) {
			put_bytes(domain, header->gva, at, header->bytes);
			if (header->gva + header->memory_bytes > end)
				end = header->gva + header->memory_bytes;
		}
		for (const u8 *last = at + header->bytes; header->type == 4 && at < last;) {
			const u32 *note = (const void *)at;
			word value = *(const word *)(at + 16);
			if (note[2] == 1)
				entry = value;
			if (note[2] == 2)
				frame_of_note = child_frames[(value - BASE) / PAGE];
			at += 12 + ((note[0] + 3) & ~3u) + ((note[1] + 3) & ~3u);
		}
	}
	return (end - BASE + PAGE - 1) / PAGE;
}

/* --- Its page tables: one of each level, which map all of its 2 MiB */
static void set(u32 domain, word table, u32 index, word value)
{
	((word *)look_at(domain, table))[index] = value;
}
static void build_tables(u32 domain, const word *own)
{
	word *l1 = look_at(domain, own[L1]);
	for (u32 i = 0; i < CHILD_FRAMES; i++) {
		int table = 0;
		for (u32 level = L4; level < LAST; level++)
			table |= child_frames[i] == own[level];
		l1[i] = child_frames[i] * PAGE | PRESENT | USER | (table ? 0 : WRITABLE);
	}
	set(domain, own[L2], BASE >> 21 & 511, own[L1] * PAGE | 7);
	set(domain, own[L3], BASE >> 30 & 511, own[L2] * PAGE | 7);
	set(domain, own[L4], BASE >> 39 & 511, own[L3] * PAGE | 7);
	unmap_page(window); /* what can be written is no table */
	struct {
		u32 command, pad;
		word frame, more;
	} pin = { 3, 0, own[L4], 0 };
	must("mmuext_op", hypercall(26, (word)&pin, 1, 0, domain));
}

u32 child_create(void)
{
	fill(&domctl_op, 0, sizeof domctl_op);
	domctl_op.create.vcpus = 1;
	domctl_op.create.grant_frames = domctl_op.create.mappings = -1;
	must("createdomain", domctl(1, 0));
	return domctl_op.domain;
}
static void populate(u32 domain)
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
static volatile struct {
	char in[1024], out[2048];
	u32 in_taken, in_put, out_taken, out_put;
	u8 rest[PAGE - 3088];
} ring __attribute__((aligned(PAGE)));
static void map_ring(u32 domain, word frame)
{
	struct {
		u64 at, value;
	} update = { entry_of((void *)&ring), frame * PAGE | PRESENT | WRITABLE | USER };
	must("mmu_update", hypercall(1, (word)&update, 1, 0, domain));
	asm volatile("" : : : "memory");
}

void child_build(struct child *child, const char *command_line)
{
	u32 domain = child->domain;
	word own[LAST];
	populate(domain);
	word next = place_kernel(domain);
	for (u32 i = 0; i < LAST; i++)
		own[i] = child_frames[next + i];
	copy(look_at(domain, own[LIST]), (void *)child_frames, sizeof child_frames);
	domctl_op.hypercall_page.frame = frame_of_note;
	must("hypercall_init", domctl(22, domain));
	struct {
		u16 domain, remote;
		u32 port;
	} unbound = { domain, 0, 0 };
	must("event_channel_op", hypercall(HYPERCALL_EVENT_CHANNEL_OP, 6, (word)&unbound, 0, 0));
	child->console_port = event_connect(domain, unbound.port);
	must("getdomaininfo", domctl(5, domain));
	struct start_info *info = look_at(domain, own[INFO]);
	copy((void *)info->magic, (const u8 *)"xen-3.0-x86_64", 15);
	info->frames = CHILD_FRAMES;
	info->shared_info = domctl_op.info.shared_info * PAGE;
	info->console_frame = own[CONSOLE];
	info->console_port = unbound.port;
	info->tables = BASE + (next + L4) * PAGE;
	info->table_frames = LAST - L4;
	info->machine_frames = BASE + (next + LIST) * PAGE;
	for (u32 i = 0; command_line[i]; i++)
		info->command_line[i] = command_line[i];
	build_tables(domain, own);
	map_ring(domain, own[CONSOLE]);
	fill(&context, 0, sizeof context);
	context.flags = 1 << 2 | 1 << 5; /* in its kernel, online */
	context.rip = entry;
	context.rsi = BASE + (next + INFO) * PAGE;
	context.cs = 0xe033;
	context.ss = context.kernel_ss = 0xe02b;
	context.control[3] = own[L4] * PAGE;
	domctl_op.vcpu.vcpu = 0;
	domctl_op.vcpu.context = &context;
	must("setvcpucontext", domctl(12, domain));
	must("unpausedomain", domctl(4, domain));
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
void child_forget(struct child *child)
{
	event_close(child->console_port);
	unmap_page((void *)&ring);
	unmap_page(window);
}

void child_save(u32 domain)
{
	static word types[CHILD_FRAMES];
	u32 counts[8] = { 0 }, pinned = 0;
	word sums[2];
	domctl_op.vcpu.vcpu = 0;
	domctl_op.vcpu.context = &context;
	must("getvcpucontext", domctl(13, domain));
	copy((void *)types, (void *)child_frames, sizeof types);
	domctl_op.types.count = CHILD_FRAMES;
	domctl_op.types.frames = types;
	must("getpageframeinfo3", domctl(61, domain));
	for (u32 i = 0; i < CHILD_FRAMES; i++) {
		counts[types[i] >> 28 & 7]++;
		pinned += types[i] >> 31;
	}
	for (u32 pass = 0; pass < 2; pass++) {
		sums[pass] = 0;
		for (u32 i = 0; i < CHILD_FRAMES; i++) {
			const word *page = map_window(domain, child_frames[i], USER);
			for (u32 j = 0; j < PAGE / 8; j += 8)
				sums[pass] += page[j];
		}
	}
	print("saved: stands in its %s, tables of each level %d %d %d %d, %d pinned, memory %s\n",
	      (word)(context.rip >= BASE && context.flags & 4 ? "kernel" : "programs"), (word)counts[1], (word)counts[2],
	      (word)counts[3], (word)counts[4], (word)pinned, (word)(sums[0] == sums[1] ? "at rest" : "changes"));
}
