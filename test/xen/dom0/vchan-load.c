/*
 * vchan-load server|client DOMID PORT echo | sink BYTES | source BYTES CHUNK | send BYTES CHUNK | receive BYTES | ping COUNT
 *
 * One end of a vchan that measures, or lets itself be measured, with the path scheme of Qubes and rings of 64 KiB:
 *   echo     sends back what arrives
 *   sink     takes BYTES and then sends one byte
 *   source   waits for one byte and then sends BYTES in writes of CHUNK
 *   send     BYTES in writes of CHUNK, and waits for one byte (the other end of sink)
 *   receive  sends one byte and takes BYTES (the other end of source)
 *   ping     COUNT times one byte there and back (the other end of echo)
 * What measures prints the seconds it took. A server of echo, sink and source serves one client after the other.
 */
#include <libxenvchan.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <xenstore.h>

static char buffer[65536];

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "vchan-load: %s\n", what);
	exit(1);
}

static struct libxenvchan *open_server(struct xs_handle *xs, int domid, int port)
{
	char keys[128];
	struct libxenvchan *vchan;

	snprintf(keys, sizeof(keys), "data/vchan/%d/%d", domid, port);
	vchan = libxenvchan_server_init(NULL, domid, keys, sizeof(buffer), sizeof(buffer));
	if (!vchan)
		fail("cannot make the server's end");
	vchan->blocking = 1;
	while (libxenvchan_is_open(vchan) == 2)
		libxenvchan_wait(vchan);
	xs_rm(xs, XBT_NULL, keys);
	return vchan;
}

static struct libxenvchan *open_client(struct xs_handle *xs, int domid, int port)
{
	char keys[128], leaf[160], *own = xs_read(xs, XBT_NULL, "domid", NULL), *value;
	struct libxenvchan *vchan;

	snprintf(keys, sizeof(keys), "/local/domain/%d/data/vchan/%s/%d", domid, own ? own : "0", port);
	snprintf(leaf, sizeof(leaf), "%s/event-channel", keys);
	while (!(value = xs_read(xs, XBT_NULL, leaf, NULL)))
		usleep(10000);
	free(value);
	vchan = libxenvchan_client_init(NULL, domid, keys);
	if (!vchan)
		fail("cannot connect to the server");
	vchan->blocking = 1;
	return vchan;
}

/* Gives the bytes that were taken: less than `bytes` when the other end has closed. */
static long take(struct libxenvchan *vchan, long bytes)
{
	long left = bytes;

	while (left > 0) {
		int n = libxenvchan_read(vchan, buffer, left < (long)sizeof(buffer) ? left : (long)sizeof(buffer));

		if (n <= 0)
			break;
		left -= n;
	}
	return bytes - left;
}

static void give(struct libxenvchan *vchan, long bytes, size_t chunk)
{
	for (; bytes > 0; bytes -= chunk)
		if (libxenvchan_send(vchan, buffer, chunk) <= 0)
			return;
}

static void echo(struct libxenvchan *vchan)
{
	int n;

	while ((n = libxenvchan_read(vchan, buffer, sizeof(buffer))) > 0)
		if (libxenvchan_send(vchan, buffer, n) != n)
			return;
}

int main(int argc, char **argv)
{
	struct xs_handle *xs = xs_open(0);
	int server = argc > 4 && !strcmp(argv[1], "server");
	const char *what = argc > 4 ? argv[4] : "";
	long count = argc > 5 ? atol(argv[5]) : 0, done = 0;
	size_t chunk = argc > 6 ? (size_t)atol(argv[6]) : 1;

	if (argc < 5 || !xs || chunk < 1 || chunk > sizeof(buffer))
		fail("usage: see the source");
	for (;;) {
		struct libxenvchan *vchan = server ? open_server(xs, atoi(argv[2]), atoi(argv[3])) : open_client(xs, atoi(argv[2]), atoi(argv[3]));
		double start = now();

		if (!strcmp(what, "echo")) {
			echo(vchan);
		} else if (!strcmp(what, "sink")) {
			if (take(vchan, count) == count)
				give(vchan, 1, 1);
			take(vchan, 1);
		} else if (!strcmp(what, "source")) {
			if (take(vchan, 1) == 1)
				give(vchan, count, chunk);
			take(vchan, 1);
		} else {
			if (!strcmp(what, "send")) {
				give(vchan, count, chunk);
				done = take(vchan, 1) ? count : 0;
			} else if (!strcmp(what, "receive")) {
				give(vchan, 1, 1);
				done = take(vchan, count);
			} else if (!strcmp(what, "ping")) {
				for (; done < count && libxenvchan_send(vchan, buffer, 1) == 1 && take(vchan, 1); done++)
					;
			}
			if (done != count)
				fail("the other end closed too early");
			printf("%.6f\n", now() - start);
			libxenvchan_close(vchan);
			return 0;
		}
		libxenvchan_close(vchan);
		if (!server)
			return 0;
	}
}
