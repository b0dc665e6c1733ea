#include "kernel.h"
#include <stdarg.h>

static char line[128];
static u32 filled;
static int whole;

void put(char c)
{
	if (c == '\n')
		raw_put('\r');
	raw_put(c);
}
static void put_text(const char *text)
{
	while (*text)
		put(*text++);
}
static void put_number(u32 value, u32 base)
{
	char digits[11];
	u32 n = 0;
	do
		digits[n++] = "0123456789abcdef"[value % base];
	while (value /= base);
	while (n)
		put(digits[--n]);
}
void print(const char *format, ...)
{
	va_list list;
	va_start(list, format);
	for (; *format; format++) {
		if (*format != '%') {
			put(*format);
			continue;
		}
		switch (*++format) {
		case 's':
			put_text(va_arg(list, const char *));
			break;
		case 'd':
			put_number(va_arg(list, u32), 10);
			break;
		case 'x':
			put_number(va_arg(list, u32), 16);
			break;
		default:
			put(*format);
		}
	}
	va_end(list);
}

/* Typed characters become lines, which a program reads. */
void console_poll(void)
{
	int c;
	while (!whole && (c = raw_get()) >= 0) {
		if (c == '\r')
			c = '\n';
		if (c == 127 || c == 8) {
			if (filled) {
				filled--;
				print("\b \b");
			}
			continue;
		}
		put(c);
		line[filled++] = c;
		whole = c == '\n' || filled == sizeof line;
	}
	if (whole)
		wake(&line);
}
int console_line(char *into, u32 size)
{
	while (!whole)
		wait_on(&line);
	u32 n = filled < size ? filled : size;
	copy(into, line, n);
	copy(line, line + n, filled - n);
	filled -= n;
	whole = filled > 0;
	return n;
}
