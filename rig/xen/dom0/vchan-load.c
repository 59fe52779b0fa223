/*
 * vchan-load server|client DOMID PORT echo | sink | source | send BYTES CHUNK | receive BYTES CHUNK | ping COUNT | say TEXT | many COUNT
 *
 * One end of a vchan that measures, or lets itself be measured, with the path scheme of Qubes and rings of 64 KiB:
 *   echo     sends back what arrives
 *   sink     takes a request (BYTES and CHUNK, each a u32, little-endian), then BYTES, and then sends one byte
 *   source   takes a request and sends BYTES in writes of CHUNK
 *   send     a request to a sink and BYTES in writes of CHUNK, and waits for its byte
 *   receive  BYTES from a source
 *   ping     COUNT times one byte to an echo and back
 *   say      TEXT to an echo, and prints what comes back
 *   many     opens COUNT vchans on as many ports, with the smallest rings as a server, to echoes; when all are open it sends on each,
 *            then takes what came back, and closes them all
 * What measures prints the seconds it took. A server of the first three serves one client after the other.
 */
#include <libxenvchan.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <xenstore.h>
#include "vchan-keys.h"

struct request {
	uint32_t bytes, chunk;
};

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

static struct libxenvchan *make_server(int domid, int port, size_t from_peer, size_t to_peer)
{
	char keys[128];
	struct libxenvchan *vchan;

	snprintf(keys, sizeof(keys), "data/vchan/%d/%d", domid, port);
	vchan = libxenvchan_server_init(NULL, domid, keys, from_peer, to_peer);
	if (!vchan)
		fail("cannot make the server's end");
	vchan->blocking = 1;
	return vchan;
}

static void wait_for_client(struct xs_handle *xs, struct libxenvchan *vchan, int domid, int port)
{
	while (libxenvchan_is_open(vchan) == 2)
		libxenvchan_wait(vchan);
	remove_keys(xs, domid, port);
}

static struct libxenvchan *open_server(struct xs_handle *xs, int domid, int port)
{
	struct libxenvchan *vchan = make_server(domid, port, sizeof(buffer), sizeof(buffer));

	wait_for_client(xs, vchan, domid, port);
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
static uint32_t take(struct libxenvchan *vchan, uint32_t bytes)
{
	uint32_t left = bytes;

	while (left > 0) {
		int n = libxenvchan_read(vchan, buffer, left < sizeof(buffer) ? left : sizeof(buffer));

		if (n <= 0)
			break;
		left -= n;
	}
	return bytes - left;
}

static int is_chunk(uint32_t bytes)
{
	return bytes >= 1 && bytes <= sizeof(buffer);
}

static void give(struct libxenvchan *vchan, struct request what)
{
	while (what.bytes > 0) {
		uint32_t length = what.bytes < what.chunk ? what.bytes : what.chunk;

		if (libxenvchan_send(vchan, buffer, length) != (int)length)
			return;
		what.bytes -= length;
	}
}

static void echo(struct libxenvchan *vchan)
{
	int n;

	while ((n = libxenvchan_read(vchan, buffer, sizeof(buffer))) > 0)
		if (libxenvchan_send(vchan, buffer, n) != n)
			return;
}

/* Gives 0 when the other end closed too early. */
static int measure(struct libxenvchan *vchan, const char *what, uint32_t count, uint32_t chunk)
{
	struct request request = { count, chunk };
	uint32_t done = 0;

	if (!strcmp(what, "send")) {
		libxenvchan_send(vchan, &request, sizeof(request));
		give(vchan, request);
		return take(vchan, 1) == 1;
	}
	if (!strcmp(what, "receive")) {
		libxenvchan_send(vchan, &request, sizeof(request));
		return take(vchan, count) == count;
	}
	while (done < count && libxenvchan_send(vchan, buffer, 1) == 1 && take(vchan, 1) == 1)
		done++;
	return done == count;
}

static void be_measured(struct libxenvchan *vchan, const char *what)
{
	struct request request;

	if (!strcmp(what, "echo")) {
		echo(vchan);
	} else if (libxenvchan_recv(vchan, &request, sizeof(request)) == sizeof(request) && is_chunk(request.chunk)) {
		if (!strcmp(what, "source"))
			give(vchan, request);
		else if (take(vchan, request.bytes) == request.bytes)
			libxenvchan_send(vchan, buffer, 1);
		take(vchan, 1); /* until the other end has closed */
	}
}

static void say(struct libxenvchan *vchan, const char *text)
{
	int length = strnlen(text, sizeof(buffer));

	if (libxenvchan_send(vchan, text, length) != length || libxenvchan_recv(vchan, buffer, length) != length)
		fail("the other end closed too early");
	printf("%.*s\n", length, buffer);
}

static void many(struct xs_handle *xs, int server, int domid, int port, int count)
{
	struct libxenvchan **vchans = calloc(count, sizeof(*vchans));
	int sent[8] = { 0 }, back[8], i;

	for (i = 0; i < count; i++)
		vchans[i] = server ? make_server(domid, port + i, 1024, 2048) : open_client(xs, domid, port + i);
	for (i = 0; server && i < count; i++)
		wait_for_client(xs, vchans[i], domid, port + i);
	for (i = 0; i < count; i++) {
		sent[0] = i;
		if (libxenvchan_send(vchans[i], sent, sizeof(sent)) != sizeof(sent))
			fail("a vchan of many cannot be written");
	}
	for (i = 0; i < count; i++) {
		sent[0] = i;
		if (libxenvchan_recv(vchans[i], back, sizeof(back)) != sizeof(back) || memcmp(sent, back, sizeof(sent)))
			fail("a vchan of many did not give back what was sent");
	}
	for (i = 0; i < count; i++)
		libxenvchan_close(vchans[i]);
	free(vchans);
}

int main(int argc, char **argv)
{
	struct xs_handle *xs = xs_open(0);
	uint32_t chunk = argc > 6 ? (uint32_t)atol(argv[6]) : sizeof(buffer);

	if (argc < 5 || !xs)
		fail("usage: see the source");
	if (!is_chunk(chunk))
		fail("a chunk is of 1 to 65536 bytes");
	if (argc == 6 && !strcmp(argv[4], "many")) {
		double start = now();

		many(xs, !strcmp(argv[1], "server"), atoi(argv[2]), atoi(argv[3]), atoi(argv[5]));
		printf("%.6f\n", now() - start);
		return 0;
	}
	for (;;) {
		int server = !strcmp(argv[1], "server");
		struct libxenvchan *vchan = (server ? open_server : open_client)(xs, atoi(argv[2]), atoi(argv[3]));

		if (argc == 6 && !strcmp(argv[4], "say")) {
			say(vchan, argv[5]);
			libxenvchan_close(vchan);
			return 0;
		}
		if (argc > 5) {
			double start = now();

			if (!measure(vchan, argv[4], (uint32_t)atol(argv[5]), chunk))
				fail("the other end closed too early");
			printf("%.6f\n", now() - start);
			libxenvchan_close(vchan);
			return 0;
		}
		be_measured(vchan, argv[4]);
		libxenvchan_close(vchan);
	}
}
