/* Xorshift and multiply on 64-bit registers: arithmetic alone, one long chain. */
#include "kernels.h"

WORKLOAD hash(u64 rounds) {
  u64 random = 88172645463325252ull, sum = 0xcbf29ce484222325ull;
  for (u64 i = 0; i < rounds; i++) {
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    sum = (sum ^ random) * 0x9e3779b97f4a7c15ull;
    sum = (sum << 23 | sum >> 41) + i;
  }
  return sum ^ random;
}
