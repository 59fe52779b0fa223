/* QubesDB and qrexec's control channel, and the loop that serves all there is. */
#include "dom0.h"
#include <poll.h>

#define CONTROL_PORT 512
#define GUI_PORT 6000
#define QUIET_MS 300

char *keys;
struct libxenvchan *control;
static struct libxenvchan *db, *gui;
static int db_done, control_done, network_done, want_network;

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

/* qrexec: calls of the domain are refused; it asks for the time. */
static void answer_control(void)
{
	static struct frame frame;
	static char body[RING];
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
		if (frame.length > sizeof(body) || !take(control, body, frame.length))
			return;
		memcpy(message, body, 8);
		frame.length = 0;
		if (frame.type == TRIGGER3) {
			uint32_t refusal[10] = { REFUSED, 32 };

			memcpy(refusal + 2, body + 64, 32);
			give(control, refusal, sizeof(refusal));
		} else if (frame.type != TERMINATED || !give_port_back(message[1])) {
			fail("the agent sent 0x%x for port %u", frame.type, message[1]);
		}
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

/* Sleeps until something has happened and serves the daemons. */
void turn(int timeout)
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
		if (!calls[i].close_at)
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
		answer_gui(gui);
}

void run_until_rest(void)
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

void boot(const char *parts)
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
