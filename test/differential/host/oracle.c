/*
 * The host processor as an oracle: reads cases from standard input, executes each one's code natively in user mode and
 * writes what became of the registers, flags, memory and floating-point state, or which exception came.
 *
 * One binary serves 64-bit and 32-bit code: a 64-bit process may jump far into Linux's 32-bit user code segment, and its
 * signals still arrive in 64-bit form. Linked statically below 2 GiB, so that stubs can address everything absolutely
 * without a register. The layout of records, addresses and modes is repeated in ../oracle.ts.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <asm/prctl.h>
#include <ucontext.h>
#include <unistd.h>

#define CODE_PAGE 0x20000000ul
#define CODE_NORMAL (CODE_PAGE + 0x800)
#define CODE_END (CODE_PAGE + 0x1000)
/* Two pages, the tested area across their border; the same two again where 16-bit addresses reach. */
#define DATA 0x10000000ul
#define DATA_LOW 0x8000ul
#define DATA_BYTES 0x2000
#define AREA (DATA + 0xf00)
#define AREA_BYTES 512
#define GS_BASE 0x40

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

/* What the stubs load and leave. */
uint64_t in_gpr[16], in_flags, in_target, out_gpr[16], out_flags, host_rsp;
struct { uint32_t offset; uint16_t selector; } __attribute__((packed)) in_far;
uint8_t in_fx[512] __attribute__((aligned(16))), out_fx[512] __attribute__((aligned(16)));
uint8_t in_upper[256] __attribute__((aligned(16))), out_upper[256] __attribute__((aligned(16)));
uint8_t stub_stack[4096] __attribute__((aligned(16)));

void run64(void);
void run32(void);
void back(void);
void back32(void);
void resume(void);

/* clang-format off */
__asm__(
  ".text\n"
  ".macro LOAD n\n vinsertf128 $1, in_upper+16*\\n, %ymm\\n, %ymm\\n\n.endm\n"
  ".macro KEEP n\n vextractf128 $1, %ymm\\n, out_upper+16*\\n\n.endm\n"
  ".macro ENTER\n"
  "  push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n"
  "  mov %rsp, host_rsp\n"
  "  fxrstor64 in_fx\n"
  ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n LOAD \\n\n.endr\n"
  "  mov $stub_stack+4096, %rsp\n"
  "  push in_flags\n"
  "  mov in_gpr+0, %rax\n mov in_gpr+8, %rcx\n mov in_gpr+16, %rdx\n mov in_gpr+24, %rbx\n"
  "  mov in_gpr+40, %rbp\n mov in_gpr+48, %rsi\n mov in_gpr+56, %rdi\n"
  "  mov in_gpr+64, %r8\n mov in_gpr+72, %r9\n mov in_gpr+80, %r10\n mov in_gpr+88, %r11\n"
  "  mov in_gpr+96, %r12\n mov in_gpr+104, %r13\n mov in_gpr+112, %r14\n mov in_gpr+120, %r15\n"
  "  popfq\n"
  "  mov in_gpr+32, %rsp\n"
  ".endm\n"
  ".globl run64\nrun64:\n ENTER\n jmp *in_target\n"
  ".globl run32\nrun32:\n mov $0x2b, %eax\n mov %eax, %ds\n mov %eax, %es\n ENTER\n ljmp *in_far\n"
  ".code32\n"
  ".globl back32\nback32:\n ljmp $0x33, $back\n"
  ".code64\n"
  ".globl back\nback:\n"
  "  mov %rsp, out_gpr+32\n"
  "  mov $stub_stack+4096, %rsp\n"
  "  pushfq\n"
  "  mov %rax, out_gpr+0\n mov %rcx, out_gpr+8\n mov %rdx, out_gpr+16\n mov %rbx, out_gpr+24\n"
  "  mov %rbp, out_gpr+40\n mov %rsi, out_gpr+48\n mov %rdi, out_gpr+56\n"
  "  mov %r8, out_gpr+64\n mov %r9, out_gpr+72\n mov %r10, out_gpr+80\n mov %r11, out_gpr+88\n"
  "  mov %r12, out_gpr+96\n mov %r13, out_gpr+104\n mov %r14, out_gpr+112\n mov %r15, out_gpr+120\n"
  "  pop out_flags\n"
  "  pushq $0x202\n popfq\n"
  "  fxsave64 out_fx\n"
  ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n KEEP \\n\n.endr\n"
  "  mov host_rsp, %rsp\n"
  ".globl resume\nresume:\n"
  "  vzeroupper\n xor %eax, %eax\n mov %eax, %ds\n mov %eax, %es\n"
  "  pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n"
  "  ret\n");
/* clang-format on */

static volatile int signalled;
static Result *current;

/* Gregs of ucontext in encoding order of the registers. */
static const int GREGS[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                              REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

static void on_signal(int signal, siginfo_t *info, void *context) {
  ucontext_t *uc = context;
  greg_t *r = uc->uc_mcontext.gregs;
  (void)info;
  (void)signal;
  signalled = 1;
  for (int i = 0; i < 16; i++) out_gpr[i] = r[GREGS[i]];
  out_flags = r[REG_EFL];
  /* The standard form of XSAVE: XSTATE_BV at 512, the upper halves at 576. */
  const uint8_t *saved = (const uint8_t *)uc->uc_mcontext.fpregs;
  memcpy(out_fx, saved, 512);
  if (saved[512] & 4) memcpy(out_upper, saved + 576, 256);
  else memset(out_upper, 0, 256);
  current->vector = r[REG_TRAPNO];
  current->error_code = r[REG_ERR];
  current->fault_address = r[REG_CR2];
  current->rip = r[REG_RIP];
  r[REG_RIP] = (greg_t)resume;
  r[REG_RSP] = host_rsp;
  r[REG_EFL] = 0x202;
  r[REG_CSGSFS] = (r[REG_CSGSFS] & ~0xffffll) | 0x33;
}

static void *map(unsigned long address, size_t bytes, int protection, int flags, int fd) {
  void *p = mmap((void *)address, bytes, protection, flags | MAP_FIXED_NOREPLACE, fd, 0);
  if (p != (void *)address) {
    perror("oracle: mmap");
    exit(2);
  }
  return p;
}

static void set_up(void) {
  map(CODE_PAGE, 0x1000, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  memset((void *)CODE_PAGE, 0xcc, 0x1000);
  int fd = memfd_create("data", 0);
  if (fd < 0 || ftruncate(fd, DATA_BYTES)) exit(2);
  map(DATA, DATA_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
  map(DATA_LOW, DATA_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
  syscall(SYS_arch_prctl, ARCH_SET_GS, GS_BASE);
  static uint8_t alternate[65536] __attribute__((aligned(64)));
  stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate};
  sigaltstack(&stack, 0);
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
  const int signals[] = {SIGSEGV, SIGFPE, SIGILL, SIGTRAP, SIGBUS};
  for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) sigaction(signals[i], &action, 0);
  /* A case that never ends must not outlive its test. */
  alarm(120);
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
  in_target = start;
  in_far.offset = (uint32_t)start;
  in_far.selector = 0x23;
  current = result;
  signalled = 0;
  if (c->mode) run32();
  else run64();
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
  /* A randomly placed heap would now and then lie where cases want their pages. */
  if (!(personality(0xffffffff) & ADDR_NO_RANDOMIZE)) {
    personality(ADDR_NO_RANDOMIZE);
    execv("/proc/self/exe", argv);
  }
  static Case cases[BATCH] __attribute__((aligned(16)));
  static Result results[BATCH];
  set_up();
  size_t count;
  while ((count = fread(cases, sizeof *cases, BATCH, stdin)) > 0) {
    memset(results, 0, sizeof results);
    for (size_t i = 0; i < count; i++) run(&cases[i], &results[i]);
    if (fwrite(results, sizeof *results, count, stdout) != count) return 2;
  }
  return 0;
}
