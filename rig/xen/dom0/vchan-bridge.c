/*
 * vchan-bridge server DOMID PORT READ_MIN WRITE_MIN | client DOMID PORT
 *
 * Joins standard input and output to a vchan with the path scheme of Qubes (data/vchan/<client>/<port> of the server). Prints
 * "ready" when the keys are published (server only), then "connected", each as a line; from then on bytes are the vchan's.
 * Ends when standard input ends or the peer closes or dies, after passing on what is there.
 */
#include <errno.h>
#include <fcntl.h>
#include <libxenvchan.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xenstore.h>
#include "domain-state.h"
#include "vchan-keys.h"

struct queue {
	char bytes[65536];
	int start, end;
};

static struct queue to_peer, from_peer;
static struct libxenvchan *vchan;
static struct xs_handle *xs;
static xc_interface *xc;
static char keys[128];
static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "vchan-bridge: %s (%s): %s\n", what, keys, strerror(errno));
	exit(1);
}

/* A suspended domain keeps its vchans; after every other end its rings will never move again. */
static int peer_is_dead(uint32_t domid)
{
	int state = domain_state(xc, domid);

	return state != DOMAIN_ALIVE && state != SHUTDOWN_suspend;
}

/* Sleeps until something may have changed: the xenstore, the vchan (if there is one), or standard input and output as asked. */
static void wait_for_change(short stdin_events, short stdout_events)
{
	struct pollfd fds[4] = {
		{ .fd = xs_fileno(xs), .events = POLLIN },
		{ .fd = stdin_events ? 0 : -1, .events = stdin_events },
		{ .fd = stdout_events ? 1 : -1, .events = stdout_events },
		{ .fd = vchan ? libxenvchan_fd_for_select(vchan) : -1, .events = POLLIN },
	};
	char **event;

	poll(fds, 4, 10000);
	if (fds[3].revents)
		libxenvchan_wait(vchan);
	/* Which watch fired does not matter, since every wake-up looks at everything again. */
	while ((event = xs_check_watch(xs)))
		free(event);
}

/* True when standard input ended. Nobody sends anything before "connected". */
static int host_is_gone(void)
{
	struct pollfd in = { .fd = 0, .events = POLLIN };
	char byte;

	return stopped || (poll(&in, 1, 0) == 1 && read(0, &byte, 1) <= 0);
}

static int serve(uint32_t domid, int port, int read_min, int write_min)
{
	int connected;

	snprintf(keys, sizeof(keys), "data/vchan/%u/%d", domid, port);
	vchan = libxenvchan_server_init(NULL, domid, keys, read_min, write_min);
	if (!vchan)
		fail("cannot make the server's end");
	vchan->blocking = 0;
	printf("ready\n");
	fflush(stdout);
	while (libxenvchan_is_open(vchan) == 2 && !peer_is_dead(domid) && !host_is_gone())
		wait_for_change(POLLIN, 0);
	connected = libxenvchan_is_open(vchan) == 1;
	remove_keys(xs, domid, port);
	return connected;
}

static int connect_to(uint32_t domid, int port)
{
	char leaf[160], *own = xs_read(xs, XBT_NULL, "domid", NULL), *value;

	snprintf(keys, sizeof(keys), "/local/domain/%u/data/vchan/%s/%d", domid, own ? own : "0", port);
	/* The leaf, because the folder is not readable for us if we are not dom0. */
	snprintf(leaf, sizeof(leaf), "%s/event-channel", keys);
	if (!xs_watch(xs, leaf, "keys"))
		fail("cannot watch the server's keys");
	while (!(value = xs_read(xs, XBT_NULL, leaf, NULL))) {
		if (peer_is_dead(domid) || host_is_gone())
			return 0;
		wait_for_change(POLLIN, 0);
	}
	free(value);
	vchan = libxenvchan_client_init(NULL, domid, keys);
	if (!vchan)
		fail("cannot connect to the server");
	vchan->blocking = 0;
	return 1;
}

/* Moves what can be moved without waiting. Negative: that side has ended. */
static int pump_out(void)
{
	struct queue *q = &from_peer;

	for (;;) {
		int n;

		if (q->start == q->end) {
			q->start = q->end = 0;
			n = libxenvchan_data_ready(vchan);
			n = n > 0 ? libxenvchan_read(vchan, q->bytes, sizeof(q->bytes)) : n;
			if (n <= 0)
				return n;
			q->end = n;
		}
		n = write(1, q->bytes + q->start, q->end - q->start);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -1;
		q->start += n;
	}
}

static int pump_in(int *ended)
{
	struct queue *q = &to_peer;

	for (;;) {
		int n;

		if (q->start == q->end) {
			q->start = q->end = 0;
			n = *ended ? 0 : read(0, q->bytes, sizeof(q->bytes));
			if (n < 0 && (errno == EAGAIN || errno == EINTR))
				return 0;
			if (n <= 0) {
				*ended = 1;
				return 0;
			}
			q->end = n;
		}
		n = libxenvchan_write(vchan, q->bytes + q->start, q->end - q->start);
		if (n <= 0)
			return n;
		q->start += n;
	}
}

static void bridge(uint32_t domid)
{
	int ended = 0;

	fcntl(0, F_SETFL, fcntl(0, F_GETFL) | O_NONBLOCK);
	fcntl(1, F_SETFL, fcntl(1, F_GETFL) | O_NONBLOCK);
	while (!stopped) {
		/* Asked before reading: what the peer wrote before it closed is still passed on. */
		int dead = libxenvchan_is_open(vchan) != 1 || peer_is_dead(domid);
		int out = pump_out(), in = dead ? 0 : pump_in(&ended);
		int output_waits = from_peer.start < from_peer.end, input_waits = to_peer.start < to_peer.end;

		if (out < 0 || in < 0 || (dead && !output_waits) || (ended && !input_waits))
			return;
		wait_for_change(ended || input_waits ? 0 : POLLIN, output_waits ? POLLOUT : 0);
	}
}

int main(int argc, char **argv)
{
	uint32_t domid = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 0;
	int port = argc > 3 ? atoi(argv[3]) : 0, connected;

	xc = xc_interface_open(NULL, NULL, 0);
	xs = xs_open(0);
	if (!xc || !xs || !xs_watch(xs, "@releaseDomain", "end"))
		fail("no access to Xen or xenstored");
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, stop);
	if (argc == 6 && !strcmp(argv[1], "server"))
		connected = serve(domid, port, atoi(argv[4]), atoi(argv[5]));
	else if (argc == 4 && !strcmp(argv[1], "client"))
		connected = connect_to(domid, port);
	else {
		fprintf(stderr, "usage: vchan-bridge server DOMID PORT READ_MIN WRITE_MIN | client DOMID PORT\n");
		return 2;
	}
	if (connected) {
		printf("connected\n");
		fflush(stdout);
		bridge(domid);
	}
	if (vchan)
		libxenvchan_close(vchan);
	return connected ? 0 : 1;
}
