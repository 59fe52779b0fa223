/* ABI: console, time, events, randomness, command line, memory figures, shutdown. */
#include "js.h"
#include "xen.h"
#include "abi.h"

void abi_consoleWrite(const struct arg *a) { console_write((char *)a[0].bytes, a[0].length); }
f64 abi_consoleRead(const struct arg *a) { return console_read(a[0].bytes, a[0].length); }
f64 abi_consolePort(const struct arg *a) { return console_port(); }

f64 abi_clockMonotonic(const struct arg *a) { return time_since_entry() / 1e6; }
f64 abi_clockRecent(const struct arg *a) { return time_recent() / 1e6; }
f64 abi_clockWall(const struct arg *a) { return time_wall() / 1e6; }

void abi_clockSet(const struct arg *a)
{
	/* Nanoseconds in a signed 64-bit number, with room for what is added to them: until the year 2255. */
	if (!(a[0].number >= 0 && a[0].number < 9e12))
		range_error("wall is not a time between 1970 and 2255 in milliseconds");
	else
		time_set_wall(a[0].number * 1e6);
}

f64 abi_wait(const struct arg *a)
{
	u32 ports[ABI_WAIT_PORTS], most = a[1].length / 4;
	if (!most)
		return range_error("ports must have room for a port, 4 bytes");
	f64 ns = a[0].number * 1e6;
	if (ns != ns)
		return range_error("deadline is NaN");
	/* Rounded up: when the deadline is reached, clockMonotonic() is not below it. Beyond 2^63 ns (292 years) is never. */
	u64 deadline = ns >= 9.2e18 ? ~0ul : ns <= 0 ? 0 : (u64)__builtin_ceil(ns);
	u32 n = events_wait(deadline, ports, most < ABI_WAIT_PORTS ? most : ABI_WAIT_PORTS);
	memcpy(a[1].bytes, ports, n * 4);
	return n;
}

/* Both kinds of new port: the number that Xen wrote, unmasked. */
static s64 new_port(u32 operation, void *argument, const u32 *port)
{
	s64 error = hypercall(HC_event_channel, operation, (u64)argument, 0);
	if (!error)
		xen_unmask(*port);
	return error ? error : *port;
}

f64 abi_evtchnAllocUnbound(const struct arg *a)
{
	struct { u16 domain, remote; u32 port; } op = { DOMID_SELF, whole(&a[0], "remote", 0x7fff), 0 };
	return failed() ? 0 : new_port(EVTCHNOP_alloc_unbound, &op, &op.port);
}

f64 abi_evtchnBindInterdomain(const struct arg *a)
{
	struct { u16 remote, pad; u32 remote_port, port; } op = { whole(&a[0], "remote", 0x7fff), 0, whole(&a[1], "port", MOST_PORTS - 1), 0 };
	return failed() ? 0 : new_port(EVTCHNOP_bind_interdomain, &op, &op.port);
}

f64 abi_evtchnClose(const struct arg *a)
{
	u32 port = whole(&a[0], "port", PORTS - 1);
	if (failed())
		return 0;
	if (port == timer_port || port == console_port() || port == xenstore_port)
		return -EBUSY;
	__atomic_fetch_or((u64 *)&shared_info->mask[port / 64], 1ul << (port & 63), __ATOMIC_SEQ_CST);
	s64 error = hypercall(HC_event_channel, EVTCHNOP_close, (u64)&port, 0);
	events_forget(port);	/* or the next owner of the number would see an event that was not for it */
	return error;
}

f64 abi_evtchnSend(const struct arg *a)
{
	u32 port = whole(&a[0], "port", PORTS - 1);
	return failed() ? 0 : xen_send(port);
}

f64 abi_evtchnStatus(const struct arg *a)
{
	struct xen_port_status op;
	u32 port = whole(&a[0], "port", PORTS - 1);
	s64 error = failed() ? 0 : xen_port_status(port, &op);
	return failed() ? 0 : error ? error : op.status;
}

/* Code of the image's own does it. */
u32 abi_wasm(const struct arg *a)
{
	const struct { u32 (*run)(const void *, const struct arg *); } *table = code_table(CODE_WASM);
	return table ? table->run(table, a) : (range_error("this image has no WebAssembly"), 0);
}

void abi_random(const struct arg *a) { random_bytes(a[0].bytes, a[0].length); }
void abi_randomMix(const struct arg *a) { random_mix(a[0].bytes, a[0].length); }

u32 abi_commandLine(const struct arg *a) { return new_string(command_line); }

f64 abi_memory(const struct arg *a)
{
	u64 image = ((u64)(_end - _image) + ROUND_UP(image_slot.code_length, PAGE)) / PAGE;
	u64 figures[] = { frames_total, frames_free, frames_heap + snapshot->page_count, frames_io, frames_stack_most, image + frames_tables };
	u64 what = whole(&a[0], "what", sizeof figures / sizeof figures[0] - 1);
	return figures[what] * PAGE;
}

f64 abi_shutdown(const struct arg *a)
{
	u64 reason = whole(&a[0], "reason", SHUTDOWN_crash);
	s64 result = failed() ? 0 : xen_shutdown(reason);
	if (!result && !failed())
		snapshot_renew();
	return result;
}
