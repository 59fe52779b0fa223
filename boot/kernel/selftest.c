/*
 * `selftest=NAME` on the command line does something that must end in a readable report and reason crash. For the system tests,
 * and for whoever wants to see what a report looks like.
 */
#include "js.h"

extern u64 gdt[];

static u64 eat_stack(u64 depth)
{
	volatile u8 frame[512];
	frame[depth % sizeof frame] = depth;
	return depth > 1u << 20 ? depth : eat_stack(depth + 1) + frame[depth % sizeof frame];	/* not a tail call */
}

static void write_text(void) { *(volatile u8 *)_image = 0xcc; }
static void write_text_alias(void) { *(volatile u8 *)direct(image_physical(_image)) = 0xcc; }
static void execute_data(void) { ((void (*volatile)(void))gdt)(); }
static void null_read(void) { (void)*(volatile u32 *)0; }
static void null_call(void) { ((void (*volatile)(void))0)(); }
static void stack_overflow(void) { eat_stack(0); }
static void linear_guard(void) { *(volatile u32 *)(LINEAR_BASE + ((u64)engine_pages << 16) + 0x1234) = 1; }
static void linear_stack(void) { *(volatile u32 *)(LINEAR_BASE + snapshot->stack_pointer - (3 << 20)) = 1; }
static void need_code(void)
{
	if (!image_slot.code_length)
		refuse("selftest: this image has no code of its own");
}
/* What a test's image has. */
static void run_code(void)
{
	u32 (*part)(u32) = (u32 (*)(u32))code_named("selftest");
	if (part)
		print("the code returned %x\n", part(0x1234));
}
static u8 *code_start(void) { return (u8 *)KERNEL_BASE + image_slot.code; }
static void write_code(void) { need_code(), *(volatile u8 *)code_start() = 0xcc; }
static void write_code_alias(void) { need_code(), *(volatile u8 *)direct(image_slot.code) = 0xcc; }
static void trap_engine(void) { engine_trap(ENGINE_TRAP_UNREACHABLE); }

static const struct { const char *name; void (*run)(void); } tests[] = {
	{ "write-text", write_text }, { "write-text-alias", write_text_alias }, { "execute-data", execute_data }, { "null-read", null_read },
	{ "null-call", null_call }, { "stack-overflow", stack_overflow }, { "linear-guard", linear_guard },
	{ "linear-stack", linear_stack }, { "write-code", write_code }, { "write-code-alias", write_code_alias },
	{ "run-code", run_code }, { "engine-trap", trap_engine },
};

void selftest(void)
{
	char name[32];
	if (!word("selftest", name, sizeof name))
		return;
	print("selftest: %s\n", name);
	for (u32 i = 0; i < sizeof tests / sizeof tests[0]; i++)
		if (strlen(name) == strlen(tests[i].name) && !memcmp(name, tests[i].name, strlen(name))) {
			tests[i].run();
			refuse("selftest %s: nothing stopped it", name);
		}
	refuse("selftest %s does not exist", name);
}
