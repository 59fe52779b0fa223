/*
 * frames INTERFACE MAC check MIN MAX | frames INTERFACE MAC rate SECONDS LENGTH WINDOW | frames INTERFACE - echo
 *
 * Ethernet frames of the experimental type 88-b5 to a peer that sends them back with source and destination swapped.
 *   check  one frame of each length from MIN to MAX, with other content each; prints how many came back unchanged, then the
 *          lengths of those that did not
 *   rate   keeps WINDOW frames under way; prints frames that came back in a second, and frames that were lost
 *   echo   is such a peer
 */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TYPE 0x88b5

static unsigned char sent[2048], got[2048], own[6], peer[6];
static int sock;

static _Noreturn void fail(const char *what)
{
	perror(what);
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void open_interface(const char *name)
{
	struct ifreq request = { 0 };
	struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_protocol = htons(TYPE) };

	sock = socket(AF_PACKET, SOCK_RAW, htons(TYPE));
	strncpy(request.ifr_name, name, IFNAMSIZ - 1);
	if (sock < 0 || ioctl(sock, SIOCGIFHWADDR, &request))
		fail(name);
	memcpy(own, request.ifr_hwaddr.sa_data, 6);
	address.sll_ifindex = (int)if_nametoindex(name);
	if (bind(sock, (struct sockaddr *)&address, sizeof(address)))
		fail(name);
}

/* Frames of ours that we see on their way out are not answers. */
static ssize_t receive(int milliseconds)
{
	struct sockaddr_ll from;
	double until = now() + milliseconds / 1e3;

	for (;;) {
		struct pollfd in = { .fd = sock, .events = POLLIN };
		socklen_t size = sizeof(from);
		double left = (until - now()) * 1e3;
		ssize_t n;

		if (poll(&in, 1, left > 0 ? (int)left + 1 : 0) != 1)
			return -1;
		n = recvfrom(sock, got, sizeof(got), 0, (struct sockaddr *)&from, &size);
		if (n >= 14 && from.sll_pkttype != PACKET_OUTGOING)
			return n;
	}
}

static int send_frame(int length, unsigned int seed)
{
	memcpy(sent, peer, 6);
	memcpy(sent + 6, own, 6);
	sent[12] = TYPE >> 8;
	sent[13] = TYPE & 255;
	for (int i = 14; i < length; i++)
		sent[i] = (unsigned char)(seed = seed * 1103515245 + 12345, seed >> 16);
	return send(sock, sent, length, 0) == length;
}

static void check(int min, int max)
{
	static char wrong[65536];
	int unchanged = 0;
	size_t end = 0;

	for (int length = min; length <= max; length++) {
		ssize_t n = -1;

		if (send_frame(length, length))
			n = receive(2000);
		if (n == length && !memcmp(got, own, 6) && !memcmp(got + 6, peer, 6) && !memcmp(got + 12, sent + 12, length - 12))
			unchanged++;
		else if (end < sizeof(wrong) - 8)
			end += sprintf(wrong + end, " %d", length);
	}
	printf("%d%s\n", unchanged, wrong);
}

static void rate(double seconds, int length, int window)
{
	double start = now(), end = start + seconds;
	long back = 0, lost = 0;
	int under_way = 0;

	while (now() < end) {
		for (; under_way < window && send_frame(length, 1); under_way++)
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

static void echo(void)
{
	for (;;) {
		struct sockaddr_ll from;
		socklen_t size = sizeof(from);
		ssize_t n = recvfrom(sock, got, sizeof(got), 0, (struct sockaddr *)&from, &size);

		if (n < 14 || from.sll_pkttype == PACKET_OUTGOING)
			continue;
		memcpy(got, got + 6, 6);
		memcpy(got + 6, own, 6);
		send(sock, got, n, 0);
	}
}

int main(int argc, char **argv)
{
	if (argc < 4)
		return 2;
	open_interface(argv[1]);
	sscanf(argv[2], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", peer, peer + 1, peer + 2, peer + 3, peer + 4, peer + 5);
	if (argc == 6 && !strcmp(argv[3], "check") && atoi(argv[4]) >= 14 && atoi(argv[5]) <= 1514)
		check(atoi(argv[4]), atoi(argv[5]));
	else if (argc == 7 && !strcmp(argv[3], "rate") && atoi(argv[5]) >= 14 && atoi(argv[5]) <= 1514)
		rate(atof(argv[4]), atoi(argv[5]), atoi(argv[6]));
	else if (!strcmp(argv[3], "echo"))
		echo();
	else
		return 2;
	return 0;
}
