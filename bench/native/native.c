/*
 * A booted guest as a Linux program, for counting instructions: the engine's object and the kernel's own handling of calls are those
 * that boot, the program is a bundle of the tool's. What Xen and the peers do is JavaScript in the same engine (guest.ts), and is not counted.
 *
 *	native MEMORY FACTS PEERS.js PROGRAM.js [--dump FILE | --bodies CODE MEMORY]
 *
 * --dump writes linear memory as it is before the first turn, and says where things are; --bodies goes on with such a memory, in which functions are machine code.
 *
 * FACTS are where things are in the engine's structures, numbers with commas between: those of struct snapshot from float_addend on.
 * What is counted runs within counted_turn(), and outside of outside_call(): callgrind switches at these two. The clock's time is printed.
 */
#include "engine.h"
/* Valgrind lies at 0x58000000, in the 8 GiB that a host of the engine keeps to itself: here it gets by with the first of them. */
#undef ENGINE_RESERVED
#define ENGINE_RESERVED (1ull << 30)
#define main engine_host
#define import_qts_host_call_function engine_host_call
#define engine_rejection engine_host_rejection
#include "host.c"
#undef main
#undef import_qts_host_call_function
#undef engine_rejection
#include "native.h"

/* Numbers of functions: those of the ABI, whose simulation JavaScript gives with bind(), and then ours. */
enum { MOST = 128, BIND = 1000, EQUALISE, DRAIN, MEASURE, CLOCK, EXIT, PRINT_LINE };
static const struct { const char *name; u32 id; } own[] = {
	{ "bind", BIND }, { "equalise", EQUALISE }, { "drain", DRAIN }, { "measure", MEASURE }, { "clock", CLOCK }, { "exit", EXIT }, { "print", PRINT_LINE },
};
static u32 simulated[MOST];
static u32 ran, turn_function;
static int is_measuring, is_outside, is_counting;
static u64 counted_ns, counting_since, calls_outside, calls_kernel;

static u64 nanoseconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void count(int on)
{
	if (on)
		counting_since = nanoseconds();
	else
		counted_ns += nanoseconds() - counting_since;
	is_counting = on;
}

/* ---- the two functions at which callgrind switches ---- */

__attribute__((noinline)) u32 outside_call(u32 function, u32 argc, u32 list)
{
	u32 result = engine_QTS_Call(context, function, engine_QTS_GetUndefined(), argc, list);
	__asm__ volatile("" : "+r"(result));	/* no tail call: it would end here */
	return result;
}

static void turn(void)
{
	while (engine_QTS_IsJobPending(runtime))
		check(engine_QTS_ExecutePendingJob(runtime, ~0u, ran), "a job");
	check(engine_QTS_Call(context, turn_function, engine_QTS_GetUndefined(), 0, ran), "turn");
}

__attribute__((noinline)) void counted_turn(void)
{
	turn();
	__asm__ volatile("");
}

/* ---- host calls ---- */

static f64 now = 1000;	/* ms; Xen's, which only moves while the guest waits */
f64 abi_clockMonotonic(const void *none) { return now; }
f64 abi_clockRecent(const void *none) { return now; }
f64 abi_clockWall(const void *none) { return 1.8e12 + now; }

/* A function of Xen's, or of a device of the machine. */
static u32 simulate(u32 id, u32 argc, u32 argv)
{
	u32 function = simulated[id];
	if (!function)
		fail("is not simulated", native_name(id));
	u32 list = engine_malloc(4 * argc + 4);
	for (u32 i = 0; i < argc; i++)
		*word(list + 4 * i) = argv + 8 * i;
	u32 result;
	if (is_counting && !is_outside) {
		calls_outside++;
		is_outside = 1;
		count(0);
		result = outside_call(function, argc, list);
		count(1);
		is_outside = 0;
	} else {
		result = engine_QTS_Call(context, function, engine_QTS_GetUndefined(), argc, list);
	}
	engine_free(list);
	return result;
}

static u32 bind(u32 argv)
{
	u32 id = to_number(argv), name = new_text(native_name(id));
	simulated[id] = engine_QTS_DupValuePointer(context, argv + 8);
	u32 function = engine_QTS_NewFunction(context, name, 0, 0, id);
	engine_free(name);
	return function;
}

/* drivers/sim/memory.ts: a page that two domains share, which are two pages here. */
static int equalise(u32 *view, u32 *own, u32 *last, u32 readonly)
{
	if (!memcmp(view, own, 4096))
		return memcpy(last, own, 4096), -1;
	for (int i = 0; i < 1024; i++) {
		if (view[i] != last[i] && to_number(readonly))
			return i;
		u32 mine = view[i] ^ last[i], bytes = 0;
		for (u32 mask = 0xff; mask; mask <<= 8)
			bytes |= mine & mask ? mask : 0;
		own[i] = last[i] = view[i] = (view[i] & bytes) | (own[i] & ~bytes);
	}
	return -1;
}

u32 import_qts_host_call_function(u32 ctx, u32 this, u32 argc, u32 argv, u32 id)
{
	switch (id) {
	case BIND:
		return bind(argv);
	case EQUALISE:
		return engine_QTS_NewFloat64(ctx, equalise(native_array(argv), native_array(argv + 8), native_array(argv + 16), argv + 24));
	case DRAIN:
		while (engine_QTS_IsJobPending(runtime))
			check(engine_QTS_ExecutePendingJob(runtime, ~0u, ran), "a job of a peer");
		return 0;
	case MEASURE:
		is_measuring = to_number(argv);
		return 0;
	case CLOCK:
		now = to_number(argv);
		return 0;
	case PRINT_LINE:
		print_value(stdout, argv);
		putchar('\n');
		return 0;
	case EXIT:
		printf("counted %llu ns, %llu calls of Xen, %llu calls of the kernel\n", (unsigned long long)counted_ns,
			(unsigned long long)calls_outside, (unsigned long long)calls_kernel);
		fflush(stdout);
		exit(to_number(argv));
	}
	if (!native_is_kernels(id))
		return simulate(id, argc, argv);
	calls_kernel += is_counting && !is_outside;
	return native_call(ctx, this, argc, argv, id);
}

/* A promise of the program that is rejected without a handler, or with one that comes late: no program here has any of the former. */
void engine_rejection(u32 ctx, u64 promise, u64 reason, u32 is_handled, u32 opaque) { }

static u32 property(u32 object, const char *name)
{
	u32 text = new_text(name), key = engine_QTS_NewString(context, text), value = engine_QTS_GetProp(context, object, key);
	engine_QTS_FreeValuePointer(context, key);
	engine_free(text);
	return value;
}

static void define_own(void)
{
	u32 global = engine_QTS_GetGlobalObject(context), native = engine_QTS_NewObject(context);
	for (u32 i = 0; i <= sizeof(own) / sizeof(own[0]); i++) {
		const char *name = i < sizeof(own) / sizeof(own[0]) ? own[i].name : "native";
		u32 text = new_text(name), key = engine_QTS_NewString(context, text);
		u32 value = i < sizeof(own) / sizeof(own[0]) ? engine_QTS_NewFunction(context, text, 0, 0, own[i].id) : native;
		engine_QTS_SetProp(context, value == native ? global : native, key, value);
		engine_QTS_FreeValuePointer(context, key);
		engine_free(text);
	}
}

static void dump(const char *file)
{
	FILE *out = fopen(file, "wb");
	if (!out || fwrite(engine_memory(0), 65536, engine_pages, out) != engine_pages || fclose(out))
		fail("cannot be written", file);
	printf("memory %u %u %u %u\n", engine_pages, runtime, context, turn_function);
	exit(0);
}

static void exchange(const char *code, const char *memory)
{
	FILE *in = fopen(memory, "rb");
	if (!in || fread(engine_memory(0), 65536, engine_pages, in) != engine_pages)
		fail("is not this program's memory", memory);
	fclose(in);
	map_code(code);
}

int main(int argc, char **argv)
{
	if (argc < 5)
		fail("usage: native MEMORY FACTS PEERS.js PROGRAM.js", "arguments");
	make_memory(argv[1]);
	engine___wasm_call_ctors();
	runtime = engine_QTS_NewRuntime();
	engine_QTS_RuntimeSetMaxStackSize(runtime, 1 << 20);	/* a guest's may grow, and the peers' calls lie on the guest's */
	context = engine_QTS_NewContext(runtime, 0);
	native_begin(context, argv[2]);
	ran = engine_malloc(4);
	define_own();
	run_file(argv[3]);
	run_file(argv[4]);
	u32 hooks = property(engine_QTS_GetGlobalObject(context), "__xenTs");
	turn_function = property(hooks, "turn");
	if (argc == 7 && !strcmp(argv[5], "--dump"))
		dump(argv[6]);
	if (argc == 8 && !strcmp(argv[5], "--bodies"))
		exchange(argv[6], argv[7]);
	for (;;) {
		if (is_measuring) {
			count(1);
			counted_turn();
			count(0);
		} else {
			turn();
		}
	}
}
