/*
 * The host processor as an oracle: reads cases from standard input, executes each one's code natively in user mode and
 * writes what became of the registers, flags, memory and floating-point state, or which exception came. The layout of records
 * and modes is repeated in ../oracle.ts.
 */
#include "native.h"

#define CODE_NORMAL (CODE_PAGE + 0x800)
#define CODE_END (CODE_PAGE + 0x1000)
/* The tested area, across the border of the two data pages. */
#define AREA (DATA + 0xf00)
#define AREA_BYTES 512

typedef struct {
  uint8_t mode; /* 0: 64-bit code, 1: 32-bit code */
  uint8_t code_length;
  uint8_t at_page_end;
  uint8_t reserved[5];
  uint8_t code[32];
  uint64_t rflags;
  uint64_t gpr[16];
  uint8_t fx[512];
  uint8_t memory[AREA_BYTES];
  uint8_t upper[256]; /* bits 255:128 of the sixteen vector registers */
} Case;

typedef struct {
  int32_t vector; /* -1: ran to its end or jumped to where there is nothing */
  uint32_t error_code;
  uint64_t fault_address;
  uint64_t rip;
  uint64_t rflags;
  uint64_t gpr[16];
  uint8_t fx[512];
  uint8_t memory[AREA_BYTES];
  uint32_t stray; /* wrote to the data pages outside of the area */
  uint32_t reserved[3];
  uint8_t upper[256];
} Result;

_Static_assert(sizeof(Case) == 1456 && sizeof(Result) == 1456, "oracle.ts knows these sizes");

static volatile int signalled;
static Result *current;

static void on_signal(int signal, siginfo_t *info, void *context) {
  ucontext_t *uc = context;
  greg_t *r = uc->uc_mcontext.gregs;
  (void)info;
  /* A case that never ends must not outlive its test. */
  if (signal == SIGALRM) _exit(3);
  signalled = 1;
  keep_context(uc);
  current->vector = r[REG_TRAPNO];
  current->error_code = r[REG_ERR];
  current->fault_address = r[REG_CR2];
  current->rip = r[REG_RIP];
  give_up(uc);
}

/* Anything outside of the area that is not 0 was written by the case. */
static int clear_stray(void) {
  static const uint8_t zeros[DATA_BYTES];
  uint8_t *low = (uint8_t *)DATA, *high = (uint8_t *)AREA + AREA_BYTES;
  const size_t low_bytes = AREA - DATA, high_bytes = DATA_BYTES - AREA_BYTES - low_bytes;
  if (!memcmp(low, zeros, low_bytes) && !memcmp(high, zeros, high_bytes)) return 0;
  memset(low, 0, low_bytes);
  memset(high, 0, high_bytes);
  return 1;
}

static void run(const Case *c, Result *result) {
  const unsigned long start = c->at_page_end ? CODE_END - c->code_length : CODE_NORMAL;
  const unsigned long end = start + c->code_length;
  uint8_t *at = (uint8_t *)start;
  memcpy(at, c->code, c->code_length);
  size_t written = c->code_length;
  if (!c->at_page_end) {
    at[c->code_length] = 0xe9;
    const int32_t distance = (int32_t)((c->mode ? (unsigned long)back32 : (unsigned long)back) - (end + 5));
    memcpy(at + c->code_length + 1, &distance, 4);
    written += 5;
  }
  memcpy((void *)AREA, c->memory, AREA_BYTES);
  memcpy(in_gpr, c->gpr, sizeof in_gpr);
  memcpy(in_fx, c->fx, sizeof in_fx);
  memcpy(in_upper, c->upper, sizeof in_upper);
  in_flags = c->rflags;
  current = result;
  signalled = 0;
  enter(start, c->mode);
  memset(at, 0xcc, written);
  memcpy(result->gpr, out_gpr, sizeof out_gpr);
  memcpy(result->fx, out_fx, sizeof out_fx);
  memcpy(result->upper, out_upper, sizeof out_upper);
  memcpy(result->memory, (void *)AREA, AREA_BYTES);
  result->rflags = out_flags;
  result->stray = clear_stray();
  if (!signalled) {
    result->vector = -1;
    result->rip = end;
    return;
  }
  /* The filling of the code page, and the end of the page, are where a case may well end. */
  const int filling = result->vector == 3 && result->rip - 1 - CODE_PAGE < 0x1000 &&
                      (result->rip - 1 < start || result->rip - 1 >= end);
  if (filling) result->rip--;
  if (filling || (result->vector == 14 && result->rip == CODE_END && result->fault_address == CODE_END)) {
    result->vector = -1;
    result->error_code = 0;
    result->fault_address = 0;
  }
}

#define BATCH 256

int main(int argc, char **argv) {
  (void)argc;
  fix_addresses(argv);
  static Case cases[BATCH] __attribute__((aligned(16)));
  static Result results[BATCH];
  prepare(0x1000, on_signal);
  alarm(120);
  size_t count;
  while ((count = fread(cases, sizeof *cases, BATCH, stdin)) > 0) {
    memset(results, 0, sizeof results);
    for (size_t i = 0; i < count; i++) run(&cases[i], &results[i]);
    if (fwrite(results, sizeof *results, count, stdout) != count) return 2;
  }
  return 0;
}
