#include "program.h"

int main(int argument)
{
	return *(volatile int *)(8 * argument);
}
