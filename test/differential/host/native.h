/*
 * What both programs that execute code for test/differential natively have in common: where pages lie, the stubs that load all
 * registers and go there, what a signal's context says of registers, and the way back.
 *
 * One binary serves 64-bit and 32-bit code: a 64-bit process may jump far into Linux's 32-bit user code segment, and its
 * signals still arrive in 64-bit form. Linked statically below 2 GiB, so that stubs can address everything absolutely
 * without a register. The addresses are repeated in ../oracle.ts.
 */
#define _GNU_SOURCE
#include <errno.h>
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
/* Two pages; the same two again where 16-bit addresses reach. */
#define DATA 0x10000000ul
#define DATA_LOW 0x8000ul
#define DATA_BYTES 0x2000
#define GS_BASE 0x40

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

/* Gregs of ucontext in encoding order of the registers. */
static const int GREGS[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                              REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

/* Registers at a signal, as the stubs would have left them. */
static void keep_context(ucontext_t *uc) {
  greg_t *r = uc->uc_mcontext.gregs;
  for (int i = 0; i < 16; i++) out_gpr[i] = r[GREGS[i]];
  out_flags = r[REG_EFL];
  /* The standard form of XSAVE: XSTATE_BV at 512, the upper halves at 576. */
  const uint8_t *saved = (const uint8_t *)uc->uc_mcontext.fpregs;
  memcpy(out_fx, saved, 512);
  if (saved[512] & 4) memcpy(out_upper, saved + 576, 256);
  else memset(out_upper, 0, 256);
}

/* The signal returns to whoever called the stub. */
static void give_up(ucontext_t *uc) {
  greg_t *r = uc->uc_mcontext.gregs;
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

/* Pages of code and data, GS, and who hears of exceptions. */
static void prepare(size_t code_bytes, void (*on_signal)(int, siginfo_t *, void *)) {
  map(CODE_PAGE, code_bytes, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  memset((void *)CODE_PAGE, 0xcc, code_bytes);
  int fd = memfd_create("data", 0);
  if (fd < 0 || ftruncate(fd, DATA_BYTES)) exit(2);
  map(DATA, DATA_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
  map(DATA_LOW, DATA_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
  syscall(SYS_arch_prctl, ARCH_SET_GS, GS_BASE);
  static uint8_t alternate[65536] __attribute__((aligned(64)));
  stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate};
  sigaltstack(&stack, 0);
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
  const int signals[] = {SIGSEGV, SIGFPE, SIGILL, SIGTRAP, SIGBUS, SIGALRM};
  for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) sigaction(signals[i], &action, 0);
}

/* A randomly placed heap would now and then lie where programs want their pages. */
static void fix_addresses(char **argv) {
  if (personality(0xffffffff) & ADDR_NO_RANDOMIZE) return;
  personality(ADDR_NO_RANDOMIZE);
  execv("/proc/self/exe", argv);
}

/* Executes from `start` on, in 32-bit code or in 64-bit. */
static void enter(uint64_t start, int narrow) {
  in_target = start;
  in_far.offset = (uint32_t)start;
  in_far.selector = 0x23;
  if (narrow) run32();
  else run64();
}
