/* What the workloads share: plain C without a library, the same in the guest and on the host. */
#ifndef KERNELS_H
#define KERNELS_H

typedef unsigned char u8;
typedef unsigned int u32;
typedef __UINT64_TYPE__ u64;

/* Each is one call into a function of its own, so that compilers cannot fold it into its caller. */
#define WORKLOAD __attribute__((noinline, noclone)) u64

WORKLOAD crc(u64 passes);
WORKLOAD sieve(u64 passes);
WORKLOAD quicksort(u64 elements);
WORKLOAD hash(u64 rounds);
WORKLOAD fib(u64 n);
WORKLOAD list(u64 steps);
WORKLOAD bytecode(u64 rounds);
WORKLOAD visits(u64 calls);
WORKLOAD stores(u64 rounds);

struct workload {
  const char *name;
  u64 (*run)(u64 count);
};
#define WORKLOADS                                                                                            \
  {"crc", crc}, {"sieve", sieve}, {"qsort", quicksort}, {"hash", hash}, {"fib", fib}, {"list", list},        \
      {"bytecode", bytecode}, {"visits", visits}, {"stores", stores}

/* A linear congruential generator (Knuth, TAOCP vol. 2, 3.3.4): the same numbers everywhere. */
static inline u32 next_random(u32 *state) { return *state = *state * 1664525u + 1013904223u; }

#endif
