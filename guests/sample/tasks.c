/* Tasks: a ring of them, each with a kernel stack, each in ring 3 until it asks for something. */
#include "kernel.h"

#define KERNEL_STACK_BYTES 8192
#define USER_STACK_BYTES 0x10000ul
#define HEAP_BYTES 0x100000ul
#define MAX_TASKS 4

extern char return_from_interrupt[];
void switch_stacks(u64 *save_rsp, u64 load_rsp);

static struct task tasks[MAX_TASKS];
static int task_count;
static u8 kernel_stacks[MAX_TASKS][KERNEL_STACK_BYTES] __attribute__((aligned(16)));
static u64 boot_stack_pointer;
struct task *current;

static void copy_name(char *to, const char *from, u64 room) {
  while (--room && *from)
    *to++ = *from++;
  *to = 0;
}

/* What return_from_interrupt will find: the task as if it had been interrupted before its first instruction. */
static void prepare_stack(struct task *task, void (*entry)(int), int argument) {
  struct interrupt_frame *frame = (struct interrupt_frame *)task->stack_top - 1;
  u64 *stack = (u64 *)frame;

  frame->rip = (u64)entry;
  frame->cs = USER_CS;
  frame->rflags = 0x202;
  frame->rsp = task->regions[REGION_STACK].end - 24; /* as if called from address 0: the stack ends there */
  frame->ss = USER_DS;
  frame->rdi = (u64)argument;
  *--stack = (u64)return_from_interrupt;
  task->stack_pointer = (u64)(stack - 6); /* the registers that switch_stacks pops */
}

struct task *create_task(const char *name, void (*entry)(int), int argument) {
  struct task *task = &tasks[task_count];
  u64 window = (u64)task_count;

  if (task_count == MAX_TASKS)
    panic("no room for task %s", name);
  task->id = ++task_count;
  copy_name(task->name, name, sizeof task->name);
  task->stack_top = (u64)kernel_stacks[window] + KERNEL_STACK_BYTES;
  task->regions[REGION_HEAP] =
      (struct region){REGION_HEAP, USER_HEAP + window * HEAP_BYTES, USER_HEAP + (window + 1) * HEAP_BYTES};
  task->regions[REGION_STACK] =
      (struct region){REGION_STACK, USER_STACKS + window * HEAP_BYTES, USER_STACKS + window * HEAP_BYTES + USER_STACK_BYTES};
  prepare_stack(task, entry, argument);
  task->next = &tasks[0];
  if (task_count > 1)
    tasks[task_count - 2].next = task;
  return task;
}

static int is_ready(struct task *task) {
  if (task->state == TASK_WAITING && ticks >= task->wake_tick)
    task->state = TASK_READY;
  return task->state == TASK_READY;
}

/* The next task of the ring that can run; the current one comes last. 0: none can. */
static struct task *next_ready(void) {
  struct task *task = current;

  do {
    task = task->next;
    if (is_ready(task))
      return task;
  } while (task != current);
  return 0;
}

static int all_exited(void) {
  for (int i = 0; i < task_count; i++)
    if (tasks[i].state != TASK_EXITED)
      return 0;
  return 1;
}

static void idle(void) {
  __asm__ volatile("sti; hlt; cli" : : : "memory");
}

static NORETURN void finish(void) {
  struct counters total = total_counters();

  print("all tasks have exited: %u page faults, %u system calls, %u switches\n", (u32)total.page_faults,
        (u32)total.system_calls, (u32)total.switches);
  power_off(0);
}

static void switch_to(struct task *next) {
  struct task *previous = current;

  next->state = TASK_RUNNING;
  if (next == previous)
    return;
  next->counters.switches++;
  current = next;
  set_kernel_stack(next->stack_top);
  switch_stacks(&previous->stack_pointer, next->stack_pointer);
}

/* Gives the processor to the next task. Interrupts are off. */
void schedule(void) {
  struct task *next;

  if (current->state == TASK_RUNNING)
    current->state = TASK_READY;
  while (!(next = next_ready())) {
    if (all_exited())
      finish();
    idle();
  }
  switch_to(next);
}

void wait_until(u64 tick) {
  current->wake_tick = tick;
  current->state = TASK_WAITING;
  schedule();
}

void exit_task(void) {
  current->state = TASK_EXITED;
  schedule();
  panic("an exited task was resumed");
}

void run_tasks(void) {
  current = &tasks[0];
  current->state = TASK_RUNNING;
  current->counters.switches++;
  set_kernel_stack(current->stack_top);
  switch_stacks(&boot_stack_pointer, current->stack_pointer);
  panic("the boot stack was resumed");
}

struct counters total_counters(void) {
  struct counters total = {0};

  for (struct task *task = &tasks[0];; task = task->next) {
    total.page_faults += task->counters.page_faults;
    total.system_calls += task->counters.system_calls;
    total.switches += task->counters.switches;
    if (task->next == &tasks[0])
      return total;
  }
}

static const struct region *find_region(const struct task *task, u64 address) {
  for (u64 i = 0; i < COUNT(task->regions); i++)
    if (address >= task->regions[i].start && address < task->regions[i].end)
      return &task->regions[i];
  return 0;
}

/* Memory of a task comes into being when it is touched. 0: this address is not its own, or the access was forbidden. */
int handle_page_fault(u64 address, u64 error) {
  static const char *const kinds[] = {[REGION_HEAP] = "heap", [REGION_STACK] = "stack"};
  const struct region *region = current ? find_region(current, address) : 0;
  u64 page = address & ~(PAGE_BYTES - 1);
  u64 frame;

  if (!region || error & 1)
    return 0;
  frame = allocate_frame();
  map_page(page, frame, PAGE_USER | PAGE_WRITE);
  current->counters.page_faults++;
  print("  page fault: %s of %s, %p gets frame %x\n", kinds[region->kind], current->name, (void *)page, (u32)frame);
  return 1;
}
