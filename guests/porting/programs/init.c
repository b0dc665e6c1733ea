/* Runs the other programs one by one, looks whether all memory came back, and turns the machine off. */
#include "program.h"

static const char names[][16] = { "hello", "primes", "sharing", "stack", "pipes", "turns", "sleep", "kernel", "nowhere", "zero" };

static int run(const char *name)
{
	int status = -1;
	int id = fork();
	if (id == 0) {
		call(CALL_EXEC, (int)name, 7, 0);
		quit(99);
	}
	while (wait(&status) != id)
		;
	return status;
}

int main(int argument)
{
	(void)argument;
	/* Once for what is made on first use. */
	run(names[0]);
	int before = call(CALL_FREE, 0, 0, 0);
	for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
		int status = run(names[i]);
		say(names[i]);
		say(" ended with ");
		say_number(status);
		say("\n");
	}
	int after = call(CALL_FREE, 0, 0, 0);
	say(before == after ? "All memory came back.\n" : "Memory was lost.\n");
	call(CALL_POWER_OFF, 0, 0, 0);
	return 0;
}
