#include "kernel.h"

/* Free frames are a list, each holding the number of the next. */
static u32 next_free, free_count;
static u8 users[MAX_FRAMES];

void memory_start(u32 first, u32 end)
{
	for (u32 frame = end; frame-- > first;) {
		*(u32 *)frame_at(frame) = next_free;
		next_free = frame;
		free_count++;
	}
}
u32 frame_take(void)
{
	u32 frame = next_free;
	if (!frame)
		panic("no memory is left", 0);
	next_free = *(u32 *)frame_at(frame);
	free_count--;
	users[frame] = 1;
	fill(frame_at(frame), 0, PAGE);
	return frame;
}
void frame_share(u32 frame)
{
	users[frame]++;
}
void frame_drop(u32 frame)
{
	if (--users[frame])
		return;
	*(u32 *)frame_at(frame) = next_free;
	next_free = frame;
	free_count++;
}
u32 frame_users(u32 frame)
{
	return users[frame];
}
u32 frames_free(void)
{
	return free_count;
}

void copy(void *to, const void *from, u32 bytes)
{
	asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
}
void fill(void *to, int value, u32 bytes)
{
	asm volatile("rep stosb" : "+D"(to), "+c"(bytes) : "a"(value) : "memory");
}
int equal(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}
