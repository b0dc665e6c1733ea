/* The program in ring 3: two tasks that keep the kernel busy. It shares nothing with the kernel but its numbers. */
#include "kernel.h"

#define TICKS_A_ROUND 5
#define WINDOW_PAGES 16
#define LINE_BYTES 80

struct line {
  char text[LINE_BYTES];
  u64 length;
};

struct sample {
  u64 round;
  u64 square;
  struct sample *previous;
};

struct statistics {
  u64 lines, characters;
  const char *last_speaker;
};

static struct statistics statistics;

static u64 system_call(enum system_call number, u64 first, u64 second) {
  u64 result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"((u64)number), "D"(first), "S"(second)
                   : "rcx", "r10", "r11", "memory");
  return result;
}

static void add_text(struct line *line, const char *text) {
  while (*text && line->length < LINE_BYTES)
    line->text[line->length++] = *text++;
}

static void add_number(struct line *line, u64 value) {
  if (value >= 10)
    add_number(line, value / 10);
  if (line->length < LINE_BYTES)
    line->text[line->length++] = (char)('0' + value % 10);
}

static void say(struct line *line, const char *speaker) {
  add_text(line, "\n");
  statistics.lines++;
  statistics.characters += line->length;
  statistics.last_speaker = speaker;
  system_call(SYS_WRITE, (u64)line->text, line->length);
  line->length = 0;
}

/* Adds up a list that has an element on every page of the window. */
static u64 sum_of_squares(const struct sample *sample) {
  u64 sum = 0;

  for (; sample; sample = sample->previous)
    sum += sample->square;
  return sum;
}

/* Touches a page of its heap that nobody has touched before, once a round; gives all of them back when there are 16. */
void user_walker(int rounds) {
  struct line line = {.length = 0};
  struct sample *newest = 0;

  for (u64 round = 1; !rounds || round <= (u64)rounds; round++) {
    struct sample *sample = (struct sample *)(USER_HEAP + (round % WINDOW_PAGES) * PAGE_BYTES);
    if (round % WINDOW_PAGES == 0) {
      system_call(SYS_DISCARD, USER_HEAP, WINDOW_PAGES * PAGE_BYTES);
      newest = 0;
    }
    sample->round = round;
    sample->square = round * round;
    sample->previous = newest;
    newest = sample;
    add_text(&line, "walker: round ");
    add_number(&line, round);
    add_text(&line, ", sum of squares ");
    add_number(&line, sum_of_squares(newest));
    say(&line, "walker");
    system_call(SYS_WAIT, round * TICKS_A_ROUND, 0);
  }
  system_call(SYS_EXIT, 0, 0);
}

static u64 fibonacci(u64 n) {
  if (n < 2)
    return n;
  return fibonacci(n - 1) + fibonacci(n - 2);
}

/* Computes, and yields in between. */
void user_counter(int rounds) {
  struct line line = {.length = 0};

  for (u64 round = 1; !rounds || round <= (u64)rounds; round++) {
    u64 n = 10 + round % WINDOW_PAGES;
    u64 value = fibonacci(n);
    system_call(SYS_YIELD, 0, 0);
    add_text(&line, "counter: fibonacci(");
    add_number(&line, n);
    add_text(&line, ") = ");
    add_number(&line, value);
    if (!rounds) {
      add_text(&line, ", tick ");
      add_number(&line, system_call(SYS_GET_TICKS, 0, 0));
    }
    say(&line, "counter");
    system_call(SYS_WAIT, round * TICKS_A_ROUND, 0);
  }
  system_call(SYS_EXIT, 0, 0);
}
