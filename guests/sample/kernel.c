/* The beginning, and what is shared by all of it. */
#include "kernel.h"

static void describe_machine(void) {
  static const char *const names[] = {[BOOT_MULTIBOOT] = "Multiboot", [BOOT_PVH] = "PVH"};
  u64 tables = 0, pages = 0;

  print("booted by %s, command line \"%s\"\n", names[boot_info.protocol], boot_info.command_line);
  print("memory: %u MiB\n", (u32)((boot_info.memory_end + 0xfffff) >> 20));
  count_pages(kernel_tables, 4, &tables, &pages);
  print("paging: %u tables map %u pages\n", (u32)tables, (u32)pages);
}

/* From boot.S, on the boot stack. `info` is a physical address. */
void kernel_main(u32 magic, u64 info) {
  int rounds;

  console_init();
  print("Ringside sample kernel\n");
  read_boot_info(magic, info);
  memory_init();
  describe_machine();
  interrupts_init();

  rounds = command_line_has("exit") ? 5 : 0;
  create_task("walker", user_walker, rounds);
  create_task("counter", user_counter, rounds);
  run_tasks();
}
