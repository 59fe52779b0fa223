/*
 * What the parts of the kernel share: types, the address map, processor instructions, and the interface of each file.
 *
 * One processor, no threads, and interrupts are off except while waiting (traps.S): no interrupt ever enters the engine. Only the
 * page fault handler (demand paging) runs in between. It and all that it calls are compiled without SSE, so that it need not
 * save the engine's registers.
 */
#pragma once
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

#define PAGE 4096ul
#define ROUND_UP(x, to) (((x) + (to) - 1) & ~((u64)(to) - 1))

/* ---- address map ---- */

#define LINEAR_BASE 0x10000000ul		/* wasm linear memory: 4 GiB of addresses, and 4 GiB of guard for index + offset */
#define LINEAR_SPAN 0x200000000ul
#define IO_START 0x80000000ul			/* linear address of the I/O area (io_area.c); below it is the engine's heap */
#define DIRECT_BASE 0xffff800000000000ul	/* + physical address: all RAM but the kernel's text and rodata */
#define KERNEL_BASE 0xffffffff80000000ul	/* + physical address: the kernel image */
#define FIXED_BASE 0xffffffffc3ff8000ul	/* single pages: shared_info, console ring */
#define STACK_TOP 0xffffffffc3ff0000ul		/* the native stack, demand-zero downwards; unmapped above and below */
#define STACK_SOFT 0x600000ul			/* when it is this large, JavaScript is refused further calls (linear.c) */
#define STACK_MAX 0x700000ul

static inline void *direct(u64 physical) { return (void *)(DIRECT_BASE + physical); }
static inline u64 image_physical(const void *p) { return (u64)p - KERNEL_BASE; }

extern u8 _image[], _engine_text[], _text_end[], _rodata_end[], _boot_only[], _boot_only_end[], _end[];	/* kernel.lds */

/* ---- processor ---- */

static inline void outb(u16 port, u8 value) { __asm__ volatile("outb %0, %1" :: "a"(value), "Nd"(port)); }
static inline void wrmsr(u32 msr, u64 v) { __asm__ volatile("wrmsr" :: "c"(msr), "a"((u32)v), "d"((u32)(v >> 32)) : "memory"); }
static inline void invlpg(u64 address) { __asm__ volatile("invlpg (%0)" :: "r"(address) : "memory"); }
static inline void zero_page(void *p) { u64 n = 512; __asm__ volatile("rep stosq" : "+D"(p), "+c"(n) : "a"(0) : "memory"); }

static inline u64 rdtsc(void)
{
	u32 low, high;
	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) :: "memory");
	return low | (u64)high << 32;
}

struct cpuid { u32 eax, ebx, ecx, edx; };
static inline struct cpuid cpuid(u32 leaf, u32 sub)
{
	struct cpuid r;
	__asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(sub));
	return r;
}

/* ---- libc.c ---- */

void *memcpy(void *to, const void *from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);

/* ---- print.c, console.c ---- */

/* Knows %s %c %d %u %x, the length l, a zero and a width. Returns the length written; the text is cut, never overrun. */
u32 format(char *out, u32 size, const char *text, ...) __attribute__((format(printf, 3, 4)));
u32 vformat(char *out, u32 size, const char *text, va_list args);
void print(const char *text, ...) __attribute__((format(printf, 1, 2)));

void console_connect(u64 frame, u32 port);	/* until then output goes to I/O port 0xE9, Xen's debug console */
void console_write(const char *text, u64 length);
u32 console_read(u8 *into, u32 length);
bool console_has_input(void);
void console_drain(void);
void console_give_up(void);			/* from now on no write waits for ever: the domain is going down */
u32 console_port(void);

/* ---- start_info.c ---- */

struct memory_range { u64 start, end; u32 type; };	/* E820 types: 1 is RAM */
#define MEMORY_RANGES 64
extern struct memory_range memory_map[MEMORY_RANGES];
extern u32 memory_ranges;
extern char command_line[1025];
void start_info_read(void);
bool word(const char *name, char *value, u32 size);	/* is `name` or `name=value` on the command line? */

/* ---- main.c: physical addresses, filled in by the composer; code_length is 0 when the image has no code of its own ---- */

extern struct image_slot { u64 address, length, code, code_length; } image_slot;

/* ---- code.c: the image's own code, read and executed where it lies; written by boot/image/code.ts ---- */

enum code_table { CODE_WASM, CODE_BODIES, CODE_TABLES = 4 };
void code_find(void);
const void *code_table(enum code_table user);	/* NULL when the image has none */
u64 code_named(const char *name);		/* address of a part, 0 when there is none of this name */
const char *code_part(u64 address);		/* name of the part with this address; NULL outside of the code */

/* ---- frames.c, paging.c, linear.c, io_area.c ---- */

extern u64 frames_total, frames_free, frames_kept;	/* in 4 KiB frames; total is what the domain may touch */
void frames_init(u64 image_start, u64 image_end);
void frames_limit(u64 pages);
void frames_add(u64 start, u64 end);
u64 frame_alloc(void);				/* zeroed; 0 when there is none */
void frame_free(u64 physical);

#define PTE_PRESENT 1ul
#define PTE_WRITE 2ul
#define PTE_LARGE 0x80ul
#define PTE_NX (1ul << 63)
#define PTE_FRAME 0x000ffffffffff000ul
#define PTE_DATA (PTE_PRESENT | PTE_WRITE | PTE_NX)
extern u64 frames_tables;
u64 paging_init(void);				/* returns CR3 */
u64 *pte(u64 address, bool create);		/* the 4 KiB entry; NULL when there is no table for it (or no frame to make one) */
bool map(u64 address, u64 physical, u64 flags);
void *fixed_map(u32 slot, u64 physical);	/* slot 0 shared_info, 1 console */

extern u64 frames_heap, frames_stack, frames_stack_most;	/* stack: the native and the linear one */
bool demand_page(u64 address, bool *out_of_memory);
void linear_ready(u32 *stack_limit, u32 stack_top, u32 data_end);	/* the snapshot is mapped, engine_pages is set */
extern bool stack_deep;
extern u64 stack_call_limit;			/* address: compiled code of an image calls nothing when its stack is deeper */
void stack_at_rest(void);			/* to be called when stack_deep, and no JavaScript runs: it may have all of its stack again */
void stack_for_report(void);			/* no limit any more */
bool in_linear_guard(u64 address);
u64 frames_available(void);			/* free, and promised to nobody */
bool heap_resize(u64 bytes);

extern u64 frames_io;
u32 io_alloc(u32 count);			/* linear address, 0 when there is no room */
u32 io_reserve(u32 count);
s64 io_free(u32 address, u64 length);		/* 0, -EBUSY, -EINVAL */
u64 io_frame(u32 address);			/* frame number of an allocated page, 0 when it is none */
u32 io_grant_table(u32 index);			/* linear address, 0 at the limit */
u32 io_xenstore(void);
s64 io_grant_map(u32 address, u32 *grants, u32 count, u16 domain, bool readonly);	/* handles in the place of references */
s64 io_grant_unmap(u32 address, const u32 *handles, u32 count);
void io_resume(void);
const char *io_describe(u64 linear);

/* ---- traps.c, report.c ---- */

struct frame { u64 r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax, vector, error, rip, cs, rflags, rsp, ss; };
void traps_init(void);
_Noreturn void report_trap(const struct frame *f, u64 address, bool out_of_memory);
_Noreturn void panic(const char *text, ...) __attribute__((format(printf, 1, 2)));	/* with the JavaScript stack */
_Noreturn void refuse(const char *text, ...) __attribute__((format(printf, 1, 2)));	/* one sentence, reason crash */

/* ---- time.c, events.c, random.c ---- */

extern u64 entry_tsc;				/* boot.S */
u64 time_system(void);				/* ns, Xen's clock */
u64 time_since_entry(void);			/* ns; never goes back, stands still during a suspend */
u64 time_latest(void);				/* what it was when it was asked last */
u64 time_recent(void);				/* the same, at a moment since the last events_wait, and RECENT ago at most */
u64 time_at(u64 tsc);				/* the same, for a value of rdtsc() */
u64 time_of_entry(void);			/* what time_system() is ahead of time_since_entry(), ns */
u64 time_wall(void);				/* ns since 1970 UTC */
void time_set_wall(u64 ns);			/* corrects time_wall(), and nothing else */
void time_suspend(void);
void time_resume(bool new_world);
struct date { u32 year, month, day, hour, minute, second, weekday; };	/* month from 1; weekday from Sunday = 0 */
struct date date_of(s64 seconds);

u32 events_wait(u64 deadline, u32 *ports, u32 most);	/* deadline in ns since entry, ~0 for none */
void events_forget(u32 port);			/* takes away a pending mark without handling it */
void events_resume(void);			/* in a new world nothing is pending, and no timer set */

void random_init(void);
void random_resume(void);			/* two restores of one saved domain part here */
void random_mix(const void *seed, u64 length);
void random_bytes(void *out, u64 length);
