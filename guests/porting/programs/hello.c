#include "program.h"

int main(int argument)
{
	say("Hello from a program that knows no hypervisor.\n");
	return argument;
}
