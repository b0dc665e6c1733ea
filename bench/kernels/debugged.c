/* What is debugged while it runs: a function that a breakpoint sits on, and memory that is watched. */
#include "kernels.h"

u64 visit_sum;

__attribute__((noinline, noclone)) void visit(u64 number) {
  visit_sum = visit_sum * 3 + number;
}

WORKLOAD visits(u64 calls) {
  visit_sum = 0;
  for (u64 i = 0; i < calls; i++) visit(i);
  return visit_sum;
}

/* `rare` is written every 65536 rounds, its neighbour on the page each time, a page further on each time too. */
struct {
  volatile u64 rare;
  volatile u64 neighbour;
  u64 rest[510];
} __attribute__((aligned(4096))) watched;
static volatile u64 elsewhere __attribute__((aligned(4096)));

WORKLOAD stores(u64 rounds) {
  watched.rare = watched.neighbour = elsewhere = 0;
  for (u64 i = 0; i < rounds; i++) {
    if (i % 65536 == 0) watched.rare += i;
    if (i % 16 == 0) watched.neighbour += i;
    elsewhere += i;
  }
  return watched.rare ^ watched.neighbour ^ elsewhere;
}
