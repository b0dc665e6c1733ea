#include "program.h"

int main(int argument)
{
	int result;
	asm volatile("divl %2" : "=a"(result) : "a"(argument), "r"(0), "d"(0));
	return result;
}
