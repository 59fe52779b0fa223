/*
 * What compiled bodies are written in: values, references, properties. Values are QuickJS's in 32 bits (NaN boxing): the upper word is the tag, or
 * the value is a double. Offsets in the engine's structures are proved by ahead/layout.test.ts.
 */
#pragma once
#include "engine.h"
#include "operations.h"
#include "native.h"
#include "state.h"

struct native_state {
	NATIVE_STATE
	STATE_MEMBERS
};

/* What a body returns: how it ended (NATIVE_...) and the value with which. Otherwise it has left sp and pc in the state. */
struct left { u64 value, kind; };
/* A value that somebody else keeps alive, unless `keep` has it: then it is ours. */
struct kept { u64 value, keep; };

extern char hole_ctx[], hole_code[], hole_constants[];
/* For what is looked at: the compiler would do that from where the code lies. */
#define KNOWN(hole) ({ u32 known; asm("mov %1, %0" : "=r"(known) : "i"(hole)); known; })
#define CTX ((u32)(u64)hole_ctx)
#define PC(offset) ((u32)(u64)hole_code + (offset))
#define CONSTANT(index) i64_load((u64)KNOWN(hole_constants) + 8 * (index))
#define NUMBER(hole) ((u32)(u64)(hole))
#define TEXT(hole) (0xfffffff900000000ull | KNOWN(hole))

#define TAG(value) ((u32)((value) >> 32))
enum { INT, BOOL, NIL, UNDEFINED, UNINITIALIZED, CATCH_OFFSET, EXCEPTION };
#define VALUE(tag, low) ((u64)(tag) << 32 | (u32)(low))
#define TRUTH(condition) VALUE(BOOL, condition)
#define COUNTED 0xfffffff700000000ull	/* values from here on have a reference count, at their address */
#define STRING 0xfffffff9u
#define OBJECT 0xffffffff00000000ull	/* these are objects */
#define MISS VALUE(EXCEPTION, 1)	/* no value of a property */
#define IS_EXCEPTION(value) UNLIKELY(TAG(value) == EXCEPTION)

/* JSObject, JSShape, JSShapeProperty, JSString */
#define CLASS_OF(object) i32_load16_u((object) + 6)
#define SHAPE_OF(object) i32_load((object) + 20)
#define VALUES_OF(object) i32_load((object) + 24)
#define ELEMENTS_OF(object) i32_load((object) + 36)
#define COUNT_OF(object) i32_load((object) + 40)
#define IS_EXOTIC(object) (i32_load8_u((object) + 5) & 4)
#define MASK_OF(shape) i32_load((shape) + 24)
#define PROTOTYPE_OF(shape) i32_load((shape) + 44)
#define PROPERTY(shape, index) ((u64)(shape) + 40 + 8 * (u64)(index))	/* from 1 on */
#define NEXT_INDEX(word) ((word) & 0x3ffffff)
#define NOT_PLAIN 0xc0000000u		/* getter, variable, made at the first look */
#define WRITABLE_MASK 0xe8000000u	/* and whether it can be written, and is no array's length */
#define WRITABLE 0x08000000u
enum { ARRAY = 2, BYTECODE_FUNCTION = 13, UINT8_ARRAY = 23 };

#define COLD_BODY __attribute__((cold, noinline))

/* steps.c */
COLD_BODY void gone(u64 value);
COLD_BODY u32 truth_of(u64 value);
void drop_all(u64 first, u32 count);
struct kept field(struct native_state *S, u64 object, u32 atom, u32 pc);
struct kept element(struct native_state *S, u64 object, u64 index, u32 pc);
COLD_BODY u32 set_field(struct native_state *S, u64 object, u32 atom, u64 value, u32 pc);
u64 native_apply(u32 context, u64 function, u64 this_value, u32 argc, u32 argv);

INLINE u64 dup(u64 value)
{
	if (value >= COUNTED)
		i32_store((u32)value, i32_load((u32)value) + 1);
	return value;
}

INLINE void drop(u64 value)
{
	u32 references;
	if (value < COUNTED)
		return;
	references = i32_load((u32)value);
	if (UNLIKELY((s32)references <= 1))
		gone(value);
	else
		i32_store((u32)value, references - 1);
}

INLINE u32 first_index(u32 shape, u32 atom)
{
	return i32_load((u64)shape - 4 - 4 * (u64)(MASK_OF(shape) & atom));
}

/* A plain property of its own, when it is the first of its hash. */
INLINE u64 field_of(u64 value, u32 atom)
{
	u32 shape, index;
	u64 property;
	if (UNLIKELY(value < OBJECT))
		return MISS;
	shape = SHAPE_OF((u64)(u32)value);
	index = first_index(shape, atom);
	if (UNLIKELY(!index))
		return MISS;
	property = PROPERTY(shape, index);
	if (UNLIKELY(i32_load(property + 4) != atom || i32_load(property) & NOT_PLAIN))
		return MISS;
	return i64_load(VALUES_OF((u64)(u32)value) + 8 * (u64)index - 8);
}

/* Where its value is, to be written; 0 if it is not that plain. */
INLINE u64 place_of(u64 value, u32 atom)
{
	u32 shape, index;
	u64 property;
	if (UNLIKELY(value < OBJECT))
		return 0;
	shape = SHAPE_OF((u64)(u32)value);
	index = first_index(shape, atom);
	if (UNLIKELY(!index))
		return 0;
	property = PROPERTY(shape, index);
	if (UNLIKELY(i32_load(property + 4) != atom || (i32_load(property) & WRITABLE_MASK) != WRITABLE))
		return 0;
	return VALUES_OF((u64)(u32)value) + 8 * (u64)index - 8;
}

INLINE u64 element_of(u64 value, u64 index)
{
	u64 object = (u32)value;
	u32 class;
	if (UNLIKELY(value < OBJECT || TAG(index) != INT))
		return MISS;
	class = CLASS_OF(object);
	if (UNLIKELY((u32)index >= COUNT_OF(object)))
		return MISS;
	if (class == UINT8_ARRAY)
		return i32_load8_u(ELEMENTS_OF(object) + index);
	return LIKELY(class == ARRAY) ? i64_load(ELEMENTS_OF(object) + 8 * index) : MISS;
}

/* Whether it was done. */
INLINE u32 set_byte(u64 value, u64 index, u64 byte)
{
	u64 object = (u32)value;
	if (UNLIKELY(value < OBJECT || TAG(index | byte) != INT || CLASS_OF(object) != UINT8_ARRAY || (u32)index >= COUNT_OF(object)))
		return 0;
	i32_store8(ELEMENTS_OF(object) + index, byte);
	return 1;
}

#define ATOM_LENGTH 50
/* Of a text; of what has it as a property of its own, as arrays do. */
INLINE u64 length_of(u64 value)
{
	if (TAG(value) == STRING)
		return i32_load((u64)(u32)value + 4) & 0x7fffffff;
	return field_of(value, ATOM_LENGTH);
}

INLINE u32 truth(u64 value)
{
	if (LIKELY(value <= VALUE(UNDEFINED, -1)))
		return (u32)value;
	return value >= OBJECT || truth_of(value);
}

/* The rest is for bodies, which have these: */
#define SLOT(depth) (variables + 8 * (VARIABLES + (depth)))
#define SP_AT(depth) (ENGINE_BASE + SLOT(depth))
#define LOCAL(index) i64_load(variables + 8 * (index))
#define ARGUMENT(index) i64_load(arguments + 8 * (index))
#define CLOSURE(index) ((u64)i32_load((u64)i32_load(closures + 4 * (index)) + 16))

INLINE struct left ended(struct native_state *S, u32 kind) { return (struct left){ S->value, kind }; }

INLINE struct left leave_at(struct native_state *S, u64 sp, u32 pc, u32 kind)
{
	S->sp = sp;
	S->pc = pc;
	return (struct left){ 0, kind };
}
#define leave(S, depth, pc, kind) leave_at(S, SP_AT(depth), pc, kind)

/* The value of a variable that nobody looks at any more. */
INLINE u64 take(u64 place)
{
	u64 value = i64_load(place);
	i64_store(place, VALUE(UNDEFINED, 0));
	return value;
}

INLINE void set(u64 place, u64 value)
{
	u64 before = i64_load(place);
	i64_store(place, value);
	drop(before);
}
