/*
 * fuzz-frames INTERFACE MAC ADDRESS OWN ADDRESS6 OWN6 SECONDS SEED
 *
 * Frames that no host should send, to the guest with MAC and the two addresses behind INTERFACE, as if from the hosts OWN and OWN6: proper packets
 * of each kind that a stack reads, of which a few bytes were changed, and which were cut or made longer. Of half of them the sums are put right
 * afterwards, so that they get past the first look. The same seed makes the same frames. Prints how many were sent.
 */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

enum { ARP, ICMP, UDP, TCP, FRAGMENT, IGMP, ICMP6, NDP, ROUTER, UDP6, TCP6, EXTENSIONS, FRAGMENT6, RAW, KINDS };

static unsigned char frame[1600], guest[6], own[6], address[4], own4[4], address6[16], own6[16];
static uint32_t state;

static int any(int below)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return (int)(state % (uint32_t)below);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void put16(unsigned char *at, unsigned int value)
{
	at[0] = value >> 8;
	at[1] = value;
}

static unsigned int sum(const unsigned char *at, int length, unsigned int start)
{
	for (int i = 0; i < length; i++)
		start += i & 1 ? at[i] : at[i] << 8;
	while (start >> 16)
		start = (start & 65535) + (start >> 16);
	return start;
}

/* Where the sum of a protocol's header is; -1: it has none. */
static int sum_at(int protocol)
{
	return protocol == 6 ? 16 : protocol == 17 ? 6 : protocol == 1 || protocol == 2 || protocol == 58 ? 2 : -1;
}

/* Writes the sums that belong to what the headers say now, as far as they lie in the frame. */
static void put_sums_right(int length)
{
	unsigned char *ip = frame + 14;
	int is6 = frame[12] == 0x86 && frame[13] == 0xdd, header = is6 ? 40 : (ip[0] & 15) * 4, size, protocol = is6 ? ip[6] : ip[9], at = sum_at(protocol);
	unsigned int start;

	if (!is6 && (frame[12] != 8 || frame[13] != 0 || header < 20))
		return;
	if (14 + header > length)
		return;
	if (!is6) {
		put16(ip + 10, 0);
		put16(ip + 10, ~sum(ip, header, 0));
	}
	size = (ip[is6 ? 4 : 2] << 8 | ip[is6 ? 5 : 3]) - (is6 ? 0 : header);
	if (at < 0 || size < at + 2 || 14 + header + size > length)
		return;
	start = protocol == 1 || protocol == 2 ? 0 : sum(ip + (is6 ? 8 : 12), is6 ? 32 : 8, protocol + size);
	put16(ip + header + at, 0);
	put16(ip + header + at, ~sum(ip + header, size, start));
}

static int ipv4(int protocol, int size)
{
	unsigned char *ip = frame + 14;

	put16(frame + 12, 0x0800);
	ip[0] = 0x45;
	put16(ip + 2, 20 + size);
	put16(ip + 4, any(65536));
	ip[8] = 64;
	ip[9] = protocol;
	memcpy(ip + 12, own4, 4);
	memcpy(ip + 16, address, 4);
	return 34 + size;
}

static int ipv6(int next, int size, int hops)
{
	unsigned char *ip = frame + 14;

	put16(frame + 12, 0x86dd);
	ip[0] = 0x60;
	put16(ip + 4, size);
	ip[6] = next;
	ip[7] = hops;
	memcpy(ip + 8, own6, 16);
	memcpy(ip + 24, address6, 16);
	return 54 + size;
}

static int tcp(unsigned char *at)
{
	static const unsigned char options[] = { 2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7 };
	static const unsigned char flags[] = { 2, 2, 2, 16, 17, 4, 20, 18, 0, 63 };
	int more = any(2) ? any(200) : 0;

	put16(at, 1024 + any(64));
	put16(at + 2, any(4) ? (any(2) ? 80 : 7) : any(65536));
	put16(at + 4, any(65536));
	at[12] = 10 << 4;
	at[13] = flags[any(sizeof(flags))];
	put16(at + 14, 65535);
	memcpy(at + 20, options, sizeof(options));
	return 40 + more;
}

static int udp(unsigned char *at)
{
	static const int ports[] = { 7, 53, 67, 68, 546, 5353, 9 };
	int size = 8 + any(300);

	put16(at, any(2) ? ports[any(7)] : any(65536));
	put16(at + 2, any(4) ? ports[any(7)] : any(65536));
	put16(at + 4, size);
	return size;
}

/* Gives the frame's length. */
static int build(int kind)
{
	unsigned char *at = frame + 14, *over4 = frame + 34, *over6 = frame + 54;
	int size;

	memset(frame, 0, sizeof(frame));
	for (int i = 200; i < 700; i++)
		frame[i] = any(256);
	memcpy(frame, guest, 6);
	memcpy(frame + 6, own, 6);
	switch (kind) {
	case ARP:
		put16(frame + 12, 0x0806);
		memcpy(at, "\0\1\10\0\6\4\0", 7);
		at[7] = 1 + any(2);
		memcpy(at + 8, own, 6);
		memcpy(at + 14, own4, 4);
		memcpy(at + 24, address, 4);
		return 42;
	case ICMP:
		size = 8 + any(600);
		over4[0] = any(3) ? 8 : any(20);
		over4[1] = any(3) ? 0 : any(20);
		/* What an error is about: a packet of the guest's, perhaps. */
		memcpy(over4 + 8, "\x45\0\0\50\0\0\100\0\100\6\0\0", 12);
		memcpy(over4 + 20, address, 4);
		memcpy(over4 + 24, own4, 4);
		return ipv4(1, size);
	case UDP:
		return ipv4(17, udp(over4));
	case TCP:
		return ipv4(6, tcp(over4));
	case FRAGMENT:
		size = ipv4(any(2) ? 17 : 1, 8 * (1 + any(80)));
		put16(at + 4, any(16));
		put16(at + 6, any(8192) | (any(2) ? 0x2000 : 0));
		return size;
	case IGMP:
		over4[0] = 0x11;
		return ipv4(2, 8);
	case ICMP6:
		size = 8 + any(600);
		over6[0] = any(3) ? 128 : any(160);
		over6[1] = any(3) ? 0 : any(8);
		over6[8] = 0x60;
		over6[14] = 6;
		memcpy(over6 + 16, address6, 16);
		memcpy(over6 + 32, own6, 16);
		return ipv6(58, size, 64);
	case NDP:
		over6[0] = 135 + any(2);
		over6[4] = any(256);
		memcpy(over6 + 8, over6[0] == 135 ? address6 : own6, 16);
		over6[24] = over6[0] == 135 ? 1 : 2;
		over6[25] = 1;
		memcpy(over6 + 26, own, 6);
		return ipv6(58, 32, 255);
	case ROUTER:
		over6[0] = any(2) ? 134 : 137;
		over6[4] = 64;
		put16(over6 + 6, any(1800));
		memcpy(over6 + 16, "\3\4\100\300\0\0\7\10\0\0\3\204\0\0\0\0\xfd\0\0\7", 20);
		memcpy(over6 + 48, "\5\1\0\0\0\0\5\xdc", 8);
		memcpy(over6 + 56, "\31\3\0\0\0\0\3\204\xfd\0\0\7", 12);
		size = ipv6(58, 80, 255);
		at[8] = 0xfe;
		at[9] = 0x80;
		return size;
	case UDP6:
		return ipv6(17, udp(over6), 64);
	case TCP6:
		return ipv6(6, tcp(over6), 64);
	case EXTENSIONS:
		size = 0;
		for (int i = any(6); i >= 0; i--, size += 8) {
			static const int next[] = { 0, 43, 60, 135, 51, 59, 58, 17 };

			over6[size] = next[any(8)];
			over6[size + 1] = any(4) ? 0 : any(256);
			over6[size + 2] = any(2) ? 1 : any(256);
			over6[size + 3] = 4;
		}
		over6[size] = 128;
		return ipv6(any(2) ? 0 : 60, size + 64, 64);
	case FRAGMENT6:
		over6[0] = any(2) ? 58 : 17;
		put16(over6 + 2, any(8192) << 3 | any(2));
		over6[7] = any(16);
		return ipv6(44, 8 + 8 * (1 + any(80)), 64);
	default:
		put16(frame + 12, any(65536));
		return 14 + any(1500);
	}
}

static int mutate(int length)
{
	static const unsigned char edges[] = { 0, 1, 4, 5, 127, 128, 254, 255 };
	int headers = length < 110 ? length : 110;

	for (int i = any(5); i > 0; i--) {
		/* The frame is the guest's in all but few, or the device would drop it. */
		int at = any(50) ? 12 + any(headers - 12) : any(length);

		frame[at] = any(3) ? edges[any(8)] : any(2) ? any(256) : frame[at] ^ 1 << any(8);
	}
	if (any(8) == 0)
		return 14 + any(length - 13);
	if (any(8) == 0)
		return length + any(1515 - length);
	return length;
}

int main(int argc, char **argv)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	struct ifreq request = { 0 };
	int sock = socket(AF_PACKET, SOCK_RAW, 0);
	long count = 0;
	double end;

	if (argc != 9 || sock < 0 || inet_pton(AF_INET, argv[3], address) != 1 || inet_pton(AF_INET, argv[4], own4) != 1 ||
	    inet_pton(AF_INET6, argv[5], address6) != 1 || inet_pton(AF_INET6, argv[6], own6) != 1) {
		fprintf(stderr, "usage: fuzz-frames INTERFACE MAC ADDRESS OWN ADDRESS6 OWN6 SECONDS SEED (as root)\n");
		return 2;
	}
	strncpy(request.ifr_name, argv[1], IFNAMSIZ - 1);
	if (ioctl(sock, SIOCGIFHWADDR, &request)) {
		perror(argv[1]);
		return 1;
	}
	memcpy(own, request.ifr_hwaddr.sa_data, 6);
	sscanf(argv[2], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", guest, guest + 1, guest + 2, guest + 3, guest + 4, guest + 5);
	to.sll_ifindex = (int)if_nametoindex(argv[1]);
	state = strtoul(argv[8], NULL, 10) * 2654435761u | 1;
	end = now() + atof(argv[7]);
	while (now() < end) {
		int length = mutate(build(any(KINDS)));

		if (any(2))
			put_sums_right(length);
		count += sendto(sock, frame, length, 0, (struct sockaddr *)&to, sizeof(to)) == length;
	}
	printf("%ld\n", count);
	return 0;
}
