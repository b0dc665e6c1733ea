/* A linked list in random order over 16 MiB: nearly each step goes to a page that no TLB remembers. */
#include "kernels.h"

#define NODES (1u << 18)

/* A cache line each, also where pointers are short. */
struct node {
  _Alignas(64) struct node *next;
  u64 value;
  u64 rest[6];
};

static struct node nodes[NODES];
static u32 order[NODES];

static void prepare(void) {
  u32 random = 777;
  for (u32 i = 0; i < NODES; i++) order[i] = i;
  for (u32 i = NODES - 1; i > 0; i--) {
    u32 other = (next_random(&random) >> 8) % (i + 1);
    u32 kept = order[i];
    order[i] = order[other];
    order[other] = kept;
  }
  for (u32 i = 0; i < NODES; i++) {
    nodes[order[i]].next = &nodes[order[(i + 1) % NODES]];
    nodes[order[i]].value = i * 3;
  }
}

WORKLOAD list(u64 steps) {
  prepare();
  u64 sum = 0;
  struct node *node = &nodes[order[0]];
  for (u64 i = 0; i < steps; i++) {
    sum = sum * 5 + node->value;
    node = node->next;
  }
  return sum;
}
