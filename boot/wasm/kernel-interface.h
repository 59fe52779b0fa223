/*
 * What runtime.c has of the kernel: the same as in boot/kernel/kernel.h and js.h and boot/build/engine/engine.h, which programs are built
 * without. A test compiles runtime.c with those, too, so that they cannot disagree.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef int32_t s32;
typedef uint64_t u64;
typedef int64_t s64;
typedef double f64;

#define PAGE 4096ul
#define LINEAR_BASE 0x10000000ul
#define PTE_PRESENT 1ul
#define PTE_DATA (PTE_PRESENT | 2ul | 1ul << 63)

void *memcpy(void *to, const void *from, size_t n);
u64 frame_alloc(void);
u64 *pte(u64 address, bool create);
u64 frames_available(void);
void stack_at_rest(void);
u32 io_alloc(u32 count);
s64 io_free(u32 address, u64 length);

struct arg { f64 number; u8 *bytes; u32 length, value; };
f64 range_error(const char *text, ...) __attribute__((format(printf, 1, 2)));
u64 whole(const struct arg *arg, const char *name, u64 most);
bool failed(void);
u32 new_number(f64 number);
u32 new_buffer(u32 address, u32 length);
extern const u32 *snapshot;
#define engine_context() snapshot[7]	/* struct snapshot */

u32 engine_QTS_Call(u32 context, u32 function, u32 this_value, u32 count, u32 arguments);
u32 engine_QTS_ResolveException(u32 context, u32 value);
u32 engine_QTS_Throw(u32 context, u32 error);
u32 engine_QTS_GetUndefined(void);
void engine_QTS_FreeValuePointer(u32 context, u32 value);
