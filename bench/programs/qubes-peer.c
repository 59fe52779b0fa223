/*
 * qubes-peer: what bench/programs/qubes-load.ts does, for a Linux guest to compare with: the services bench.Echo and bench.Draw on
 * libxenvchan, one call after the other, in one process. Linux's own qrexec-agent starts three processes for each call.
 */
#include <libxenvchan.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <xengnttab.h>
#include <xenstore.h>

#define RING 65536
#define WIDTH 1920
#define HEIGHT 1080
#define PAGES ((WIDTH * HEIGHT * 4 + 4095) / 4096)
#define WINDOW 1

enum { STDIN = 0x190, STDOUT, STDERR, EXIT_CODE, EXEC = 0x200, TERMINATED = 0x211, HELLO = 0x300 };
enum { CREATE = 130, MAP = 132, SHMIMAGE = 136, DUMP = 147 };

static struct libxenvchan *control, *gui;
static uint32_t *pixels;
static char buffer[8 + RING];

static _Noreturn void fail(const char *what)
{
	perror(what);
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static struct libxenvchan *serve(int port, int ring)
{
	char path[64];
	struct libxenvchan *vchan;

	snprintf(path, sizeof(path), "data/vchan/0/%d", port);
	vchan = libxenvchan_server_init(NULL, 0, path, ring, ring);
	if (!vchan)
		fail("server");
	vchan->blocking = 1;
	return vchan;
}

static void give(struct libxenvchan *vchan, const void *bytes, size_t length)
{
	if (libxenvchan_write(vchan, bytes, length) != (int)length)
		fail("write");
}

static void take(struct libxenvchan *vchan, void *into, size_t length)
{
	for (size_t done = 0; done < length;) {
		int n = libxenvchan_read(vchan, (char *)into + done, length - done);

		if (n <= 0)
			fail("read");
		done += n;
	}
}

static void greet(struct libxenvchan *vchan)
{
	uint32_t message[3] = { HELLO, 4, 3 };

	give(vchan, message, sizeof(message));
	take(vchan, message, sizeof(message));
}

static void put_frame(struct libxenvchan *vchan, uint32_t type, const void *bytes, uint32_t length)
{
	uint32_t frame[2] = { type, length };

	give(vchan, frame, sizeof(frame));
	if (length)
		give(vchan, bytes, length);
}

/* Each piece that is there goes back as a frame, as qrexec-agent's does that reads a pipe. */
static void echo(struct libxenvchan *vchan)
{
	uint32_t frame[2];

	for (;;) {
		take(vchan, frame, sizeof(frame));
		if (!frame[1])
			return;
		while (frame[1] > 0) {
			int n = libxenvchan_read(vchan, buffer, frame[1]);

			if (n <= 0)
				fail("read");
			put_frame(vchan, STDOUT, buffer, n);
			frame[1] -= n;
		}
	}
}

static void gui_message(uint32_t type, const uint32_t *body, uint32_t length)
{
	static uint32_t message[3 + 4 + PAGES];

	message[0] = type;
	message[1] = WINDOW;
	message[2] = length;
	memcpy(message + 3, body, length);
	give(gui, message, 12 + length);
}

static void open_window(void)
{
	static uint32_t dump[4 + PAGES] = { 0, WIDTH, HEIGHT, 24 };
	uint32_t answer[3], create[6] = { 0, 0, WIDTH, HEIGHT, 0, 0 }, map[2] = { 0, 0 };
	xengntshr_handle *sharing = xengntshr_open(NULL, 0);

	if (!sharing || !(pixels = xengntshr_share_pages(sharing, 0, PAGES, dump + 4, 0)))
		fail("pages");
	gui_message(CREATE, create, sizeof(create));
	gui_message(MAP, map, sizeof(map));
	gui_message(DUMP, dump, sizeof(dump));
	take(gui, answer, sizeof(answer));
}

static void draw(struct libxenvchan *vchan, const char *argument)
{
	int fill = !strncmp(argument, "fill", 4), small = !strncmp(argument, "small", 5);
	uint32_t whole[4] = { 0, 0, WIDTH, HEIGHT }, part[4] = { 0, 0, 64, 64 };
	double end = now() + atof(strchr(argument, '.') + 1);
	long frames = 0;

	if (!pixels)
		open_window();
	for (; now() < end; frames++) {
		if (fill)
			for (int i = 0; i < WIDTH * HEIGHT; i++)
				pixels[i] = 0x204060 + frames;
		if (small) {
			part[0] = frames * 64 % 1856;
			for (int y = 0; y < 64; y++)
				for (int x = 0; x < 64; x++)
					pixels[y * WIDTH + part[0] + x] = 0x204060 + frames;
		}
		gui_message(SHMIMAGE, small ? part : whole, sizeof(part));
	}
	put_frame(vchan, STDOUT, buffer, sprintf(buffer, "%ld", frames));
}

static void call(uint32_t port, const char *command)
{
	char path[64];
	uint32_t terminated[4] = { TERMINATED, 8, 0, port }, code = 0;
	struct libxenvchan *vchan;

	snprintf(path, sizeof(path), "/local/domain/0/data/vchan/%s/%u", getenv("DOMID"), port);
	vchan = libxenvchan_client_init(NULL, 0, path);
	if (!vchan)
		fail("client");
	vchan->blocking = 1;
	greet(vchan);
	if (strstr(command, "bench.Draw+"))
		draw(vchan, strstr(command, "bench.Draw+") + 11);
	else
		echo(vchan);
	put_frame(vchan, STDOUT, NULL, 0);
	put_frame(vchan, STDERR, NULL, 0);
	put_frame(vchan, EXIT_CODE, &code, 4);
	libxenvchan_close(vchan);
	give(control, terminated, sizeof(terminated));
}

int main(void)
{
	static struct { uint32_t type, length, domain, port; char command[256]; } message;
	uint32_t version = 1 << 16 | 7, answer[5];
	struct xs_handle *xs = xs_open(0);

	setenv("DOMID", xs_read(xs, XBT_NULL, "domid", NULL), 1);
	gui = serve(6000, 4096);
	control = serve(512, RING);
	while (libxenvchan_is_open(control) == 2)
		libxenvchan_wait(control);
	greet(control);
	while (libxenvchan_is_open(gui) == 2)
		libxenvchan_wait(gui);
	give(gui, &version, 4);
	take(gui, answer, sizeof(answer));
	for (;;) {
		take(control, &message, 8);
		if (message.type != EXEC || message.length > sizeof(message) - 8)
			fail("message");
		take(control, &message.domain, message.length);
		call(message.port, message.command);
	}
}
