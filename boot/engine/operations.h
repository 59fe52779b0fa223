/*
 * The operations of WebAssembly that engine.c consists of: memory, indirect calls, numbers. It replaces wabt's wasm-rt.h and the
 * preamble that wasm2c 1.0.32 writes. "Spec" is the WebAssembly core specification 2.0; 4.3 is "Numerics".
 *
 * Operations that QuickJS's .wasm does not use are not here: engine.c then does not compile, which is meant.
 */
#pragma once
#include "rt.h"

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

/* As an expression of any type, for the arms of ?: below. */
#define TRAP(code) (engine_trap(ENGINE_TRAP_##code), 0)
#define UNREACHABLE engine_trap(ENGINE_TRAP_UNREACHABLE)

/*
 * Loads and stores, little-endian as the machine is. WebAssembly permits any alignment and looks at one place through different
 * types: hence the attributes. `wide` is the type that extends the value as the operation's name says (_s or _u).
 */
#define MEMORY_TYPE(type) typedef type __attribute__((aligned(1), may_alias)) type##_at
MEMORY_TYPE(u8); MEMORY_TYPE(u16); MEMORY_TYPE(u32); MEMORY_TYPE(u64);
MEMORY_TYPE(s8); MEMORY_TYPE(s16); MEMORY_TYPE(s32);
MEMORY_TYPE(f32); MEMORY_TYPE(f64);

#define LOAD(name, type, wide, result) \
	INLINE result name(u64 address) { return (result)(wide)*(const type##_at *)(ENGINE_BASE + address); }
LOAD(i32_load, u32, u32, u32)
LOAD(i32_load8_s, s8, s32, u32)
LOAD(i32_load8_u, u8, u32, u32)
LOAD(i32_load16_s, s16, s32, u32)
LOAD(i32_load16_u, u16, u32, u32)
LOAD(i64_load, u64, u64, u64)
LOAD(i64_load8_s, s8, s64, u64)
LOAD(i64_load8_u, u8, u64, u64)
LOAD(i64_load16_s, s16, s64, u64)
LOAD(i64_load16_u, u16, u64, u64)
LOAD(i64_load32_s, s32, s64, u64)
LOAD(i64_load32_u, u32, u64, u64)
LOAD(f32_load, f32, f32, f32)
LOAD(f64_load, f64, f64, f64)

#define STORE(name, type, value) \
	INLINE void name(u64 address, value v) { *(type##_at *)(ENGINE_BASE + address) = (type)v; }
STORE(i32_store, u32, u32)
STORE(i32_store8, u8, u32)
STORE(i32_store16, u16, u32)
STORE(i64_store, u64, u64)
STORE(i64_store8, u8, u64)
STORE(i64_store16, u16, u64)
STORE(i64_store32, u32, u64)
STORE(f32_store, f32, f32)
STORE(f64_store, f64, f64)

/* Bulk memory. The compiler turns these into calls of the host's memset and memmove. */
INLINE void memory_fill(u32 to, u32 value, u32 length) { __builtin_memset(engine_memory(to), (u8)value, length); }
INLINE void memory_copy(u32 to, u32 from, u32 length) { __builtin_memmove(engine_memory(to), engine_memory(from), length); }

/* How many of these bytes are above 0x7f (c-string.ts). */
INLINE u32 high_bytes(u64 address, u32 length)
{
	u32 count = 0;
	for (; length >= 8; length -= 8, address += 8)
		count += (i64_load(address) >> 7 & 0x0101010101010101) * 0x0101010101010101 >> 56;
	for (; length; length--, address++)
		count += i32_load8_u(address) >> 7;
	return count;
}

/*
 * The function table. It never changes: call_indirect checks bounds and type against constants (Spec 4.4.8). `type` is the
 * index of the function's type plus one; null slots have 0. The check is kept though page tables guard memory: it is what keeps
 * a corrupted function pointer in linear memory from jumping to a function of another shape.
 */
struct engine_function {
	u32 type;
	void *function;
};
#ifdef ENGINE_UNCHECKED_CALLS /* for measuring what the check costs */
#define CALL_INDIRECT(table, pointer, type_index, slot, ...) ((pointer)table[slot].function)(__VA_ARGS__)
#else
#define CALL_INDIRECT(table, pointer, type_index, slot, ...) \
	(LIKELY((slot) < sizeof(table) / sizeof(table[0]) && table[slot].type == (type_index) + 1) || TRAP(INDIRECT_CALL), \
	 ((pointer)table[slot].function)(__VA_ARGS__))
#endif

/* Integer division traps where C's is undefined (Spec 4.3.2, idiv and irem). The arguments are variables: no side effects. */
#define DIVIDE_SIGNED(type, least, x, y) \
	(UNLIKELY((y) == 0) ? TRAP(DIVIDE_BY_ZERO) : UNLIKELY((x) == (least) && (y) == -1) ? TRAP(INTEGER_OVERFLOW) : (type)((x) / (y)))
#define REMAINDER_SIGNED(type, least, x, y) \
	(UNLIKELY((y) == 0) ? TRAP(DIVIDE_BY_ZERO) : UNLIKELY((x) == (least) && (y) == -1) ? 0 : (type)((x) % (y)))
#define I32_DIV_S(x, y) DIVIDE_SIGNED(u32, INT32_MIN, (s32)(x), (s32)(y))
#define I64_DIV_S(x, y) DIVIDE_SIGNED(u64, INT64_MIN, (s64)(x), (s64)(y))
#define I32_REM_S(x, y) REMAINDER_SIGNED(u32, INT32_MIN, (s32)(x), (s32)(y))
#define I64_REM_S(x, y) REMAINDER_SIGNED(u64, INT64_MIN, (s64)(x), (s64)(y))
#define DIV_U(x, y) (UNLIKELY((y) == 0) ? TRAP(DIVIDE_BY_ZERO) : (x) / (y))
#define REM_U(x, y) (UNLIKELY((y) == 0) ? TRAP(DIVIDE_BY_ZERO) : (x) % (y))

/* Counting zeros is defined for 0 (the width); rotation counts are modulo the width. */
#define I32_CLZ(x) ((x) ? (u32)__builtin_clz(x) : 32u)
#define I64_CLZ(x) ((x) ? (u64)__builtin_clzll(x) : 64u)
#define I32_CTZ(x) ((x) ? (u32)__builtin_ctz(x) : 32u)
#define I64_CTZ(x) ((x) ? (u64)__builtin_ctzll(x) : 64u)
INLINE u32 I32_POPCNT(u32 x) /* by hand: without the popcnt instruction __builtin_popcount is a call into libgcc */
{
	x -= x >> 1 & 0x55555555;
	x = (x & 0x33333333) + (x >> 2 & 0x33333333);
	x = (x + (x >> 4)) & 0x0f0f0f0f;
	return x * 0x01010101 >> 24;
}
#define I32_ROTL(x, y) ((x) << ((y) & 31) | (x) >> (-(y) & 31))
#define I32_ROTR(x, y) ((x) >> ((y) & 31) | (x) << (-(y) & 31))
#define I64_ROTL(x, y) ((x) << ((y) & 63) | (x) >> (-(y) & 63))
#define I64_ROTR(x, y) ((x) >> ((y) & 63) | (x) << (-(y) & 63))

/* NaN when either is NaN, and -0 is below +0 (Spec 4.3.3, fmin and fmax). */
INLINE f64 FMIN(f64 x, f64 y)
{
	if (UNLIKELY(x != x || y != y))
		return __builtin_nan("");
	if (UNLIKELY(x == 0 && y == 0))
		return __builtin_signbit(x) ? x : y;
	return x < y ? x : y;
}

INLINE f64 FMAX(f64 x, f64 y)
{
	if (UNLIKELY(x != x || y != y))
		return __builtin_nan("");
	if (UNLIKELY(x == 0 && y == 0))
		return __builtin_signbit(x) ? y : x;
	return x > y ? x : y;
}

/* Saturating truncation: NaN is 0, what is out of range is the nearest that is in it (Spec 4.3.3, trunc_sat). */
INLINE u32 I32_TRUNC_SAT_S_F64(f64 x)
{
	if (UNLIKELY(x != x))
		return 0;
	if (UNLIKELY(x <= -2147483649.))
		return (u32)INT32_MIN;
	if (UNLIKELY(x >= 2147483648.))
		return INT32_MAX;
	return (u32)(s32)x;
}

INLINE u32 I32_TRUNC_SAT_U_F64(f64 x)
{
	if (UNLIKELY(!(x > -1))) /* NaN too */
		return 0;
	if (UNLIKELY(x >= 4294967296.))
		return UINT32_MAX;
	return (u32)x;
}

INLINE u64 I64_TRUNC_SAT_S_F64(f64 x)
{
	if (UNLIKELY(x != x))
		return 0;
	if (UNLIKELY(x < -9223372036854775808.))
		return (u64)INT64_MIN;
	if (UNLIKELY(x >= 9223372036854775808.))
		return INT64_MAX;
	return (u64)(s64)x;
}

#define REINTERPRET(name, from, to) \
	INLINE to name(from value) { to result; __builtin_memcpy(&result, &value, sizeof(result)); return result; }
REINTERPRET(f32_reinterpret_i32, u32, f32)
REINTERPRET(i32_reinterpret_f32, f32, u32)
REINTERPRET(f64_reinterpret_i64, u64, f64)
REINTERPRET(i64_reinterpret_f64, f64, u64)

/*
 * Rounding is one instruction of SSE 4.1, asked for by name: gcc takes it for __builtin_floor and its like only with
 * -fno-trapping-math, with which gcc 12 also takes a conversion to integer and back for trunc, and so loses the sign of -0.
 * The instructions return a quiet NaN for a signalling one by themselves, and so do the conversions between f32 and f64:
 * wasm_quiet has no work.
 */
typedef f64 f64_pair __attribute__((vector_size(16)));
#define ROUND(x, mode) __builtin_ia32_roundsd((f64_pair){ 0 }, (f64_pair){ x }, (mode) | ROUND_QUIETLY)[0]
enum { ROUND_NEAREST_EVEN, ROUND_DOWN, ROUND_UP, ROUND_TO_ZERO, ROUND_QUIETLY = 8 };
INLINE f64 wasm_ceil(f64 x) { return ROUND(x, ROUND_UP); }
INLINE f64 wasm_floor(f64 x) { return ROUND(x, ROUND_DOWN); }
INLINE f64 wasm_trunc(f64 x) { return ROUND(x, ROUND_TO_ZERO); }
INLINE f64 wasm_nearbyint(f64 x) { return ROUND(x, ROUND_NEAREST_EVEN); }
INLINE f64 wasm_sqrt(f64 x) { return __builtin_sqrt(x); }
INLINE f64 wasm_fabs(f64 x) { return __builtin_fabs(x); }
INLINE f64 wasm_quiet(f64 x) { return x; }
INLINE f32 wasm_quietf(f32 x) { return x; }
#define copysign __builtin_copysign
#define INFINITY __builtin_inf()
#define NAN __builtin_nan("")
