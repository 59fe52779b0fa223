/*
 * Page tables. Nothing is both writable and executable, at any address: the image has 4 KiB pages with the rights of their
 * section, and the direct map leaves out text and rodata of the kernel, and the image's own code. Page 0 and everything not named in kernel.h is unmapped.
 */
#include "kernel.h"

#define LARGE (512 * PAGE)
static u64 *root;
u64 frames_tables;

/* The entry for `address` at `level` (0: 4 KiB, 1: 2 MiB). */
static u64 *walk(u64 address, u32 level, bool create)
{
	u64 *table = root;
	for (u32 l = 3; l > level; l--) {
		u64 *entry = &table[address >> (12 + 9 * l) & 511];
		if (!(*entry & PTE_PRESENT)) {
			u64 frame = create ? frame_alloc() : 0;
			if (!frame)
				return NULL;
			frames_tables++;
			*entry = frame | PTE_PRESENT | PTE_WRITE;
		}
		table = direct(*entry & PTE_FRAME);
	}
	return &table[address >> (12 + 9 * level) & 511];
}

u64 *pte(u64 address, bool create) { return walk(address, 0, create); }

bool map(u64 address, u64 physical, u64 flags)
{
	u64 *entry = walk(address, 0, true);
	if (entry)
		*entry = physical | flags;
	return entry;
}

static void need(bool ok)
{
	if (!ok)
		refuse("no memory for the kernel's page tables: give the domain more");
}

void *fixed_map(u32 slot, u64 physical)
{
	u64 address = FIXED_BASE + slot * PAGE;
	need(map(address, physical, PTE_DATA));
	invlpg(address);
	return (void *)address;
}

static void map_image(const u8 *from, const u8 *to, u64 flags)
{
	for (u64 at = (u64)from; at < (u64)to; at += PAGE)
		need(map(at, at - KERNEL_BASE, flags));
}

/* Whether some of it must stay read-only. */
static bool is_sealed(u64 start, u64 end)
{
	u64 code = image_slot.code, code_end = ROUND_UP(code + image_slot.code_length, PAGE);
	return (start < image_physical(_rodata_end) && end > image_physical(_image)) || (start < code_end && end > code);
}

/* One range of RAM, in large pages where a whole one fits and nothing in it is sealed. */
static void map_direct(u64 start, u64 end)
{
	while (start + PAGE <= end) {
		bool large = !(start & (LARGE - 1)) && start + LARGE <= end && !is_sealed(start, start + LARGE);
		if (large) {
			u64 *entry = walk(DIRECT_BASE + start, 1, true);
			need(entry);
			*entry = start | PTE_DATA | PTE_LARGE;
		} else if (!is_sealed(start, start + PAGE)) {
			need(map(DIRECT_BASE + start, start, PTE_DATA));
		}
		start += large ? LARGE : PAGE;
	}
}

u64 paging_init(void)
{
	u64 frame = frame_alloc();
	need(frame);
	frames_tables++;
	root = direct(frame);
	map_image(_image, _text_end, PTE_PRESENT);
	map_image(_text_end, _rodata_end, PTE_PRESENT | PTE_NX);
	map_image(_rodata_end, _boot_only, PTE_DATA);
	const u8 *code = (const u8 *)(KERNEL_BASE + image_slot.code);
	map_image(code, code + image_slot.code_length, PTE_PRESENT);
	for (u32 i = 0; i < memory_ranges; i++)
		if (memory_map[i].type == 1)
			map_direct(ROUND_UP(memory_map[i].start, PAGE), memory_map[i].end & ~(PAGE - 1));
	return frame;
}
