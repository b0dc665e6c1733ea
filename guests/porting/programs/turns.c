/* Nobody keeps the processor: a child that never asks for anything does not hold its parent up. */
#include "program.h"

int main(int argument)
{
	(void)argument;
	int ends[2], status;
	char byte = 1;
	call(CALL_PIPE, (int)ends, 0, 0);
	if (fork() == 0) {
		for (volatile unsigned i = 0; i < 400000; i++)
			;
		call(CALL_WRITE, ends[1], (int)&byte, 1);
		quit(0);
	}
	unsigned turns = 0;
	while (turns < 3) {
		call(CALL_YIELD, 0, 0, 0);
		turns++;
	}
	call(CALL_READ, ends[0], (int)&byte, 1);
	wait(&status);
	return status;
}
