/*
 * The kernel's side of the engine: its linear memory, JavaScript values, the snapshot it starts from, and the ABI.
 * Everything that includes this may use SSE, and must not be called by the page fault handler.
 */
#pragma once
#include "engine.h"	/* boot/build/engine: the translated engine */
#include "kernel.h"
_Static_assert(ENGINE_BASE == LINEAR_BASE && ENGINE_RESERVED == LINEAR_SPAN, "the engine's idea of the address map is ours");

/* ---- linear memory: addresses are u32, 0 is none ---- */

static inline char *text_at(u32 address) { return (char *)engine_memory(address); }
static inline u32 get32(u32 address) { return *(u32 *)engine_memory(address); }
static inline u64 get64(u32 address) { return *(u64 *)engine_memory(address); }
static inline void set32(u32 address, u32 value) { *(u32 *)engine_memory(address) = value; }
static inline void set64(u32 address, u64 value) { *(u64 *)engine_memory(address) = value; }

/* ---- snapshot.c: the segment that boot/image appended; its layout is written by boot/image/format.ts ---- */

struct snapshot {
	u32 magic, abi_hash, header_bytes, page_count, memory_pages, stack_pointer, runtime, context;
	u32 turn, fail;					/* JSValue*: the program's two functions */
	u64 float_addend, undefined;			/* NaN boxing: bits of a double = value + addend */
	u32 class_id, uint8array_class;			/* u16 at this offset in a JSObject; its value */
	u32 array_data, array_length;			/* in the JSObject of a Uint8Array */
	u32 buffer_record, buffer_free;			/* in the JSObject of an ArrayBuffer; in that record */
	u32 string_length;				/* how far before the char* of QTS_GetString the length stands */
	u32 random_state;				/* in JSContext: the u64 state of Math.random */
	u32 stack_limit, reserved;			/* in JSRuntime: the u32 below which the linear stack is full */
	char program[64], build[32], engine[32], version[32];
	u32 pages[];
};
_Static_assert(offsetof(struct snapshot, pages) == 256, "boot/image/format.ts");

extern const struct snapshot *snapshot;
void snapshot_find(void);
void snapshot_map(void);
void snapshot_renew(void);

/* ---- values.c ---- */

enum { TAG_FIRST = -9, TAG_STRING = -7, TAG_ROPE = -6, TAG_OBJECT = -1, TAG_INT = 0, TAG_EXCEPTION = 6, TAG_FLOAT = 8 };	/* quickjs.h, 2025-09-13 */
static inline s32 tag_of(u64 value)
{
	s32 high = value >> 32;
	return high >= TAG_FIRST && high < TAG_FLOAT ? high : TAG_FLOAT;
}
static inline bool is_number(u64 value) { return tag_of(value) == TAG_INT || tag_of(value) == TAG_FLOAT; }

f64 number_of(u64 value);				/* of a value that is_number */
u32 new_number(f64 number);				/* JSValue*, as all of these */
u32 new_value(u64 value);
u32 new_string(const char *utf8);
u32 new_buffer(u32 address, u32 length);		/* an ArrayBuffer that does not own its memory */
bool array_of(u64 value, u8 **bytes, u32 *length);	/* false when it is not a Uint8Array */
void drop(u32 value);
u32 throw_error(const char *type, const char *message);	/* what a host function returns to throw */
u32 call(u32 function, u32 argument);			/* argument 0: none. Returns the thrown JSValue*, or 0; the result is dropped */
void print_error(u32 error);
void print_frames(const char *lines, u32 skip);		/* of a stack trace, which may have thousands: 32 after those that are left out */

/* ---- abi.c and abi_*.c ---- */

/* An argument: number, or bytes and length (the UTF-8 of a string, followed by a NUL, or the memory of a Uint8Array). */
struct arg { f64 number; u8 *bytes; u32 length; };
struct pages { u32 address, length; };			/* length 0: undefined */
f64 range_error(const char *text, ...) __attribute__((format(printf, 1, 2)));	/* the call will throw; the function's name is put before it */

/* A whole number from 0 to `most`; otherwise the call throws and 0 is returned. Check failed() before using it. */
u64 whole(const struct arg *arg, const char *name, u64 most);
bool failed(void);
/* Where [offset, offset + length) of the array is; NULL, and the call throws, when it is not inside. `align` in bytes. */
u8 *range(const struct arg *array, const struct arg *offset, u64 length, u64 align);

/* ---- loop.c, selftest.c ---- */

_Noreturn void engine_run(void);
void javascript_stack(void);
void selftest(void);
