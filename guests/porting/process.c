#include "kernel.h"

#define PROCESSES 32
static struct process processes[PROCESSES];
static struct process idle = { .name = "idle", .state = READY };
struct process *current = &idle;
u32 ticks;
static u32 next_id = 1;

void switch_stacks(u32 *old, u32 new); /* traps.S */
void first_return(void);

static void activate(struct process *process)
{
	root_use(process->space.root);
	if (process == &idle)
		return;
	set_kernel_stack((u32)frame_at(process->stack_frame) + PAGE);
}

static struct process *choose(void)
{
	static u32 last;
	for (u32 i = 1; i <= PROCESSES; i++) {
		struct process *process = &processes[(last + i) % PROCESSES];
		if (process->state != READY)
			continue;
		last = process - processes;
		return process;
	}
	return &idle;
}
void schedule(void)
{
	struct process *old = current, *new = choose();
	if (new == old)
		return;
	current = new;
	activate(new);
	switch_stacks(&old->stack, new->stack);
}
void wait_on(const void *what)
{
	current->waits_for = what;
	current->state = WAITING;
	schedule();
}
void wake(const void *what)
{
	for (u32 i = 0; i < PROCESSES; i++)
		if (processes[i].state == WAITING && processes[i].waits_for == what)
			processes[i].state = READY;
}
void process_sleep(u32 for_ticks)
{
	current->wake_at = ticks + for_ticks;
	while ((int)(current->wake_at - ticks) > 0)
		wait_on(&ticks);
}
/* From the timer. The kernel is not taken off the processor, programs are. */
void tick(int in_user)
{
	ticks++;
	console_poll();
	wake(&ticks);
	if (in_user)
		schedule();
}

static struct process *create(struct frame *frame)
{
	struct process *process = processes;
	while (process->state != UNUSED)
		if (++process == processes + PROCESSES)
			return 0;
	*process = (struct process){ .id = next_id++, .parent = current->id, .state = READY };
	process->stack_frame = frame_take();
	/* As if it had been switched away from on its way out of a trap. */
	u32 *top = (u32 *)((u32)frame_at(process->stack_frame) + PAGE - sizeof *frame);
	copy(top, frame, sizeof *frame);
	*--top = (u32)first_return;
	top -= 4;
	process->stack = (u32)top;
	return process;
}
int process_fork(struct frame *frame)
{
	frame->eax = 0;
	struct process *child = create(frame);
	if (!child)
		return -1;
	copy(child->name, current->name, sizeof child->name);
	space_copy(&child->space, &current->space);
	for (u32 i = 0; i < FILES; i++) {
		child->files[i] = current->files[i];
		pipe_open(&child->files[i]);
	}
	return child->id;
}
/* The program that runs becomes another, with one number as its argument in EBX. */
int process_exec(struct frame *frame, const char *name, u32 argument)
{
	struct space space, old = current->space;
	u32 entry;
	space_new(&space);
	if (program_load(&space, name, &entry)) {
		space_end(&space);
		return -1;
	}
	u32 length = 0;
	while (length < sizeof current->name - 1 && name[length])
		length++;
	fill(current->name, 0, sizeof current->name);
	copy(current->name, name, length);
	current->space = space;
	activate(current);
	space_end(&old);
	*frame = (struct frame){ .ebx = argument, .ds = USER_DS, .es = USER_DS, .eip = entry, .cs = USER_CS, .eflags = 0x202, .esp = STACK_TOP - 16, .ss = USER_DS };
	return 0;
}
/* The number of a child that has ended; -1: there is none. */
int process_wait(int *status)
{
	for (;;) {
		int any = 0;
		for (u32 i = 0; i < PROCESSES; i++) {
			struct process *child = &processes[i];
			if (child->state == UNUSED || child->parent != current->id)
				continue;
			any = 1;
			if (child->state != ENDED)
				continue;
			*status = child->status;
			space_end(&child->space);
			frame_drop(child->stack_frame);
			child->state = UNUSED;
			return child->id;
		}
		if (!any)
			return -1;
		wait_on(current);
	}
}
void process_exit(int status)
{
	for (u32 i = 0; i < FILES; i++)
		pipe_close(&current->files[i]);
	for (u32 i = 0; i < PROCESSES; i++) {
		if (processes[i].parent == current->id)
			processes[i].parent = 1;
		if (processes[i].id == current->parent && processes[i].state == WAITING && processes[i].waits_for == &processes[i])
			processes[i].state = READY;
	}
	current->status = status;
	current->state = ENDED;
	schedule();
	panic("an ended process runs", 0);
}

void processes_start(void)
{
	struct frame frame = { 0 };
	idle.space.root = kernel_root;
	struct process *first = create(&frame);
	space_new(&first->space);
	first->files[0].kind = first->files[1].kind = CONSOLE;
	current = first;
	activate(first);
	/* process_exec ends the space that it finds. */
	struct frame *own = (struct frame *)((u32)frame_at(first->stack_frame) + PAGE) - 1;
	if (process_exec(own, "init", 0))
		panic("there is no program init", 0);
	current = &idle;
	for (;;) {
		schedule();
		wait_for_interrupt();
	}
}
