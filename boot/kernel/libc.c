/*
 * The five functions that gcc and the engine expect. Copying is what the engine and the drivers do most: 16 bytes at a time with
 * SSE, string instructions for long runs. The page fault handler must not come here (kernel.h: it runs without saving SSE).
 */
#include "kernel.h"

typedef u16 word16 __attribute__((aligned(1), may_alias));
typedef u32 word32 __attribute__((aligned(1), may_alias));
typedef u64 word64 __attribute__((aligned(1), may_alias));
typedef u64 word128 __attribute__((vector_size(16), aligned(1), may_alias));

#define STRING_FROM 1024	/* bytes; below it the start-up of `rep movsq` costs more than it saves */

/* sizeof(type) to twice as many bytes, by their head and tail: both are loaded before either is stored, so they may overlap. */
#define MOVE_ENDS(type) do { \
	type head = *(const type *)s, tail = *(const type *)(s + n - sizeof(type)); \
	*(type *)d = head; \
	*(type *)(d + n - sizeof(type)) = tail; \
	return to; \
} while (0)

void *memmove(void *to, const void *from, size_t n)
{
	u8 *d = to;
	const u8 *s = from;
	if (n < 2) {
		if (n)
			*d = *s;
		return to;
	}
	if (n <= 4)
		MOVE_ENDS(word16);
	if (n <= 8)
		MOVE_ENDS(word32);
	if (n <= 16)
		MOVE_ENDS(word64);
	if (n <= 32)
		MOVE_ENDS(word128);
	if ((u64)d - (u64)s >= n) {	/* forwards is right unless `to` lies inside the source */
		word128 tail = *(const word128 *)(s + n - 16);
		u8 *end = d + n - 16;
		u64 words = n >> 3;
		if (n >= STRING_FROM)
			__asm__ volatile("rep movsq" : "+D"(d), "+S"(s), "+c"(words) :: "memory");
		for (; d < end; d += 16, s += 16)
			*(word128 *)d = *(const word128 *)s;
		*(word128 *)end = tail;
	} else {
		word128 head = *(const word128 *)s;
		for (; n > 16; n -= 16)
			*(word128 *)(d + n - 16) = *(const word128 *)(s + n - 16);
		*(word128 *)d = head;
	}
	return to;
}

void *memcpy(void *to, const void *from, size_t n) __attribute__((alias("memmove")));

void *memset(void *to, int byte, size_t n)
{
	u8 *d = to;
	u64 value = 0x0101010101010101ul * (u8)byte, words = n >> 3;
	if (n >= STRING_FROM) {
		__asm__ volatile("rep stosq" : "+D"(d), "+c"(words) : "a"(value) : "memory");
		n &= 7;
	}
	for (; n >= 16; n -= 16, d += 16)
		*(word128 *)d = (word128){ value, value };
	while (n--)
		*d++ = byte;
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *x = a, *y = b;
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
