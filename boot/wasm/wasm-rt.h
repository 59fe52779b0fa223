/*
 * What the C that wasm2c 1.0.32 makes of a module of a program stands on. Its text includes a file of this name; the functions are those of
 * runtime.c. A module is not trusted: each access to its memory and to its tables is checked against their size (RANGE_CHECK,
 * CALL_INDIRECT in wasm2c's text), and all else that it can name is its own instance.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *to, const void *from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int byte, size_t n);
#define memcpy __builtin_memcpy
#define memmove __builtin_memmove
#define memset __builtin_memset
#define wasm_rt_memcpy __builtin_memcpy

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define NAN __builtin_nanf("")
#define INFINITY __builtin_inff()
#define isnan(x) __builtin_isnan(x)
#define signbit(x) __builtin_signbit(x)
/* Instructions of SSE 4.1 all of them. */
#define floor __builtin_floor
#define floorf __builtin_floorf
#define ceil __builtin_ceil
#define ceilf __builtin_ceilf
#define trunc __builtin_trunc
#define truncf __builtin_truncf
#define nearbyint __builtin_nearbyint
#define nearbyintf __builtin_nearbyintf
#define fabs __builtin_fabs
#define fabsf __builtin_fabsf
#define sqrt __builtin_sqrt
#define sqrtf __builtin_sqrtf
#define copysign __builtin_copysign
#define copysignf __builtin_copysignf

/* What a call ends with: 0, or the number of a trap; the order is that of runtime/web/webassembly/native.ts. */
typedef enum {
	WASM_RT_TRAP_NONE, WASM_RT_TRAP_OOB, WASM_RT_TRAP_INT_OVERFLOW, WASM_RT_TRAP_DIV_BY_ZERO, WASM_RT_TRAP_INVALID_CONVERSION,
	WASM_RT_TRAP_UNREACHABLE, WASM_RT_TRAP_CALL_INDIRECT, WASM_RT_TRAP_EXHAUSTION, WASM_NO_MEMORY, WASM_THROWN
} wasm_rt_trap_t;
_Noreturn __attribute__((cold)) void wasm_rt_trap(wasm_rt_trap_t code);

/* The native stack's limit (boot/kernel/linear.c): a function that begins below it traps. */
extern uint64_t stack_call_limit;
register uint64_t wasm_stack_pointer __asm__("rsp");
#define WASM_ENTER \
	if (UNLIKELY(wasm_stack_pointer < stack_call_limit)) \
		wasm_rt_trap(WASM_RT_TRAP_EXHAUSTION)

typedef void (*wasm_rt_function_ptr_t)(void);
typedef struct { uint8_t *data; uint32_t pages, max_pages, size; } wasm_rt_memory_t;
typedef struct { uint32_t func_type; wasm_rt_function_ptr_t func; void *module_instance; } wasm_rt_funcref_t;
typedef struct { wasm_rt_funcref_t *data; uint32_t max_size, size; } wasm_rt_funcref_table_t;
typedef void *wasm_rt_externref_t;
typedef struct { wasm_rt_externref_t *data; uint32_t max_size, size; } wasm_rt_externref_table_t;
#define wasm_rt_funcref_null_value ((wasm_rt_funcref_t){ 0, NULL, NULL })
#define wasm_rt_externref_null_value NULL

/* Instances are never given back, nor what they have (runtime.c). */
#define wasm_rt_free_memory(memory) ((void)(memory))
#define wasm_rt_free_funcref_table(table) ((void)(table))
void wasm_rt_allocate_memory(wasm_rt_memory_t *memory, uint32_t pages, uint32_t most);
uint32_t wasm_rt_grow_memory(wasm_rt_memory_t *memory, uint32_t pages);
void wasm_rt_allocate_funcref_table(wasm_rt_funcref_table_t *table, uint32_t size, uint32_t most);
uint32_t wasm_rt_grow_funcref_table(wasm_rt_funcref_table_t *table, uint32_t more, wasm_rt_funcref_t filling);

/*
 * What a module is, for runtime.c: a constant at the end of its text. Functions are those that somebody outside can have: exported ones, and
 * those that can stand in a table. Externals are its exported memories, tables and globals.
 */
struct wasm_function { wasm_rt_function_ptr_t function; uint32_t type; void (*call)(void *instance, uint64_t *values); };
struct wasm_external { uint32_t kind; void *(*address)(void *instance); };	/* enum wasm_kind */
struct wasm_module {
	uint64_t instance_bytes;
	void (*start)(void *instance);		/* contents of memories and tables, and the start function */
	uint32_t function_count, external_count, import_count, reserved;	/* imports: those that are no functions */
	const struct wasm_function *functions;
	const struct wasm_external *externals;
	const uint8_t *imports;			/* their kinds */
};
enum wasm_kind { WASM_FUNCTION, WASM_TABLE, WASM_MEMORY, WASM_GLOBAL, WASM_INSTANCE };

void *wasm_imported(void *instance, uint32_t index);
void wasm_call_import(void *instance, uint32_t index, uint64_t *values, uint32_t params, uint32_t results);
