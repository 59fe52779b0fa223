/*
 * Random bytes: a ChaCha20 generator (RFC 8439 §2.3) that replaces its key with every use, so that what was given out cannot be
 * computed from the state afterwards. Each use also mixes in the processor's RDSEED or RDRAND: two restores of one saved domain
 * part at once.
 */
#include "xen.h"

static u32 key[8];
static enum { NONE, RDRAND, RDSEED } source;

static u32 rotate(u32 x, u32 by) { return x << by | x >> (32 - by); }

static void quarter(u32 *s, u32 a, u32 b, u32 c, u32 d)
{
	s[a] += s[b], s[d] = rotate(s[d] ^ s[a], 16);
	s[c] += s[d], s[b] = rotate(s[b] ^ s[c], 12);
	s[a] += s[b], s[d] = rotate(s[d] ^ s[a], 8);
	s[c] += s[d], s[b] = rotate(s[b] ^ s[c], 7);
}

static void block(u32 out[16], u32 counter, u64 nonce)
{
	u32 in[16] = { 0x61707865, 0x3320646e, 0x79622d32, 0x6b206574 };	/* "expand 32-byte k" */
	memcpy(in + 4, key, sizeof key);
	in[12] = counter;
	in[13] = nonce;
	in[14] = nonce >> 32;
	memcpy(out, in, sizeof in);
	for (u32 i = 0; i < 10; i++) {
		for (u32 k = 0; k < 4; k++)
			quarter(out, k, k + 4, k + 8, k + 12);
		for (u32 k = 0; k < 4; k++)
			quarter(out, k, 4 + (k + 1) % 4, 8 + (k + 2) % 4, 12 + (k + 3) % 4);
	}
	for (u32 i = 0; i < 16; i++)
		out[i] += in[i];
}

/* The new key is the first half of block 0: one way. */
static void stir(u64 nonce)
{
	u32 out[16];
	block(out, 0, nonce);
	memcpy(key, out, sizeof key);
}

/* Both instructions may have nothing to give for a while; a processor with RDSEED has RDRAND too. 0 when all was in vain. */
static u64 from_processor(void)
{
	for (u32 tries = 0; source && tries < 64; tries++) {
		u64 value;
		u8 ok;
		if (source == RDSEED && tries < 32)
			__asm__ volatile("rdseed %0; setc %1" : "=r"(value), "=qm"(ok) :: "cc");
		else
			__asm__ volatile("rdrand %0; setc %1" : "=r"(value), "=qm"(ok) :: "cc");
		if (ok)
			return value;
		__asm__ volatile("pause");
	}
	return 0;
}

void random_resume(void)
{
	u64 seed[8 + 4] = { time_wall(), time_system(), entry_tsc, rdtsc() };
	for (u32 i = 4; i < 8 + 4; i++)
		seed[i] = from_processor();
	random_mix(seed, sizeof seed);
}

void random_init(void)
{
	if (cpuid(7, 0).ebx & 1u << 18)
		source = RDSEED;
	else if (cpuid(1, 0).ecx & 1u << 30)
		source = RDRAND;
	random_resume();
	if (!source) {	/* how long the same work takes, in TSC ticks: caches and the hypervisor decide; at most a bit or so each time */
		for (u32 i = 0; i < 2048; i++)
			stir(rdtsc());
		print("random: this processor has neither RDSEED nor RDRAND; seeded from the jitter of its clock, which is weak\n");
	}
}

void random_mix(const void *seed, u64 length)
{
	const u8 *from = seed;
	for (u64 i = 0; i < length; i++) {
		((u8 *)key)[i % 32] ^= from[i];
		if (i % 32 == 31 || i + 1 == length)
			stir(length);
	}
}

void random_bytes(void *to, u64 length)
{
	u8 *out = to;
	u32 bytes[16];
	stir(source ? from_processor() : rdtsc());
	for (u32 counter = 1; length; counter++) {
		u32 n = length < sizeof bytes ? length : sizeof bytes;
		block(bytes, counter, 0);
		memcpy(out, bytes, n);
		out += n;
		length -= n;
	}
	stir(0);
}
