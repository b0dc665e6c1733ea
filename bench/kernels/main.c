/*
 * The guest: runs the workload that the command line names, `NAME COUNT RUNS [wait] [halt]`.
 * Each run prints `start`, then its result in 16 digits. wait: begins when a byte has come on the serial port, so that
 * a host can read its clock before. halt: stands still at the end, so that it can read it in peace.
 */
#include "kernels.h"

#define COM1 0x3f8
#define LINE_CONTROL (COM1 + 3)
#define LINE_STATUS (COM1 + 5)
#define EIGHT_BITS 3
#define DATA_READY 1
#define TRANSMITTER_EMPTY 0x20
#define DEBUG_EXIT 0xf4

static const struct workload workloads[] = {WORKLOADS};

static inline void out(unsigned short port, u8 value) { __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port)); }
static inline u8 in(unsigned short port) {
  u8 value;
  __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

static void put(char c) {
  while (!(in(LINE_STATUS) & TRANSMITTER_EMPTY)) {
  }
  out(COM1, (u8)c);
}
static void print(const char *text) {
  while (*text) put(*text++);
}
static void print_hex(u64 value) {
  for (int shift = 60; shift >= 0; shift -= 4) put("0123456789abcdef"[value >> shift & 15]);
  put('\n');
}

/* Whether the line goes on with this word; if so, goes past it and the spaces behind. */
static int word(const char **line, const char *wanted) {
  const char *at = *line;
  while (*wanted && *at == *wanted) at++, wanted++;
  if (*wanted || (*at && *at != ' ')) return 0;
  while (*at == ' ') at++;
  *line = at;
  return 1;
}
static void skip_word(const char **line) {
  while (**line && **line != ' ') ++*line;
  while (**line == ' ') ++*line;
}
static u64 number(const char **line) {
  u64 value = 0;
  while (**line >= '0' && **line <= '9') value = value * 10 + (u64)(*(*line)++ - '0');
  while (**line == ' ') ++*line;
  return value;
}

void guest_main(const char *line) {
  const struct workload *wanted = 0;
  /* Where no firmware has been, a 16550 sends five bits of a byte. */
  out(LINE_CONTROL, EIGHT_BITS);
  /* Multiboot loaders may put the kernel's own name in front. */
  while (!wanted && *line) {
    for (u32 i = 0; !wanted && i < sizeof workloads / sizeof *workloads; i++)
      if (word(&line, workloads[i].name)) wanted = &workloads[i];
    if (!wanted) skip_word(&line);
  }
  u64 count = number(&line), runs = number(&line);
  int wait = word(&line, "wait"), halt = word(&line, "halt");
  if (!wanted || !runs) print("usage: NAME COUNT RUNS [wait] [halt]\n");
  if (wait) {
    print("ready\n");
    while (!(in(LINE_STATUS) & DATA_READY)) {
    }
    in(COM1);
  }
  for (u64 run = 0; wanted && run < runs; run++) {
    print("start\n");
    print_hex(wanted->run(count));
  }
  if (!halt) out(DEBUG_EXIT, 0);
  for (;;) __asm__ volatile("cli; hlt");
}
