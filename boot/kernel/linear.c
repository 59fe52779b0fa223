/*
 * Demand-zero memory: the engine's heap and the native stack get a frame when they are first touched. Growing the heap is a
 * promise; it is given only when there are frames for all that was promised, so that JavaScript sees "out of memory" as an
 * exception and the page fault that finds no frame stays the exception's exception.
 */
#include "kernel.h"

#define KEPT 32			/* frames kept back for page tables */
#define STACK_KEPT 64		/* and for the native stack, as long as it is smaller: recursion to JavaScript's limit takes half of it */

extern u32 engine_pages;	/* linear memory in 64 KiB pages (engine.h) */
u64 frames_heap, frames_stack, stack_low = STACK_TOP - 16 * PAGE;
static u64 first_end;		/* where the heap ended when the snapshot was made, in pages */
static u64 promised;		/* pages behind it without a frame */

static u64 heap_end(void) { return (u64)engine_pages * 16; }

bool demand_page(u64 address, bool *out_of_memory)
{
	u64 page = (address - LINEAR_BASE) / PAGE;
	bool heap = address >= LINEAR_BASE && page < heap_end();
	if (!heap && !(address >= stack_low && address < STACK_TOP))
		return false;
	u64 frame = frame_alloc();
	if (!frame || !map(address & ~(PAGE - 1), frame, PTE_DATA)) {
		*out_of_memory = true;
		return false;
	}
	if (!heap)
		frames_stack++;
	else if (frames_heap++, page >= first_end)
		promised--;
	return true;
}

void linear_ready(void) { first_end = heap_end(); }

u64 frames_available(void)
{
	u64 bound = promised + promised / 512 + KEPT + (frames_stack < STACK_KEPT ? STACK_KEPT - frames_stack : 0);
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
		return false;
	promised += more;
	engine_pages = pages;
	return true;
}
