/* Eratosthenes over a mebibyte of flags: stores with a growing stride. */
#include "kernels.h"

#define NUMBERS (1u << 20)

static u8 prime[NUMBERS];

WORKLOAD sieve(u64 passes) {
  u64 total = 0;
  for (u64 pass = 0; pass < passes; pass++) {
    for (u32 i = 0; i < NUMBERS; i++) prime[i] = 1;
    for (u32 i = 2; i * i < NUMBERS; i++)
      if (prime[i])
        for (u32 multiple = i * i; multiple < NUMBERS; multiple += i) prime[multiple] = 0;
    u32 found = 0;
    for (u32 i = 2; i < NUMBERS; i++) found += prime[i];
    total = total * 3 + found;
  }
  return total;
}
