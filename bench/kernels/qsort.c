/* Quicksort of pseudo-random integers: branches that nobody can predict, recursion. */
#include "kernels.h"

#define LARGEST (1u << 21)

static int numbers[LARGEST];

static __attribute__((noinline)) void sort(int *first, int *last) {
  while (first < last) {
    int pivot = first[(last - first) / 2];
    int *left = first, *right = last;
    while (left <= right) {
      while (*left < pivot) left++;
      while (*right > pivot) right--;
      if (left > right) break;
      int kept = *left;
      *left++ = *right;
      *right-- = kept;
    }
    /* The smaller part by recursion, so that the stack stays shallow. */
    if (right - first < last - left) {
      sort(first, right);
      first = left;
    } else {
      sort(left, last);
      last = right;
    }
  }
}

WORKLOAD quicksort(u64 elements) {
  u32 random = 12345;
  u64 count = elements < LARGEST ? elements : LARGEST;
  for (u64 i = 0; i < count; i++) numbers[i] = (int)next_random(&random);
  sort(numbers, numbers + count - 1);
  u64 sum = 0;
  for (u64 i = 0; i < count; i++) sum = sum * 31 + (u32)numbers[i];
  return sum;
}
