/*
 * datagrams ADDRESS PORT check LENGTH... | datagrams ADDRESS PORT rate SECONDS LENGTH WINDOW | datagrams ADDRESS PORT refused |
 * datagrams any PORT echo
 *
 * UDP, by IPv4 and IPv6, to a peer that sends back what it gets.
 *   check    one datagram of each length, with other content each; prints the lengths of those that came back unchanged
 *   rate     keeps WINDOW datagrams under way; prints datagrams that came back in a second, and datagrams that were lost
 *   refused  sends one to where nobody is; prints what the network says: "Connection refused", or "nothing"
 *   echo     is such a peer, of both families
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static unsigned char sent[65536], got[65536];
static int sock;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void call(const char *address, int port)
{
	struct sockaddr_in to4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	int is6 = strchr(address, ':') != NULL;

	sock = socket(is6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);
	if (inet_pton(is6 ? AF_INET6 : AF_INET, address, is6 ? (void *)&to6.sin6_addr : (void *)&to4.sin_addr) != 1 ||
	    connect(sock, is6 ? (struct sockaddr *)&to6 : (struct sockaddr *)&to4, is6 ? sizeof(to6) : sizeof(to4))) {
		perror(address);
		exit(2);
	}
}

/* Gives -1 when nothing came in time, or an error did. */
static ssize_t receive(int milliseconds)
{
	struct pollfd in = { .fd = sock, .events = POLLIN };

	errno = 0;
	return poll(&in, 1, milliseconds) == 1 ? recv(sock, got, sizeof(got), 0) : -1;
}

static void check(int length)
{
	for (int i = 0; i < length; i++)
		sent[i] = (unsigned char)(i * 7 + (i >> 8) + length);
	if (send(sock, sent, length, 0) != length || receive(5000) != length || memcmp(sent, got, length))
		return;
	printf("%d ", length);
}

static void rate(double seconds, int length, int window)
{
	double start = now(), end = start + seconds;
	long back = 0, lost = 0;
	int under_way = 0;

	while (now() < end) {
		for (; under_way < window && send(sock, sent, length, 0) == length; under_way++)
			;
		if (receive(200) < 0) {
			lost += under_way;
			under_way = 0;
			continue;
		}
		back++;
		under_way -= under_way > 0;
	}
	printf("%.1f %ld\n", back / (now() - start), lost);
}

static void refused(void)
{
	send(sock, "anybody?", 8, 0);
	receive(5000);
	printf("%s\n", errno ? strerror(errno) : "nothing");
}

static int echo(int port)
{
	struct sockaddr_in6 at = { .sin6_family = AF_INET6, .sin6_port = htons(port) }, from;

	sock = socket(AF_INET6, SOCK_DGRAM, 0);
	if (bind(sock, (struct sockaddr *)&at, sizeof(at))) {
		perror("bind");
		return 1;
	}
	for (;;) {
		socklen_t size = sizeof(from);
		ssize_t n = recvfrom(sock, got, sizeof(got), 0, (struct sockaddr *)&from, &size);

		if (n >= 0)
			sendto(sock, got, n, 0, (struct sockaddr *)&from, size);
	}
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[3], "echo"))
		return echo(atoi(argv[2]));
	if (argc < 4)
		return 2;
	call(argv[1], atoi(argv[2]));
	if (!strcmp(argv[3], "check")) {
		for (int i = 4; i < argc; i++)
			check(atoi(argv[i]) & 65535);
		printf("\n");
	} else if (argc == 7 && !strcmp(argv[3], "rate") && atoi(argv[5]) >= 0 && atoi(argv[5]) < (int)sizeof(sent)) {
		rate(atof(argv[4]), atoi(argv[5]), atoi(argv[6]));
	} else if (!strcmp(argv[3], "refused")) {
		refused();
	} else {
		return 2;
	}
	return 0;
}
