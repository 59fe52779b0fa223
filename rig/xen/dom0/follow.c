/*
 * follow FILE: writes a growing file to standard output from its first byte, as it grows; waits for it to appear.
 * Ends when standard input ends, after writing what the file holds by then. busybox tail -f would look once a second only.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <unistd.h>

static int write_all(const char *bytes, ssize_t length)
{
	while (length > 0) {
		ssize_t n = write(1, bytes, length);

		if (n <= 0)
			return -1;
		bytes += n;
		length -= n;
	}
	return 0;
}

int main(int argc, char **argv)
{
	static char buffer[65536];
	int notify = inotify_init1(IN_NONBLOCK), file, ended = 0;

	if (argc != 2 || notify < 0) {
		fprintf(stderr, "usage: follow FILE\n");
		return 2;
	}
	while ((file = open(argv[1], O_RDONLY)) < 0) {
		struct pollfd in = { .fd = 0, .events = POLLIN };

		if (poll(&in, 1, 5))
			return 1;
	}
	inotify_add_watch(notify, argv[1], IN_MODIFY);
	for (;;) {
		struct pollfd fds[2] = { { .fd = notify, .events = POLLIN }, { .fd = 0, .events = POLLIN } };
		ssize_t n;

		/* The watch is emptied before the file is read: a change in between wakes the next poll. */
		while (read(notify, buffer, sizeof(buffer)) > 0)
			;
		while ((n = read(file, buffer, sizeof(buffer))) > 0)
			if (write_all(buffer, n))
				return 1;
		if (ended)
			return 0;
		poll(fds, 2, 5000);
		if (fds[1].revents)
			ended = 1;
	}
}
