/*
 * Calls of compiled bodies: part of engine.c, behind native-run.h. What JS_CallInternal does before and after the loop of the interpreter, with the same frame, so that
 * JavaScript may call as deep as without.
 */
#pragma once

/* What a body returns: how it ended, and the value with which. */
struct left { u64 value, kind; };
typedef struct left native_body(struct native_state *state, u32 entry);

#define NATIVE_FRAME 160	/* of JS_CallInternal in linear memory; JSStackFrame is at NATIVE_SF */
#define NATIVE_SF 24
#define NATIVE_STATE_TO_SF 56	/* of JSStackFrame in JSAsyncFunctionState */
#define NATIVE_COUNTED 0xfffffff700000000ull
#define NATIVE_OBJECT 0xffffffff00000000ull
#define NATIVE_UNDEFINED (3ull << 32)
#define NATIVE_THROWN (6ull << 32)
#define NATIVE_CLASS 13		/* of functions of bytecode */
#define NATIVE_RESUME 4		/* JS_CALL_FLAG_GENERATOR */

/* A frame that the interpreter goes on with: its "generator", where its variables begin, and whether with an exception. */
static struct { u32 generator, locals, throws; } native_left;

INLINE u32 native_locals(u32 generator, u32 arguments) { return native_left.generator == generator ? native_left.locals : arguments; }

INLINE u32 native_throws(u32 generator)
{
	if (native_left.generator != generator)
		return i32_load((u64)generator + 28u);
	native_left.generator = 0;
	return native_left.throws;
}

static __attribute__((noinline)) u64 native_resume(const struct native_state *state, u32 locals, u64 kind)
{
	u64 sf = state->sf - ENGINE_BASE;
	u32 generator = (u32)sf - NATIVE_STATE_TO_SF;
	i32_store(sf + 28, state->pc);
	i32_store(sf + 40, state->sp - ENGINE_BASE);
	native_left.generator = generator;
	native_left.locals = locals;
	native_left.throws = kind == NATIVE_EXCEPTION;
	return NATIVE_INTERPRETER(state->w2c_p0, generator, state->w2c_p2, state->w2c_p3, state->w2c_p4, state->w2c_p5, NATIVE_RESUME);
}

static u64 native_call(const struct native_function *function, u32 context, u64 callee, u64 this_value, u64 target, u32 argc, u32 argv, u32 copies)
{
	u64 bytecode = i32_load((u64)(u32)callee + 32u);
	u64 runtime = i32_load((u64)context + 16u);
	u32 arguments = i32_load16_u(bytecode + 40u), variables = i32_load16_u(bytecode + 42u), references = i32_load16_u(bytecode + 48u);
	u32 own = (s32)argc < (s32)arguments || copies ? arguments : 0;
	u32 size = (own + variables + i32_load16_u(bytecode + 46u)) * 8 + references * 4;
	u32 frame = engine_sp - NATIVE_FRAME;
	u64 sf = (u64)frame + NATIVE_SF;
	u64 locals, place;
	u64 value;
	struct native_state state;
	struct left left;

	if (UNLIKELY(i32_load(runtime + 128u) > frame - size)) {
		engine_sp = frame;
		NATIVE_OVERFLOW(context);
		engine_sp = frame + NATIVE_FRAME;
		return NATIVE_THROWN;
	}
	locals = frame - ((size + 15) & 8388592u);
	engine_sp = locals;
	i32_store(sf + 36, i32_load8_u(bytecode + 16u));
	i64_store(sf + 8, callee);
	place = locals;
	if (own) {
		u32 given = (s32)argc < (s32)own ? argc : own;
		for (u32 i = 0; i < given; i++, place += 8) {
			u64 argument = i64_load((u64)argv + 8 * (u64)i);
			if (argument >= NATIVE_COUNTED)
				i32_store((u32)argument, i32_load((u32)argument) + 1);
			i64_store(place, argument);
		}
		for (u32 i = given; i < own; i++, place += 8)
			i64_store(place, NATIVE_UNDEFINED);
		i32_store(sf + 16, locals);
		i32_store(sf + 32, own);
		state.arg = ENGINE_BASE + locals;
	} else {
		i32_store(sf + 16, argv);
		i32_store(sf + 32, argc);
		state.arg = ENGINE_BASE + (u64)argv;
	}
	i32_store(sf + 20, place);
	state.var = ENGINE_BASE + place;
	for (; variables; variables--, place += 8)
		i64_store(place, NATIVE_UNDEFINED);
	state.w2c_l35 = place;
	state.sp = ENGINE_BASE + place;
	place += 8 * (u64)i32_load16_u(bytecode + 46u);
	i32_store(sf + 24, place);
	for (u32 i = 0; i < references; i++)
		i32_store(place + 4 * (u64)i, 0);
	i32_store(sf, i32_load(runtime + 148u));
	i32_store(runtime + 148u, sf);
	state.vref = ENGINE_BASE + (u64)i32_load((u64)(u32)callee + 36u);
	state.sf = ENGINE_BASE + sf;
	state.w2c_l24 = frame;
	state.w2c_l28 = bytecode;
	state.w2c_l37 = callee;
	state.w2c_p0 = context;
	state.w2c_p1 = callee;
	state.w2c_p2 = this_value;
	state.w2c_p3 = target;
	state.w2c_p4 = argc;
	state.w2c_p5 = argv;

	left = ((native_body *)native_code(function))(&state, 0);
	i32_store(runtime + 148u, i32_load(sf));
	if (LIKELY(left.kind == NATIVE_RETURN)) {
		value = left.value;
		if (references)
			NATIVE_CLOSE(runtime, bytecode, sf);
		for (place = locals; place < state.sp - ENGINE_BASE; place += 8) {
			u64 gone = i64_load(place);
			u32 count;
			if (gone < NATIVE_COUNTED)
				continue;
			count = i32_load((u32)gone);
			if ((s32)count > 1)
				i32_store((u32)gone, count - 1);
			else
				NATIVE_FREE(context, gone);
		}
	} else
		value = native_resume(&state, locals, left.kind);
	engine_sp = frame + NATIVE_FRAME;
	return value;
}

/* The body of a function that is called, if it has one. */
INLINE const struct native_function *native_body_of(u64 callee)
{
	const struct native_function *function;
	if (!engine_native)
		return 0;
	function = native_find(i32_load((u64)(u32)callee + 32u));
	return function && function->body ? function : 0;
}

/* JS_Call for bodies: a function's own if it has one. */
u64 native_apply(u32 context, u64 callee, u64 this_value, u32 argc, u32 argv)
{
	if (LIKELY(callee >= NATIVE_OBJECT && i32_load16_u((u64)(u32)callee + 6u) == NATIVE_CLASS)) {
		const struct native_function *function = native_body_of(callee);
		if (LIKELY(function))
			return native_call(function, context, callee, this_value, NATIVE_UNDEFINED, argc, argv, 0);
	}
	return NATIVE_INTERPRETER(context, callee, this_value, NATIVE_UNDEFINED, argc, argv, 0);
}

/* Where the interpreter comes to a place at which a body can be entered. */
static __attribute__((noinline)) u32 native_enter_body(const struct native_function *function, u32 entry)
{
	struct native_state state;
	struct left left;
	for (u32 i = 0; i < sizeof state / sizeof(u64); i++)
		((volatile u64 *)&state)[i] = ((volatile u64 *)&native_pass)[i];
	left = ((native_body *)native_code(function))(&state, entry);
	native_pass.pc = state.pc;
	native_pass.sp = state.sp;
	native_pass.value = left.value;
	return left.kind;
}
