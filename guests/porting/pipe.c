#include "kernel.h"

#define ROOM 512
struct pipe {
	u32 frame, readers, writers, start, filled;
	char data[ROOM];
};

int pipe_new(struct file *ends)
{
	u32 frame = frame_take();
	struct pipe *pipe = frame_at(frame);
	pipe->frame = frame;
	ends[0] = (struct file){ PIPE_READ, pipe };
	ends[1] = (struct file){ PIPE_WRITE, pipe };
	pipe->readers = pipe->writers = 1;
	return 0;
}
/* 0: all writers have gone. */
int pipe_read(struct pipe *pipe, char *into, u32 bytes)
{
	while (!pipe->filled) {
		if (!pipe->writers)
			return 0;
		wait_on(pipe);
	}
	u32 n = 0;
	for (; n < bytes && pipe->filled; n++, pipe->filled--)
		into[n] = pipe->data[pipe->start++ % ROOM];
	wake(pipe);
	return n;
}
int pipe_write(struct pipe *pipe, const char *from, u32 bytes)
{
	for (u32 n = 0; n < bytes; n++) {
		while (pipe->filled == ROOM && pipe->readers)
			wait_on(pipe);
		if (!pipe->readers)
			return -1;
		pipe->data[(pipe->start + pipe->filled++) % ROOM] = from[n];
	}
	wake(pipe);
	return bytes;
}
void pipe_open(struct file *file)
{
	if (file->kind == PIPE_READ)
		file->pipe->readers++;
	if (file->kind == PIPE_WRITE)
		file->pipe->writers++;
}
void pipe_close(struct file *file)
{
	struct pipe *pipe = file->pipe;
	if (file->kind == PIPE_READ)
		pipe->readers--;
	if (file->kind == PIPE_WRITE)
		pipe->writers--;
	if (file->kind == PIPE_READ || file->kind == PIPE_WRITE) {
		wake(pipe);
		if (!pipe->readers && !pipe->writers)
			frame_drop(pipe->frame);
	}
	file->kind = CLOSED;
}
