/*
 * bulk ADDRESS PORT [BYTES]: the other end of bulk.ts, in dom0. With BYTES it sends so many and waits for the answer to the end of
 * them, else it receives until the end. Prints how many bytes went and how many seconds that took.
 * bulk: what bulk.ts does, for a Linux guest to compare with.
 * (The programs of busybox move a kilobyte at a time and would measure themselves.)
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static char buffer[256 * 1024];

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* Sends so many bytes; returns how many it could. */
static long send_all(int s, long bytes)
{
	long sent = 0, n = 1;

	for (; sent < bytes && n > 0; sent += n > 0 ? n : 0) {
		long left = bytes - sent;

		n = write(s, buffer, left < (long)sizeof(buffer) ? left : (long)sizeof(buffer));
	}
	return sent;
}

static long receive_all(int s)
{
	long received = 0, n;

	while ((n = read(s, buffer, sizeof(buffer))) > 0)
		received += n;
	return received;
}

static void serve(int port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };
	int on = 1, listener = socket(AF_INET, SOCK_STREAM, 0);

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(listener, 5) < 0) {
		perror("listen");
		exit(1);
	}
	for (;;) {
		int s = accept(listener, NULL, NULL);

		if (port == 9)
			dprintf(s, "%ld\n", receive_all(s));
		else
			send_all(s, 5000000);
		close(s);
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in to4 = { .sin_family = AF_INET };
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6 };
	int is6 = argc > 1 && strchr(argv[1], ':') != NULL, s = socket(is6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
	double begin;
	long moved;

	signal(SIGPIPE, SIG_IGN);
	if (argc == 1)
		serve(fork() ? 9 : 19);
	if (argc < 3 || inet_pton(is6 ? AF_INET6 : AF_INET, argv[1], is6 ? (void *)&to6.sin6_addr : (void *)&to4.sin_addr) != 1)
		return 2;
	to4.sin_port = to6.sin6_port = htons(atoi(argv[2]));
	if (connect(s, is6 ? (struct sockaddr *)&to6 : (struct sockaddr *)&to4, is6 ? sizeof(to6) : sizeof(to4)) < 0) {
		perror("connect");
		return 1;
	}
	begin = seconds();
	if (argc > 3) {
		char answer[32] = "";

		send_all(s, atol(argv[3]));
		shutdown(s, SHUT_WR);
		if (read(s, answer, sizeof(answer) - 1) <= 0)
			return 1;
		moved = atol(answer);
	} else {
		moved = receive_all(s);
	}
	printf("%ld %.6f\n", moved, seconds() - begin);
	return 0;
}
