/* Multiboot 1 and PVH say the same things in different structures. */
#include "kernel.h"

#define MULTIBOOT_LOADED 0x2badb002
#define PVH_LOADED 0x336ec578
#define MIB 0x100000ul

struct multiboot_info {
  u32 flags, lower_kib, upper_kib, boot_device, command_line;
};
enum multiboot_flag { MULTIBOOT_MEMORY = 1, MULTIBOOT_COMMAND_LINE = 4 };

struct pvh_start_info {
  u32 magic, version, flags, module_count;
  u64 modules, command_line, root_pointer, memory_map;
  u32 memory_map_entries;
};
struct pvh_memory_range {
  u64 address, bytes;
  u32 type, reserved;
};

struct boot_info boot_info;

static void read_multiboot(const struct multiboot_info *info) {
  boot_info.protocol = BOOT_MULTIBOOT;
  boot_info.memory_end = info->flags & MULTIBOOT_MEMORY ? MIB + info->upper_kib * 1024ul : 16 * MIB;
  boot_info.command_line = info->flags & MULTIBOOT_COMMAND_LINE ? direct(info->command_line) : "";
}

static void read_pvh(const struct pvh_start_info *info) {
  const struct pvh_memory_range *map = direct(info->memory_map);

  boot_info.protocol = BOOT_PVH;
  boot_info.command_line = info->command_line ? direct(info->command_line) : "";
  for (u32 i = 0; i < info->memory_map_entries; i++)
    if (map[i].type == 1 && map[i].address == MIB)
      boot_info.memory_end = map[i].address + map[i].bytes;
}

void read_boot_info(u32 magic, u64 info) {
  if (magic == MULTIBOOT_LOADED)
    read_multiboot(direct(info));
  else if (magic == PVH_LOADED)
    read_pvh(direct(info));
  else
    panic("started by a loader that is not known: %x", magic);
}

int command_line_has(const char *word) {
  const char *at = boot_info.command_line;

  while (*at) {
    const char *w = word;
    while (*at == ' ')
      at++;
    while (*w && *at == *w) {
      at++;
      w++;
    }
    if (!*w && (!*at || *at == ' '))
      return 1;
    while (*at && *at != ' ')
      at++;
  }
  return 0;
}
