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
/*
 * What is known when a body is laid out, as an instruction of its own: the compiler knows nothing about it, and makes it anew wherever it is needed. AT: the same for
 * places on the stack.
 */
#define KNOWN(hole) ({ u32 known; asm("mov %1, %0" : "=r"(known) : "i"(hole), "i"(__COUNTER__)); known; })
#define AT(address) ({ u64 at = (address); asm("" : "+r"(at) : "i"(__COUNTER__)); at; })
#define CTX KNOWN(hole_ctx)
#define PC(offset) KNOWN(hole_code + (offset))
#define NUMBER(hole) KNOWN(hole)
#define CONSTANT(index) i64_load((u64)KNOWN(hole_constants) + 8 * (index))
#define TEXT(hole) (0xfffffff900000000ull | KNOWN(hole))

#define TAG(value) ((u32)((value) >> 32))
enum { INT, BOOL, NIL, UNDEFINED, UNINITIALIZED, CATCH_OFFSET, EXCEPTION };
#define VALUE(tag, low) ((u64)(tag) << 32 | (u32)(low))
#define TRUTH(condition) VALUE(BOOL, condition)
#define COUNTED 0xfffffff700000000ull	/* values from here on have a reference count, at their address */
#define STRING 0xfffffff9u
#define SYMBOL 0xfffffff8u
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
/* Rare for bodies: what leads there is compiled for size, and lies apart. For steps.c, which has these functions, they are like others. */
#ifndef RARE
#define RARE __attribute__((cold))
#endif

/* steps.c */
COLD_BODY void gone(u64 value);
COLD_BODY u32 truth_of(u64 value);
void drop_all(u64 first, u32 count);
struct kept field(struct native_state *S, u64 object, u32 atom, u32 pc);
RARE struct kept element(struct native_state *S, u64 object, u64 index, u32 pc);
/* An instruction of two values, or of one, as the interpreter does it, at this place of the stack; bits of the place: which have to be counted. */
typedef u32 step(struct native_state *S, u32 pc);
/* Its address, from where the code lies. */
#define STEP(name) ({ step *address; asm("lea %c1(%%rip), %0" : "=r"(address) : "i"(name)); address; })
RARE u64 slow_one(struct native_state *S, u64 a, u64 place, u32 pc, step *step);
RARE u64 slow_two(struct native_state *S, u64 a, u64 b, u64 place, u32 pc, step *step);
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
	if (value < COUNTED)
		return;
	asm goto("subl $1, %0\n\tjle %l[last]" : "+m"(*(u32_at *)(ENGINE_BASE + (u64)(u32)value)) : : "cc" : last);
	return;
last: __attribute__((cold));
	gone(value);
}

/* The value there. */
INLINE void drop_at(u64 place)
{
	if (i32_load(place + 4) < (u32)(COUNTED >> 32))
		return;
	asm goto("subl $1, %0\n\tjle %l[last]" : "+m"(*(u32_at *)(ENGINE_BASE + (u64)i32_load(place))) : : "cc" : last);
	return;
last: __attribute__((cold));
	gone(i64_load(place));
}

INLINE u32 first_index(u32 shape, u32 atom)
{
	return i32_load((u64)shape - 4 - 4 * (u64)(MASK_OF(shape) & atom));
}

/*
 * A plain property of its own, when it is the first of its hash: where the value is. Else it goes to the label. The atom is a symbol (an operand of
 * instructions, which the compiler would put into a register first) or a number.
 */
#define FIND(found, value, atom, kind, mask, plain, label) \
	u64 found##o = (u32)(value), found##s, found##i; \
	if (UNLIKELY((value) < OBJECT)) goto label; \
	found##s = SHAPE_OF(found##o); \
	found##i = MASK_OF(found##s); \
	asm("andl %1, %k0\n\tnegq %0" : "+r"(found##i) : kind(atom) : "cc"); \
	found##i = i32_load(found##s + 4 * found##i - 4); \
	if (UNLIKELY(!found##i)) goto label; \
	{ \
		u32 other; \
		asm("cmpl %2, %1" : "=@ccne"(other) : "m"(*(const u32_at *)(ENGINE_BASE + PROPERTY(found##s, found##i) + 4)), kind(atom) : "cc"); \
		if (UNLIKELY(other)) goto label; \
	} \
	if (UNLIKELY((i32_load(PROPERTY(found##s, found##i)) & (mask)) != (plain))) goto label; \
	u64 found = VALUES_OF(found##o) + 8 * found##i - 8;
#define FIND_FIELD(found, value, atom, label) FIND(found, value, atom, "i", NOT_PLAIN, 0, label)
#define FIND_PLACE(found, value, atom, label) FIND(found, value, atom, "i", WRITABLE_MASK, WRITABLE, label)

/* The atom of a private name, which is a symbol. */
#define FIND_PRIVATE(found, value, symbol, label) \
	if (UNLIKELY(TAG(symbol) != SYMBOL || i32_load8_u((u64)(u32)(symbol) + 11) < 0xc0)) goto label; \
	u32 found##a = i32_load((u64)(u32)(symbol) + 12); \
	FIND(found, value, found##a, "r", NOT_PLAIN, 0, label)

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
	FIND_FIELD(found, value, ATOM_LENGTH, miss)
	return i64_load(found);
miss:
	return MISS;
}

INLINE u32 truth(u64 value)
{
	if (LIKELY(value <= VALUE(UNDEFINED, -1)))
		return (u32)value;
	return value >= OBJECT || truth_of(value);
}

/* The rest is for bodies, which have these: */
#define SLOT(depth) (variables + 8 * (VARIABLES + (depth)))
#define SP_AT(depth) AT(ENGINE_BASE + SLOT(depth))
/* Where the function is, for traces: cur_pc of JSStackFrame. */
#define NOTE_PC(offset) asm("movl %1, %0" : "=m"(*(u32_at *)(ENGINE_BASE + sf + 28)) : "i"(hole_code + (offset)))
#define LOCAL(index) i64_load(variables + 8 * (index))
#define ARGUMENT(index) i64_load(arguments + 8 * (index))
#define CLOSURE(index) ((u64)i32_load((u64)i32_load(closures + 4 * (index)) + 16))

INLINE struct left ended(struct native_state *S, u32 kind) { return (struct left){ S->value, kind }; }

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

/* ---- calls: steps.c has what follows ---- */

#ifdef CALLS
extern char hole_rt[];
/* engine.c */
COLD_BODY u64 native_overflow(u32 context, u32 frame);
COLD_BODY u64 native_resume(const struct native_state *state, u32 locals, u64 kind);
void native_close(u32 runtime, u32 bytecode, u32 sf);
#define FRAME 160
#define FRAME_SF 24

typedef struct left body(struct native_state *S, u32 entry);

/*
 * What JS_CallInternal does before and after the interpreter's loop, with the same frame in linear memory, so that JavaScript may call as deep as without. One
 * for all bodies, by the counts in JSFunctionBytecode: a copy for each was a seventh of all code.
 */
u64 call_body(u64 callee, u64 this_value, u64 target, u32 argc, u32 argv, u32 copies, body *run)
{
	u64 runtime = KNOWN(hole_rt), function = i32_load((u64)(u32)callee + 32);
	u32 arity = i32_load16_u(function + 40), count = i32_load16_u(function + 42), depth = i32_load16_u(function + 46), references = i32_load16_u(function + 48);
	u32 own = (s32)argc < (s32)arity || copies ? arity : 0;
	u32 size = (own + count + depth) * 8 + references * 4;
	u32 frame = engine_sp - FRAME;
	u64 sf = (u64)frame + FRAME_SF, locals, place;
	struct native_state state;
	struct left left;
	u64 value;

	if (UNLIKELY(i32_load(runtime + 128) > frame - size))
		return native_overflow(CTX, frame);
	locals = frame - ((size + 15) & ~15u);
	engine_sp = locals;
	i32_store(sf + 36, i32_load8_u(function + 16));
	i64_store(sf + 8, callee);
	place = locals;
	if (UNLIKELY(own)) {
		for (u32 i = 0; i < arity; i++)
			i64_store(locals + 8 * i, (s32)i < (s32)argc ? dup(i64_load((u64)argv + 8 * i)) : VALUE(UNDEFINED, 0));
		i32_store(sf + 16, locals);
		i32_store(sf + 32, arity);
		state.arg = ENGINE_BASE + locals;
		place += 8 * arity;
	} else {
		i32_store(sf + 16, argv);
		i32_store(sf + 32, argc);
		state.arg = ENGINE_BASE + (u64)argv;
	}
	i32_store(sf + 20, place);
	state.var = ENGINE_BASE + place;
	for (u32 i = 0; i < count; i++)
		i64_store(place + 8 * i, VALUE(UNDEFINED, 0));
	place += 8 * count;
	state.w2c_l35 = place;
	state.sp = ENGINE_BASE + place;
	place += 8 * depth;
	i32_store(sf + 24, place);
	for (u32 i = 0; i < references; i++)
		i32_store(place + 4 * i, 0);
	i32_store(sf, i32_load(runtime + 148));
	i32_store(runtime + 148, sf);
	state.vref = ENGINE_BASE + (u64)i32_load((u64)(u32)callee + 36);
	state.sf = ENGINE_BASE + sf;
	state.w2c_l24 = frame;
	state.w2c_l28 = function;
	state.w2c_l37 = callee;
	state.w2c_p0 = CTX;
	state.w2c_p1 = callee;
	state.w2c_p2 = this_value;
	state.w2c_p3 = target;
	state.w2c_p4 = argc;
	state.w2c_p5 = argv;

	left = run(&state, 0);
	i32_store(runtime + 148, i32_load(sf));
	if (LIKELY(left.kind == NATIVE_RETURN)) {
		value = left.value;
		if (references)
			native_close(runtime, function, sf);
		for (place = locals; place < state.sp - ENGINE_BASE; place += 8)
			drop_at(place);
	} else
		value = native_resume(&state, locals, left.kind);
	engine_sp = frame + FRAME;
	return value;
}
#endif
