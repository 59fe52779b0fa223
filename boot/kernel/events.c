/*
 * Event channels and waiting. Interrupts are on only while we wait, and Xen's event vector does no more than end that. The ports
 * are read from the shared bitmaps (two-level ABI), here and nowhere else.
 */
#include "xen.h"

void wait_for_event(void);	/* traps.S */

#define RECENT 20000000ul	/* ns */

static u64 to_scan;		/* words of the pending bitmap that may have a bit set */
static u32 scan_from;		/* port where the scan goes on, round and round: no port comes again before the others have had their turn */
static u64 timer_set_for;	/* system time the one-shot timer is set for; 0: not set */
static bool is_bounded;		/* a timer comes before what the clock said last is too old */
static u32 readings;		/* of it by time_recent since the last wait */
static bool console_fired;

void events_resume(void)
{
	to_scan = timer_set_for = 0;
	console_fired = is_bounded = false;
}

static bool test_and_clear(u32 port)
{
	u64 bit = 1ul << (port & 63);
	return __atomic_fetch_and((u64 *)&shared_info->pending[port / 64], ~bit, __ATOMIC_SEQ_CST) & bit;
}

/* The console writer polls on the console port and would see its old mark: it clears it, and the wait below makes up for it. */
void events_forget(u32 port)
{
	if (test_and_clear(port) && port == console_port())
		console_fired = true;
}

/* xenconsoled also notifies when it has taken output; only input is news. */
static bool console_input_arrived(void)
{
	bool news = console_fired && console_has_input();
	console_fired = false;
	return news;
}

static u64 not_before(u64 bits, u32 first) { return bits >> first << first; }

static u32 collect(u32 *ports, u32 most)
{
	u32 n = 0;
	shared_info->vcpu[0].upcall_pending = 0;	/* first, or an event between here and the scan would be lost */
	to_scan |= __atomic_exchange_n((u64 *)&shared_info->vcpu[0].pending_select, 0, __ATOMIC_SEQ_CST);
	while (to_scan && n < most) {
		u64 words = not_before(to_scan, scan_from / 64);
		u32 i = __builtin_ctzll(words ? words : to_scan);
		if (i != scan_from / 64)
			scan_from = i * 64;
		u64 pending = shared_info->pending[i] & ~shared_info->mask[i], bits = not_before(pending, scan_from % 64);
		if (!pending)
			to_scan &= ~(1ul << i);
		if (!bits) {
			scan_from = (i + 1) * 64 % PORTS;
			continue;
		}
		u32 port = i * 64 + __builtin_ctzll(bits);
		scan_from = (port + 1) % PORTS;
		test_and_clear(port);
		if (port == timer_port)
			timer_set_for = 0;
		else if (port == console_port())
			console_fired = true;
		else
			ports[n++] = port;
	}
	if (n < most && console_input_arrived())
		ports[n++] = console_port();
	return n;
}

static void set_timer(u64 system_time)
{
	struct { u64 timeout; u32 flags, pad; } op = { system_time, 0, 0 };
	if (hypercall(HC_vcpu, VCPUOP_set_singleshot_timer, 0, (u64)&op))
		panic("Xen refuses the timer for %lu ns", system_time);
	timer_set_for = system_time;
}

/*
 * A timer for an earlier time will do: then the wait is for the rest. Most deadlines move on before they come, and setting a timer
 * leaves the domain, as reading the TSC does where Xen emulates it.
 */
static bool timer_comes(u64 system_time) { return timer_set_for && timer_set_for <= system_time; }

static bool is_pending(u32 port) { return *(volatile u64 *)&shared_info->pending[port / 64] >> (port & 63) & 1; }

/*
 * Whether RECENT has gone by is seen without asking the clock: a timer has come by then, this one or an earlier one. It is set when the clock
 * has been asked twice since the last wait: who has little to do pays for no timer.
 */
u64 time_recent(void)
{
	if (is_bounded && !is_pending(timer_port))
		return time_latest();
	if (test_and_clear(timer_port))
		timer_set_for = 0;
	u64 now = time_since_entry(), end = now + time_of_entry() + RECENT;
	is_bounded = timer_comes(end);
	if (!is_bounded && ++readings > 2) {
		set_timer(end);
		is_bounded = true;
	}
	return now;
}

u32 events_wait(u64 deadline, u32 *ports, u32 most)
{
	is_bounded = false;
	readings = 0;
	for (;;) {
		u32 n = collect(ports, most);
		if (n || !deadline)
			return n;
		if (deadline != ~0ul && !timer_comes(deadline + time_of_entry())) {
			if (time_since_entry() >= deadline)	/* the timer may come early by this clock: then once more */
				return n;
			set_timer(deadline + time_of_entry());
		}
		wait_for_event();
	}
}
