#include "kernel.h"
#include "calls.h"

/* Buffers are in the space in force, and have been reached. */
static int read(struct file *file, u32 at, u32 bytes)
{
	if (space_reach(&current->space, at, bytes, 1))
		return -1;
	if (file->kind == CONSOLE)
		return console_line((char *)at, bytes);
	return file->kind == PIPE_READ ? pipe_read(file->pipe, (char *)at, bytes) : -1;
}
static int write(struct file *file, u32 at, u32 bytes)
{
	if (space_reach(&current->space, at, bytes, 0))
		return -1;
	const char *text = (const char *)at;
	if (file->kind == PIPE_WRITE)
		return pipe_write(file->pipe, text, bytes);
	if (file->kind != CONSOLE)
		return -1;
	for (u32 i = 0; i < bytes; i++)
		put(text[i]);
	return bytes;
}
static int exec(struct frame *frame, u32 at, u32 argument)
{
	char name[16];
	if (space_reach(&current->space, at, sizeof name, 0))
		return -1;
	copy(name, (const void *)at, sizeof name);
	name[sizeof name - 1] = 0;
	return process_exec(frame, name, argument);
}
static int pipe(u32 at)
{
	int numbers[2], found = 0;
	struct file ends[2];
	for (int i = 0; i < FILES && found < 2; i++)
		if (current->files[i].kind == CLOSED)
			numbers[found++] = i;
	if (found < 2 || space_reach(&current->space, at, sizeof numbers, 1) || pipe_new(ends))
		return -1;
	for (int i = 0; i < 2; i++)
		current->files[numbers[i]] = ends[i];
	copy((void *)at, numbers, sizeof numbers);
	return 0;
}
static int wait(u32 at)
{
	int status, id;
	if (space_reach(&current->space, at, sizeof status, 1))
		return -1;
	id = process_wait(&status);
	/* While it waited a child may have come to share the page. */
	if (id < 0 || space_reach(&current->space, at, sizeof status, 1))
		return -1;
	copy((void *)at, &status, sizeof status);
	return id;
}
static int set_break(u32 end)
{
	struct space *space = &current->space;
	if (end >= space->heap_end && end < STACK_TOP - STACK_BYTES)
		space->heap_end = end;
	return space->heap_end;
}

void system_call(struct frame *frame)
{
	u32 number = frame->eax, a = frame->ebx, b = frame->ecx, c = frame->edx;
	struct file closed = { CLOSED, 0 }, *file = a < FILES ? &current->files[a] : &closed;
	int result = 0;
	switch (number) {
	case CALL_EXIT:
		process_exit(a);
	case CALL_FORK:
		result = process_fork(frame);
		break;
	case CALL_READ:
		result = read(file, b, c);
		break;
	case CALL_WRITE:
		result = write(file, b, c);
		break;
	case CALL_CLOSE:
		pipe_close(file);
		break;
	case CALL_WAIT:
		result = wait(a);
		break;
	case CALL_EXEC:
		if (!exec(frame, a, b))
			return;
		result = -1;
		break;
	case CALL_ID:
		result = current->id;
		break;
	case CALL_PIPE:
		result = pipe(a);
		break;
	case CALL_BREAK:
		result = set_break(a);
		break;
	case CALL_YIELD:
		schedule();
		break;
	case CALL_SLEEP:
		process_sleep(a);
		break;
	case CALL_FREE:
		result = frames_free();
		break;
	case CALL_POWER_OFF:
		power_off();
	default:
		result = -1;
	}
	frame->eax = result;
}
