/* Two processes, a stream each way. */
#include "program.h"

#define ROUNDS 200

int main(int argument)
{
	(void)argument;
	int there[2], back[2], status;
	unsigned sum = 0;
	call(CALL_PIPE, (int)there, 0, 0);
	call(CALL_PIPE, (int)back, 0, 0);
	if (fork() == 0) {
		unsigned value;
		call(CALL_CLOSE, there[1], 0, 0);
		while (call(CALL_READ, there[0], (int)&value, sizeof value) == sizeof value) {
			value *= 3;
			call(CALL_WRITE, back[1], (int)&value, sizeof value);
		}
		quit(0);
	}
	for (unsigned i = 0; i < ROUNDS; i++) {
		unsigned value = i;
		call(CALL_WRITE, there[1], (int)&value, sizeof value);
		call(CALL_READ, back[0], (int)&value, sizeof value);
		sum += value;
	}
	call(CALL_CLOSE, there[1], 0, 0);
	wait(&status);
	return sum == 3 * ROUNDS * (ROUNDS - 1) / 2 ? status : 1;
}
