/*
 * Boot, in order: find Xen, memory map, frames, page tables (on the boot stack); then, on the final tables, connect to Xen, greet,
 * map the snapshot, and run the program for ever.
 */
#include "js.h"
#include "xen.h"
#include "abi.h"
#include "native.h"

/* Where the composer writes the places of snapshot and code, and the note that tells it so (ELF note "xen-ts", type 1). */
struct image_slot image_slot __attribute__((section(".data"), aligned(16)));
static const struct { u32 name_size, size, type; char name[8]; u32 version, abi_hash; u64 slot, end; } __attribute__((packed, aligned(4)))
note __attribute__((used, section(".note.xen-ts"))) = {
	7, 24, 1, "xen-ts", 2, ABI_HASH, (u64)&image_slot - KERNEL_BASE, (u64)_end - KERNEL_BASE,
};

#define POD_MARGIN 64		/* frames that count as ours but are not RAM of the map: special pages, ACPI (17 on Xen 4.17) */
#define LEAST 176		/* frames to start with, for the heap's growth and I/O pages */

static struct { const char *name; u64 end; } stages[8];
static u32 stage_count;
static void stage(const char *name) { stages[stage_count].name = name, stages[stage_count++].end = rdtsc(); }

/* `boottime` on the command line: a line like those of the log, with what each stage took. */
static void print_boot_time(void)
{
	u64 wall = time_wall(), before = 0;
	struct date d = date_of(wall / 1000000000);
	if (!word("boottime", NULL, 0))
		return;
	print("%04u-%02u-%02u %02u:%02u:%02u.%03lu -00:00: DBG [kernel] first JavaScript %lu us after entry:", d.year, d.month, d.day, d.hour, d.minute,
		d.second, wall / 1000000 % 1000, time_since_entry() / 1000);
	for (u32 i = 0; i < stage_count; i++) {
		u64 end = time_at(stages[i].end);
		print(" %s %lu", stages[i].name, (end - before) / 1000);
		before = end;
	}
	print("\n");
}

u64 boot_memory(void)		/* from boot.S, on the boot tables; returns CR3 */
{
	traps_init();
	if (!xen_find())
		refuse("this is not Xen (no XenVMMXenVMM in CPUID 0x40000000): start it as a PVH domain");
	start_info_read();
	u64 end = image_slot.address ? image_slot.address + image_slot.length : image_physical(_end);
	frames_init(image_physical(_image), ROUND_UP(end, PAGE));
	return paging_init();
}

/* See frames_limit: only with maxmem above memory does the map show more than Xen will give. */
static void limit_to_reservation(void)
{
	u16 self = DOMID_SELF;
	s64 pages = hypercall(HC_memory, XENMEM_current_reservation, (u64)&self, 0);
	if (pages > POD_MARGIN && (u64)pages < frames_total)
		frames_limit(pages - POD_MARGIN);
}

static u64 mib(u64 frames) { return (frames + 128) / 256; }

static void greet(void)
{
	print("xen-ts %s (build %s) on Xen %u.%u, %lu MiB, %s\n", snapshot->version, snapshot->build, xen_version >> 16, xen_version & 0xffff,
		mib(frames_total), snapshot->engine);
	for (u32 i = 0; i < memory_ranges; i++)
		if (memory_map[i].type == 1)
			print("memory: RAM 0x%lx-0x%lx\n", memory_map[i].start, memory_map[i].end);
	print("memory: kernel %lu KiB, snapshot of %s: %lu KiB, page tables %lu KiB, free %lu KiB\n",
		((u64)(_end - _image) + image_slot.code_length) / 1024, snapshot->program, image_slot.length / 1024, frames_tables * 4, frames_free * 4);
	if (*command_line)
		print("command line: %s\n", command_line);
}

static void check_memory(void)
{
	u64 available = frames_available();
	if (available < LEAST)
		refuse("%lu MiB of memory are too little for this program: give the domain at least %lu MiB", mib(frames_total),
			mib(frames_total + LEAST - available + 128));
}

void kernel_main(void)		/* from boot.S, on the final tables and the native stack */
{
	stage("memory");
	xen_connect();
	limit_to_reservation();
	frames_add(image_physical(_boot_only), image_physical(_boot_only_end));
	stage("Xen");
	snapshot_find();
	code_find();
	engine_native = code_table(CODE_BODIES);
	greet();
	stage("greeting");
	random_init();
	stage("random");
	snapshot_map();
	check_memory();
	stage("snapshot");
	print_boot_time();
	selftest();
	engine_run();
}
