/*
 * What the translated engine and its host have in common: types, where linear memory is, traps. For x86-64 only.
 */
#pragma once
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
typedef float f32;
typedef double f64;

#define INLINE static inline __attribute__((always_inline))

/*
 * Linear memory lies at a constant address, so that an access is one instruction: the base is part of its displacement. There
 * are no bounds checks. An address is a u32 plus an offset below 2^32, thus below 8 GiB: the host keeps 8 GiB from ENGINE_BASE
 * to itself and leaves unmapped what is not memory, so that a wild access is a page fault (Spec: a trap).
 */
#define ENGINE_BASE 0x10000000ull
#define ENGINE_RESERVED (8ull << 30)
#define ENGINE_PAGE 65536u

/* Where linear address `address` is, for the host. */
INLINE u8 *engine_memory(u32 address) { return (u8 *)(ENGINE_BASE + address); }

/* Traps. The host reports the code and ends; the stack of the engine is lost. */
enum {
	ENGINE_TRAP_UNREACHABLE = 1,	/* `unreachable`: the engine's abort */
	ENGINE_TRAP_DIVIDE_BY_ZERO,
	ENGINE_TRAP_INTEGER_OVERFLOW,	/* INT_MIN / -1 */
	ENGINE_TRAP_INDIRECT_CALL,	/* no such function, or of another type */
};
_Noreturn __attribute__((cold)) void engine_trap(int code);
