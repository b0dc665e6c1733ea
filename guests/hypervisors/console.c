#include "hypervisor.h"

static void print_char(char c)
{
	while (!(in8(0x3fd) & 0x20))
		;
	out8(0x3f8, c);
}
void print(const char *text)
{
	while (*text)
		print_char(*text++);
}
void print_hex(u64 value)
{
	print("0x");
	int digits = 1;
	while (digits < 16 && value >> (4 * digits))
		digits++;
	while (digits--)
		print_char("0123456789abcdef"[(value >> (4 * digits)) & 15]);
}
void print_line(const char *name, u64 value)
{
	print(name);
	print(": ");
	print_hex(value);
	print("\n");
}
void power_off(void)
{
	asm volatile("outl %0, %1" : : "a"(0), "Nd"((u16)0xf4));
	for (;;)
		asm volatile("hlt");
}
int counts_exits(void)
{
	extern u32 multiboot_info;
	const u32 *info = (const u32 *)(u64)multiboot_info;
	static const char word[] = "exits";
	if (!(info[0] & 4))
		return 0;
	for (const char *at = (const char *)(u64)info[4]; *at; at++) {
		int same = 0;
		while (word[same] && at[same] == word[same])
			same++;
		if (!word[same])
			return 1;
	}
	return 0;
}
void mark_exit(void)
{
	static u32 exits;
	if (++exits % EXITS_A_MARK == 0)
		print(".\n");
}
void fail(const char *what)
{
	print("FAILED: ");
	print(what);
	print("\n");
	power_off();
}

void prepare_guest(void)
{
	u8 *memory = (u8 *)GUEST_HPA;
	void *to = memory;
	u64 count = GUEST_BYTES;
	asm volatile("rep stosb" : "+D"(to), "+c"(count) : "a"(0) : "memory");
	const u8 *from = guest_image;
	to = memory + GUEST_IMAGE;
	count = guest_image_end - guest_image;
	asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
	u64 *tables = (u64 *)(memory + GUEST_TABLES);
	tables[0] = (GUEST_TABLES + 0x1000) | 3;
	tables[512] = (GUEST_TABLES + 0x2000) | 3;
	tables[1024] = 0x83;
}
