/*
 * The five functions that gcc and the engine expect. Copying is what the engine and the drivers do most: 16 bytes at a time with
 * SSE, string instructions for long runs. The page fault handler must not come here (kernel.h: it runs without saving SSE).
 */
#include <emmintrin.h>
#include "kernel.h"

typedef u64 __attribute__((aligned(1), may_alias)) word64;
typedef u32 __attribute__((aligned(1), may_alias)) word32;
typedef u16 __attribute__((aligned(1), may_alias)) word16;

#define LOAD(p) _mm_loadu_si128((const __m128i *)(p))
#define STORE(p, v) _mm_storeu_si128((__m128i *)(p), v)
#define STRING_FROM 1024	/* bytes; below it the start-up of `rep movsq` costs more than it saves */

/* Both halves are loaded before either is stored, so these sizes may overlap in any way. */
static inline void move_small(u8 *to, const u8 *from, size_t n)
{
	if (n > 16) {
		__m128i head = LOAD(from), tail = LOAD(from + n - 16);
		STORE(to, head);
		STORE(to + n - 16, tail);
	} else if (n >= 8) {
		u64 head = *(const word64 *)from, tail = *(const word64 *)(from + n - 8);
		*(word64 *)to = head;
		*(word64 *)(to + n - 8) = tail;
	} else if (n >= 4) {
		u32 head = *(const word32 *)from, tail = *(const word32 *)(from + n - 4);
		*(word32 *)to = head;
		*(word32 *)(to + n - 4) = tail;
	} else if (n >= 2) {
		u16 head = *(const word16 *)from, tail = *(const word16 *)(from + n - 2);
		*(word16 *)to = head;
		*(word16 *)(to + n - 2) = tail;
	} else if (n) {
		*to = *from;
	}
}

void *memmove(void *to, const void *from, size_t n)
{
	u8 *d = to;
	const u8 *s = from;
	if (n <= 32) {
		move_small(d, s, n);
		return to;
	}
	if ((u64)d - (u64)s >= n) {	/* forwards is right unless `to` lies inside the source */
		__m128i tail = LOAD(s + n - 16);
		u8 *end = d + n - 16;
		if (n >= STRING_FROM) {
			u64 words = n >> 3;
			__asm__ volatile("rep movsq" : "+D"(d), "+S"(s), "+c"(words) :: "memory");
		} else {
			for (; d < end; d += 16, s += 16)
				STORE(d, LOAD(s));
		}
		STORE(end, tail);
	} else {
		__m128i head = LOAD(s);
		for (; n > 16; n -= 16)
			STORE(d + n - 16, LOAD(s + n - 16));
		STORE(d, head);
	}
	return to;
}

void *memcpy(void *to, const void *from, size_t n) __attribute__((alias("memmove")));

void *memset(void *to, int byte, size_t n)
{
	u8 *d = to;
	if (n < 16) {
		while (n--)
			*d++ = byte;
		return to;
	}
	__m128i v = _mm_set1_epi8(byte);
	u8 *end = d + n - 16;
	if (n >= STRING_FROM) {
		u64 words = n >> 3;
		__asm__ volatile("rep stosq" : "+D"(d), "+c"(words) : "a"(0x0101010101010101ul * (u8)byte) : "memory");
	} else {
		for (; d < end; d += 16)
			STORE(d, v);
	}
	STORE(end, v);
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *x = a, *y = b;
	for (; n >= 8 && *(const word64 *)x == *(const word64 *)y; n -= 8)
		x += 8, y += 8;
	for (; n && *x == *y; n--)
		x++, y++;
	return n ? *x - *y : 0;
}

size_t strlen(const char *s)
{
	size_t n = 0;
	while (s[n])
		n++;
	return n;
}
