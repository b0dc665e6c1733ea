/* Table-driven CRC-32 of a buffer: loads that depend on what was just computed. */
#include "kernels.h"

#define BYTES 65536

static u32 table[256];
static u8 buffer[BYTES];

static void prepare(void) {
  for (u32 i = 0; i < 256; i++) {
    u32 rest = i;
    for (int bit = 0; bit < 8; bit++) rest = rest & 1 ? rest >> 1 ^ 0xedb88320u : rest >> 1;
    table[i] = rest;
  }
  u32 random = 1;
  for (u32 i = 0; i < BYTES; i++) buffer[i] = (u8)(next_random(&random) >> 24);
}

WORKLOAD crc(u64 passes) {
  prepare();
  u32 sum = ~0u;
  for (u64 pass = 0; pass < passes; pass++)
    for (u32 i = 0; i < BYTES; i++) sum = table[(sum ^ buffer[i]) & 255] ^ sum >> 8;
  return (u32)~sum;
}
