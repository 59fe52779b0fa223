/*
 * boot-clock DOMID LOG TEXT [IP PORT]: unpauses a domain and measures, from that moment, when TEXT appears in its console's log
 * and when it first answers an HTTP request. Prints "console MS" and "http MS". Measured here, and not on the host, so that
 * neither the start of xl nor QEMU's network is in the figures. Gives up after a minute.
 */
#define _GNU_SOURCE /* memmem */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "domain-state.h"

#define CONNECTIONS 8
#define CONNECT_EVERY_MS 25
#define STEP_MS 1
#define GIVE_UP_MS 60000

struct connection {
	int fd, asked;
};

static struct connection connections[CONNECTIONS];
static struct sockaddr_in server = { .sin_family = AF_INET };

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

/* Rather a new connection every 25 ms than one that waits for TCP's first retransmission after a second. */
static void renew(struct connection *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->asked = 0;
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (connect(c->fd, (struct sockaddr *)&server, sizeof(server)) < 0 && errno != EINPROGRESS) {
		close(c->fd);
		c->fd = -1;
	}
}

/* True when a connection got an answer. */
static int poll_connections(void)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: guest\r\nConnection: close\r\n\r\n";
	char answer[16];

	for (int i = 0; i < CONNECTIONS; i++) {
		struct connection *c = &connections[i];

		if (c->fd >= 0 && !c->asked && write(c->fd, request, sizeof(request) - 1) > 0)
			c->asked = 1;
		if (c->fd >= 0 && c->asked && read(c->fd, answer, sizeof(answer)) > 8 && !memcmp(answer, "HTTP/1.", 7))
			return 1;
	}
	return 0;
}

static int log_has(const char *path, const char *text)
{
	static char content[1 << 20];
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, content, sizeof(content) - 1);

	if (fd >= 0)
		close(fd);
	return n > 0 && memmem(content, n, text, strlen(text)) != NULL;
}

int main(int argc, char **argv)
{
	xc_interface *xc = xc_interface_open(NULL, NULL, 0);
	int want_console = 1, want_http = argc == 6, next = 0;
	double start, next_connect = 0;

	if (!xc || (argc != 4 && argc != 6)) {
		fprintf(stderr, "usage: boot-clock DOMID LOG TEXT [IP PORT]\n");
		return 2;
	}
	/* A guest may reset a connection that it was slow to accept. */
	signal(SIGPIPE, SIG_IGN);
	if (want_http) {
		inet_pton(AF_INET, argv[4], &server.sin_addr);
		server.sin_port = htons(atoi(argv[5]));
	}
	for (int i = 0; i < CONNECTIONS; i++)
		connections[i].fd = -1;
	if (xc_domain_unpause(xc, atoi(argv[1]))) {
		perror("boot-clock: unpause");
		return 1;
	}
	start = now_ms();
	while (want_console || want_http) {
		double ms = now_ms() - start;

		if (want_console && log_has(argv[2], argv[3])) {
			printf("console %.1f\n", ms);
			want_console = 0;
		}
		if (want_http && poll_connections()) {
			printf("http %.1f\n", ms);
			want_http = 0;
		}
		if (want_http && ms >= next_connect) {
			renew(&connections[next++ % CONNECTIONS]);
			next_connect = ms + CONNECT_EVERY_MS;
		}
		if (ms > GIVE_UP_MS || domain_state(xc, atoi(argv[1])) != DOMAIN_ALIVE) {
			fprintf(stderr, "boot-clock: %s\n", ms > GIVE_UP_MS ? "nothing within a minute" : "the domain ended first");
			return 1;
		}
		poll(NULL, 0, STEP_MS);
	}
	return 0;
}
