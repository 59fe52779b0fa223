/*
 * frames INTERFACE MAC check MIN MAX | frames INTERFACE MAC rate SECONDS LENGTH WINDOW | frames INTERFACE - echo |
 * frames INTERFACE MAC uncut VERSION LENGTH SEGMENT COUNT
 *
 * Ethernet frames of the experimental type 88-b5 to a peer that sends them back with source and destination swapped.
 *   check  one frame of each length from MIN to MAX, with other content each; prints how many came back unchanged, then the
 *          lengths of those that did not
 *   rate   keeps WINDOW frames under way; prints frames that came back in a second, and frames that were lost
 *   echo   is such a peer
 *   uncut  TCP packets over IPv4 or IPv6 of LENGTH bytes with blank checksums that are to be cut into segments of SEGMENT bytes: prints how
 *          many of COUNT came back as they were, uncut
 */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
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

static unsigned char sent[65536], got[65536], own[6], peer[6];
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

static void open_interface(const char *name, int protocol)
{
	struct ifreq request = { 0 };
	struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_protocol = htons(protocol) };

	sock = socket(AF_PACKET, SOCK_RAW, htons(protocol));
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

static void put16(unsigned char *at, unsigned int value)
{
	at[0] = value >> 8;
	at[1] = value;
}

static unsigned int sum(const unsigned char *at, int length)
{
	unsigned int sum = 0;

	for (int i = 0; i < length; i += 2)
		sum += at[i] << 8 | at[i + 1];
	while (sum >> 16)
		sum = (sum & 65535) + (sum >> 16);
	return sum;
}

/* Packets are told apart by the number in the TCP header. Returns where the TCP header is. */
static int build_tcp(int version, int length, int number)
{
	int tcp = version == 6 ? 54 : 34;
	unsigned char *ip = sent + 14, pseudo[4] = { 0, 6, (length - tcp) >> 8, length - tcp };

	memcpy(sent, peer, 6);
	memcpy(sent + 6, own, 6);
	for (int i = 12; i < length; i++)
		sent[i] = i < tcp + 20 ? 0 : i * 7 + number;
	put16(sent + 12, version == 6 ? 0x86dd : 0x0800);
	if (version == 6) {
		ip[0] = 0x60;
		put16(ip + 4, length - tcp);
		ip[6] = 6;
		ip[7] = 64;
		memset(ip + 8, 0xfd, 32);
	} else {
		ip[0] = 0x45;
		put16(ip + 2, length - 14);
		ip[6] = 0x40;
		ip[8] = 64;
		ip[9] = 6;
		memset(ip + 12, 10, 8);
		put16(ip + 10, ~sum(ip, 20));
	}
	put16(sent + tcp, 1000);
	put16(sent + tcp + 2, 2000);
	sent[tcp + 7] = number;
	sent[tcp + 12] = 0x50;
	sent[tcp + 13] = 0x10;
	/* The sum of the pseudo header only: what follows is for whoever cuts the packet. */
	put16(sent + tcp + 16, (sum(ip + (version == 6 ? 8 : 12), version == 6 ? 32 : 8) + sum(pseudo, 4)) % 65535);
	return tcp;
}

static void uncut(int version, int length, int segment, int count)
{
	struct virtio_net_hdr header = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .gso_type = version == 6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4, .gso_size = segment,
		.csum_offset = 16,
	};
	static unsigned char out[sizeof(header) + sizeof(sent)];
	int on = 1, unchanged = 0;

	if (setsockopt(sock, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)))
		fail("PACKET_VNET_HDR");
	for (int i = 0; i < count; i++) {
		const struct virtio_net_hdr *back = (struct virtio_net_hdr *)got;

		header.csum_start = build_tcp(version, length, i);
		header.hdr_len = header.csum_start + 20;
		memcpy(out, &header, sizeof(header));
		memcpy(out + sizeof(header), sent, length);
		if (send(sock, out, sizeof(header) + length, 0) != (ssize_t)sizeof(header) + length)
			fail("send");
		/* What else comes from the guest is not ours. */
		for (ssize_t n; (n = receive(2000)) > 0;) {
			const unsigned char *frame = got + sizeof(header);

			if (n < (ssize_t)sizeof(header) + header.hdr_len || memcmp(frame + 12, sent + 12, header.csum_start - 12))
				continue;
			if (n == (ssize_t)sizeof(header) + length && back->gso_type == header.gso_type && back->gso_size == segment &&
			    !memcmp(frame, own, 6) && !memcmp(frame + 6, peer, 6) && !memcmp(frame + 12, sent + 12, length - 12))
				unchanged++;
			break;
		}
	}
	printf("%d\n", unchanged);
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
	open_interface(argv[1], !strcmp(argv[3], "uncut") ? ETH_P_ALL : TYPE);
	sscanf(argv[2], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", peer, peer + 1, peer + 2, peer + 3, peer + 4, peer + 5);
	if (argc == 6 && !strcmp(argv[3], "check") && atoi(argv[4]) >= 14 && atoi(argv[5]) <= 1514)
		check(atoi(argv[4]), atoi(argv[5]));
	else if (argc == 7 && !strcmp(argv[3], "rate") && atoi(argv[5]) >= 14 && atoi(argv[5]) <= 1514)
		rate(atof(argv[4]), atoi(argv[5]), atoi(argv[6]));
	else if (argc == 8 && !strcmp(argv[3], "uncut") && atoi(argv[5]) >= 100 && atoi(argv[5]) < (int)sizeof(sent) - 16)
		uncut(atoi(argv[4]), atoi(argv[5]), atoi(argv[6]), atoi(argv[7]));
	else if (!strcmp(argv[3], "echo"))
		echo();
	else
		return 2;
	return 0;
}
