#include "kernel.h"
#include "boot.h"

void main(struct boot *boot)
{
	u32 first, end;
	boot_take(boot);
	tables_start(&first, &end);
	memory_start(first, end);
	hardware_start();
	console_start();
	print("A kernel %s, %d frames of memory.\n", boot_name, end - first);
	timer_start();
	processes_start();
}
