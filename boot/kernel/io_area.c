/*
 * The I/O area: linear addresses from 2 GiB, where JavaScript sees pages that it shares with other domains. The page tables are
 * the allocator's only record: an entry of 0 is free, the software bits say what a used one is. Each page of the area has a
 * guest-physical hole of its own (xen_hole) for a foreign frame, so holes need no allocator either.
 */
#include "xen.h"

#define AREA_PAGES ((u32)((0x100000000ul - IO_START) / PAGE))
#define FIRST (1ul << 9)	/* software bits of a page table entry: first page of an allocation */
#define OWN (1ul << 10)	/* a frame of ours */
#define FOREIGN (1ul << 11)	/* reserved for a foreign frame; present while there is one */
#define PINNED (1ul << 52)	/* the kernel's: grant table, xenstore; never given back */

static u32 next = 1;		/* page where the search starts; page 0 is never used: its hole is shared_info's */
static u32 used_end;		/* no page from here on was ever used */
static u32 grant_pages[256];	/* linear address of each frame of the grant table, 0 when it is not mapped */
static u32 xenstore_page;
u64 frames_io;

static u64 virtual(u32 page) { return LINEAR_BASE + IO_START + page * PAGE; }
static u32 linear(u32 page) { return IO_START + page * PAGE; }
static u64 entry_of(u32 page)
{
	u64 *e = pte(virtual(page), false);
	return e ? *e : 0;
}

/* The page that starts at a linear address of the area; 0 when none does. */
static u32 page_of(u32 address) { return address >= IO_START && !(address & (PAGE - 1)) ? (address - IO_START) / PAGE : 0; }

static u32 find(u32 count)
{
	for (u32 pass = 0, from = next; pass < 2; pass++, from = 1)
		for (u32 page = from, run = 0; page < AREA_PAGES - 1; page++) {	/* the last page stays a guard */
			run = entry_of(page) ? 0 : run + 1;
			if (run == count)
				return page - count + 1;
		}
	return 0;
}

static void release(u32 page, u32 count)
{
	for (u32 i = page; i < page + count; i++) {
		u64 *e = pte(virtual(i), false);
		if (!e || !*e)
			continue;
		if (*e & OWN) {
			frame_free(*e & PTE_FRAME);
			frames_io--;
		}
		*e = 0;
		invlpg(virtual(i));
	}
}

static u32 take(u32 count, u64 kind)
{
	u32 tables = count / 512 + 2;
	if (!count || count >= AREA_PAGES || frames_available() < (kind == OWN ? count : 0) + tables)
		return 0;
	u32 page = find(count);
	if (!page)
		return 0;
	for (u32 i = 0; i < count; i++) {
		u64 *e = pte(virtual(page + i), true);
		u64 frame = e && kind == OWN ? frame_alloc() : 0;
		if (!e || (kind == OWN && !frame)) {
			release(page, i);
			return 0;
		}
		*e = kind | (i ? 0 : FIRST) | (frame ? frame | PTE_DATA : 0);
		frames_io += kind == OWN;
	}
	next = page + count;
	if (next > used_end)
		used_end = next;
	return linear(page);
}

u32 io_alloc(u32 count) { return take(count, OWN); }
u32 io_reserve(u32 count) { return take(count, FOREIGN); }

s64 io_free(u32 address, u64 length)
{
	u32 page = page_of(address), count = length / PAGE;
	if (!page || length % PAGE || !count || page + count > AREA_PAGES || !(entry_of(page) & FIRST) || entry_of(page) & PINNED)
		return -EINVAL;
	for (u32 i = 0; i < count; i++) {
		u64 e = entry_of(page + i);
		if (!e || (i && e & FIRST))
			return -EINVAL;
		if (e & FOREIGN && e & PTE_PRESENT)
			return -EBUSY;
	}
	if (page + count < AREA_PAGES && entry_of(page + count) && !(entry_of(page + count) & FIRST))
		return -EINVAL;		/* not the whole of it */
	release(page, count);
	if (page < next)
		next = page;
	return 0;
}

u64 io_frame(u32 address)
{
	u32 page = page_of(address);
	u64 e = page ? entry_of(page) : 0;
	return e & OWN ? (e & PTE_FRAME) / PAGE : 0;
}

static void set_foreign(u32 page, u64 physical, u64 flags)
{
	u64 *e = pte(virtual(page), false);
	*e = (*e & (FIRST | FOREIGN | PINNED)) | physical | flags;
	invlpg(virtual(page));
}

/* Whether these are pages of reservations, all with a foreign page or all without. */
static bool are_foreign(u32 page, u32 count, bool mapped)
{
	for (u32 i = 0; i < count; i++) {
		u64 e = page && page + i < AREA_PAGES ? entry_of(page + i) : 0;
		if (!(e & FOREIGN) || e & PINNED || !!(e & PTE_PRESENT) != mapped)
			return false;
	}
	return true;
}

/* What is not mapped is passed over. Xen works through so many at a time, and flushes TLBs once for them. */
#define BATCH 32
static s64 unmap(u32 page, const u32 *handles, u32 count)
{
	struct gnttab_unmap ops[BATCH];
	u32 pages[BATCH], n = 0;
	s64 status = 0;
	for (u32 i = 0; i < count; i++) {
		if (entry_of(page + i) & PTE_PRESENT) {
			ops[n] = (struct gnttab_unmap){ xen_hole(page + i), 0, handles[i], GNTST_general_error };
			pages[n++] = page + i;
		}
		if (n < BATCH && i + 1 < count)
			continue;
		if (n)
			hypercall(HC_grant_table, GNTTABOP_unmap_grant_ref, (u64)ops, n);
		while (n--) {
			if (ops[n].status)
				status = ops[n].status;
			else
				set_foreign(pages[n], 0, 0);
		}
		n = 0;
	}
	return status;
}

s64 io_grant_map(u32 address, u32 *grants, u32 count, u16 domain, bool readonly)
{
	u32 page = page_of(address);
	s64 status = are_foreign(page, count, false) ? 0 : GNTST_general_error;
	struct gnttab_map ops[BATCH];
	for (u32 done = 0, n; done < count && !status; done += n) {
		n = count - done < BATCH ? count - done : BATCH;
		for (u32 i = 0; i < n; i++)
			ops[i] = (struct gnttab_map){ xen_hole(page + done + i), GNTMAP_host_map | (readonly ? GNTMAP_readonly : 0), grants[done + i], domain, GNTST_general_error, 0, 0 };
		hypercall(HC_grant_table, GNTTABOP_map_grant_ref, (u64)ops, n);
		for (u32 i = 0; i < n; i++) {
			if (ops[i].status) {
				status = status ? status : ops[i].status;
				continue;
			}
			set_foreign(page + done + i, xen_hole(page + done + i), readonly ? PTE_DATA & ~PTE_WRITE : PTE_DATA);
			grants[done + i] = ops[i].handle;
		}
		if (status)
			unmap(page, grants, done + n);
	}
	return status;
}

s64 io_grant_unmap(u32 address, const u32 *handles, u32 count)
{
	u32 page = page_of(address);
	return are_foreign(page, count, true) ? unmap(page, handles, count) : GNTST_general_error;
}

u32 io_grant_table(u32 index)
{
	if (index >= sizeof grant_pages / sizeof grant_pages[0])
		return 0;
	if (!grant_pages[index]) {
		u32 address = io_reserve(1), page = page_of(address);
		if (!address)
			return 0;
		if (xen_map_frame(XENMAPSPACE_grant_table, index, xen_hole(page))) {
			release(page, 1);
			return 0;
		}
		set_foreign(page, xen_hole(page), PTE_DATA);
		*pte(virtual(page), false) |= PINNED;
		grant_pages[index] = address;
	}
	return grant_pages[index];
}

u32 io_xenstore(void)
{
	if (!xenstore_page && xenstore_frame && (xenstore_page = io_reserve(1))) {
		set_foreign(page_of(xenstore_page), xenstore_frame * PAGE, PTE_DATA);
		*pte(virtual(page_of(xenstore_page)), false) |= PINNED;
	}
	return xenstore_page;
}

/*
 * In a new domain after a restore: foreign pages are gone, grant table and xenstore come back at the addresses that JavaScript
 * knows.
 */
void io_resume(void)
{
	for (u32 page = 1; page < used_end; page++)
		if (entry_of(page) & FOREIGN && !(entry_of(page) & PINNED))
			set_foreign(page, 0, 0);
	for (u32 i = 0; i < sizeof grant_pages / sizeof grant_pages[0]; i++)
		if (grant_pages[i] && xen_map_frame(XENMAPSPACE_grant_table, i, xen_hole(page_of(grant_pages[i]))))
			panic("Xen refuses frame %u of the grant table after a restore", i);
	if (xenstore_page)
		set_foreign(page_of(xenstore_page), xenstore_frame * PAGE, PTE_DATA);
}

const char *io_describe(u64 address)
{
	u64 e = address >= IO_START && address < 0x100000000ul ? entry_of((address - IO_START) / PAGE) : 0;
	return e & OWN ? "I/O area, allocated page"
		: e & FOREIGN && e & PTE_PRESENT ? "I/O area, a foreign page"
		: e & FOREIGN ? "I/O area, reserved page without a foreign page in it" : "I/O area, free page: a view was used after pagesFree?";
}
