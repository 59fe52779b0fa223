/*
 * The Xen console ring (io/console.h). Output waits for room, blocked in Xen, and never drops a byte, except when the domain is
 * going down and dom0 has stopped reading. Before the ring is connected, output goes to Xen's debug port.
 */
#include "xen.h"

struct console_ring { char in[1024], out[2048]; u32 in_cons, in_prod, out_cons, out_prod; };
#define DEBUG_PORT 0xe9
#define MS 1000000ul		/* in ns */
#define PATIENCE (3000 * MS)	/* without any progress, once the domain is going down */

static volatile struct console_ring *ring;
static u32 port;
static bool going_down;

void console_connect(u64 frame, u32 event_port)
{
	ring = fixed_map(1, frame * PAGE);
	port = event_port;
}

u32 console_port(void) { return port; }
void console_give_up(void) { going_down = true; }
bool console_has_input(void) { return ring && ring->in_prod != ring->in_cons; }

/* Bytes dom0 has not taken. The indices are dom0's to spoil: nonsense counts as a full ring. */
static u32 waiting(void)
{
	u32 n = ring->out_prod - ring->out_cons;
	return n <= sizeof ring->out ? n : sizeof ring->out;
}

/* Blocks until fewer than so many bytes are waiting; false when there was no progress for as long as patience lasts. */
static bool wait_below(u32 bytes, bool bounded)
{
	u64 until = 0;
	for (u32 left = waiting(), before = 0; left >= bytes; left = waiting()) {
		u64 now = time_system();
		if (left != before)
			before = left, until = now + PATIENCE;
		if (bounded && now >= until)
			return false;
		events_forget(port);	/* an old mark would end the poll; after this, look again before sleeping */
		if (waiting() < bytes)
			break;
		struct sched_poll poll = { &port, 1, 0, now + 100 * MS };
		hypercall(HC_sched, SCHEDOP_poll, (u64)&poll, 0);
	}
	return true;
}

void console_write(const char *text, u64 length)
{
	if (!ring) {
		while (length--)
			outb(DEBUG_PORT, *text++);
		return;
	}
	while (length) {
		if (!wait_below(sizeof ring->out, going_down))
			return;
		u32 at = ring->out_prod, room = sizeof ring->out - waiting();
		for (; room && length; room--, length--)
			ring->out[at++ & (sizeof ring->out - 1)] = *text++;
		__atomic_store_n((u32 *)&ring->out_prod, at, __ATOMIC_SEQ_CST);
		xen_send(port);
	}
}

u32 console_read(u8 *into, u32 length)
{
	if (!ring)
		return 0;
	u32 at = ring->in_cons, n = ring->in_prod - at;
	if (n > sizeof ring->in)
		n = 0;
	if (n > length)
		n = length;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (u32 i = 0; i < n; i++)
		into[i] = ring->in[at++ & (sizeof ring->in - 1)];
	__atomic_store_n((u32 *)&ring->in_cons, at, __ATOMIC_SEQ_CST);
	if (n)
		xen_send(port);
	return n;
}

void console_drain(void)
{
	if (ring)
		wait_below(1, true);
}
