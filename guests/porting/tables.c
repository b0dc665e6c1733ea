#include "kernel.h"
#include "boot.h"

u64 *kernel_entries, *kernel_root;

#ifdef PARAVIRTUAL
/* The kernel's frames are some of the machine's: which ones it knows, and the hypervisor the reverse. */
static u32 *machine_frames;
#define FRAMES_OF_MACHINE ((const u32 *)0xf5800000u)

u64 entry_for(u32 frame, u64 rights)
{
	return (u64)machine_frames[frame] << 12 | rights;
}
u32 entry_frame(u64 entry)
{
	return FRAMES_OF_MACHINE[(u32)(entry >> 12) & 0xffffff];
}

static void update(u32 address, u64 entry)
{
	if (hypercall(HYPERCALL_UPDATE_VA_MAPPING, address, entry, entry >> 32, INVALIDATE))
		panic("update_va_mapping was refused", 0);
}
/* A page becomes a table when nobody can write it any more. */
void table_seal(u64 *table)
{
	update((u32)table, entry_for(frame_of(table), PRESENT));
}
void table_free(u64 *table)
{
	update((u32)table, entry_for(frame_of(table), PRESENT | WRITABLE));
	frame_drop(frame_of(table));
}

static struct {
	u64 at, value;
} batch[64];
static u32 batched;
void entries_done(void)
{
	if (batched && hypercall(HYPERCALL_MMU_UPDATE, (u32)batch, batched, 0, 0x7ff0))
		panic("mmu_update was refused", 0);
	batched = 0;
}
void entry_set(u64 *entry, u64 value)
{
	if (batched == sizeof batch / sizeof batch[0])
		entries_done();
	batch[batched].at = entry_for(frame_of(entry), (u32)entry % PAGE);
	batch[batched++].value = value;
}
void entry_set_now(u32 address, u64 *entry, u64 value)
{
	(void)entry;
	update(address, value);
}

static void extended(u32 command, u64 *root)
{
	struct {
		u32 command, frame, more;
	} op = { command, machine_frames[frame_of(root)], 0 };
	if (hypercall(HYPERCALL_MMUEXT_OP, (u32)&op, 1, 0, 0x7ff0))
		panic("mmuext_op was refused", 0);
}
void root_new(u64 *root)
{
	extended(2, root); /* MMUEXT_PIN_L3_TABLE */
}
void root_old(u64 *root)
{
	extended(4, root); /* MMUEXT_UNPIN_TABLE */
}
void root_use(u64 *root)
{
	extended(5, root); /* MMUEXT_NEW_BASEPTR */
}

/* The domain builder has mapped the start of memory; the rest follows, by tables from that start. */
void tables_start(u32 *first_free, u32 *end)
{
	machine_frames = (u32 *)boot_info.machine_frames;
	kernel_root = (u64 *)boot_info.tables;
	kernel_entries = frame_at(entry_frame(kernel_root[3]));
	u32 first = frame_of(kernel_root) + boot_info.table_frames + 1; /* and the builder's stack */
	*end = boot_info.frames < MAX_FRAMES ? boot_info.frames : MAX_FRAMES;
	for (u32 i = 0; i * 512 < *end; i++) {
		if (kernel_entries[i] & PRESENT)
			continue;
		u64 *table = frame_at(first++);
		for (u32 j = 0; j < 512; j++)
			table[j] = i * 512 + j < *end ? entry_for(i * 512 + j, PRESENT | WRITABLE) : 0;
		table_seal(table);
		entry_set(&kernel_entries[i], entry_for(frame_of(table), PRESENT | WRITABLE));
	}
	entries_done();
	update((u32)&shared_info, (u64)boot_info.shared_info | PRESENT | WRITABLE);
	*first_free = first;
}
#else
extern u64 boot_root[], boot_entries[];
extern u8 kernel_end[];

u64 entry_for(u32 frame, u64 rights)
{
	return (u64)frame << 12 | rights;
}
u32 entry_frame(u64 entry)
{
	return (u32)(entry >> 12) & 0xffffff;
}
void table_seal(u64 *table)
{
	(void)table;
}
void table_free(u64 *table)
{
	frame_drop(frame_of(table));
}
void entries_done(void)
{
}
void entry_set(u64 *entry, u64 value)
{
	*entry = value;
}
void entry_set_now(u32 address, u64 *entry, u64 value)
{
	*entry = value;
	asm volatile("invlpg (%0)" : : "r"(address) : "memory");
}
void root_new(u64 *root)
{
	(void)root;
}
void root_old(u64 *root)
{
	(void)root;
}
void root_use(u64 *root)
{
	asm volatile("mov %0, %%cr3" : : "r"((u32)root - KERNEL) : "memory");
}
void tables_start(u32 *first_free, u32 *end)
{
	kernel_root = boot_root;
	kernel_entries = boot_entries;
	boot_root[0] = 0;
	root_use(boot_root);
	*first_free = frame_of(kernel_end) + 1;
	*end = 256 + boot_info.upper_kib / 4;
	if (*end > MAX_FRAMES)
		*end = MAX_FRAMES;
}
#endif

u64 *table_new(void)
{
	return frame_at(frame_take());
}
