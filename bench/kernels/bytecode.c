/* An interpreter of a small register machine: a jump table in the middle of a loop. */
#include "kernels.h"

enum { LOAD, ADD, SUBTRACT, MULTIPLY, XOR, SHIFT, ROTATE, MOVE, MASK, DECREMENT, JUMP_IF, STOP };

/* Operation and two operands each. r0 counts down. */
static const u8 program[] = {
    LOAD,     1, 7,  LOAD,   2, 13, LOAD, 3, 1, /* the loop begins at 9 */
    ADD,      1, 2,  XOR,    2, 1,  MULTIPLY, 3, 1, SHIFT, 3, 3, ADD,  3, 2, SUBTRACT, 2, 3,
    ROTATE,   1, 5,  MASK,   4, 15, ADD, 4, 1, MOVE,  5, 4, XOR,  3, 5, DECREMENT, 0, 0,
    JUMP_IF,  0, 9,  STOP,   0, 0,
};

WORKLOAD bytecode(u64 rounds) {
  u64 r[8] = {rounds, 0, 0, 0, 0, 0, 0, 0};
  for (u32 pc = 0;;) {
    u8 operation = program[pc], a = program[pc + 1] & 7, b = program[pc + 2];
    pc += 3;
    switch (operation) {
      case LOAD: r[a] = b; break;
      case ADD: r[a] += r[b & 7]; break;
      case SUBTRACT: r[a] -= r[b & 7]; break;
      case MULTIPLY: r[a] *= r[b & 7] | 1; break;
      case XOR: r[a] ^= r[b & 7]; break;
      case SHIFT: r[a] >>= b & 63; break;
      case ROTATE: r[a] = r[a] << (b & 63) | r[a] >> (64 - (b & 63)); break;
      case MOVE: r[a] = r[b & 7]; break;
      case MASK: r[a] &= b; break;
      case DECREMENT: r[a]--; break;
      case JUMP_IF: if (r[a]) pc = b; break;
      case STOP: return r[1] ^ r[2] ^ r[3] ^ r[5];
    }
  }
}
