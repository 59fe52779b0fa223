/* ABI: pages of the I/O area, grant table, foreign pages, xenstore ring. Checks the arrays; io_area.c does the work. */
#include "js.h"
#include "xen.h"

static u32 linear_of(const struct arg *array) { return (u64)array->bytes - ENGINE_BASE; }
static struct pages span(u32 address, u32 count) { return (struct pages){ address, address ? count * PAGE : 0 }; }

/* Linear address of page `index` of an array of pages; 0, and the call throws, when the array has no such page. */
static u32 page_in(const struct arg *array, const struct arg *index)
{
	u64 i = whole(index, "index", 0xffffffff);
	if (failed())
		return 0;
	if (linear_of(array) < IO_START || linear_of(array) % PAGE)
		range_error("the array does not start at a page of pagesAlloc or pagesReserve");
	else if ((i + 1) * PAGE > array->length)
		range_error("index %lu is outside of an array of %lu pages", i, array->length / PAGE);
	return failed() ? 0 : linear_of(array) + i * PAGE;
}

static u32 count_of(const struct arg *count)
{
	u32 n = whole(count, "count", 0x7ffff);
	if (!n && !failed())
		range_error("count is 0; it must be at least 1");
	return n;
}

struct pages abi_pagesAlloc(const struct arg *a)
{
	u32 count = count_of(&a[0]);
	return span(failed() ? 0 : io_alloc(count), count);
}

struct pages abi_pagesReserve(const struct arg *a)
{
	u32 count = count_of(&a[0]);
	return span(failed() ? 0 : io_reserve(count), count);
}

f64 abi_pagesFree(const struct arg *a)
{
	s64 error = io_free(linear_of(&a[0]), a[0].length);
	return error == -EINVAL ? range_error("the array is not the whole of what pagesAlloc or pagesReserve returned") : error;
}

f64 abi_pageFrame(const struct arg *a)
{
	u32 page = page_in(&a[0], &a[1]);
	u64 frame = failed() ? 0 : io_frame(page);
	return frame || failed() ? frame : range_error("the page is not of pagesAlloc: a foreign page has no frame of ours");
}

struct pages abi_grantTable(const struct arg *a)
{
	u32 frame = whole(&a[0], "frame", 0xffffffff);
	return span(failed() ? 0 : io_grant_table(frame), 1);
}

f64 abi_grantFrames(const struct arg *a)
{
	struct gnttab_size op = { DOMID_SELF, 0, 0, 0 };
	return hypercall(HC_grant_table, GNTTABOP_query_size, (u64)&op, 1) || op.status ? 0 : op.most;
}

/* The u32 in an array, one for each of the first `pages`; `count` of them. */
static u32 *one_a_page(const struct arg *pages, const struct arg *array, u32 *address, u32 *count)
{
	const struct arg start = { 0 };
	*address = page_in(pages, &start);
	*count = array->length / 4;
	if (!failed() && (!*count || array->length % 4 || *count > pages->length / PAGE))
		range_error("%u bytes are not a u32 for each of 1 to %lu pages", array->length, pages->length / PAGE);
	return failed() ? NULL : (u32 *)range(array, &start, array->length, 4);
}

f64 abi_grantMap(const struct arg *a)
{
	u32 address, count, *grants = one_a_page(&a[0], &a[2], &address, &count);
	u64 domain = failed() ? 0 : whole(&a[1], "domid", 0x7fff), readonly = failed() ? 0 : whole(&a[3], "readonly", 1);
	return failed() ? 0 : io_grant_map(address, grants, count, domain, readonly);
}

f64 abi_grantUnmap(const struct arg *a)
{
	u32 address, count, *handles = one_a_page(&a[0], &a[1], &address, &count);
	return failed() ? 0 : io_grant_unmap(address, handles, count);
}

struct pages abi_xenstorePage(const struct arg *a) { return span(io_xenstore(), 1); }
f64 abi_xenstorePort(const struct arg *a) { return xenstore_port; }
