/*
 * capture INTERFACE: writes what goes through a network interface to standard output, until standard input ends or the interface is
 * gone. First the line "capturing"; then records, numbers being little-endian: u64 nanoseconds since 1970, u32 flags, u32 bytes kept, u32
 * bytes on the wire, then the bytes. Flags: 1 the packet came out of the interface, which is what the guest behind a vif sent; 2 its
 * checksum is left to the device; 4 is no packet: so many bytes "on the wire" are packets that were lost before this one, for nobody read
 * fast enough.
 */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define FROM_GUEST 1u
#define BLANK_CHECKSUM 2u
#define LOST 4u
/* Waits for a slow reader: on the emulated machine dom0 has one CPU for all of it. */
#define BUFFER (32 << 20)

struct record {
	uint64_t time;
	uint32_t flags, kept, length;
} __attribute__((packed));

static unsigned char out[sizeof(struct record) + 65536 + 64];

static int write_all(const unsigned char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t n = write(1, bytes, length);

		if (n <= 0)
			return 0;
		bytes += n;
		length -= n;
	}
	return 1;
}

static int open_interface(const char *name)
{
	struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	int sock = socket(AF_PACKET, SOCK_RAW, 0), size = BUFFER, on = 1;

	address.sll_ifindex = (int)if_nametoindex(name);
	setsockopt(sock, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(sock, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
	setsockopt(sock, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on));
	/* Bound with its protocol only now: nothing of other interfaces was queued. */
	if (sock < 0 || bind(sock, (struct sockaddr *)&address, sizeof(address)))
		return -1;
	return sock;
}

/* Gives 0 when nothing more is to be expected. */
static int take(int sock, const char *name)
{
	struct sockaddr_ll from;
	struct iovec vector = { out + sizeof(struct record), sizeof(out) - sizeof(struct record) };
	char control[256];
	struct msghdr message = { .msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &vector, .msg_iovlen = 1,
				  .msg_control = control, .msg_controllen = sizeof(control) };
	struct record *record = (struct record *)out;
	ssize_t n = recvmsg(sock, &message, MSG_TRUNC);

	/* An interface that is set down says so once; one that is gone does not come back under its number. */
	if (n < 0)
		return if_nametoindex(name) != 0;
	record->length = n;
	record->kept = n < (ssize_t)vector.iov_len ? n : (ssize_t)vector.iov_len;
	record->flags = from.sll_pkttype == PACKET_OUTGOING ? 0 : FROM_GUEST;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
			struct timespec t;

			memcpy(&t, CMSG_DATA(c), sizeof(t));
			record->time = t.tv_sec * 1000000000ull + t.tv_nsec;
		} else if (c->cmsg_level == SOL_PACKET && c->cmsg_type == PACKET_AUXDATA) {
			struct tpacket_auxdata aux;

			memcpy(&aux, CMSG_DATA(c), sizeof(aux));
			if (aux.tp_status & TP_STATUS_CSUMNOTREADY)
				record->flags |= BLANK_CHECKSUM;
		}
	}
	return write_all(out, sizeof(*record) + record->kept);
}

static int tell_lost(int sock)
{
	struct tpacket_stats stats = { 0 };
	socklen_t size = sizeof(stats);
	struct record record = { .flags = LOST };

	/* Reading the numbers begins them anew. */
	if (getsockopt(sock, SOL_PACKET, PACKET_STATISTICS, &stats, &size) || stats.tp_drops == 0)
		return 1;
	record.length = stats.tp_drops;
	return write_all((unsigned char *)&record, sizeof(record));
}

int main(int argc, char **argv)
{
	int sock = argc == 2 ? open_interface(argv[1]) : -1;

	if (sock < 0) {
		fprintf(stderr, argc == 2 ? "capture: no such interface\n" : "usage: capture INTERFACE\n");
		return 2;
	}
	if (!write_all((const unsigned char *)"capturing\n", 10))
		return 1;
	for (;;) {
		struct pollfd fds[2] = { { .fd = sock, .events = POLLIN }, { .fd = 0, .events = POLLIN } };
		int ended;

		poll(fds, 2, -1);
		ended = fds[1].revents != 0;
		/* What came before the end is still told. */
		while (poll(fds, 1, 0) == 1)
			if (!take(sock, argv[1]))
				return 0;
		if (!tell_lost(sock) || ended)
			return 0;
	}
}
