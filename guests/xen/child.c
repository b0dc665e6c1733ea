/* A small kernel that domain 0 builds: it speaks on its console ring, counts while it is to stay, and powers itself off. */
#include "xen.h"

void main(struct start_info *info)
{
	static volatile word count;
	xen_start(info);
	print("%d frames, told %s\n", info->frames, (word)info->command_line);
	while (info->command_line[0] == 's') {
		count++;
		hypercall(HYPERCALL_SCHED_OP, 0, 0, 0, 0); /* yield */
	}
	power_off();
}
