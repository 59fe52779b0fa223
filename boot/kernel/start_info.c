/*
 * What the loader tells us (arch-x86/hvm/start_info.h): command line and memory map, copied before their frames are handed out.
 * Runs on the boot page tables, which show the first GiB.
 */
#include "xen.h"

struct start_info { u32 magic, version, flags, modules; u64 module_list, command_line, rsdp, memory_map; u32 entries, reserved; };
struct map_entry { u64 start, size; u32 type, reserved; };
#define START_INFO_MAGIC 0x336ec578

extern u64 start_info_address;	/* boot.S */
struct memory_range memory_map[MEMORY_RANGES];
u32 memory_ranges;
char command_line[1025];	/* xl cuts it at 1023 characters */

static void add_range(u64 start, u64 size, u32 type)
{
	if (!size || start + size < start || memory_ranges == MEMORY_RANGES)
		return;
	u32 i = memory_ranges++;	/* insert in order of address */
	for (; i && memory_map[i - 1].start > start; i--)
		memory_map[i] = memory_map[i - 1];
	memory_map[i] = (struct memory_range){ start, start + size, type };
}

/* The same map by hypercall: version 0 of start_info had none. */
static void ask_xen_for_map(void)
{
	static struct e820 entries[MEMORY_RANGES];
	struct xen_memory_map ask = { MEMORY_RANGES, 0, entries };
	s64 error = hypercall(HC_memory, XENMEM_memory_map, (u64)&ask, 0);
	if (error)
		refuse("no memory map: start_info has none and XENMEM_memory_map returned %ld", error);
	for (u32 i = 0; i < ask.entries && i < MEMORY_RANGES; i++)
		add_range(entries[i].start, entries[i].size, entries[i].type);
}

void start_info_read(void)
{
	const struct start_info *info = direct(start_info_address);
	if (info->magic != START_INFO_MAGIC)
		refuse("start_info at %lx has the magic number %x, not %x: was this loaded as a PVH kernel?", start_info_address, info->magic,
			START_INFO_MAGIC);
	if (info->command_line) {
		const char *from = direct(info->command_line);
		for (u32 i = 0; i < sizeof command_line - 1 && from[i]; i++)
			command_line[i] = from[i];
	}
	if (info->version >= 1 && info->entries) {
		const struct map_entry *e = direct(info->memory_map);
		for (u32 i = 0; i < info->entries; i++)
			add_range(e[i].start, e[i].size, e[i].type);
	} else {
		ask_xen_for_map();
	}
}

bool word(const char *name, char *value, u32 size)
{
	for (const char *c = command_line; *c;) {
		while (*c == ' ')
			c++;
		u32 n = 0;
		while (name[n] && c[n] == name[n])
			n++;
		if (!name[n] && (!c[n] || c[n] == ' ' || c[n] == '=')) {
			u32 used = 0;
			if (c[n] == '=')
				for (c += n + 1; *c && *c != ' ' && used + 1 < size; c++)
					value[used++] = *c;
			if (size)
				value[used] = 0;
			return true;
		}
		while (*c && *c != ' ')
			c++;
	}
	return false;
}
