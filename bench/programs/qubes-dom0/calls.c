/* Data channels of qrexec: dom0 calls services of the domain. */
#include "dom0.h"

#define CLOSE_AFTER_S 0.05

struct call calls[PORTS];
static char port_busy[PORTS], input[RING], scratch[RING];

void make_input(void)
{
	for (int i = 0; i < RING; i++)
		input[i] = (char)(i * 7 + (i >> 8));
}

/* Gives 0 when no call has it. */
int give_port_back(uint32_t port)
{
	if (port < FIRST_PORT || port >= FIRST_PORT + PORTS || !port_busy[port - FIRST_PORT])
		return 0;
	port_busy[port - FIRST_PORT] = 0;
	return 1;
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
 * Linux domain unmaps them only after it has said that it has gone. So dom0 closes last, and a little later.
 */
void close_old(void)
{
	for (struct call *c = calls; c < calls + PORTS; c++) {
		if (!c->vchan || !c->close_at || c->close_at > now())
			continue;
		libxenvchan_close(c->vchan);
		c->vchan = NULL;
	}
}

/* Does what can be done without waiting; 1 when the call is over, and the domain has closed it. */
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
	c->close_at = now() + CLOSE_AFTER_S;
	return 1;
}

void echo(long count, int window, uint64_t bytes)
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

			if (!c->vchan || c->close_at || !step(c))
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

struct call *ask(const char *service)
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
