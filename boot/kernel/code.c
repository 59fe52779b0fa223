/*
 * Code of the image's own: compiled with the program, linked by the composer (boot/image/code.ts), in pages that nobody can write.
 * The header in front leads its users to their tables, and gives the report of a trap the name of a part.
 */
#include "kernel.h"

#define MAGIC 0x43535458	/* "XTSC" */
struct code { u32 magic, count; u64 tables[CODE_TABLES]; struct { u32 start, name; } parts[]; };	/* offsets from here, ascending */
_Static_assert(offsetof(struct code, parts) == 40, "boot/image/code.ts");

static const struct code *code;

void code_find(void)
{
	if (!image_slot.code_length)
		return;
	const struct code *c = (const void *)(KERNEL_BASE + image_slot.code);
	if (c->magic != MAGIC)
		refuse("the image's code is damaged (magic %x): build the image again", c->magic);
	code = c;
}

const void *code_table(enum code_table user) { return code ? (const void *)code->tables[user] : NULL; }

u64 code_named(const char *name)
{
	for (u32 i = 0; code && i < code->count; i++) {
		const char *own = (const char *)code + code->parts[i].name;
		if (strlen(own) == strlen(name) && !memcmp(own, name, strlen(own)))
			return (u64)code + code->parts[i].start;
	}
	return 0;
}

const char *code_part(u64 address)
{
	u64 offset = address - KERNEL_BASE - image_slot.code;
	if (!code || offset >= image_slot.code_length)
		return NULL;
	const char *name = "its header";
	for (u32 i = 0; i < code->count && code->parts[i].start <= offset; i++)
		name = (const char *)code + code->parts[i].name;
	return name;
}
