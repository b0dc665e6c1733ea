/* Memory that is there when it is touched. */
#include "program.h"

#define LIMIT 20000

int main(int argument)
{
	(void)argument;
	char *crossed = (char *)call(CALL_BREAK, 0, 0, 0);
	call(CALL_BREAK, (int)crossed + LIMIT, 0, 0);
	unsigned count = 0;
	for (unsigned n = 2; n < LIMIT; n++) {
		if (crossed[n])
			continue;
		count++;
		for (unsigned multiple = 2 * n; multiple < LIMIT; multiple += n)
			crossed[multiple] = 1;
	}
	say_number(count);
	say(" primes\n");
	return count == 2262 ? 0 : 1;
}
