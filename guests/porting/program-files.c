/* The programs that programs.S holds, as ELF files: each segment into pages of its own. */
#include "kernel.h"

struct program {
	char name[16];
	const u8 *start, *end;
};
extern const struct program programs[], programs_end[];

struct header {
	u8 ident[16];
	u16 type, machine;
	u32 version, entry, segments, sections, flags;
	u16 size, segment_size, segment_count;
};
struct segment {
	u32 type, offset, address, physical, file_bytes, bytes, flags, align;
};

static int load(struct space *space, const struct program *program, u32 *entry)
{
	const struct header *header = (const void *)program->start;
	u32 size = program->end - program->start, heap = 0;
	if (size < sizeof *header || header->segments > size || header->segment_count * sizeof(struct segment) > size - header->segments)
		return -1;
	const struct segment *segment = (const void *)(program->start + header->segments);
	for (u32 i = 0; i < header->segment_count; i++, segment++) {
		if (segment->type != 1)
			continue;
		if (segment->offset > size || segment->file_bytes > size - segment->offset || segment->bytes < segment->file_bytes ||
		    segment->address + segment->bytes > STACK_TOP - STACK_BYTES)
			return -1;
		for (u32 done = 0; done < segment->bytes;) {
			u32 address = segment->address + done, in_page = address % PAGE;
			u32 bytes = segment->bytes - done < PAGE - in_page ? segment->bytes - done : PAGE - in_page;
			char *page = space_page(space, address);
			if (done < segment->file_bytes) {
				u32 left = segment->file_bytes - done;
				copy(page + in_page, program->start + segment->offset + done, left < bytes ? left : bytes);
			}
			done += bytes;
		}
		u32 end = (segment->address + segment->bytes + PAGE - 1) & ~(PAGE - 1);
		heap = end > heap ? end : heap;
	}
	space->heap = space->heap_end = heap;
	*entry = header->entry;
	return 0;
}
int program_load(struct space *space, const char *name, u32 *entry)
{
	for (const struct program *program = programs; program < programs_end; program++)
		if (equal(program->name, name))
			return load(space, program, entry);
	return -1;
}
