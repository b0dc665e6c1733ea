/* Parent and children share pages until one of them writes: nobody sees another's writes. */
#include "program.h"

#define PAGES 40
static volatile unsigned data[PAGES][1024];

int main(int argument)
{
	(void)argument;
	int status, bad = 0;
	for (unsigned i = 0; i < PAGES; i++)
		data[i][0] = i;
	for (unsigned child = 1; child <= 5; child++)
		if (fork() == 0) {
			for (unsigned i = 0; i < PAGES; i += child)
				data[i][0] += 100 * child;
			for (unsigned i = 0; i < PAGES; i++)
				if (data[i][0] != i + (i % child == 0 ? 100 * child : 0))
					quit(1);
			quit(0);
		}
	while (wait(&status) > 0)
		bad |= status;
	for (unsigned i = 0; i < PAGES; i++)
		bad |= data[i][0] != i;
	say(bad ? "Writes leaked.\n" : "Nobody saw another's writes.\n");
	return bad;
}
