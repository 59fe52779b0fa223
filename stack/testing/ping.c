// SPDX-License-Identifier: MIT
/*
 * Sends one echo request of so many bytes and checks that all of them come back, for the interoperability test: not every machine has a ping.
 * The kernel fragments what is larger than the MTU, and puts the answer together.
 */
#include <arpa/inet.h>
#include <netinet/ip_icmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

static unsigned short checksum(const unsigned char *bytes, size_t length)
{
	unsigned long sum = 0;

	for (size_t i = 0; i < length; i++)
		sum += i % 2 ? bytes[i] : bytes[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum & 0xffff);
}

int main(int argc, char **argv)
{
	static unsigned char request[65536], answer[65536];
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct icmphdr *header = (struct icmphdr *)request;
	struct timeval patience = { .tv_sec = 5 };
	size_t length = argc == 3 ? sizeof *header + strtoul(argv[2], NULL, 10) : 0;
	int s = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), large = 1 << 20;

	if (length == 0 || length > 65515 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1) {
		fprintf(stderr, "usage: ping ADDRESS BYTES\n");
		return 2;
	}
	setsockopt(s, SOL_SOCKET, SO_SNDBUF, &large, sizeof large);
	setsockopt(s, SOL_SOCKET, SO_RCVBUF, &large, sizeof large);
	setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	for (size_t i = sizeof *header; i < length; i++)
		request[i] = i * 31 + i / 256;
	header->type = ICMP_ECHO;
	header->un.echo.id = htons(0x7834);
	header->checksum = checksum(request, length);
	if (sendto(s, request, length, 0, (struct sockaddr *)&to, sizeof to) != (ssize_t)length) {
		perror("sendto");
		return 1;
	}
	for (;;) {
		ssize_t got = recv(s, answer, sizeof answer, 0);
		size_t ip = (answer[0] & 15) * 4;
		struct icmphdr *reply = (struct icmphdr *)(answer + ip);

		if (got < 0) {
			perror("no answer");
			return 1;
		}
		if (reply->type != ICMP_ECHOREPLY || reply->un.echo.id != header->un.echo.id)
			continue; /* a raw socket sees all ICMP */
		if (got - ip != length || memcmp(reply + 1, header + 1, length - sizeof *header) != 0) {
			fprintf(stderr, "the answer has %zd bytes, or others\n", got - (ssize_t)ip);
			return 1;
		}
		return 0;
	}
}
