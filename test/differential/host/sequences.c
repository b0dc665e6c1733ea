/*
 * The host processor executes whole programs (../program.ts): reads them from standard input, runs each one natively to its
 * end, and writes what became of registers, flags, floats, memory and code, and which faults came on the way. A fault is noted, and the
 * program goes on behind the instruction. Asked to, it counts steps by the trap flag instead: it stops after so many, and
 * writes for each where it was and a hash of everything. The layout of records is repeated in ../sequences.ts.
 */
#include "native.h"
#include <linux/seccomp.h>
#include <sys/time.h>

#define CODE_BYTES 0x3000
#define HEADS 16
#define FAULTS 64 /* noted */
#define MOST_FAULTS 256 /* then it ends */
#define STEPS 65536
#define FLAG_TRAP 0x100
#define FLAG_DIRECTION 0x400

typedef struct {
  uint32_t narrow; /* 32-bit code */
  uint32_t entry, end; /* offsets in the code */
  uint32_t steps; /* 0: to the end, without counting */
  uint32_t head_count, heads[HEADS]; /* where it goes on when it has gone astray */
  uint32_t reserved;
  uint64_t rflags;
  uint64_t gpr[16];
  uint8_t fx[512];
  uint8_t upper[256];
  uint8_t data[DATA_BYTES];
  uint8_t code[CODE_BYTES];
  uint8_t starts[CODE_BYTES / 8]; /* a bit for each offset at which an instruction begins, or the last one ended */
} Program;

typedef struct {
  uint64_t rip, address;
  uint32_t vector, error_code, rflags, reserved;
} Fault;

typedef struct {
  uint64_t rip;
  uint32_t rflags, hash;
} Step;

typedef struct {
  uint32_t finished; /* 1 at its end or with many faults, 2 after its steps, 3 did not end */
  uint32_t fault_count, step_count, reserved;
  uint64_t rip;
  uint64_t rflags;
  uint64_t gpr[16];
  uint8_t fx[512];
  uint8_t upper[256];
  uint8_t data[DATA_BYTES];
  uint8_t code[CODE_BYTES];
  Fault faults[FAULTS];
} Result;

_Static_assert(sizeof(Program) == 96 + 128 + 768 + DATA_BYTES + CODE_BYTES + CODE_BYTES / 8, "sequences.ts knows these sizes");
_Static_assert(sizeof(Result) == 32 + 128 + 768 + DATA_BYTES + CODE_BYTES + FAULTS * 32, "sequences.ts knows these sizes");

static Program program __attribute__((aligned(16)));
static Result result __attribute__((aligned(16)));
static Step steps[STEPS];
/* Whether a program is running, and at how many ticks of the timer it began. */
static volatile int running;
static volatile uint32_t ticks;
static uint32_t begun;

static uint32_t mix(uint32_t hash, const void *from, size_t bytes) {
  const uint32_t *words = from;
  for (size_t i = 0; i < bytes / 4; i++) {
    hash = (hash ^ words[i]) * 0x01000193u;
    hash ^= hash >> 15;
  }
  return hash;
}

/* Everything but RIP and RFLAGS. */
static uint32_t hash_state(void) {
  uint32_t hash = 0x9e3779b9u;
  for (int i = 0; i < (program.narrow ? 8 : 16); i++) hash = mix(hash, &out_gpr[i], program.narrow ? 4 : 8);
  /* Control and status, tags, MXCSR. */
  const uint32_t tags = out_fx[4];
  hash = mix(mix(mix(hash, out_fx, 4), &tags, 4), out_fx + 24, 4);
  for (int i = 0; i < 8; i++) {
    const uint8_t *st = out_fx + 32 + i * 16;
    const uint32_t top = st[8] | st[9] << 8;
    hash = mix(mix(hash, st, 8), &top, 4);
  }
  hash = mix(hash, out_fx + 160, 256);
  hash = mix(hash, out_upper, 256);
  return mix(hash, (void *)DATA, DATA_BYTES);
}

/* Where the program goes on behind the instruction at an offset; after so many faults, if none is known there. */
static uint32_t behind(uint64_t offset) {
  const uint8_t *starts = program.starts;
  if (offset < CODE_BYTES && starts[offset / 8] >> offset % 8 & 1)
    for (uint32_t at = (uint32_t)offset + 1; at < CODE_BYTES; at++)
      if (starts[at / 8] >> at % 8 & 1) return at;
  return program.heads[result.fault_count % program.head_count];
}

static void stop(ucontext_t *uc, uint32_t why) {
  result.finished = why;
  result.rip = uc->uc_mcontext.gregs[REG_RIP];
  give_up(uc);
}

/* Between two steps. */
static void note_step(ucontext_t *uc) {
  greg_t *r = uc->uc_mcontext.gregs;
  const uint64_t rip = r[REG_RIP];
  /* A repeated string instruction traps after each iteration. */
  if (result.step_count && steps[result.step_count - 1].rip == rip) return;
  keep_context(uc);
  steps[result.step_count++] = (Step){.rip = rip, .rflags = r[REG_EFL], .hash = hash_state()};
  if (result.step_count >= program.steps) stop(uc, 2);
}

static void on_signal(int signal, siginfo_t *info, void *context) {
  ucontext_t *uc = context;
  greg_t *r = uc->uc_mcontext.gregs;
  (void)info;
  if (signal == SIGALRM) {
    ticks++;
    if (!running || ticks - begun < 4) return;
    keep_context(uc);
    return stop(uc, 3);
  }
  const uint64_t rip = r[REG_RIP];
  if (r[REG_TRAPNO] == 1 && program.steps) {
    if (rip - CODE_PAGE >= CODE_BYTES) return;
    /* PUSHF stored the flag by which we step. */
    if (result.step_count) {
      const uint8_t *last = (const uint8_t *)steps[result.step_count - 1].rip;
      while (*last == 0x66 || *last == 0x67 || (!program.narrow && *last >> 4 == 4)) last++;
      if (*last == 0x9c && (uint64_t)r[REG_RSP] - DATA < DATA_BYTES) ((uint8_t *)r[REG_RSP])[1] &= ~1;
    }
    return note_step(uc);
  }
  keep_context(uc);
  const uint64_t at = rip - (r[REG_TRAPNO] == 3);
  const uint32_t count = result.fault_count++;
  if (count < FAULTS)
    result.faults[count] = (Fault){.rip = at, .address = r[REG_CR2], .vector = r[REG_TRAPNO], .error_code = r[REG_ERR], .rflags = r[REG_EFL]};
  if ((r[REG_TRAPNO] == 3 && at - CODE_PAGE == program.end) || result.fault_count >= MOST_FAULTS) return stop(uc, 1);
  /* Exceptions of floats are over, or every float would raise them again. */
  uint8_t *fx = (uint8_t *)uc->uc_mcontext.fpregs;
  if (r[REG_TRAPNO] == 16) *(uint16_t *)(fx + 2) &= ~0x80ff;
  if (r[REG_TRAPNO] == 19) *(uint32_t *)(fx + 24) |= 0x1f80;
  r[REG_RIP] = CODE_PAGE + behind(at - CODE_PAGE);
  r[REG_EFL] = (r[REG_EFL] & FLAG_DIRECTION) | 0x202 | (program.steps ? FLAG_TRAP : 0);
  if (!program.steps) return;
  note_step(uc);
}

static void run(void) {
  memset(&result, 0, sizeof result);
  memcpy((void *)CODE_PAGE, program.code, CODE_BYTES);
  memcpy((void *)DATA, program.data, DATA_BYTES);
  memcpy(in_gpr, program.gpr, sizeof in_gpr);
  memcpy(in_fx, program.fx, sizeof in_fx);
  memcpy(in_upper, program.upper, sizeof in_upper);
  in_flags = program.rflags | (program.steps ? FLAG_TRAP : 0);
  begun = ticks;
  running = 1;
  enter(CODE_PAGE + program.entry, program.narrow);
  running = 0;
  memcpy(result.gpr, out_gpr, sizeof out_gpr);
  memcpy(result.fx, out_fx, sizeof out_fx);
  memcpy(result.upper, out_upper, sizeof out_upper);
  memcpy(result.data, (void *)DATA, DATA_BYTES);
  memcpy(result.code, (void *)CODE_PAGE, CODE_BYTES);
  result.rflags = out_flags;
}

static int transfer(ssize_t (*move)(int, void *, size_t), int fd, void *at, size_t bytes) {
  for (size_t done = 0; done < bytes;) {
    const ssize_t n = move(fd, (uint8_t *)at + done, bytes - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return 0;
    done += n;
  }
  return 1;
}
static ssize_t put(int fd, void *from, size_t bytes) { return write(fd, from, bytes); }

int main(int argc, char **argv) {
  (void)argc;
  fix_addresses(argv);
  prepare(CODE_BYTES, on_signal);
  const struct itimerval second = {{1, 0}, {1, 0}};
  setitimer(ITIMER_REAL, &second, 0);
  /* A program that goes astray may find a system call in the middle of its instructions: only read, write and exit are left. */
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT)) return 2;
  while (transfer(read, 0, &program, sizeof program)) {
    run();
    if (!transfer(put, 1, &result, sizeof result) || !transfer(put, 1, steps, result.step_count * sizeof *steps)) break;
  }
  /* exit_group is one of those that are not left. */
  syscall(SYS_exit, 0);
  return 0;
}
