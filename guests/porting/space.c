/* Address spaces: a program's pages, its heap and stack given as they are touched, copied as they are written. */
#include "kernel.h"

#define SECOND(address) ((address) >> 21)
#define FIRST(address) ((address) >> 12 & 511)

void space_new(struct space *space)
{
	space->root = table_new();
	space->user = table_new();
	space->kernel = table_new();
	copy(space->kernel, kernel_entries, MAX_FRAMES / 512 * sizeof(u64));
	space->root[0] = entry_for(frame_of(space->user), PRESENT);
	space->root[3] = entry_for(frame_of(space->kernel), PRESENT);
	table_seal(space->user);
	table_seal(space->kernel);
	table_seal(space->root);
	root_new(space->root);
	space->heap = space->heap_end = 0;
}

static u64 *table_below(u64 entry)
{
	return entry & PRESENT ? frame_at(entry_frame(entry)) : 0;
}
static u64 *entry_at(struct space *space, u32 address)
{
	u64 *table = table_below(space->user[SECOND(address)]);
	return table ? &table[FIRST(address)] : 0;
}

static void give(struct space *space, u32 address)
{
	u64 *table = table_below(space->user[SECOND(address)]);
	if (!table) {
		table = table_new();
		table_seal(table);
		entry_set(&space->user[SECOND(address)], entry_for(frame_of(table), PRESENT | WRITABLE | USER));
		entries_done();
	}
	entry_set(&table[FIRST(address)], entry_for(frame_take(), PRESENT | WRITABLE | USER));
	entries_done();
}
/* The page in the kernel's view, for whoever fills it. */
void *space_page(struct space *space, u32 address)
{
	u64 *entry = entry_at(space, address);
	if (!entry || !(*entry & PRESENT)) {
		give(space, address);
		entry = entry_at(space, address);
	}
	return frame_at(entry_frame(*entry));
}

/* Both have every page, until one of them writes it. */
void space_copy(struct space *to, struct space *from)
{
	space_new(to);
	to->heap = from->heap;
	to->heap_end = from->heap_end;
	for (u32 i = 0; i < 512; i++) {
		u64 *theirs = table_below(from->user[i]);
		if (!theirs)
			continue;
		u64 *table = table_new();
		for (u32 j = 0; j < 512; j++) {
			u64 entry = theirs[j];
			if (!(entry & PRESENT))
				continue;
			frame_share(entry_frame(entry));
			if (entry & WRITABLE) {
				entry = (entry & ~WRITABLE) | SHARED;
				entry_set(&theirs[j], entry);
			}
			table[j] = entry;
		}
		table_seal(table);
		entry_set(&to->user[i], entry_for(frame_of(table), PRESENT | WRITABLE | USER));
	}
	entries_done();
	root_use(from->root);
}

void space_end(struct space *space)
{
	root_old(space->root);
	for (u32 i = 0; i < 512; i++) {
		u64 *table = table_below(space->user[i]);
		if (!table)
			continue;
		for (u32 j = 0; j < 512; j++)
			if (table[j] & PRESENT)
				frame_drop(entry_frame(table[j]));
		table_free(table);
	}
	table_free(space->user);
	table_free(space->kernel);
	table_free(space->root);
}

/* 0: the program may go on. */
int space_fault(struct space *space, u32 address, u32 error)
{
	if (address >= STACK_TOP)
		return -1;
	u64 *entry = entry_at(space, address);
	if (entry && *entry & PRESENT) {
		if (!(error & 2) || !(*entry & SHARED))
			return -1;
		u32 frame = entry_frame(*entry);
		if (frame_users(frame) > 1) {
			u32 own = frame_take();
			copy(frame_at(own), frame_at(frame), PAGE);
			entry_set_now(address, entry, entry_for(own, PRESENT | WRITABLE | USER));
			frame_drop(frame);
		} else
			entry_set_now(address, entry, (*entry & ~SHARED) | WRITABLE);
		return 0;
	}
	int in_heap = address >= space->heap && address < space->heap_end;
	int in_stack = address >= STACK_TOP - STACK_BYTES && address < STACK_TOP;
	if (!in_heap && !in_stack)
		return -1;
	give(space, address);
	return 0;
}

/* A system call's buffer: there, and the program's own. */
int space_reach(struct space *space, u32 address, u32 bytes, int write)
{
	if (address + bytes < address || address + bytes > STACK_TOP)
		return -1;
	for (u32 page = address & ~(PAGE - 1); page < address + bytes; page += PAGE) {
		u64 *entry = entry_at(space, page);
		u32 error = write ? 2 : 0;
		if (entry && *entry & PRESENT && (!write || *entry & WRITABLE))
			continue;
		if (space_fault(space, page, error))
			return -1;
	}
	return 0;
}
