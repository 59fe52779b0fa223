/*
 * qubes-dom0 DOMID KEYS: the daemons of a Qubes dom0 for one domain, with no more of them than a measurement needs, natively, on
 * libxenvchan. KEYS is a file of lines PATH TAB VALUE for QubesDB. Takes commands from standard input; each answers with one line:
 *   boot PARTS           unpauses the domain and serves some of d (QubesDB), q (qrexec), g (GUI), n (its network device is awaited);
 *                        "SECONDS CPU" until the last of them is connected, and of CPU until the domain rests
 *   calls COUNT WINDOW   echoes 32 bytes so often, WINDOW calls at a time: "SECONDS CPU"
 *   bulk BYTES           through one call of the echo, in frames of 64 KiB: "SECONDS CPU"
 *   draw WHAT S copy|-   lets the program draw for S seconds, copies each damaged rectangle or only looks at the message:
 *                        "MESSAGES SECONDS BYTES CPU" and what the service wrote
 *   ask SERVICE          what the service wrote
 * CPU is the domain's, in ms, as Xen counts it. A protocol error, or two minutes without progress, ends the program with a line "error: ...".
 */
#include <errno.h>
#include <libxenvchan.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <xenctrl.h>
#include <xengnttab.h>
#include <xenstore.h>

#define RING 65536
#define CONTROL_PORT 512
#define FIRST_PORT 513
#define PORTS 256
#define GUI_PORT 6000
#define QUIET_MS 300
#define GIVE_UP_S 120
#define CLOSE_AFTER_S 0.05

/* libqrexec/qrexec.h */
enum { STDIN = 0x190, STDOUT, STDERR, EXIT_CODE, EXEC = 0x200, REFUSED = 0x203, TERMINATED = 0x211, TRIGGER3, HELLO = 0x300 };
/* qubes-gui-protocol.h */
enum { CREATE = 130, MAP = 132, SHMIMAGE = 136, DUMP = 147, DUMP_ACK = 149 };

struct frame { uint32_t type, length; };
struct gui_header { uint32_t type, window, length; };

struct call {
	struct libxenvchan *vchan;
	int greeted, running, input_ended, over;
	uint64_t input;			/* bytes that are in no frame yet */
	uint32_t to_send, to_read, type;	/* rest of the present frame each way */
	uint64_t output;
	char text[1024];			/* the first of the output */
};

/* Vchans that are over, in the order in which they are to be closed. */
struct closing { struct libxenvchan *vchan; double at; };

static uint32_t domid;
static xc_interface *xc;
static struct xs_handle *xs;
static struct libxenvchan *db, *control, *gui;
static struct call calls[PORTS];
static struct closing closing[PORTS];
static int closing_count;
static char port_busy[PORTS], *keys;
static int db_done, control_done, gui_done, network_done, want_network;
static char input[RING], scratch[RING];

/* The GUI daemon's window: there is one. */
static struct gui_header header;
static uint32_t body[RING], have, image_pages, image_width, image_height;
static char *image, *picture;
static xengnttab_handle *grants;
static long messages, copied;
static double first_message, last_message;
static int copying;

static _Noreturn __attribute__((format(printf, 1, 2))) void fail(const char *format, ...)
{
	va_list args;

	printf("error: ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static double cpu_ms(void)
{
	xc_dominfo_t info;

	if (xc_domain_getinfo(xc, domid, 1, &info) != 1 || info.domid != domid || info.shutdown || info.dying)
		fail("the domain has ended");
	return info.cpu_time / 1e6;
}

static void give(struct libxenvchan *vchan, const void *bytes, size_t length)
{
	for (const char *at = bytes; length > 0;) {
		int n = libxenvchan_write(vchan, at, length);

		if (n < 0)
			fail("the domain closed a vchan");
		if (n == 0)
			libxenvchan_wait(vchan);
		at += n;
		length -= n;
	}
}

/* Takes a whole message of known length, or nothing yet. */
static int take(struct libxenvchan *vchan, void *into, size_t length)
{
	if ((size_t)libxenvchan_data_ready(vchan) < length)
		return 0;
	return libxenvchan_recv(vchan, into, length) == (int)length;
}

/* QubesDB: the keys for a MULTIREAD, which is all that the domain asks for. */
static void answer_db(void)
{
	char message[72];

	if (db_done == 1 && libxenvchan_buffer_space(db) >= 4096)
		db_done = 2; /* the domain has taken everything */
	if (!take(db, message, sizeof(message)))
		return;
	if (message[0] != 2)
		fail("QubesDB got a message of type %d", message[0]);
	for (char *line = strtok(strdup(keys), "\n"); line; line = strtok(NULL, "\n")) {
		char *value = strchr(line, '\t');
		uint32_t length = strlen(value + 1);

		memset(message, 0, sizeof(message));
		message[0] = 11;
		memcpy(message + 1, line, value - line);
		memcpy(message + 68, &length, 4);
		give(db, message, sizeof(message));
		give(db, value + 1, length);
	}
	memset(message, 0, sizeof(message));
	message[0] = 11;
	give(db, message, sizeof(message));
	db_done = 1;
}

static struct libxenvchan *connect_to(int port)
{
	char path[128], leaf[160], *value;
	struct libxenvchan *vchan;

	snprintf(path, sizeof(path), "/local/domain/%u/data/vchan/0/%d", domid, port);
	snprintf(leaf, sizeof(leaf), "%s/event-channel", path);
	value = xs_read(xs, XBT_NULL, leaf, NULL);
	free(value);
	if (!value)
		return NULL;
	vchan = libxenvchan_client_init(NULL, domid, path);
	if (!vchan)
		fail("cannot connect to port %d", port);
	vchan->blocking = 0;
	return vchan;
}

static struct libxenvchan *serve(int port, int ring)
{
	char path[64];
	struct libxenvchan *vchan;

	snprintf(path, sizeof(path), "data/vchan/%u/%d", domid, port);
	vchan = libxenvchan_server_init(NULL, domid, path, ring, ring);
	if (!vchan)
		fail("cannot serve port %d: %s", port, strerror(errno));
	vchan->blocking = 0;
	return vchan;
}

static void hello(struct libxenvchan *vchan)
{
	uint32_t message[3] = { HELLO, 4, 3 };

	give(vchan, message, sizeof(message));
}

/* qrexec: calls of the domain are refused; it asks for the time. */
static void answer_control(void)
{
	static struct frame frame;
	uint32_t message[3];

	if (!control_done) {
		if (!take(control, message, 12))
			return;
		if (message[0] != HELLO)
			fail("qrexec began with 0x%x", message[0]);
		hello(control);
		control_done = 1;
	}
	while (frame.length || take(control, &frame, sizeof(frame))) {
		if (frame.length > sizeof(scratch) || !take(control, scratch, frame.length))
			return;
		memcpy(message, scratch, 8);
		frame.length = 0;
		if (frame.type == TRIGGER3) {
			uint32_t refusal[10] = { REFUSED, 32 };

			memcpy(refusal + 2, scratch + 64, 32);
			give(control, refusal, sizeof(refusal));
		} else if (frame.type != TERMINATED || message[1] < FIRST_PORT || message[1] >= FIRST_PORT + PORTS || !port_busy[message[1] - FIRST_PORT]) {
			fail("the agent sent 0x%x for port %u", frame.type, message[1]);
		} else {
			port_busy[message[1] - FIRST_PORT] = 0;
		}
	}
}

static void map_image(void)
{
	if (image)
		xengnttab_unmap(grants, image, image_pages);
	image_width = body[1];
	image_height = body[2];
	image_pages = header.length / 4 - 4;
	if ((uint64_t)image_width * image_height * 4 > image_pages * 4096ull)
		fail("an image of %ux%u in %u pages", image_width, image_height, image_pages);
	image = xengnttab_map_domain_grant_refs(grants, image_pages, domid, body + 4, PROT_READ);
	if (!image)
		fail("cannot map %u pages of the image: %s", image_pages, strerror(errno));
	picture = realloc(picture, image_pages * 4096ull);
}

static void copy_damage(void)
{
	uint64_t x = body[0], y = body[1], width = body[2], height = body[3];

	if (!image || x + width > image_width || y + height > image_height)
		fail("damage outside of the image");
	/* Whole rows are one piece. */
	if (width == image_width) {
		width *= height;
		height = 1;
	}
	for (uint64_t row = y; row < y + height; row++)
		memcpy(picture + (row * image_width + x) * 4, image + (row * image_width + x) * 4, width * 4);
	copied += width * height * 4;
}

static void answer_gui(void)
{
	if (!gui_done) {
		uint32_t version, answer[5] = { 1 << 16 | 7, 1920, 1080, 24, 8192 };

		if (!take(gui, &version, 4))
			return;
		give(gui, answer, sizeof(answer));
		gui_done = 1;
	}
	for (;;) {
		if (!header.type && !take(gui, &header, sizeof(header)))
			return;
		if (header.length > sizeof(body))
			fail("a GUI message of %u bytes", header.length);
		while (have < header.length) {
			int n = libxenvchan_read(gui, (char *)body + have, header.length - have);

			if (n <= 0)
				return;
			have += n;
		}
		if (header.type == DUMP) {
			uint32_t ack[3] = { DUMP_ACK, header.window, 0 };

			map_image();
			give(gui, ack, sizeof(ack));
		} else if (header.type == SHMIMAGE) {
			if (copying)
				copy_damage();
			last_message = now();
			if (!messages++)
				first_message = last_message;
		}
		header.type = 0;
		have = 0;
	}
}

static void look_at_xenstore(void)
{
	char path[64], *state, **event;

	while ((event = xs_check_watch(xs)))
		free(event);
	if (want_network && !network_done) {
		snprintf(path, sizeof(path), "/local/domain/0/backend/vif/%u/0/state", domid);
		state = xs_read(xs, XBT_NULL, path, NULL);
		network_done = state && !strcmp(state, "4");
		free(state);
	}
}

/* Starts a call of "SERVICE" for `bytes` of input. */
static struct call *start_call(const char *service, uint64_t bytes)
{
	char message[256];
	uint32_t *numbers = (uint32_t *)message;
	int i = 0;

	while (i < PORTS && (port_busy[i] || calls[i].vchan))
		i++;
	if (i == PORTS)
		return NULL;
	port_busy[i] = 1;
	calls[i] = (struct call){ .vchan = serve(FIRST_PORT + i, RING), .input = bytes };
	numbers[0] = EXEC;
	numbers[1] = snprintf(message + 16, sizeof(message) - 16, "user:QUBESRPC %s dom0", service) + 1 + 8;
	numbers[2] = 0;
	numbers[3] = FIRST_PORT + i;
	give(control, message, 8 + numbers[1]);
	return &calls[i];
}

static void send_input(struct call *c)
{
	while (!c->input_ended) {
		struct frame frame = { STDIN, c->input < RING ? c->input : RING };
		int n;

		if (c->to_send) {
			n = libxenvchan_write(c->vchan, input, c->to_send);
			if (n < 0)
				fail("the service closed in the middle of its input");
			if (n == 0)
				return;
			c->to_send -= n;
			continue;
		}
		n = libxenvchan_send(c->vchan, &frame, sizeof(frame));
		if (n <= 0)
			return;
		c->to_send = frame.length;
		c->input -= frame.length;
		c->input_ended = !frame.length;
	}
}

/* Gives 1 when the exit code has come. */
static int read_output(struct call *c)
{
	for (;;) {
		struct frame frame;
		int n;

		if (c->to_read) {
			n = libxenvchan_read(c->vchan, scratch, c->to_read < RING ? c->to_read : RING);
			if (n < 0)
				fail("the service closed in the middle of its output");
			if (n == 0)
				return 0;
			if (c->output < sizeof(c->text) - 1) {
				uint64_t room = sizeof(c->text) - 1 - c->output;

				memcpy(c->text + c->output, scratch, (uint64_t)n < room ? (uint64_t)n : room);
			}
			c->output += n;
			c->to_read -= n;
			continue;
		}
		if (!take(c->vchan, &frame, sizeof(frame)))
			return 0;
		if (frame.type == EXIT_CODE) {
			uint32_t code = 1;

			while (!take(c->vchan, &code, 4))
				libxenvchan_wait(c->vchan);
			if (code)
				fail("the service ended with exit code %u", code);
			return 1;
		}
		if (frame.type != STDOUT && (frame.type != STDERR || frame.length))
			fail("the service sent 0x%x with %u bytes", frame.type, frame.length);
		c->to_read = frame.length;
	}
}

/*
 * Linux takes back pages that the domain has mapped still ten in a second, so that some hundred calls would fill the grant table; and a
 * Linux domain unmaps them only after it has said that it has gone.
 */
static void close_later(struct libxenvchan *vchan)
{
	if (closing_count == PORTS)
		fail("%d vchans wait to be closed", PORTS);
	closing[closing_count++] = (struct closing){ vchan, now() + CLOSE_AFTER_S };
}

static void close_old(void)
{
	int kept = 0;

	for (int i = 0; i < closing_count; i++) {
		if (closing[i].at > now())
			closing[kept++] = closing[i];
		else
			libxenvchan_close(closing[i].vchan);
	}
	closing_count = kept;
}

/* Does what can be done without waiting; 1 when the call is over, and the domain has closed it. Its output is left to be looked at. */
static int step(struct call *c)
{
	uint32_t answer[3];

	if (!c->greeted) {
		if (libxenvchan_is_open(c->vchan) == 2)
			return 0;
		hello(c->vchan);
		c->greeted = 1;
	}
	if (!c->running) {
		if (!take(c->vchan, answer, sizeof(answer)))
			return 0;
		if (answer[0] != HELLO)
			fail("a data channel began with 0x%x", answer[0]);
		c->running = 1;
	}
	if (!c->over) {
		send_input(c);
		c->over = read_output(c);
	}
	if (!c->over || libxenvchan_is_open(c->vchan))
		return 0;
	close_later(c->vchan);
	c->vchan = NULL;
	return 1;
}

/* Sleeps until something has happened and serves the daemons. */
static void turn(int timeout)
{
	static struct pollfd fds[4 + PORTS];
	static struct libxenvchan *vchans[4 + PORTS];
	int n = 0, i;

	fds[n++] = (struct pollfd){ .fd = xs_fileno(xs), .events = POLLIN };
#define ADD(vchan) if (vchan) { vchans[n] = vchan; fds[n++] = (struct pollfd){ .fd = libxenvchan_fd_for_select(vchan), .events = POLLIN }; }
	ADD(db)
	ADD(control)
	ADD(gui)
	for (i = 0; i < PORTS; i++)
		ADD(calls[i].vchan)
	poll(fds, n, timeout);
	for (i = 1; i < n; i++)
		if (fds[i].revents)
			libxenvchan_wait(vchans[i]);
	close_old();
	if (fds[0].revents)
		look_at_xenstore();
	if (db)
		answer_db();
	if (control)
		answer_control();
	if (gui)
		answer_gui();
}

static void run_until_rest(void)
{
	double begin = now(), changed = begin, last = cpu_ms();

	while (now() - changed < QUIET_MS / 1e3) {
		double cpu = cpu_ms();

		turn(20);
		if (cpu - last > 0.5)
			changed = now();
		last = cpu > last ? cpu : last;
		if (now() - begin > GIVE_UP_S)
			fail("the domain does not come to rest");
	}
}

static void boot(const char *parts)
{
	int want_db = !!strchr(parts, 'd'), want_control = !!strchr(parts, 'q'), want_gui = !!strchr(parts, 'g');
	double begin, end;
	char path[64];

	want_network = !!strchr(parts, 'n');
	if (want_db)
		db = serve(111, 4096);
	/* Keys of the domain and of its network device; the first event comes at once. */
	snprintf(path, sizeof(path), "/local/domain/%u/data", domid);
	xs_watch(xs, path, "data");
	snprintf(path, sizeof(path), "/local/domain/0/backend/vif/%u", domid);
	xs_watch(xs, path, "vif");
	begin = now();
	if (xc_domain_unpause(xc, domid))
		fail("cannot unpause the domain");
	while (db_done < 2 * want_db || control_done < want_control || gui_done < want_gui || network_done < want_network) {
		if (now() - begin > GIVE_UP_S)
			fail("not connected: QubesDB %d, qrexec %d, GUI %d, network %d", db_done, control_done, gui_done, network_done);
		turn(db_done == 1 ? 1 : 20);
		if (want_control && !control)
			control = connect_to(CONTROL_PORT);
		if (want_gui && !gui)
			gui = connect_to(GUI_PORT);
	}
	end = now();
	run_until_rest();
	printf("%.6f %.3f\n", end - begin, cpu_ms());
}

static void echo(long count, int window, uint64_t bytes)
{
	double begin = now(), cpu = cpu_ms(), progress = begin;
	long started = 0, done = 0, active = 0;

	while (done < count) {
		long before = done;

		for (; active < window && started < count && start_call("bench.Echo", bytes); active++)
			started++;
		turn(1000);
		for (int i = 0; i < PORTS; i++) {
			struct call *c = &calls[i];

			if (!c->vchan || !step(c))
				continue;
			if (c->output != bytes || memcmp(c->text, input, bytes < sizeof(c->text) - 1 ? bytes : sizeof(c->text) - 1))
				fail("the echo of %lu bytes is wrong, %lu came", bytes, c->output);
			active--;
			done++;
		}
		if (done > before || bytes > 32)
			progress = now();
		if (now() - progress > GIVE_UP_S)
			fail("%ld of %ld calls ended, then no more", done, count);
	}
	printf("%.6f ", now() - begin);
	run_until_rest();
	printf("%.3f\n", cpu_ms() - cpu);
}

static struct call *ask(const char *service)
{
	struct call *c = start_call(service, 0);
	double begin = now();

	while (!step(c)) {
		turn(1000);
		if (now() - begin > GIVE_UP_S)
			fail("%s does not answer", service);
	}
	return c;
}

static void draw(const char *what, const char *seconds, int copy)
{
	char service[128];
	double cpu;
	struct call *c;

	run_until_rest();
	cpu = cpu_ms();
	copying = copy;
	messages = copied = 0;
	snprintf(service, sizeof(service), "bench.Draw+%s.%s", what, seconds);
	c = ask(service);
	cpu = cpu_ms() - cpu;
	run_until_rest();
	printf("%ld %.6f %ld %.3f %s\n", messages, last_message - first_message, copied, cpu, c->text);
}

static char *read_file(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = calloc(1, RING);

	if (!file || !text || !fread(text, 1, RING - 1, file))
		fail("cannot read %s", path);
	fclose(file);
	return text;
}

int main(int argc, char **argv)
{
	static char line[256];

	xc = xc_interface_open(NULL, NULL, 0);
	xs = xs_open(0);
	grants = xengnttab_open(NULL, 0);
	if (argc != 3 || !xc || !xs || !grants)
		fail("usage: qubes-dom0 DOMID KEYS, as root in dom0");
	domid = (uint32_t)strtoul(argv[1], NULL, 10);
	keys = read_file(argv[2]);
	for (int i = 0; i < RING; i++)
		input[i] = (char)(i * 7 + (i >> 8));
	while (fgets(line, sizeof(line), stdin)) {
		char a[64] = "", b[64] = "", c[64] = "", d[64] = "";

		sscanf(line, "%63s %63s %63s %63s", a, b, c, d);
		if (!strcmp(a, "boot"))
			boot(b);
		else if (!strcmp(a, "calls"))
			echo(atol(b), atoi(c), 32);
		else if (!strcmp(a, "bulk"))
			echo(1, 1, strtoull(b, NULL, 10));
		else if (!strcmp(a, "draw"))
			draw(b, c, !strcmp(d, "copy"));
		else if (!strcmp(a, "ask"))
			printf("%s\n", ask(b)->text);
		else
			fail("no command %s", a);
		fflush(stdout);
	}
	return 0;
}
