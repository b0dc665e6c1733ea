/* What ring 3 may ask for. */
#include "kernel.h"

#define MAX_WRITE 4096ul

/* The address may be one that is not mapped yet: then writing it out is what faults it in. */
static u64 sys_write(u64 address, u64 length) {
  if (address >= KERNEL_BASE || length > MAX_WRITE)
    return (u64)-1;
  console_write((const char *)address, length);
  return length;
}

static u64 sys_discard(u64 start, u64 bytes) {
  const struct region *heap = &current->regions[REGION_HEAP];
  u64 discarded = 0;

  if (start < heap->start || start > heap->end || bytes > heap->end - start)
    return (u64)-1;
  for (u64 address = start; address < start + bytes; address += PAGE_BYTES)
    discarded += (u64)unmap_page(address);
  return discarded;
}

/* From syscall_entry. Interrupts are off. The result goes to RAX. */
void handle_syscall(struct interrupt_frame *frame) {
  enum system_call number = (enum system_call)frame->rax;

  current->counters.system_calls++;
  frame->rax = 0;
  switch (number) {
    case SYS_WRITE:
      frame->rax = sys_write(frame->rdi, frame->rsi);
      break;
    case SYS_GET_TICKS:
      frame->rax = ticks;
      break;
    case SYS_YIELD:
      schedule();
      break;
    case SYS_WAIT:
      wait_until(frame->rdi);
      break;
    case SYS_DISCARD:
      frame->rax = sys_discard(frame->rdi, frame->rsi);
      break;
    case SYS_EXIT:
      exit_task();
    default:
      frame->rax = (u64)-1;
  }
}
