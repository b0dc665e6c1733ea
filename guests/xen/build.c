/* From a kernel's file to a domain that runs it. */
#include "build.h"

#define PRESENT 1
#define USER 4
#define LEVELS BY_WIDTH(4, 3)
extern const u8 child_image_64[], child_image_32[];
word child_end;
static word entry, frame_of_note;

/* --- What its file says */
static const u8 *image;
static word field(const u8 *of, u32 wide, u32 narrow)
{
	word value = 0;
	copy(&value, of + BY_WIDTH(wide, narrow), child_word);
	return value;
}
static void put_bytes(u32 domain, word gva, const u8 *from, word bytes)
{
	while (bytes) {
		word offset = gva % PAGE, part = PAGE - offset < bytes ? PAGE - offset : bytes;
		copy((u8 *)look_at(domain, child_frames[(gva - CHILD_BASE) / PAGE], PAGE_WRITABLE) + offset, from, part);
		gva += part;
		from += part;
		bytes -= part;
	}
}
static void read_notes(const u8 *at, word bytes)
{
	for (const u8 *last = at + bytes; at < last;) {
		const u32 *note = (const void *)at;
		word value = field(at + 16, 0, 0);
		if (note[2] == 1)
			entry = value;
		if (note[2] == 2)
			frame_of_note = child_frames[(value - CHILD_BASE) / PAGE];
		at += 12 + ((note[0] + 3) & ~3u) + ((note[1] + 3) & ~3u);
	}
}
static void place_kernel(u32 domain)
{
	image = BY_WIDTH(child_image_64, child_image_32);
	const u8 *header = image + field(image, 32, 28);
	word end = 0;
	for (u32 i = 0; i < *(const u16 *)(image + BY_WIDTH(56, 44)); i++, header += BY_WIDTH(56, 32)) {
		const u8 *at = image + field(header, 8, 4);
		word gva = field(header, 16, 8), bytes = field(header, 32, 16), memory_bytes = field(header, 40, 20);
		if (*(const u32 *)header == 4)
			read_notes(at, bytes);
		if (*(const u32 *)header != 1)
			continue;
		put_bytes(domain, gva, at, bytes);
		if (gva + memory_bytes > end)
			end = gva + memory_bytes;
	}
	child_end = (end - CHILD_BASE + PAGE - 1) / PAGE;
}

/* --- Its page tables: one of each level, which map all of its 2 MiB */
static void build_tables(u32 domain)
{
	const word *own = child_frames + child_end + ROOT;
	u32 user = BY_WIDTH(USER, 0);
	word *l1 = look_at(domain, own[LEVELS - 1], PAGE_WRITABLE);
	for (u32 i = 0; i < CHILD_FRAMES; i++) {
		int table = i >= child_end + ROOT && i < child_end + ROOT + LEVELS;
		l1[i] = child_frames[i] * PAGE | PRESENT | user | (table ? 0 : PAGE_WRITABLE);
	}
	for (u32 i = 0; i < LEVELS - 1; i++) {
		u32 shift = 12 + 9 * (LEVELS - 1 - i);
		/* The root of PAE holds no rights. */
		u32 rights = i == 0 && child_word == 4 ? PRESENT : PRESENT | PAGE_WRITABLE | user;
		((word *)look_at(domain, own[i], PAGE_WRITABLE))[CHILD_BASE >> shift & 511 & BY_WIDTH(511, i ? 511 : 3)] = own[i + 1] * PAGE | rights;
	}
	look_away(); /* what can be written is no table */
	struct {
		u32 command, pad;
		word frame, more;
	} pin = { BY_WIDTH(3, 2), 0, own[0], 0 };
	must("mmuext_op", hypercall(26, (word)&pin, 1, 0, domain));
}

/* --- struct start_info: words of its width between the magic and the command line */
enum { I_FRAMES, I_SHARED, I_FLAGS, I_STORE, I_STORE_PORT, I_CONSOLE, I_CONSOLE_PORT, I_TABLES, I_TABLE_FRAMES, I_LIST };
static u8 *start_info_of(u32 domain)
{
	return (u8 *)look_at(domain, child_frames[child_end + INFO], PAGE_WRITABLE) + 32;
}
void child_tell(struct child *child)
{
	u32 domain = child->domain;
	u8 *page = look_at(domain, child_frames[child_end + LIST], PAGE_WRITABLE);
	for (u32 i = 0; i < CHILD_FRAMES; i++)
		put_word(page, i, child_frames[i]);
	struct {
		u16 domain, remote;
		u32 port;
	} unbound = { domain, 0, 0 };
	must("event_channel_op", hypercall(HYPERCALL_EVENT_CHANNEL_OP, 6, (word)&unbound, 0, 0));
	child->console_port = event_connect(domain, unbound.port);
	must("getdomaininfo", domctl(5, domain));
	u8 *info = start_info_of(domain);
	put_word(info, I_FRAMES, CHILD_FRAMES);
	put_word(info, I_SHARED, domctl_op.info.shared_info * PAGE);
	put_word(info, I_CONSOLE, child_frames[child_end + CONSOLE]);
	put_word(info, I_CONSOLE_PORT, unbound.port);
	look_away();
	child_open(child, child_frames[child_end + CONSOLE]);
}
static void tell_once(u32 domain, const char *command_line)
{
	u8 *info = start_info_of(domain);
	const char *magic = BY_WIDTH("xen-3.0-x86_64", "xen-3.0-x86_32p");
	copy(info - 32, magic, 16);
	put_word(info, I_TABLES, CHILD_BASE + (child_end + ROOT) * PAGE);
	put_word(info, I_TABLE_FRAMES, LEVELS);
	put_word(info, I_LIST, CHILD_BASE + (child_end + LIST) * PAGE);
	for (u32 i = 0; command_line[i]; i++)
		info[12 * child_word + i] = command_line[i];
	look_away();
}

void child_build(struct child *child, const char *command_line)
{
	u32 domain = child->domain;
	child_populate(domain);
	place_kernel(domain);
	domctl_op.hypercall_page.frame = frame_of_note;
	must("hypercall_init", domctl(22, domain));
	child_tell(child);
	tell_once(domain, command_line);
	build_tables(domain);
	context_clear();
	context_set(FLAGS, CONTEXT_IN_KERNEL | CONTEXT_ONLINE);
	context_set(RIP, entry);
	context_set(ARGUMENT, CHILD_BASE + (child_end + INFO) * PAGE);
	context_set(CS, BY_WIDTH(0xe033, 0xe019));
	context_set(SS, BY_WIDTH(0xe02b, 0xe021));
	context_set(KERNEL_SS, BY_WIDTH(0xe02b, 0xe021));
	for (u32 i = 0; i < 4; i++)
		context_set(DATA + i, BY_WIDTH(0, 0xe021));
	context_set(CR3, frame_to_cr3(child_frames[child_end + ROOT]));
	context_give(domain);
	must("unpausedomain", domctl(4, domain));
}
