/* Descriptor tables, the two 8259 interrupt controllers, the 8254 timer, and where every interrupt ends up. */
#include "kernel.h"

struct __attribute__((packed)) gate {
  u16 offset_low, selector;
  u8 stack, attributes;
  u16 offset_middle;
  u32 offset_high, reserved;
};
struct __attribute__((packed)) task_state_segment {
  u32 reserved0;
  u64 stacks[3]; /* RSP for rings 0 to 2 */
  u64 reserved1;
  u64 interrupt_stacks[7];
  u64 reserved2;
  u16 reserved3, io_map;
};
struct __attribute__((packed)) table_pointer {
  u16 limit;
  u64 base;
};

#define GATE_INTERRUPT 0x8e /* present, ring 0, interrupts off inside */
#define GATE_USER 0x60
enum { VECTOR_BREAKPOINT = 3, VECTOR_DOUBLE_FAULT = 8, VECTOR_PAGE_FAULT = 14, VECTOR_TIMER = IRQ_BASE };

static const char *const exception_names[] = {
    "divide error", "debug", "NMI", "breakpoint", "overflow", "bound", "invalid opcode", "no FPU", "double fault", "",
    "invalid TSS", "segment not present", "stack", "general protection", "page fault", "", "FPU", "alignment",
    "machine check", "SIMD",
};

extern char interrupt_stubs[], syscall_entry[];
u64 syscall_stack;
volatile u64 ticks;

static u64 gdt[7];
static struct gate idt[48];
static struct task_state_segment tss;
static u8 fault_stack[4096] __attribute__((aligned(16)));

static void load_gdt(void) {
  u64 base = (u64)&tss, limit = sizeof tss - 1;
  struct table_pointer pointer = {sizeof gdt - 1, (u64)gdt};

  gdt[KERNEL_CS / 8] = 0x00af9b000000ffff;
  gdt[KERNEL_DS / 8] = 0x00cf93000000ffff;
  gdt[USER_DS / 8] = 0x00cff3000000ffff;
  gdt[USER_CS / 8] = 0x00affb000000ffff;
  gdt[TSS_SELECTOR / 8] = limit | (base & 0xffffff) << 16 | 0x89ul << 40 | (base >> 24 & 0xff) << 56;
  gdt[TSS_SELECTOR / 8 + 1] = base >> 32;
  tss.interrupt_stacks[0] = (u64)fault_stack + sizeof fault_stack;
  tss.io_map = sizeof tss;
  __asm__ volatile("lgdt %0; ltr %w1" : : "m"(pointer), "r"(TSS_SELECTOR));
}

static void load_idt(void) {
  struct table_pointer pointer = {sizeof idt - 1, (u64)idt};

  for (u64 i = 0; i < COUNT(idt); i++) {
    u64 stub = (u64)interrupt_stubs + 16 * i;
    idt[i] = (struct gate){.offset_low = (u16)stub,
                           .selector = KERNEL_CS,
                           .stack = i == VECTOR_DOUBLE_FAULT,
                           .attributes = GATE_INTERRUPT | (i == VECTOR_BREAKPOINT ? GATE_USER : 0),
                           .offset_middle = (u16)(stub >> 16),
                           .offset_high = (u32)(stub >> 32)};
  }
  __asm__ volatile("lidt %0" : : "m"(pointer));
}

enum { PIC1 = 0x20, PIC2 = 0xa0, PIT = 0x40, PIT_HZ = 1193182, TICK_HZ = 100 };

static void start_timer(void) {
  const u16 divisor = PIT_HZ / TICK_HZ;

  out8(PIC1, 0x11); /* ICW1: edge, cascade, ICW4 follows */
  out8(PIC2, 0x11);
  out8(PIC1 + 1, IRQ_BASE);
  out8(PIC2 + 1, IRQ_BASE + 8);
  out8(PIC1 + 1, 4); /* the second controller is at line 2 */
  out8(PIC2 + 1, 2);
  out8(PIC1 + 1, 1); /* 8086 mode */
  out8(PIC2 + 1, 1);
  out8(PIC1 + 1, 0xfe); /* only the timer */
  out8(PIC2 + 1, 0xff);
  out8(PIT + 3, 0x34); /* counter 0, both bytes, mode 2 */
  out8(PIT, (u8)divisor);
  out8(PIT, divisor >> 8);
}

void interrupts_init(void) {
  load_gdt();
  load_idt();
  write_msr(MSR_STAR, (u64)KERNEL_CS << 32 | (u64)KERNEL_DS << 48);
  write_msr(MSR_LSTAR, (u64)syscall_entry);
  write_msr(MSR_FMASK, 0x700); /* trap, interrupt and direction flags off */
  start_timer();
  print("timer: %d Hz\n", TICK_HZ);
}

/* Where the processor finds a stack when ring 3 is interrupted, and where syscall_entry does. */
void set_kernel_stack(u64 top) {
  tss.stacks[0] = top;
  syscall_stack = top;
}

static void handle_timer(void) {
  ticks++;
  out8(PIC1, 0x20); /* end of interrupt */
}

static void handle_exception(struct interrupt_frame *frame) {
  const char *name = frame->vector < COUNT(exception_names) ? exception_names[frame->vector] : "";

  if ((frame->cs & 3) == 3) {
    print("%s: %s at %p, error %x\n", current->name, name, (void *)frame->rip, (u32)frame->error);
    exit_task();
  }
  panic("%s (%u) at %p, error %x", name, (u32)frame->vector, (void *)frame->rip, (u32)frame->error);
}

/* From interrupt_common. Interrupts are off. */
void handle_interrupt(struct interrupt_frame *frame) {
  switch (frame->vector) {
    case VECTOR_PAGE_FAULT: {
      u64 address = read_cr2();
      if (handle_page_fault(address, frame->error))
        return;
      print("page fault: %p cannot be mapped\n", (void *)address);
      break;
    }
    case VECTOR_TIMER:
      handle_timer();
      return;
  }
  handle_exception(frame);
}
