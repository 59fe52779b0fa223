/*
 * The other end of bulk.ts, in dom0: bulk-client ADDRESS PORT [BYTES]
 * With BYTES it sends so many and waits for the answer to the end of them, else it receives until the end.
 * Prints how many bytes went and how many seconds that took. The programs of busybox move a kilobyte at a time and would measure themselves.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
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

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	long left = argc > 3 ? atol(argv[3]) : 0, moved = 0, n;
	int s = socket(AF_INET, SOCK_STREAM, 0);
	double begin;

	if (argc < 3 || !inet_aton(argv[1], &to.sin_addr))
		return 2;
	to.sin_port = htons(atoi(argv[2]));
	if (connect(s, (struct sockaddr *)&to, sizeof(to)) < 0) {
		perror("connect");
		return 1;
	}
	begin = seconds();
	for (; left > 0; left -= n, moved += n) {
		n = write(s, buffer, left < (long)sizeof(buffer) ? left : (long)sizeof(buffer));
		if (n <= 0) {
			perror("write");
			return 1;
		}
	}
	if (argc > 3) {
		shutdown(s, SHUT_WR);
		n = read(s, buffer, sizeof(buffer) - 1);
		buffer[n > 0 ? n : 0] = 0;
		moved = atol(buffer);
	} else {
		while ((n = read(s, buffer, sizeof(buffer))) > 0)
			moved += n;
	}
	printf("%ld %.6f\n", moved, seconds() - begin);
	return n < 0;
}
