/*
 * The engine as a Linux program: what trains it for profile feedback, what its tests and its benchmark run. It stands where the
 * kernel stands otherwise, with the same engine.c, the same constant memory base and the same imports.
 *
 *	host MEMORY [option...] FILE.js...
 *
 * MEMORY is the initial linear memory (memory.bin, made by build.ts); the files are evaluated one after the other as classic
 * scripts in one context, promise jobs are run after each. Options:
 *	--clock			time passes (else by a millisecond at every look, so that a run is the same every time)
 *	--uint8array DATA,LENGTH	offsets in a Uint8Array's JSObject, for checksum() (layout.ts finds them)
 *	--rejections OFFSET	sets the rejection tracker, at that offset in JSRuntime; rejections are printed
 *	--live OFFSET		prints at the end of a snapshot's function how many allocations are left, which is at that offset in JSRuntime
 *	--stack-used		prints the native stack's high water mark at the end
 *	--code FILE		code of the memory's own (bodies, boot/image/bodies.ts), linked for HOST_CODE
 *	--run STACK,PAGES,RUNTIME,CONTEXT,FUNCTION	goes on from a snapshot of memory: calls the function, and runs no files
 *
 * Scripts see print(text), now() in milliseconds, add(a, b) and checksum(bytes).
 */
#include "engine.h"
#include "native.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	JS_STACK = 64 << 10,		/* as in the guest */
	HOST_CODE = 0x8000000,		/* between the program, which begins at 4 MiB, and linear memory */
	MAX_PAGES = 4096,		/* 256 MiB of linear memory */
	PAINTED = 6 << 20,		/* native stack that is watched, of 8 MiB by default */
	PAINT = 0xa5,
	WASI_EBADF = 8,
	WASI_ESPIPE = 70,
};

static u32 runtime, context;
static int real_clock;
static u32 array_data, array_length;

static _Noreturn void fail(const char *what, const char *where)
{
	fflush(stdout);
	fprintf(stderr, "host: %s: %s\n", where, what);
	exit(1);
}

static f64 milliseconds(clockid_t clock)
{
	static f64 still = 1.7e12; /* a day in 2023 */
	if (!real_clock)
		return still += 1;
	struct timespec t;
	clock_gettime(clock, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

/* ---- linear memory: all of its addresses are reserved, the pages in use are accessible */

static u32 *word(u32 address) { return (u32 *)engine_memory(address); }
static u64 *value_at(u32 address) { return (u64 *)engine_memory(address); }
static char *text_at(u32 address) { return (char *)engine_memory(address); }

static int set_pages(u32 pages)
{
	if (pages > MAX_PAGES || mprotect((void *)ENGINE_BASE, (size_t)pages * ENGINE_PAGE, PROT_READ | PROT_WRITE))
		return 0;
	engine_pages = pages;
	return 1;
}

static void *reserve(u64 address, u64 length)
{
	void *at = (void *)address;
	return mmap(at, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0) == at ? at : 0;
}

static void make_memory(const char *file)
{
	/* valgrind has its own things in the 8 GiB. */
	void *base = reserve(ENGINE_BASE, ENGINE_RESERVED);
	if (!base)
		base = reserve(ENGINE_BASE, MAX_PAGES * ENGINE_PAGE);
	int fd = open(file, O_RDONLY);
	struct stat st;
	if (fd < 0 || fstat(fd, &st))
		fail(strerror(errno), file);
	u32 pages = (st.st_size + ENGINE_PAGE - 1) / ENGINE_PAGE;
	if (!base || !set_pages(pages > ENGINE_INITIAL_PAGES ? pages : ENGINE_INITIAL_PAGES))
		fail(strerror(errno), "linear memory");
	if (read(fd, base, st.st_size) != st.st_size)
		fail("cannot be read", file);
	close(fd);
}

/* As boot/image/code.ts lays it out: the table of bodies is the second of four. */
static void map_code(const char *file)
{
	int fd = open(file, O_RDONLY);
	struct stat st;
	void *at = (void *)HOST_CODE;
	if (fd < 0 || fstat(fd, &st) || mmap(at, st.st_size, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED_NOREPLACE, fd, 0) != at)
		fail(strerror(errno), file);
	close(fd);
	engine_native = *(const struct native_code **)(HOST_CODE + 16);
}

static u32 new_text(const char *text)
{
	u32 size = strlen(text) + 1, address = engine_malloc(size);
	memcpy(engine_memory(address), text, size);
	return address;
}

/* ---- values: a u32 is the address of a JSValue */

static f64 to_number(u32 value) { return engine_QTS_GetFloat64(context, value); }

static void print_value(FILE *to, u32 value)
{
	u32 text = engine_QTS_GetString(context, value);
	fputs(text_at(text), to);
	engine_QTS_FreeCString(context, text);
}

/* Ends the program when `value` is an exception. */
static void check(u32 value, const char *where)
{
	u32 error = engine_QTS_ResolveException(context, value);
	if (error)
		fail(text_at(engine_QTS_Dump(context, error)), where);
	engine_QTS_FreeValuePointer(context, value);
}

/* ---- host functions */

enum { PRINT, NOW, ADD, CHECKSUM, HOST_FUNCTIONS };
static const char *const host_names[HOST_FUNCTIONS] = { "print", "now", "add", "checksum" };

/* Of a Uint8Array, in place: this is how the kernel's functions see one. */
static u32 checksum(u32 value)
{
	u32 object = *word(value), length = *word(object + array_length);
	u8 *bytes = engine_memory(*word(object + array_data));
	u32 sum = 0;
	for (u32 i = 0; i + 1 < length; i += 2)
		sum += bytes[i] | bytes[i + 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

u32 import_qts_host_call_function(u32 ctx, u32 this, u32 argc, u32 argv, u32 id)
{
	u32 first = argc > 0 ? engine_QTS_ArgvGetJSValueConstPointer(argv, 0) : engine_QTS_GetUndefined();
	u32 second = argc > 1 ? engine_QTS_ArgvGetJSValueConstPointer(argv, 1) : engine_QTS_GetUndefined();
	switch (id) {
	case PRINT:
		print_value(stdout, first);
		putchar('\n');
		return 0;
	case NOW:
		return engine_QTS_NewFloat64(ctx, milliseconds(CLOCK_MONOTONIC));
	case ADD:
		return engine_QTS_NewFloat64(ctx, to_number(first) + to_number(second));
	case CHECKSUM:
		return engine_QTS_NewFloat64(ctx, array_data ? checksum(first) : 0);
	}
	return 0;
}

static void define(u32 id)
{
	u32 text = new_text(host_names[id]);
	u32 function = engine_QTS_NewFunction(context, text, 2, 0, id);
	u32 global = engine_QTS_GetGlobalObject(context), key = engine_QTS_NewString(context, text);
	engine_QTS_SetProp(context, global, key, function);
	engine_QTS_FreeValuePointer(context, key);
	engine_QTS_FreeValuePointer(context, global);
	engine_QTS_FreeValuePointer(context, function);
	engine_free(text);
}

void engine_rejection(u32 ctx, u64 promise, u64 reason, u32 is_handled, u32 opaque)
{
	u32 value = engine_malloc(sizeof(u64));
	*value_at(value) = reason;
	printf("rejection, %s: ", is_handled ? "handled" : "unhandled");
	print_value(stdout, value);
	putchar('\n');
	engine_free(value);
}

/* ---- what the engine's C library asks of the system */

void engine_trap(int code)
{
	char text[32];
	snprintf(text, sizeof(text), "trap %d", code);
	fail(text, "engine");
}

u32 import_emscripten_resize_heap(u32 bytes) { return set_pages(((u64)bytes + ENGINE_PAGE - 1) / ENGINE_PAGE); }
u32 engine_heap_most(void) { return MAX_PAGES * ENGINE_PAGE - ENGINE_STACK_POINTER; }
f64 import_emscripten_date_now(void) { return __builtin_floor(milliseconds(CLOCK_REALTIME)); }
void import___assert_fail(u32 condition, u32 file, u32 line, u32 function) { fail(text_at(condition), "assertion in the engine"); }
void import__abort_js(void) { fail("abort", "engine"); }
void import_proc_exit(u32 status) { fail("exit", "engine"); }
void import__emscripten_runtime_keepalive_clear(void) { }
u32 import__setitimer_js(u32 which, f64 milliseconds) { return 0; }
u32 import_environ_get(u32 environ, u32 buffer) { return 0; }
u32 import_fd_close(u32 fd) { return WASI_EBADF; }
u32 import_fd_seek(u32 fd, u64 offset, u32 whence, u32 position) { return WASI_ESPIPE; }
u32 import_fd_write(u32 fd, u32 vectors, u32 count, u32 written) { return WASI_EBADF; }
u32 import_qts_host_interrupt_handler(u32 rt) { return 0; }
u32 import_qts_host_load_module_source(u32 rt, u32 ctx, u32 name) { return 0; }
u32 import_qts_host_normalize_module(u32 rt, u32 ctx, u32 base, u32 name) { return 0; }
void import_qts_host_ref_free(u32 rt, u32 id) { }

u32 import_environ_sizes_get(u32 count, u32 size)
{
	*word(count) = *word(size) = 0;
	return 0;
}

/* The time zone is UTC. */
void import__localtime_js(u64 seconds, u32 into)
{
	time_t time = seconds;
	struct tm t;
	gmtime_r(&time, &t);
	const int fields[] = { t.tm_sec, t.tm_min, t.tm_hour, t.tm_mday, t.tm_mon, t.tm_year, t.tm_wday, t.tm_yday, 0, 0 };
	memcpy(engine_memory(into), fields, sizeof(fields));
}

void import__tzset_js(u32 zone, u32 daylight, u32 standard_name, u32 daylight_name)
{
	*word(zone) = *word(daylight) = 0;
	strcpy(text_at(standard_name), "UTC");
	strcpy(text_at(daylight_name), "UTC");
}

/* ---- running */

static void drain(const char *where)
{
	u32 ran = engine_malloc(sizeof(u32));
	while (engine_QTS_IsJobPending(runtime))
		check(engine_QTS_ExecutePendingJob(runtime, 1, ran), where);
	engine_free(ran);
}

static void run_file(const char *file)
{
	int fd = open(file, O_RDONLY);
	struct stat st;
	if (fd < 0 || fstat(fd, &st))
		fail(strerror(errno), file);
	u32 source = engine_malloc(st.st_size + 1), name = new_text(file);
	if (!source || read(fd, engine_memory(source), st.st_size) != st.st_size)
		fail("cannot be read", file);
	close(fd);
	text_at(source)[st.st_size] = 0; /* the engine's parser looks there */
	check(engine_QTS_Eval(context, source, st.st_size, name, 0, 0), file);
	drain(file);
	engine_free(source);
	engine_free(name);
}

/* Marks the stack below, or with a look at the marks tells how much of it was used since. */
static __attribute__((noinline)) u32 stack_used(int look)
{
	volatile u8 below[PAINTED];
	u32 untouched = 0;
	if (!look)
		for (u32 i = 0; i < PAINTED; i++)
			below[i] = PAINT;
	while (untouched < PAINTED && below[untouched] == PAINT)
		untouched++;
	return PAINTED - untouched;
}

int main(int argc, char **argv)
{
	if (argc < 3)
		fail("usage: host MEMORY [option...] FILE.js...", "arguments");
	make_memory(argv[1]);
	int watch_stack = 0;
	u32 tracker = 0, function = 0, live = 0;
	int i = 2;
	for (; i < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "--clock"))
			real_clock = 1;
		else if (!strcmp(argv[i], "--uint8array") && i + 1 < argc && sscanf(argv[i + 1], "%u,%u", &array_data, &array_length) == 2)
			i++;
		else if (!strcmp(argv[i], "--rejections") && i + 1 < argc)
			tracker = strtoul(argv[++i], 0, 10);
		else if (!strcmp(argv[i], "--live") && i + 1 < argc)
			live = strtoul(argv[++i], 0, 10);
		else if (!strcmp(argv[i], "--code") && i + 1 < argc)
			map_code(argv[++i]);
		else if (!strcmp(argv[i], "--run") && i + 1 < argc && sscanf(argv[i + 1], "%u,%u,%u,%u,%u", &engine_sp, &engine_pages, &runtime, &context, &function) == 5)
			i++;
		else if (!strcmp(argv[i], "--stack-used"))
			watch_stack = 1;
		else
			fail("unknown option", argv[i]);
	}
	if (function) {
		if (watch_stack)
			stack_used(0);
		u32 none = engine_malloc(sizeof(u32));
		check(engine_QTS_Call(context, function, engine_QTS_GetUndefined(), 0, none), "the snapshot's function");
		drain("the snapshot's function");
		if (live)
			printf("allocations left: %u\n", *word(runtime + live));
		if (watch_stack)
			printf("native stack used: %u bytes\n", stack_used(1));
		return 0;
	}
	engine___wasm_call_ctors();
	runtime = engine_QTS_NewRuntime();
	engine_QTS_RuntimeSetMaxStackSize(runtime, JS_STACK);
	context = engine_QTS_NewContext(runtime, 0);
	for (u32 id = 0; id < HOST_FUNCTIONS; id++)
		define(id);
	if (tracker)
		*word(runtime + tracker) = ENGINE_REJECTION_SLOT;
	if (watch_stack)
		stack_used(0);
	for (; i < argc; i++)
		run_file(argv[i]);
	if (watch_stack)
		printf("native stack used: %u bytes\n", stack_used(1));
	return 0;
}
