/*
 * Demand-zero memory: the engine's heap and both stacks get a frame when they are first touched. Growing the heap is a promise; it
 * is given only when there are frames for all that was promised, so that JavaScript sees "out of memory" as an exception and the
 * page fault that finds no frame stays the exception's exception.
 *
 * The engine checks its linear stack at each call, against a limit in its runtime structure, and knows nothing of the native stack
 * nor of memory. So the limit is moved: when a stack wants a page that it should not have, it gets it from a reserve, and the limit
 * goes up to where the linear stack is. The engine's next check then finds the stack full, and throws what can be caught.
 */
#include "kernel.h"
#include "engine.h"	/* engine_pages, engine_sp */

#define KEPT 32			/* frames kept back for page tables */
#define STACK_KEPT 40		/* frames that the stacks always get; and a share of what is free at boot, since the heap gives back nothing */
#define STACK_SHARE(free) ((free) < 512 ? 0 : (free) > 24000 ? 1468 : ((free) - 512) / 16)
#define STACK_RESERVE 40	/* for what runs between that page fault and the next check, and for throwing */
#define STACK_LEAVES 64		/* above that a stack leaves this to the heap: for the exception, and for calls of the kernel */
#define STACK_USUAL 128		/* above this, frames are given back when the program is at rest */
#define SLACK (4 * PAGE)	/* below a stack pointer, what may be in use all the same */

u64 frames_heap, frames_stack, frames_stack_most;
bool stack_deep;
static u64 first_end;		/* where the heap ended when the snapshot was made, in pages */
static u64 promised;		/* pages behind it without a frame */

static u32 *limit;		/* the engine's; NULL until there is one, and while a report is made */
static u32 usual_limit;
static u64 linear_top;		/* addresses of the linear stack, and where its guard begins */
static u64 guard_start = ~0ul;
static u64 kept = STACK_KEPT;
#define CALL_LIMIT (STACK_TOP - STACK_SOFT + 0x20000)	/* compiled code, whose frames are smaller than that, does not come to the engine's */
u64 stack_call_limit = CALL_LIMIT;	/* of the native stack, for compiled code, which looks itself */
static bool full;		/* the limit was raised */
static u64 frames_when_full;	/* in use by the stacks then */
static u64 native_deepest = STACK_TOP, linear_deepest;	/* addresses of the deepest pages that were touched */

static u64 heap_end(void) { return (u64)engine_pages * 16; }

/* Bytes below the limit that the linear stack may have: the engine's C functions between two checks. */
#define LINEAR_MARGIN 0x10000ul
static u64 linear_low(void) { return LINEAR_BASE + usual_limit - LINEAR_MARGIN; }
bool in_linear_guard(u64 address) { return address >= guard_start && address < linear_low(); }

static void refuse_calls(void)
{
	stack_call_limit = native_deepest;
	u32 now = engine_sp + 1;	/* a function is refused whose frame ends here or deeper */
	if (!limit || (full && *limit >= now))
		return;
	*limit = now;
	full = stack_deep = true;
	frames_when_full = frames_stack;
}

static bool give_frame(u64 address)
{
	u64 frame = frame_alloc();
	return frame && map(address & ~(PAGE - 1), frame, PTE_DATA);
}

static bool stack_page(u64 address, bool native)
{
	if ((native && address < STACK_TOP - STACK_SOFT) || (frames_stack >= kept && frames_available() <= STACK_LEAVES))
		refuse_calls();
	if (!give_frame(address))
		return false;
	u64 *deepest = native ? &native_deepest : &linear_deepest;
	if (address < *deepest)
		*deepest = address & ~(PAGE - 1);
	if (++frames_stack > frames_stack_most)
		frames_stack_most = frames_stack;
	if (frames_stack > STACK_USUAL)
		stack_deep = true;
	return true;
}

bool demand_page(u64 address, bool *out_of_memory)
{
	u64 page = (address - LINEAR_BASE) / PAGE;
	bool heap = address >= LINEAR_BASE && page < heap_end(), native = address >= STACK_TOP - STACK_MAX && address < STACK_TOP;
	if ((!heap && !native) || in_linear_guard(address))
		return false;
	bool stack = native || (address >= guard_start && address < linear_top);
	if (stack ? !stack_page(address, native) : !give_frame(address)) {
		*out_of_memory = true;
		return false;
	}
	if (!stack) {
		frames_heap++;
		if (page >= first_end)
			promised--;
	}
	return true;
}

void linear_ready(u32 *stack_limit, u32 stack_top, u32 data_end)
{
	first_end = heap_end();
	kept += STACK_SHARE(frames_free);
	limit = stack_limit;
	usual_limit = *stack_limit;
	linear_deepest = linear_top = LINEAR_BASE + (stack_top & ~(PAGE - 1));	/* the page of its top is the heap's too */
	guard_start = LINEAR_BASE + ROUND_UP(data_end, PAGE);
}

static u64 give_back(u64 from, u64 to)
{
	for (; from < to; from += PAGE) {
		u64 *entry = pte(from, false);
		if (!entry || !(*entry & PTE_PRESENT))
			continue;
		frame_free(*entry & PTE_FRAME);
		*entry = 0;
		invlpg(from);
		frames_stack--;
	}
	return to;
}

/* What lies below the stack pointers is dead. */
static void stack_release(void)
{
	u64 native = ((u64)__builtin_frame_address(0) - SLACK) & ~(PAGE - 1), linear = (LINEAR_BASE + engine_sp - SLACK) & ~(PAGE - 1);
	if (native > native_deepest)
		native_deepest = give_back(native_deepest, native);
	if (linear > linear_deepest)
		linear_deepest = give_back(linear_deepest, linear < linear_top ? linear : linear_top);
}

void stack_at_rest(void)
{
	if (full && limit)
		*limit = usual_limit;
	full = stack_deep = false;
	stack_call_limit = CALL_LIMIT;
	stack_release();
}

void stack_for_report(void)
{
	if (limit)
		*limit = 0;
	limit = NULL;
}

u64 frames_available(void)
{
	u64 used = full && frames_stack > frames_when_full ? frames_stack - frames_when_full : 0;
	u64 bound = promised + promised / 512 + KEPT + (used < STACK_RESERVE ? STACK_RESERVE - used : 0)
		+ (frames_stack < kept ? kept - frames_stack : 0);
	return frames_free > bound ? frames_free - bound : 0;
}

bool heap_resize(u64 bytes)
{
	u64 pages = (bytes + 0xffff) >> 16;
	if (pages > IO_START >> 16)
		return false;
	if (pages <= engine_pages)
		return true;
	u64 more = (pages - engine_pages) * 16;
	if (more + more / 512 > frames_available())
		stack_release();
	if (more + more / 512 > frames_available())
		return false;
	promised += more;
	engine_pages = pages;
	return true;
}

u32 engine_heap_most(void)
{
	u64 bytes = engine_pages * (u64)ENGINE_PAGE - ENGINE_STACK_POINTER + frames_available() * PAGE;
	return bytes < IO_START ? bytes : IO_START;
}
