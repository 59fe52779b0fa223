/*
 * The snapshot: linear memory as it was when the program's modules had been evaluated. Its pages are mapped where they lie in
 * the image, without a copy. What must differ from boot to boot, and after each
 * restore of a saved domain, is renewed here: the state of Math.random.
 */
#include "js.h"
#include "abi.h"	/* boot/build: ABI_HASH */

#define MAGIC 0x49535458	/* "XTSI" */
const struct snapshot *snapshot;

void snapshot_find(void)
{
	const struct snapshot *s = direct(image_slot.address);
	if (!image_slot.address)
		refuse("this kernel has no program: `xen-ts build` makes an image of a kernel and a program");
	if (s->magic != MAGIC || s->header_bytes + s->page_count * PAGE > image_slot.length)
		refuse("the program's snapshot is damaged (magic %x, %u pages, %lu bytes): build the image again", s->magic, s->page_count,
			image_slot.length);
	if (s->abi_hash != ABI_HASH)
		refuse("the program was built for another kernel (its ABI is %08x, this kernel's %08x): build both again", s->abi_hash, ABI_HASH);
	snapshot = s;
}

void snapshot_map(void)
{
	const struct snapshot *s = snapshot;
	u64 physical = image_slot.address + s->header_bytes, page = 0;
	for (u32 i = 0; i < s->page_count; i++) {
		page = s->pages[i];
		if (page >= s->memory_pages * 16ul || !map(LINEAR_BASE + page * PAGE, physical + i * PAGE, PTE_DATA))
			refuse("page %lu of the snapshot cannot be mapped: no memory for page tables, or the image is damaged", page);
	}
	/*
	 * The engine starts with 16 MiB by declaration, most of which its allocator has not taken yet: the allocator's end mark is the
	 * last word that is not zero (boot/image/scrub.ts). Ending there makes it ask for more, and be refused when there is none.
	 */
	engine_pages = ROUND_UP((page + 1) * PAGE, ENGINE_PAGE) / ENGINE_PAGE;
	engine_sp = s->stack_pointer;
	linear_ready((u32 *)engine_memory(s->runtime + s->stack_limit), s->stack_pointer, ENGINE_DATA_END);
	snapshot_renew();
}

void snapshot_renew(void)
{
	u64 random = 0;
	while (!random)		/* its generator cannot leave 0 */
		random_bytes(&random, sizeof random);
	set64(snapshot->context + snapshot->random_state, random);
}
