// SPDX-License-Identifier: MIT
/*
 * Connects a TAP device to stdin and stdout: frames with a length of two bytes, little-endian, before each. Node has no ioctl; this
 * is all of C that the interoperability test needs. It runs in a network namespace of its own (unshare -n), which dies with it.
 */
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int read_all(void *into, size_t length)
{
	char *at = into;

	while (length > 0) {
		ssize_t n = read(0, at, length);

		if (n <= 0)
			return 0;
		at += n;
		length -= n;
	}
	return 1;
}

static void write_all(const void *from, size_t length)
{
	const char *at = from;

	while (length > 0) {
		ssize_t n = write(1, at, length);

		if (n < 0)
			die("stdout");
		at += n;
		length -= n;
	}
}

int main(int argc, char **argv)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	unsigned char frame[2 + 65536];
	char command[256];
	int tap = open("/dev/net/tun", O_RDWR);

	if (argc != 2) {
		fprintf(stderr, "usage: tap-bridge ADDRESS/PREFIX\n");
		return 2;
	}
	if (tap < 0)
		die("/dev/net/tun");
	strcpy(request.ifr_name, "tap0");
	if (ioctl(tap, TUNSETIFF, &request) < 0)
		die("TUNSETIFF");
	snprintf(command, sizeof(command), "ip link set lo up && ip addr add %s dev tap0 && ip link set tap0 up", argv[1]);
	if (system(command) != 0)
		return 1;
	write_all("\0\0", 2); /* ready */
	for (;;) {
		struct pollfd fds[2] = { { .fd = 0, .events = POLLIN }, { .fd = tap, .events = POLLIN } };

		if (poll(fds, 2, -1) < 0)
			die("poll");
		if (fds[1].revents) {
			ssize_t n = read(tap, frame + 2, 65536);

			if (n < 0)
				die("tap");
			frame[0] = n;
			frame[1] = n >> 8;
			write_all(frame, n + 2);
		}
		if (fds[0].revents) {
			if (!read_all(frame, 2) || !read_all(frame + 2, frame[0] | frame[1] << 8))
				return 0;
			if (write(tap, frame + 2, frame[0] | frame[1] << 8) < 0)
				die("tap");
		}
	}
}
