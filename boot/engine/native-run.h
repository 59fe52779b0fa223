/* How the interpreter finds and runs bodies: part of engine.c, behind struct native_state. */
#pragma once

const struct native_code *engine_native;

INLINE const struct native_function *native_find(u32 bytecode)
{
	const struct native_code *code = engine_native;
	if (UNLIKELY(!code))
		return 0;
	for (u32 slot = bytecode * NATIVE_HASH >> code->shift;; slot = (slot + 1) & code->mask) {
		const struct native_function *function = &code->functions[slot];
		if (LIKELY(function->bytecode == bytecode))
			return function;
		if (!function->bytecode)
			return 0;
	}
}

INLINE const u32 *native_places(const struct native_function *function)
{
	return (const u32 *)((const u8 *)engine_native + function->places);
}

INLINE const u8 *native_code(const struct native_function *function)
{
	return (const u8 *)engine_native + function->code;
}

/* The opcode that stood at this place: without a function the one that is none, which the interpreter reports. */
INLINE u8 native_opcode(const struct native_function *function, u32 place)
{
	return function ? native_places(function)[place] & 0xff : NATIVE_OPCODE + 1;
}

/*
 * Calls a body: loads the registers that it has instead of arguments, which the ABI has callees save, and takes from rax and rdx where it left, and how.
 * Pieces are entered as functions are, with the stack 8 bytes off 16.
 */
u32 native_run(struct native_state *state, const u8 *code);
asm(
	".text\n"
	".globl native_run\n"
	".type native_run, @function\n"
	"native_run:\n"
	"	push %rbx\n	push %rbp\n	push %r12\n	push %r13\n	push %r14\n	push %r15\n"
	"	push %rdi\n"
	"	mov %rdi, %r12\n"
	"	mov 0(%rdi), %rbx\n"
	"	mov 8(%rdi), %rbp\n"
	"	mov 16(%rdi), %r13\n"
	"	mov 24(%rdi), %r14\n"
	"	mov 32(%rdi), %r15\n"
	"	lea -8(%rsp), %rax\n"
	"	mov %rax, 56(%rdi)\n"
	"	call *%rsi\n"
	"	pop %rdi\n"
	"	mov %rbx, 0(%rdi)\n"
	"	mov %rax, 48(%rdi)\n"
	"	mov %edx, %eax\n"
	"	pop %r15\n	pop %r14\n	pop %r13\n	pop %r12\n	pop %rbp\n	pop %rbx\n"
	"	ret\n"
	".size native_run, . - native_run\n"
);

/*
 * What interpreter and body tell each other, on its way: while a body runs its state is in the frame of native_enter, so that the frame of the interpreter,
 * of which there may be 12,000, does not grow by it. Word by word: there is no memcpy here.
 */
static struct native_state native_pass;

static __attribute__((noinline)) u32 native_enter(const u8 *code)
{
	struct native_state state;
	for (u32 i = 0; i < sizeof state / sizeof(u64); i++)
		((volatile u64 *)&state)[i] = ((volatile u64 *)&native_pass)[i];
	u32 kind = native_run(&state, code);
	native_pass.pc = state.pc;
	native_pass.sp = state.sp;
	native_pass.value = state.value;
	return kind;
}

/* For the pieces, which are linked to the engine alone. */
void *native_memmove(void *to, const void *from, size_t length) { return __builtin_memmove(to, from, length); }
void *native_memset(void *to, int value, size_t length) { return __builtin_memset(to, value, length); }
