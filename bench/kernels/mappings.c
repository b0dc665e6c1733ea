/*
 * A guest of its own (mappings.elf): maps 4 GiB from 0xffff800000000000 on in 1,048,576 pages of which no two neighbours
 * are mapped alike, as a debugger's worst case. Then it changes one entry after another, `changed` being called for each.
 */
#include "kernels.h"

#define PAGES (1u << 20)
#define ENTRIES 512
#define PRESENT 1
#define WRITABLE 2
#define USER 4
#define NO_EXECUTE (1ul << 63)
#define EFER 0xc0000080
#define EFER_NXE 0x800
/* Tables from 24 MiB on: 1 + 4 + 2048 pages. What is mapped: frames of the first 16 MiB. */
#define TABLES (24ul << 20)
#define FRAMES 4096
/* Neighbouring pages lie so many frames apart. */
#define STRIDE 7

static u64 *table(u64 n) { return (u64 *)(TABLES + n * 4096); }

/* Called after each change: a place for a breakpoint. */
__attribute__((noinline, noclone)) void changed(u64 page) { __asm__ volatile("" : : "r"(page)); }

void guest_main(const char *line) {
  u32 low, high;
  u64 root;
  (void)line;
  __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(EFER));
  __asm__ volatile("wrmsr" : : "a"(low | EFER_NXE), "d"(high), "c"(EFER));
  __asm__ volatile("mov %%cr3, %0" : "=r"(root));
  u64 *pages = table(5);
  for (u64 i = 0; i < PAGES; i++) {
    u64 rights = PRESENT | (i % 3 ? WRITABLE : 0) | (i % 5 ? 0 : USER) | (i % 2 ? NO_EXECUTE : 0);
    pages[i] = i * STRIDE % FRAMES * 4096 | rights;
  }
  for (u64 i = 0; i < PAGES / ENTRIES; i++) table(1)[i] = (u64)table(5 + i) | PRESENT | WRITABLE | USER;
  for (u64 i = 0; i < 4; i++) table(0)[i] = (u64)table(1 + i) | PRESENT | WRITABLE | USER;
  ((u64 *)root)[ENTRIES / 2] = (u64)table(0) | PRESENT | WRITABLE | USER;
  __asm__ volatile("mov %0, %%cr3" : : "r"(root) : "memory");
  for (u64 i = 0;; i = (i + 1) % PAGES) {
    pages[i] ^= WRITABLE;
    __asm__ volatile("invlpg (%0)" : : "r"(0xffff800000000000ul + i * 4096) : "memory");
    changed(i);
  }
}
