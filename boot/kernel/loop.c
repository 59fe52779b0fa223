/*
 * The main loop. The kernel knows of the program only two functions: turn() does one macrotask, waiting included, and fail(reason)
 * hears of every error that nobody caught: thrown by turn, by a job, or a promise rejected without a handler.
 */
#include "js.h"
#include "xen.h"

/* ---- promise rejections that nobody handles (ECMA-262 HostPromiseRejectionTracker), oldest first ---- */

struct rejection { u32 next, promise, reason; };	/* in the engine's heap; promise and reason are JSValue* */
static u32 oldest;

static u32 *rejection(u32 node, u32 field) { return (u32 *)engine_memory(node) + field; }
#define NEXT(node) (*rejection(node, 0))
#define PROMISE(node) (*rejection(node, 1))
#define REASON(node) (*rejection(node, 2))

/* A reference of our own to a value. */
static u32 keep(u64 value)
{
	u32 borrowed = new_value(value), kept = engine_QTS_DupValuePointer(snapshot->context, borrowed);
	engine_free(borrowed);
	return kept;
}

static u32 unlink(u32 *link)
{
	u32 node = *link, reason = REASON(node);
	*link = NEXT(node);
	drop(PROMISE(node));
	engine_free(node);
	return reason;
}

/* Called by the engine: once when a promise is rejected without a handler, again when it gets one after all. */
void engine_rejection(u32 context, u64 promise, u64 reason, u32 is_handled, u32 opaque)
{
	u32 *link = &oldest;
	while (*link && get64(PROMISE(*link)) != promise)
		link = rejection(*link, 0);
	if (is_handled) {
		if (*link)
			drop(unlink(link));
		return;
	}
	u32 node = engine_malloc(sizeof(struct rejection));
	if (!node)
		panic("out of memory: a promise rejection cannot be kept. Give the domain more memory.");
	NEXT(node) = 0;
	PROMISE(node) = keep(promise);
	REASON(node) = keep(reason);
	for (link = &oldest; *link;)
		link = rejection(*link, 0);
	*link = node;
}

/* ---- the loop ---- */

static bool running;

/* Tells the program of an uncaught error. It logs and shuts down; should that fail too, the kernel prints what it can. */
static void fail(u32 reason)
{
	u32 thrown = call(snapshot->fail, reason);
	if (thrown) {
		console_give_up();
		print("\nxen-ts: uncaught error: ");
		print_error(reason);
		print("xen-ts: and the program's error handler failed: ");
		print_error(thrown);
		xen_shutdown(SHUTDOWN_crash);
	}
	drop(reason);
}

/* Runs all jobs (promise reactions). The engine returns their number, or what a job has thrown. */
static void drain_jobs(u32 last_context)
{
	while (engine_QTS_IsJobPending(snapshot->runtime)) {
		u32 result = engine_QTS_ExecutePendingJob(snapshot->runtime, ~0u, last_context);
		if (is_number(get64(result)))
			drop(result);
		else
			fail(result);
	}
}

void engine_run(void)
{
	u32 last_context = engine_malloc(4);
	if (!last_context)
		refuse("out of memory before the program started: give the domain more");
	running = true;
	for (;;) {
		if (stack_deep)
			stack_at_rest();
		drain_jobs(last_context);
		u32 error = oldest ? unlink(&oldest) : call(snapshot->turn, 0);
		if (error)
			fail(error);
	}
}

/* For the report of a trap: where JavaScript was. Its frames are in linear memory; the engine may be in the middle of anything. */
void javascript_stack(void)
{
	static const char source[] = "new Error().stack", name[] = "report";
	if (!running)
		return;
	running = false;
	print("JavaScript stack:\n");
	stack_for_report();	/* when it was the stack that overflowed */
	u32 code = new_string(source), text = engine_QTS_GetString(snapshot->context, code), file = engine_malloc(sizeof name);
	memcpy(text_at(file), name, sizeof name);
	u32 stack = engine_QTS_Eval(snapshot->context, text, sizeof source - 1, file, 0, 0);
	print_frames(text_at(engine_QTS_GetString(snapshot->context, stack)), 1);	/* without our own */
}
