/*
 * What the kernel's files abi.c, abi_bytes.c and values.c stand on, in a Linux program. They handle calls of the ABI that touch memory and
 * clocks, as they do in a guest; all others never come here.
 */
#include "js.h"
#include "abi.h"
#include "native.h"

int printf(const char *text, ...);
int vprintf(const char *text, va_list args);
int sscanf(const char *text, const char *format, ...);
_Noreturn void exit(int status);

static struct snapshot facts;
const struct snapshot *snapshot = &facts;

_Noreturn void panic(const char *text, ...)
{
	va_list args;
	va_start(args, text);
	vprintf(text, args);
	va_end(args);
	exit(1);
}

void console_write(const char *text, u64 length) { printf("%.*s", (int)length, text); }

/* ---- the functions ---- */

#define NUMBER(name, result, kinds) ID_##name,
enum { ABI_TABLE(NUMBER) };
#define NAME(name, result, kinds) #name,
static const char *const names[] = { ABI_TABLE(NAME) };

const char *native_name(u32 id) { return id < ABI_COUNT ? names[id] : "no function"; }

u32 *native_array(u32 value) { return (u32 *)engine_memory(get32((u32)get64(value) + facts.array_data)); }

int native_is_kernels(u32 id)
{
	switch (id) {
	case ID_clockMonotonic: case ID_clockRecent: case ID_clockWall:
	case ID_or8: case ID_and8: case ID_exchange32: case ID_compareExchange16: case ID_fence:
	case ID_copy: case ID_copyRows: case ID_checksum: case ID_utf8Encode: case ID_utf8Decode: case ID_latin1Decode:
	case ID_packetIn: case ID_segmentOut:
		return 1;
	}
	return 0;
}

typedef f64 result_NUM;
typedef void result_VOID;
typedef u32 result_STR;
typedef struct pages result_BUFFER;
typedef u32 result_ANY;
#define ABSENT(name, result, kinds) \
	__attribute__((weak)) result_##result abi_##name(const struct arg *a) { panic("the kernel's %s is not here\n", #name); }
ABI_TABLE(ABSENT)

void native_begin(u32 context, const char *text)
{
	facts.context = context;
	unsigned long addend;
	u32 *n = &facts.class_id;
	if (sscanf(text, "%lu,%u,%u,%u,%u,%u,%u,%u", &addend, &n[0], &n[1], &n[2], &n[3], &n[4], &n[5], &n[6]) != 8)
		panic("facts are wrong: %s\n", text);
	facts.float_addend = addend;
}
