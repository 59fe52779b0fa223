/*
 * The end, in one readable report: what happened, where, the registers, the JavaScript stack if there is one; then the domain
 * goes down with reason crash. Every step may fail in turn, so each is tried once.
 */
#include "xen.h"

void on_stack(u64 top, void (*function)(void));		/* traps.S */
void javascript_stack(void);				/* loop.c */

static const char *const names[32] = {
	"division by zero", "debug", "non-maskable interrupt", "breakpoint", "overflow", "bound range", "invalid instruction",
	"no floating point unit", "double fault", 0, "invalid task state", "segment not present", "stack segment", "general protection",
	"page fault", 0, "floating point", "alignment", "machine check", "SIMD floating point",
};
static u32 depth;

static _Noreturn void end(void)
{
	if (depth == 1) {
		depth++;	/* a fault from here on only adds a short report */
		frames_kept = 0;
		javascript_stack();
	}
	print("xen-ts: shutting down, reason crash\n");
	xen_shutdown(SHUTDOWN_crash);
	__builtin_unreachable();
}

static const char *describe(u64 address)
{
	u64 linear = address - LINEAR_BASE;
	if (address < PAGE)
		return "null page";
	if (address < LINEAR_BASE)
		return "unmapped, below linear memory";
	if (linear < LINEAR_SPAN) {
		extern u32 engine_pages;
		return in_linear_guard(address) ? "linear stack guard" : linear < (u64)engine_pages << 16 ? "linear memory" : linear < IO_START ? "linear memory guard, behind the heap"
			: linear < 1ul << 32 ? io_describe(linear) : "linear memory guard";
	}
	if (address >= DIRECT_BASE && address < DIRECT_BASE + (1ul << 46)) {
		u64 physical = address - DIRECT_BASE;
		return physical >= image_physical(_image) && physical < image_physical(_rodata_end)
			? "direct map, where kernel text and rodata are left out"
			: physical - image_slot.code < image_slot.code_length ? "direct map, where the image's code is left out" : "direct map";
	}
	if (address >= (u64)_image && address < (u64)_end)
		return address < (u64)_engine_text ? "kernel text" : address < (u64)_text_end ? "engine text" : address < (u64)_rodata_end ? "kernel rodata" : "kernel data";
	if (address >= STACK_TOP - STACK_MAX - PAGE && address < FIXED_BASE)
		return address < STACK_TOP - STACK_MAX ? "native stack guard" : address < STACK_TOP ? "native stack" : "guard above the native stack";
	return "unmapped";
}

static void print_place(const char *what, u64 address)
{
	const char *part = code_part(address);
	print("  %s %lx (%s%s)\n", what, address, part ? "the image's code, " : "", part ? part : describe(address));
}

void report_trap(const struct frame *f, u64 address, bool out_of_memory)
{
	console_give_up();
	if (depth++) {
		print("  (another fault, vector %lu at rip %lx address %lx, during the report)\n", f->vector, f->rip, address);
		depth = 3;
		end();
	}
	if (out_of_memory) {
		print("\nxen-ts: out of memory: no frame is left for %s. Give the domain more memory.\n", describe(address));
	} else if (f->vector == 14) {
		const char *access = f->error & 16 ? "execution" : f->error & 2 ? "write" : "read";
		print("\nxen-ts: page fault: %s %s\n", access, f->error & 1 ? "forbidden by the page's rights" : "of an unmapped page");
		print_place("address", address);
	} else {
		print("\nxen-ts: %s (vector %lu, error %lx)\n", f->vector < 32 && names[f->vector] ? names[f->vector] : "exception", f->vector,
			f->error);
	}
	print_place("rip    ", f->rip);
	print("  rsp %016lx rbp %016lx rflags %lx\n", f->rsp, f->rbp, f->rflags);
	print("  rax %016lx rbx %016lx rcx %016lx rdx %016lx\n", f->rax, f->rbx, f->rcx, f->rdx);
	print("  rsi %016lx rdi %016lx r8  %016lx r9  %016lx\n", f->rsi, f->rdi, f->r8, f->r9);
	print("  r10 %016lx r11 %016lx r12 %016lx r13 %016lx\n", f->r10, f->r11, f->r12, f->r13);
	print("  r14 %016lx r15 %016lx\n", f->r14, f->r15);
	on_stack(STACK_TOP, end);	/* the interrupted native stack is lost; JavaScript's own frames are in linear memory */
	__builtin_unreachable();
}

static void say(const char *text, va_list args)
{
	static char what[300];
	vformat(what, sizeof what, text, args);
	console_give_up();
	print("\nxen-ts: %s\n", what);
}

void panic(const char *text, ...)
{
	va_list args;
	va_start(args, text);
	say(text, args);
	depth++;
	end();
}

void refuse(const char *text, ...)
{
	va_list args;
	va_start(args, text);
	say(text, args);
	xen_shutdown(SHUTDOWN_crash);
	__builtin_unreachable();
}
