#include "xen.h"

void *store_ring(void);
static volatile struct {
	char requests[1024], answers[1024];
	u32 request_taken, request_put, answer_taken, answer_put;
} *ring;

void store_start(void)
{
	ring = store_ring();
}
static void send(const void *from, u32 bytes)
{
	const char *at = from;
	while (bytes--) {
		while (ring->request_put - ring->request_taken == sizeof ring->requests)
			event_send(start_info->store_port);
		ring->requests[ring->request_put % sizeof ring->requests] = *at++;
		asm volatile("" : : : "memory");
		ring->request_put++;
	}
}
static void receive(void *into, u32 bytes)
{
	char *at = into;
	while (bytes--) {
		while (ring->answer_put == ring->answer_taken)
			event_wait(start_info->store_port);
		*at++ = ring->answers[ring->answer_taken % sizeof ring->answers];
		asm volatile("" : : : "memory");
		ring->answer_taken++;
	}
}
static u32 length(const char *text)
{
	u32 n = 0;
	while (text[n])
		n++;
	return n;
}
struct part {
	const char *text;
	u32 bytes;
};
/* Bytes of the answer, of which as many as there is room for are put down, with a zero behind; -1: an error. */
static int ask(u32 type, const struct part *parts, u32 count, char *into, u32 size)
{
	u32 header[4] = { type, 1, 0, 0 }, done = 0;
	for (u32 i = 0; i < count; i++)
		header[3] += parts[i].bytes;
	send(header, sizeof header);
	for (u32 i = 0; i < count; i++)
		send(parts[i].text, parts[i].bytes);
	event_send(start_info->store_port);
	receive(header, sizeof header);
	for (; done < header[3]; done++) {
		char c;
		receive(&c, 1);
		if (done + 1 < size)
			into[done] = c;
	}
	if (size)
		into[done < size ? done : size - 1] = 0;
	event_send(start_info->store_port);
	return header[0] == 16 ? -1 : (int)done;
}
int store_read(const char *path, char *into, u32 size)
{
	struct part part = { path, length(path) + 1 };
	return ask(2, &part, 1, into, size);
}
int store_write(const char *path, const char *value)
{
	struct part parts[] = { { path, length(path) + 1 }, { value, length(value) } };
	return ask(11, parts, 2, 0, 0);
}
int store_permit(const char *path, const char *first, const char *second)
{
	struct part parts[] = { { path, length(path) + 1 }, { first, length(first) + 1 }, { second, length(second) + 1 } };
	return ask(14, parts, 3, 0, 0);
}
u32 number(const char *text)
{
	u32 value = 0;
	while (*text >= '0' && *text <= '9')
		value = 10 * value + *text++ - '0';
	return value;
}
char *number_text(u32 value, char *into)
{
	char *at = into + 10;
	*at = 0;
	do
		*--at = '0' + value % 10;
	while (value /= 10);
	return at;
}
