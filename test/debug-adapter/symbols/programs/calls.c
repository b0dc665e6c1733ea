/* Calls, inlining, blocks and loops; stops itself in `deepest`. */
#include "shapes.h"

static struct node nodes[4];
volatile int sink;

__attribute__((noinline)) static void deepest(struct node *node, long depth) {
  static int calls;
  int here = node->value + (int)depth;
  calls++;
  sink = here;
  __asm__ volatile(".globl stop_here\nstop_here: nop" ::"r"(here), "r"(node) : "memory");
  sink = calls + here;
}

struct node *node_of(int value) {
  nodes[1].value = value;
  nodes[1].next = &nodes[2];
  return &nodes[1];
}

__attribute__((noinline)) int add(int a, int b) {
  int sum = a + b;
  {
    int sum = a * 100;
    sink = sum;
    deepest(node_of(sum), b);
  }
  return sum + sink;
}

__attribute__((noinline)) int outer_function(int n, const char *text) {
  int total = 0;
  for (int i = 0; i < n; i++) {
    int part = squared(i + n);
    total += add(part, i) + text[0];
  }
  return total;
}

int use_node(void);
int main(int argc, char **argv) {
  sink = argc;
  return (outer_function(argc + 1, "outer") + use_node()) & (argv ? 0x7f : 0);
}
