/*
 * What the engine's .wasm imports (boot/engine/interface.ts). Its C library asks for little, since JavaScript has no files and
 * no environment here; the time zone is UTC.
 */
#include "js.h"

enum { WASI_EBADF = 8, WASI_ESPIPE = 70 };	/* wasi_snapshot_preview1 */

static const char *const traps[] = {
	[ENGINE_TRAP_UNREACHABLE] = "unreachable code: the engine aborted", [ENGINE_TRAP_DIVIDE_BY_ZERO] = "integer division by zero",
	[ENGINE_TRAP_INTEGER_OVERFLOW] = "integer overflow", [ENGINE_TRAP_INDIRECT_CALL] = "indirect call of no function, or of one with another type",
};

void engine_trap(int code)
{
	panic("engine trap: %s (at %lx)", traps[code], (u64)__builtin_return_address(0));
}

void import___assert_fail(u32 condition, u32 file, u32 line, u32 function)
{
	panic("engine assertion failed: %s (%s:%u)", text_at(condition), text_at(file), line);
}

void import__abort_js(void) { panic("the engine called abort()"); }
void import_proc_exit(u32 code) { panic("the engine called exit(%u)", code); }
void import__emscripten_runtime_keepalive_clear(void) {}
u32 import__setitimer_js(u32 which, f64 milliseconds) { return 0; }
f64 import_emscripten_date_now(void) { return time_wall() / 1000000; }
u32 import_emscripten_resize_heap(u32 bytes) { return heap_resize(bytes); }

void import__tzset_js(u32 offset, u32 daylight, u32 standard_name, u32 daylight_name)
{
	set32(offset, 0);
	set32(daylight, 0);
	memcpy(text_at(standard_name), "UTC", 4);
	memcpy(text_at(daylight_name), "UTC", 4);
}

/* struct tm */
void import__localtime_js(u64 seconds, u32 tm)
{
	static const u16 before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
	struct date d = date_of(seconds);
	bool leap = d.year % 4 == 0 && (d.year % 100 || d.year % 400 == 0);
	u32 of_year = before[d.month - 1] + d.day - 1 + (leap && d.month > 2);
	u32 fields[] = { d.second, d.minute, d.hour, d.day, d.month - 1, d.year - 1900, d.weekday, of_year, 0, 0 };
	memcpy(text_at(tm), fields, sizeof fields);
}

u32 import_environ_get(u32 list, u32 text) { return 0; }
u32 import_environ_sizes_get(u32 count, u32 bytes)
{
	set32(count, 0);
	set32(bytes, 0);
	return 0;
}

u32 import_fd_close(u32 fd) { return WASI_EBADF; }
u32 import_fd_seek(u32 fd, u64 offset, u32 whence, u32 result) { return WASI_ESPIPE; }

/* Whatever the engine itself prints goes to the console. */
u32 import_fd_write(u32 fd, u32 vectors, u32 count, u32 written)
{
	u32 total = 0;
	for (u32 i = 0; i < count; i++) {
		u32 length = get32(vectors + 8 * i + 4);
		console_write(text_at(get32(vectors + 8 * i)), length);
		total += length;
	}
	set32(written, total);
	return 0;
}

/* No watchdog, no modules outside of the bundle, and host references hold nothing. */
u32 import_qts_host_interrupt_handler(u32 runtime) { return 0; }
u32 import_qts_host_load_module_source(u32 runtime, u32 context, u32 name) { return 0; }
u32 import_qts_host_normalize_module(u32 runtime, u32 context, u32 base, u32 name) { return 0; }
void import_qts_host_ref_free(u32 runtime, u32 id) {}
