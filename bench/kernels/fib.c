/* Recursive Fibonacci: calls, returns, the stack. */
#include "kernels.h"

/* Compilers would unroll the recursion into loops. */
WORKLOAD __attribute__((optimize("no-optimize-sibling-calls", "no-inline"))) fib(u64 n) {
  if (n < 2) return n;
  return fib(n - 1) + fib(n - 2);
}
