/*
 * crowd ADDRESS PORT COUNT HOW [SECONDS]: COUNT connections to a server of HTTP.
 *   at-once  opens all of them, then asks on each, then takes the answers: prints how many were open, and how many answers were whole
 *   storm    opens and closes COUNT connections, at most 64 at a time, every third one by a reset, and asks on none: prints how many were open
 *   idle     opens all of them, prints how many were open, and asks nothing for SECONDS
 *   slow     opens all of them, and sends on each the head of a request byte by byte, one a second, for SECONDS: prints how many were
 *            open, and how many the server has ended by then
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MOST 4096
#define AT_A_TIME 64
#define GIVE_UP_S 120

static struct sockaddr_in server = { .sin_family = AF_INET };
static struct pollfd fds[MOST];
static char answers[MOST][160];
static int lengths[MOST];
static const char request[] = "GET /bytes/1 HTTP/1.1\r\nHost: guest\r\nConnection: close\r\nX-Filler: ................................................\r\n\r\n";

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static int call(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (fd < 0 || (connect(fd, (struct sockaddr *)&server, sizeof(server)) < 0 && errno != EINPROGRESS)) {
		perror("crowd");
		exit(1);
	}
	return fd;
}

/* Waits until `count` calls from `first` on are answered, or the time is over. Gives how many were taken. */
static int wait_open(int first, int count, double until)
{
	int open = 0, waiting = count;

	for (int i = first; i < first + count; i++)
		fds[i] = (struct pollfd){ .fd = call(), .events = POLLOUT };
	while (waiting > 0 && now() < until) {
		poll(fds + first, count, 1000);
		for (int i = first; i < first + count; i++) {
			int error = 0;
			socklen_t size = sizeof(error);

			if (!fds[i].revents || !fds[i].events)
				continue;
			getsockopt(fds[i].fd, SOL_SOCKET, SO_ERROR, &error, &size);
			open += error == 0;
			fds[i].events = 0;
			waiting--;
		}
	}
	return open;
}

static void at_once(int count)
{
	double begun = now(), until = begun + GIVE_UP_S, opened;
	int open = wait_open(0, count, until), waiting = count, whole = 0;

	opened = now();
	for (int i = 0; i < count; i++) {
		waiting -= write(fds[i].fd, request, sizeof(request) - 1) != sizeof(request) - 1;
		fds[i].events = POLLIN;
	}
	while (waiting > 0 && now() < until) {
		poll(fds, count, 1000);
		for (int i = 0; i < count; i++) {
			int n;

			if (fds[i].fd < 0 || !fds[i].revents)
				continue;
			n = read(fds[i].fd, answers[i] + lengths[i], sizeof(answers[i]) - 1 - lengths[i]);
			if (n > 0) {
				lengths[i] += n;
				continue;
			}
			whole += n == 0 && !strncmp(answers[i], "HTTP/1.1 200 ", 13) && strstr(answers[i], "\r\n\r\n");
			waiting--;
			close(fds[i].fd);
			fds[i].fd = -1;
		}
	}
	printf("%d %d\n", open, whole);
	fprintf(stderr, "open after %.1f s, over after %.1f s\n", opened - begun, now() - begun);
}

static void storm(int count)
{
	int open = 0;

	for (int done = 0; done < count; done += AT_A_TIME) {
		int some = count - done < AT_A_TIME ? count - done : AT_A_TIME;

		open += wait_open(0, some, now() + GIVE_UP_S);
		for (int i = 0; i < some; i++) {
			struct linger at_once = { 1, 0 };

			if (i % 3 == 0)
				setsockopt(fds[i].fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
			close(fds[i].fd);
		}
	}
	printf("%d\n", open);
}

static void slow(int count, int seconds)
{
	int open = wait_open(0, count, now() + GIVE_UP_S), ended = 0;

	for (int second = 0; second < seconds; second++) {
		for (int i = 0; i < count; i++)
			if (fds[i].fd >= 0)
				send(fds[i].fd, request + second, 1, MSG_NOSIGNAL);
		sleep(1);
		for (int i = 0; i < count; i++) {
			char bytes[256];
			int n = fds[i].fd < 0 ? 1 : read(fds[i].fd, bytes, sizeof(bytes));

			while (n > 0 && fds[i].fd >= 0)
				n = read(fds[i].fd, bytes, sizeof(bytes));
			if (fds[i].fd >= 0 && (n == 0 || errno != EAGAIN)) {
				close(fds[i].fd);
				fds[i].fd = -1;
				ended++;
			}
		}
	}
	printf("%d %d\n", open, ended);
}

static void idle(int count, int seconds)
{
	printf("%d\n", wait_open(0, count, now() + GIVE_UP_S));
	fflush(stdout);
	sleep(seconds);
}

int main(int argc, char **argv)
{
	struct rlimit files = { MOST + 64, MOST + 64 };
	int count = argc >= 5 ? atoi(argv[3]) : 0;

	if (count < 1 || count > MOST || inet_pton(AF_INET, argv[1], &server.sin_addr) != 1) {
		fprintf(stderr, "usage: crowd ADDRESS PORT COUNT at-once|storm|idle|slow [SECONDS]\n");
		return 2;
	}
	server.sin_port = htons(atoi(argv[2]));
	signal(SIGPIPE, SIG_IGN);
	setrlimit(RLIMIT_NOFILE, &files);
	if (!strcmp(argv[4], "at-once"))
		at_once(count);
	else if (!strcmp(argv[4], "storm"))
		storm(count);
	else if (!strcmp(argv[4], "idle"))
		idle(count, argc > 5 ? atoi(argv[5]) : 1);
	else
		slow(count, argc > 5 ? atoi(argv[5]) : 1);
	return 0;
}
