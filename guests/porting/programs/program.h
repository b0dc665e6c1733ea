/* What programs share. They know the kernel's calls and nothing of the machine. */
#pragma once
#include "../calls.h"

static inline int call(int number, int a, int b, int c)
{
	int result;
	asm volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c) : "memory");
	return result;
}
static inline int text_length(const char *text)
{
	int n = 0;
	while (text[n])
		n++;
	return n;
}
static inline void say(const char *text) { call(CALL_WRITE, 1, (int)text, text_length(text)); }
static inline void say_number(unsigned value)
{
	char text[12];
	int at = 11;
	text[at] = 0;
	do
		text[--at] = '0' + value % 10;
	while (value /= 10);
	say(text + at);
}
static inline void quit(int status)
{
	call(CALL_EXIT, status, 0, 0);
	__builtin_unreachable();
}
static inline int fork(void) { return call(CALL_FORK, 0, 0, 0); }
static inline int wait(int *status) { return call(CALL_WAIT, (int)status, 0, 0); }

int main(int argument);
/* The kernel starts it with the argument in EBX. */
__attribute__((naked, section(".text.start"), used)) void start(void)
{
	asm("push %ebx\n call main\n mov %eax, %ebx\n mov $1, %eax\n int $0x80");
}
