/* ABI: operations on bytes that JavaScript lacks or does slowly: atomics, copy, checksum, text. */
#include "js.h"

typedef u64 __attribute__((aligned(1), may_alias)) word64;

f64 abi_or8(const struct arg *a)
{
	u8 *at = range(&a[0], &a[1], 1, 1);
	u8 value = whole(&a[2], "value", 0xff);
	return failed() ? 0 : __atomic_fetch_or(at, value, __ATOMIC_SEQ_CST);
}

f64 abi_and8(const struct arg *a)
{
	u8 *at = range(&a[0], &a[1], 1, 1);
	u8 value = whole(&a[2], "value", 0xff);
	return failed() ? 0 : __atomic_fetch_and(at, value, __ATOMIC_SEQ_CST);
}

f64 abi_exchange32(const struct arg *a)
{
	u8 *at = range(&a[0], &a[1], 4, 4);
	u32 value = whole(&a[2], "value", 0xffffffff);
	return failed() ? 0 : __atomic_exchange_n((u32 *)at, value, __ATOMIC_SEQ_CST);
}

f64 abi_compareExchange16(const struct arg *a)
{
	u8 *at = range(&a[0], &a[1], 2, 2);
	u16 expected = whole(&a[2], "expected", 0xffff), desired = whole(&a[3], "desired", 0xffff);
	if (failed())
		return 0;
	__atomic_compare_exchange_n((u16 *)at, &expected, desired, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	return expected;	/* the old value, whether it was exchanged or not */
}

void abi_fence(const struct arg *a) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

void abi_copy(const struct arg *a)
{
	u64 length = whole(&a[4], "length", 0xffffffff);
	u8 *to = failed() ? NULL : range(&a[0], &a[1], length, 1), *from = failed() ? NULL : range(&a[2], &a[3], length, 1);
	if (!failed())
		memmove(to, from, length);
}

void abi_copyRows(const struct arg *a)
{
	u64 into_stride = whole(&a[2], "intoStride", 0xffffffff), from_stride = whole(&a[5], "fromStride", 0xffffffff);
	u64 length = whole(&a[6], "length", 0xffffffff), rows = whole(&a[7], "rows", 0xffffffff);
	if (!failed() && into_stride < length)
		range_error("intoStride is %lu; it must be at least the length, %lu", into_stride, length);
	if (!length)
		rows = 0;
	/* The last row ends here; below 2^64 whatever the numbers are. */
	u64 into_end = rows ? (rows - 1) * into_stride + length : 0, from_end = rows ? (rows - 1) * from_stride + length : 0;
	u8 *to = failed() ? NULL : range(&a[0], &a[1], into_end, 1), *from = failed() ? NULL : range(&a[3], &a[4], from_end, 1);
	if (failed())
		return;
	for (; rows; rows--, to += into_stride, from += from_stride)
		memmove(to, from, length);
}

/*
 * One's complement addition works in any width and order of words (RFC 1071 §2): 32 bits of each half into 64-bit sums, which
 * cannot overflow below 2^35 bytes, and the fold at the end.
 */
f64 abi_checksum(const struct arg *a)
{
	u64 length = whole(&a[2], "length", 0xffffffff), low = whole(&a[3], "initial", 1ul << 48), high = 0;
	const u8 *at = failed() ? NULL : range(&a[0], &a[1], length, 1);
	if (failed())
		return 0;
	for (; length >= 16; length -= 16, at += 16) {
		u64 x = *(const word64 *)at, y = *(const word64 *)(at + 8);
		low += (u32)x + (y & 0xffffffff);
		high += (x >> 32) + (y >> 32);
	}
	u64 sum = (low & 0xffffffff) + (low >> 32) + (high & 0xffffffff) + (high >> 32);
	for (; length >= 2; length -= 2, at += 2)
		sum += at[0] | at[1] << 8;
	if (length)
		sum += *at;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* The engine writes a lone surrogate as three bytes ED A0-BF xx; UTF-8 has U+FFFD there, which has three bytes too. */
static void well_formed(u8 *text, u32 length)
{
	for (u32 i = 0; i + 2 < length;) {
		if (i + 8 <= length && !(*(const word64 *)(text + i) & 0x8080808080808080)) {
			i += 8;	/* ASCII, which is most of what is written */
			continue;
		}
		if (text[i] == 0xed && text[i + 1] >= 0xa0)
			text[i] = 0xef, text[i + 1] = 0xbf, text[i + 2] = 0xbd;
		i++;
	}
}

f64 abi_utf8Encode(const struct arg *a)
{
	u32 length = a[0].length;
	u8 *at = range(&a[1], &a[2], 0, 1);
	if (failed())
		return 0;
	if (length > a[1].length - (u64)(at - a[1].bytes))
		return -(f64)length;
	memcpy(at, a[0].bytes, length);
	well_formed(at, length);
	return length;
}

/* How many bytes of `at` are one well-formed character (RFC 3629 §4), 0 when none; `bad` is then how many one U+FFFD stands for. */
static u32 character(const u8 *at, u32 left, u32 *bad)
{
	u8 lead = at[0], low = 0x80, high = 0xbf;
	u32 length = lead < 0x80 ? 1 : lead >= 0xc2 && lead < 0xe0 ? 2 : lead >= 0xe0 && lead < 0xf0 ? 3 : lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
	if (lead == 0xe0)
		low = 0xa0;	/* shorter forms exist */
	else if (lead == 0xed)
		high = 0x9f;	/* surrogates */
	else if (lead == 0xf0)
		low = 0x90;
	else if (lead == 0xf4)
		high = 0x8f;	/* beyond U+10FFFF */
	*bad = 1;
	for (u32 i = 1; i < length; i++, low = 0x80, high = 0xbf) {
		if (i == left || at[i] < low || at[i] > high)
			return 0;
		*bad = i + 1;
	}
	return length;
}

/* A string of [offset, offset + length) up to the first NUL; put(out, at, left) writes a character and says how many bytes it took. */
static u32 decode(const struct arg *a, u32 growth, u32 (*put)(u8 **out, const u8 *at, u32 left))
{
	u64 length = whole(&a[2], "length", 0xffffffff);
	const u8 *at = failed() ? NULL : range(&a[0], &a[1], length, 1);
	u32 copy = failed() ? 0 : engine_malloc(length * growth + 1 < 0x80000000 ? length * growth + 1 : 0x80000000);
	if (!copy) {
		if (!failed())
			range_error("no memory for a text of %lu bytes", length);
		return 0;
	}
	u8 *out = engine_memory(copy);
	while (length && *at) {
		u32 taken;
		if (length >= 8 && !(*(const word64 *)at & 0x8080808080808080) && !((*(const word64 *)at - 0x0101010101010101) & 0x8080808080808080)) {
			*(word64 *)out = *(const word64 *)at;	/* eight ASCII characters, none of them NUL */
			out += 8;
			taken = 8;
		} else {
			taken = put(&out, at, length);
		}
		at += taken;
		length -= taken;
	}
	*out = 0;
	u32 value = engine_QTS_NewString(snapshot->context, copy);
	engine_free(copy);
	return value;
}

static u32 put_utf8(u8 **out, const u8 *at, u32 left)
{
	u32 bad, length = character(at, left, &bad);
	const u8 *from = length ? at : (const u8 *)"\xef\xbf\xbd";
	for (u32 i = 0; i < (length ? length : 3); i++)
		*(*out)++ = from[i];
	return length ? length : bad;
}

static u32 put_latin1(u8 **out, const u8 *at, u32 left)
{
	if (*at >= 0x80)
		*(*out)++ = 0xc0 | *at >> 6;
	*(*out)++ = *at < 0x80 ? *at : 0x80 | (*at & 0x3f);
	return 1;
}

u32 abi_utf8Decode(const struct arg *a) { return decode(a, 3, put_utf8); }
u32 abi_latin1Decode(const struct arg *a) { return decode(a, 2, put_latin1); }
