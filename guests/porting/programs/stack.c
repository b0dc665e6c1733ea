/* A stack that grows as it is needed. */
#include "program.h"

static unsigned __attribute__((noinline)) depth(unsigned n)
{
	volatile char room[1000];
	room[0] = n;
	if (n == 0)
		return 0;
	unsigned below = depth(n - 1);
	return 1 + below + (room[0] != (char)n);
}

int main(int argument)
{
	(void)argument;
	return depth(500) == 500 ? 0 : 1;
}
