/* Two domains with this one image find each other in xenstore, and talk over a shared page and an event channel. */
#include "xen.h"

#define ROUNDS 200
static struct exchange {
	volatile u32 question, answer, ended;
} shared __attribute__((aligned(PAGE)));
static u8 window[PAGE] __attribute__((aligned(PAGE)));

static void permission(char letter, u32 who, char *into)
{
	char text[11], *digits = number_text(who, text);
	*into++ = letter;
	do
		*into++ = *digits;
	while (*digits++);
}

/* Domain 1 asks; the page is its own. */
static void ask(u32 domain, u32 remote)
{
	char text[11], owner[12], reader[12];
	u32 ref = grant(remote, &shared), port = event_unbound(remote), sum = 0;
	permission('n', domain, owner);
	permission('r', remote, reader);
	store_write("data/ref", number_text(ref, text));
	store_write("data/port", number_text(port, text));
	if (store_permit("data/ref", owner, reader) < 0 || store_permit("data/port", owner, reader) < 0)
		fail("permissions");
	event_wait(port); /* it has come */
	for (u32 i = 0; i < ROUNDS; i++) {
		shared.question = i;
		event_send(port);
		event_wait(port);
		sum += shared.answer;
	}
	if (!grant_end(ref))
		fail("the grant of a page in use ended");
	shared.ended = 1;
	event_send(port);
	event_wait(port);
	while (grant_end(ref))
		event_wait(port);
	print("asked %d times, the squares sum up to %d\n", (word)ROUNDS, (word)sum);
}

/* Domain 2 answers. */
static void answer(u32 remote)
{
	char path[40] = "/local/domain/1/data/ref", text[12];
	struct exchange *theirs = (void *)window;
	while (store_read(path, text, sizeof text) < 0)
		hypercall(HYPERCALL_SCHED_OP, 0, 0, 0, 0); /* yield */
	u32 ref = number(text);
	while (store_read("/local/domain/1/data/port", text, sizeof text) < 0)
		hypercall(HYPERCALL_SCHED_OP, 0, 0, 0, 0);
	u32 handle = grant_map(remote, ref, window);
	u32 port = event_connect(remote, number(text)), rounds = 0;
	event_wait(port); /* as everybody who connects is told once */
	event_send(port);
	for (;; rounds++) {
		event_wait(port);
		if (theirs->ended)
			break;
		theirs->answer = theirs->question * theirs->question;
		event_send(port);
	}
	grant_unmap(handle, window);
	event_send(port);
	print("answered %d times\n", (word)rounds);
}

void main(struct start_info *info)
{
	char id[11];
	xen_start(info);
	store_start();
	grants_start();
	if (store_read("domid", id, sizeof id) < 0)
		fail("no domid");
	print("domain %s, %d bits\n", id, (word)(8 * sizeof(word)));
	if (number(id) == 1)
		ask(1, 2);
	else
		answer(1);
	power_off();
}
