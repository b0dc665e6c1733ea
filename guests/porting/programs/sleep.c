#include "program.h"

int main(int argument)
{
	call(CALL_SLEEP, argument, 0, 0);
	return 0;
}
