/* The serial port, polled. */
#include "kernel.h"

/* Instead of stdarg.h, whose folder on this machine would be in the debug information. */
#define va_list __builtin_va_list
#define va_start __builtin_va_start
#define va_arg __builtin_va_arg
#define va_end __builtin_va_end

#define COM1 0x3f8
#define DEBUG_EXIT 0xf4
enum uart_register { UART_DATA = 0, UART_INTERRUPTS = 1, UART_FIFO = 2, UART_LINE = 3, UART_MODEM = 4, UART_STATUS = 5 };
#define UART_CAN_SEND 0x20

void console_init(void) {
  out8(COM1 + UART_INTERRUPTS, 0);
  out8(COM1 + UART_LINE, 0x80); /* divisor latch: 115200 baud */
  out8(COM1 + UART_DATA, 1);
  out8(COM1 + UART_INTERRUPTS, 0);
  out8(COM1 + UART_LINE, 3); /* 8 bits, no parity, 1 stop bit */
  out8(COM1 + UART_FIFO, 7);
  out8(COM1 + UART_MODEM, 3);
}

static void put(char c) {
  if (c == '\n')
    put('\r');
  while (!(in8(COM1 + UART_STATUS) & UART_CAN_SEND))
    ;
  out8(COM1 + UART_DATA, (u8)c);
}

void console_write(const char *text, u64 length) {
  for (u64 i = 0; i < length; i++)
    put(text[i]);
}

static void put_number(u64 value, u32 base, int digits) {
  char buffer[20];
  int n = 0;

  do {
    buffer[n++] = "0123456789abcdef"[value % base];
    value /= base;
  } while (value || n < digits);
  while (n)
    put(buffer[--n]);
}

static void print_arguments(const char *format, va_list arguments) {
  for (; *format; format++) {
    if (*format != '%') {
      put(*format);
      continue;
    }
    switch (*++format) {
      case 's': {
        const char *text = va_arg(arguments, const char *);
        while (*text)
          put(*text++);
        break;
      }
      case 'c':
        put((char)va_arg(arguments, int));
        break;
      case 'd': {
        int value = va_arg(arguments, int);
        if (value < 0)
          put('-');
        put_number(value < 0 ? -(u64)value : (u64)value, 10, 1);
        break;
      }
      case 'u':
        put_number(va_arg(arguments, u32), 10, 1);
        break;
      case 'x':
        put_number(va_arg(arguments, u32), 16, 1);
        break;
      case 'p':
        put_number((u64)va_arg(arguments, void *), 16, 16);
        break;
      default:
        put(*format);
    }
  }
}

void print(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  print_arguments(format, arguments);
  va_end(arguments);
}

void panic(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  print("panic: ");
  print_arguments(format, arguments);
  print("\n");
  va_end(arguments);
  power_off(1);
}

void power_off(u32 code) {
  out32(DEBUG_EXIT, code);
  for (;;)
    __asm__ volatile("cli; hlt");
}
