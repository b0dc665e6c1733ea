/* The same workloads on the host: their checksums are what guests have to print. `native NAME COUNT` */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels.h"

static const struct workload workloads[] = {WORKLOADS};

int main(int count, char **arguments) {
  for (unsigned i = 0; count == 3 && i < sizeof workloads / sizeof *workloads; i++)
    if (!strcmp(workloads[i].name, arguments[1])) {
      printf("%016llx\n", (unsigned long long)workloads[i].run(strtoull(arguments[2], 0, 10)));
      return 0;
    }
  return 2;
}
