/*
 * A user of /dev/kvm: the smallest virtual machine monitor, for a Linux guest whose KVM has the processor's VT-x or AMD-V. It has
 * no library, so that it is one static file for an initramfs. Each of its virtual machines runs a few instructions; what
 * they left for is printed.
 */
#include <asm/kvm.h>
#include <linux/kvm.h>
#include <linux/fcntl.h>
#include <asm/unistd.h>

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long u64;

static long call6(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 asm("r10") = d, r8 asm("r8") = e, r9 asm("r9") = f;
	long result;
	asm volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
	return result;
}
#define call3(number, a, b, c) call6(number, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define ioctl(file, request, argument) call3(__NR_ioctl, file, request, argument)

static void say(const char *text)
{
	u64 length = 0;
	while (text[length])
		length++;
	call3(__NR_write, 1, text, length);
}
static void say_number(u64 value)
{
	char text[19], *at = text + sizeof text - 1;
	*at = 0;
	do
		*--at = "0123456789abcdef"[value & 15];
	while (value >>= 4);
	*--at = 'x';
	*--at = '0';
	say(at);
}
static void end(int status)
{
	call3(__NR_exit, status, 0, 0);
	__builtin_unreachable();
}
static long need(const char *what, long result)
{
	if (result >= 0)
		return result;
	say("kvm: ");
	say(what);
	say(" failed: ");
	say_number(-result);
	say("\n");
	end(1);
	return result;
}

#define MEMORY 0x200000UL
static u8 memory[MEMORY] __attribute__((aligned(0x200000)));
/* Of the guest: its code, its tables, its stack. */
#define CODE 0x1000
#define PML4 0x2000
#define STACK 0x8000

struct machine {
	int vm, cpu;
	struct kvm_run *run;
};
static int kvm;

static struct machine create(int chip)
{
	struct machine m;
	m.vm = need("KVM_CREATE_VM", ioctl(kvm, KVM_CREATE_VM, 0));
	need("KVM_SET_TSS_ADDR", ioctl(m.vm, KVM_SET_TSS_ADDR, 0xfffbd000));
	if (chip)
		need("KVM_CREATE_IRQCHIP", ioctl(m.vm, KVM_CREATE_IRQCHIP, 0));
	struct kvm_pit_config pit = { 0 };
	if (chip)
		need("KVM_CREATE_PIT2", ioctl(m.vm, KVM_CREATE_PIT2, &pit));
	struct kvm_userspace_memory_region region = { .memory_size = MEMORY, .userspace_addr = (u64)memory };
	need("KVM_SET_USER_MEMORY_REGION", ioctl(m.vm, KVM_SET_USER_MEMORY_REGION, &region));
	m.cpu = need("KVM_CREATE_VCPU", ioctl(m.vm, KVM_CREATE_VCPU, 0));
	long size = need("KVM_GET_VCPU_MMAP_SIZE", ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0));
	m.run = (struct kvm_run *)need("mmap", call6(__NR_mmap, 0, size, 3, 1, m.cpu, 0));
	return m;
}
static void start(struct machine m, const u8 *code, const u8 *code_end, int wide)
{
	for (u64 i = 0; code + i < code_end; i++)
		memory[CODE + i] = code[i];
	struct kvm_sregs s;
	need("KVM_GET_SREGS", ioctl(m.cpu, KVM_GET_SREGS, &s));
	s.cs.selector = s.cs.base = 0;
	if (wide) {
		u64 *table = (u64 *)(memory + PML4);
		table[0] = (PML4 + 0x1000) | 3;
		table[512] = (PML4 + 0x2000) | 3;
		table[1024] = 0x83;
		table[1025] = 0x200083;
		/* The local APIC. */
		table[515] = 0xc0000083;
		s.cr3 = PML4;
		s.cr4 = 0x20;
		s.cr0 = 0x80000031;
		s.efer = 0x500;
		s.cs = (struct kvm_segment){ .limit = 0xffffffff, .selector = 8, .type = 11, .present = 1, .s = 1, .l = 1, .g = 1 };
		s.ds = s.es = s.fs = s.gs = s.ss =
			(struct kvm_segment){ .limit = 0xffffffff, .selector = 16, .type = 3, .present = 1, .s = 1, .db = 1, .g = 1 };
	}
	need("KVM_SET_SREGS", ioctl(m.cpu, KVM_SET_SREGS, &s));
	struct kvm_regs r = { .rip = CODE, .rsp = STACK, .rflags = 2 };
	need("KVM_SET_REGS", ioctl(m.cpu, KVM_SET_REGS, &r));
}

/* Until it halts. Port 1 is a console, port 2 the end; other ports and memory that is not there read as 5Ah. */
static void run(const char *name, struct machine m)
{
	static char line[128];
	u32 length = 0;
	for (;;) {
		need("KVM_RUN", ioctl(m.cpu, KVM_RUN, 0));
		struct kvm_run *r = m.run;
		u8 *data = (u8 *)r + r->io.data_offset;
		if (r->exit_reason == KVM_EXIT_IO && r->io.port == 1) {
			for (u32 i = 0; i < r->io.count && length < sizeof line - 1; i++)
				line[length++] = data[i];
			continue;
		}
		if (r->exit_reason == KVM_EXIT_IO && r->io.port != 2) {
			*data = 0x5a;
			continue;
		}
		if (r->exit_reason == KVM_EXIT_MMIO) {
			say("kvm: ");
			say(r->mmio.is_write ? "writes " : "reads ");
			say_number(r->mmio.phys_addr);
			say("\n");
			r->mmio.data[0] = 0x5a;
			continue;
		}
		line[length] = 0;
		struct kvm_regs regs;
		need("KVM_GET_REGS", ioctl(m.cpu, KVM_GET_REGS, &regs));
		say("kvm: ");
		say(name);
		say(" says \"");
		say(line);
		say("\", leaves for ");
		say_number(r->exit_reason);
		if (r->exit_reason == KVM_EXIT_INTERNAL_ERROR || r->exit_reason == KVM_EXIT_FAIL_ENTRY) {
			say(" because of ");
			say_number(r->fail_entry.hardware_entry_failure_reason);
		}
		say(", rbx ");
		say_number(regs.rbx);
		say("\n");
		break;
	}
}

#define GUEST(name) extern const u8 name[], name##_end[]
GUEST(real_mode);
GUEST(long_mode);
GUEST(interrupts);
GUEST(local_apic);
GUEST(virtual_interrupts);

void begin(void)
{
	kvm = need("opening /dev/kvm", call3(__NR_open, "/dev/kvm", O_RDWR, 0));
	say("kvm: version ");
	say_number(ioctl(kvm, KVM_GET_API_VERSION, 0));
	say("\n");
	struct machine m = create(0);
	start(m, real_mode, real_mode_end, 0);
	run("real mode", m);
	m = create(0);
	start(m, long_mode, long_mode_end, 1);
	run("long mode", m);
	m = create(1);
	start(m, interrupts, interrupts_end, 0);
	run("interrupts", m);
	m = create(1);
	start(m, local_apic, local_apic_end, 1);
	run("local APIC", m);
	m = create(1);
	start(m, virtual_interrupts, virtual_interrupts_end, 1);
	run("virtual interrupts", m);
	end(0);
}
