/*
 * Calls of compiled bodies: part of engine.c, behind native-run.h.
 */
#pragma once

/* What a body returns: how it ended, and the value with which. */
struct left { u64 value, kind; };
typedef struct left native_body(struct native_state *state, u32 entry);
typedef u64 native_entry(u64 callee, u64 this_value, u64 target, u32 argc, u32 argv, u32 copies);

#define NATIVE_FRAME 160	/* of JS_CallInternal in linear memory */
#define NATIVE_STATE_TO_SF 56	/* of JSStackFrame in JSAsyncFunctionState */
#define NATIVE_OBJECT 0xffffffff00000000ull
#define NATIVE_UNDEFINED (3ull << 32)
#define NATIVE_THROWN (6ull << 32)
#define NATIVE_CLASS 13		/* of functions of bytecode */
#define NATIVE_RESUME 4		/* JS_CALL_FLAG_GENERATOR */

/*
 * A frame that the interpreter goes on with: its "generator", where its variables begin, the end of the stack, and whether with an exception. JS_CallInternal
 * makes its own frame in the same place, which has nothing of a generator's.
 */
static struct { u32 generator, locals, sp, throws; } native_left;

INLINE u32 native_locals(u32 generator, u32 arguments) { return native_left.generator == generator ? native_left.locals : arguments; }

INLINE u32 native_throws(u32 generator)
{
	if (native_left.generator != generator)
		return i32_load((u64)generator + 28u);
	native_left.generator = 0;
	engine_sp = native_left.sp;
	return native_left.throws;
}

/* A body has left before its end: the interpreter goes on. */
u64 native_resume(const struct native_state *state, u32 locals, u64 kind)
{
	u64 sf = state->sf - ENGINE_BASE;
	u32 generator = (u32)sf - NATIVE_STATE_TO_SF;
	i32_store(sf + 28, state->pc);
	i32_store(sf + 40, state->sp - ENGINE_BASE);
	native_left.generator = generator;
	native_left.locals = locals;
	native_left.sp = engine_sp;
	native_left.throws = kind == NATIVE_EXCEPTION;
	engine_sp = state->w2c_l24 + NATIVE_FRAME;
	return NATIVE_INTERPRETER(state->w2c_p0, generator, state->w2c_p2, state->w2c_p3, state->w2c_p4, state->w2c_p5, NATIVE_RESUME);
}

/* There is no room for the frame of a call. */
u64 native_overflow(u32 context, u32 frame)
{
	u32 before = engine_sp;
	engine_sp = frame;
	NATIVE_OVERFLOW(context);
	engine_sp = before;
	return NATIVE_THROWN;
}

void native_close(u32 runtime, u32 bytecode, u32 sf) { NATIVE_CLOSE(runtime, bytecode, sf); }

/* The function to call for a function of bytecode, if it has a body. */
INLINE native_entry *native_entry_of(u64 callee)
{
	const struct native_function *function;
	if (!engine_native)
		return 0;
	function = native_find(i32_load((u64)(u32)callee + 32u));
	return function && function->body ? (native_entry *)((const u8 *)engine_native + function->body) : 0;
}

/* JS_Call for bodies: a function's own if it has one. */
u64 native_apply(u32 context, u64 callee, u64 this_value, u32 argc, u32 argv)
{
	if (LIKELY(callee >= NATIVE_OBJECT)) {
		u32 class = i32_load16_u((u64)(u32)callee + 6u), call;
		if (LIKELY(class == NATIVE_CLASS)) {
			native_entry *entry = native_entry_of(callee);
			if (LIKELY(entry))
				return entry(callee, this_value, NATIVE_UNDEFINED, argc, argv, 0);
		} else if ((call = i32_load((u64)i32_load((u64)i32_load((u64)context + 16u) + 68u) + 24 * (u64)class + 16))) {
			u64 result;
			engine_sp -= NATIVE_FRAME; /* as JS_CallInternal: calls go as deep as without bodies */
			result = CALL_INDIRECT(engine_table, u64 (*)(u32, u64, u64, u32, u32, u32), NATIVE_CALL_TYPE, call, context, callee, this_value, argc, argv, 0);
			engine_sp += NATIVE_FRAME;
			return result;
		}
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
