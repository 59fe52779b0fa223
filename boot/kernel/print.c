/* Formatted text: a small subset of printf, into a buffer or onto the console. */
#include "kernel.h"

struct out { char *at, *end; };

static void put(struct out *o, char c)
{
	if (o->at < o->end)
		*o->at++ = c;
}

static void put_number(struct out *o, u64 value, u32 base, bool negative, u32 width, char fill)
{
	char digits[24];
	u32 n = 0;
	do
		digits[n++] = "0123456789abcdef"[value % base];
	while (value /= base);
	for (u32 used = n + negative; used < width; used++)
		put(o, fill);
	if (negative)
		put(o, '-');
	while (n)
		put(o, digits[--n]);
}

u32 vformat(char *out, u32 size, const char *text, va_list args)
{
	struct out o = { out, out + size - 1 };
	for (; *text; text++) {
		if (*text != '%') {
			put(&o, *text);
			continue;
		}
		char fill = *++text == '0' ? '0' : ' ';
		u32 width = 0;
		for (; *text >= '0' && *text <= '9'; text++)
			width = width * 10 + (*text - '0');
		bool is_long = *text == 'l';
		if (is_long)
			text++;
		if (*text == 's') {
			const char *s = va_arg(args, const char *);
			for (; *s; s++)
				put(&o, *s);
		} else if (*text == 'c') {
			put(&o, va_arg(args, int));
		} else if (*text == 'd') {
			s64 v = is_long ? va_arg(args, s64) : va_arg(args, s32);
			put_number(&o, v < 0 ? -(u64)v : (u64)v, 10, v < 0, width, fill);
		} else if (*text == 'u' || *text == 'x') {
			u64 v = is_long ? va_arg(args, u64) : va_arg(args, u32);
			put_number(&o, v, *text == 'u' ? 10 : 16, false, width, fill);
		} else {
			put(&o, *text);
		}
	}
	*o.at = 0;
	return o.at - out;
}

u32 format(char *out, u32 size, const char *text, ...)
{
	va_list args;
	va_start(args, text);
	u32 n = vformat(out, size, text, args);
	va_end(args);
	return n;
}

/* The longest line is the command line's. Static, since reports run on small stacks; nothing prints concurrently. */
static char line[1200];

void print(const char *text, ...)
{
	va_list args;
	va_start(args, text);
	u32 n = vformat(line, sizeof line, text, args);
	va_end(args);
	console_write(line, n);
}
