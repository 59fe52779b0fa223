/*
 * Guest frames of 4 KiB. Ranges of RAM that were never used are handed out from their start; what comes back goes on a list that
 * is threaded through the frames themselves, so the allocator needs no memory of its own and costs nothing at boot for 8 GiB.
 */
#include "kernel.h"

static struct { u64 next, end; } fresh[MEMORY_RANGES + 2];
static u32 ranges;
static u64 free_list;
u64 frames_total, frames_free;
u64 frames_kept = 16;	/* for the report of running out of all others */

void frames_add(u64 start, u64 end)
{
	start = ROUND_UP(start, PAGE);
	end &= ~(PAGE - 1);
	if (start >= end || ranges == sizeof fresh / sizeof fresh[0])
		return;
	fresh[ranges].next = start;
	fresh[ranges++].end = end;
	frames_free += (end - start) / PAGE;
}

/* All RAM but frame 0 (0 means none) and the image with its snapshot; ascending, so that boot uses what the boot tables show. */
void frames_init(u64 image_start, u64 image_end)
{
	for (u32 i = 0; i < memory_ranges; i++) {
		u64 start = memory_map[i].start, end = memory_map[i].end;
		if (memory_map[i].type != 1)
			continue;
		frames_total += (end - start) / PAGE;
		if (!start)
			start = PAGE;
		frames_add(start, end < image_start ? end : image_start);
		frames_add(start > image_end ? start : image_end, end);
	}
}

/*
 * With maxmem above memory the map shows maxmem, but Xen has only `pages` to put behind it (populate on demand) and kills a
 * guest that touches more. Drops the top of the map until no more than that can be touched.
 */
void frames_limit(u64 pages)
{
	while (frames_total > pages && ranges) {
		u64 excess = frames_total - pages, size = (fresh[ranges - 1].end - fresh[ranges - 1].next) / PAGE;
		u64 cut = size < excess ? size : excess;
		fresh[ranges - 1].end -= cut * PAGE;
		frames_total -= cut;
		frames_free -= cut;
		if (cut == size)
			ranges--;
	}
}

u64 frame_alloc(void)
{
	u64 physical = free_list;
	if (frames_free <= frames_kept)
		return 0;
	if (physical) {
		free_list = *(u64 *)direct(physical);
	} else {
		for (u32 i = 0; i < ranges && !physical; i++)
			if (fresh[i].next < fresh[i].end) {
				physical = fresh[i].next;
				fresh[i].next += PAGE;
			}
		if (!physical)
			return 0;
	}
	frames_free--;
	zero_page(direct(physical));
	return physical;
}

void frame_free(u64 physical)
{
	*(u64 *)direct(physical) = free_list;
	free_list = physical;
	frames_free++;
}
