/* Page frames and four levels of page tables. */
#include "kernel.h"

#define FIRST_FRAME 0x400000ul /* above the kernel and whatever the loader put behind it */

extern char text_start[], text_end[], rodata_end[], data_start[], kernel_end[];
extern char user_text_start[], user_text_end[], user_data_start[], user_data_end[];
extern char user_text_frame[], user_data_frame[];

struct free_list {
  struct free_frame *first;
  u64 count;
};
struct free_frame {
  struct free_frame *next;
};

static u64 next_frame = FIRST_FRAME;
static struct free_list free_frames;
struct page_table *kernel_tables;

u64 allocate_frame(void) {
  u64 frame;
  u64 *words;

  if (free_frames.first) {
    struct free_frame *taken = free_frames.first;
    free_frames.first = taken->next;
    free_frames.count--;
    frame = (u64)taken - DIRECT_MAP;
  } else {
    if (next_frame + PAGE_BYTES > boot_info.memory_end || next_frame + PAGE_BYTES > DIRECT_MAP_BYTES)
      panic("out of memory");
    frame = next_frame;
    next_frame += PAGE_BYTES;
  }
  words = direct(frame);
  for (u64 i = 0; i < PAGE_BYTES / sizeof(u64); i++)
    words[i] = 0;
  return frame;
}

void free_frame(u64 frame) {
  struct free_frame *freed = direct(frame);
  freed->next = free_frames.first;
  free_frames.first = freed;
  free_frames.count++;
}

ALWAYS_INLINE u64 table_index(u64 address, int level) {
  return (address >> (12 + 9 * (level - 1))) & 511;
}

/* The table below `entry`; makes one if there is none. Rights of upper levels are generous, the last level decides. */
static struct page_table *next_table(union page_entry *entry, int make) {
  if (!entry->present) {
    if (!make)
      return 0;
    entry->value = allocate_frame();
    entry->present = entry->writable = entry->user = 1;
  }
  return direct((u64)entry->frame * PAGE_BYTES);
}

static union page_entry *find_entry(u64 address, int make) {
  struct page_table *table = kernel_tables;

  for (int level = 4; level > 1 && table; level--)
    table = next_table(&table->entries[table_index(address, level)], make);
  return table ? &table->entries[table_index(address, 1)] : 0;
}

void map_page(u64 address, u64 frame, enum page_rights rights) {
  union page_entry entry = {.value = frame};

  entry.present = 1;
  entry.writable = (rights & PAGE_WRITE) != 0;
  entry.user = (rights & PAGE_USER) != 0;
  entry.no_execute = !(rights & PAGE_EXECUTE);
  *find_entry(address, 1) = entry;
  __asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
}

/* Frees what was mapped; 0: nothing was. */
int unmap_page(u64 address) {
  union page_entry *entry = find_entry(address, 0);

  if (!entry || !entry->present)
    return 0;
  free_frame((u64)entry->frame * PAGE_BYTES);
  entry->value = 0;
  __asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
  return 1;
}

static void map_range(u64 start, u64 end, u64 frame, enum page_rights rights) {
  for (u64 address = start; address < end; address += PAGE_BYTES, frame += PAGE_BYTES)
    map_page(address, frame, rights);
}

/* All physical memory in 2 MiB pages, for the kernel's own use. */
static void map_directly(void) {
  struct page_table *pdpt = next_table(&kernel_tables->entries[table_index(DIRECT_MAP, 4)], 1);
  struct page_table *pd = next_table(&pdpt->entries[table_index(DIRECT_MAP, 3)], 1);

  for (u64 i = 0; i < 512; i++) {
    union page_entry entry = {.value = i << 21};
    entry.present = entry.writable = entry.large = entry.no_execute = 1;
    pd->entries[i] = entry;
  }
}

void memory_init(void) {
  u64 root = allocate_frame();

  kernel_tables = direct(root);
  map_directly();
  map_range((u64)text_start, (u64)text_end, (u64)text_start - KERNEL_BASE, PAGE_EXECUTE);
  map_range((u64)text_end, (u64)rodata_end, (u64)text_end - KERNEL_BASE, 0);
  map_range((u64)data_start, (u64)kernel_end, (u64)data_start - KERNEL_BASE, PAGE_WRITE);
  map_range((u64)user_text_start, (u64)user_text_end, (u64)user_text_frame, PAGE_USER | PAGE_EXECUTE);
  map_range((u64)user_data_start, (u64)user_data_end, (u64)user_data_frame, PAGE_USER | PAGE_WRITE);
  __asm__ volatile("movq %0, %%cr3" : : "r"(root) : "memory");
}

/* Adds up the tables from `table` (of `level`) down, and the pages of any size that they map. */
void count_pages(const struct page_table *table, int level, u64 *tables, u64 *pages) {
  ++*tables;
  for (u64 i = 0; i < COUNT(table->entries); i++) {
    const union page_entry *entry = &table->entries[i];
    if (!entry->present)
      continue;
    if (level == 1 || entry->large)
      ++*pages;
    else
      count_pages(direct((u64)entry->frame * PAGE_BYTES), level - 1, tables, pages);
  }
}
