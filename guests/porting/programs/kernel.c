/* The kernel's memory is not a program's. */
#include "program.h"

int main(int argument)
{
	*(volatile int *)0xc0100000 = argument;
	return 0;
}
