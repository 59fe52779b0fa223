/*
 * Bodies: functions of the program as machine code, joined by the image composer from stencils (boot/engine/stencils). The
 * interpreter enters one at the opcode NATIVE_OPCODE, which the composer writes over the opcodes of such functions, and goes on where the body leaves.
 */
#pragma once

#define NATIVE_OPCODE 244 /* QuickJS has opcodes up to 243 */

/* Registers of bodies are addresses in the machine, that is with ENGINE_BASE. */
#define NATIVE_STATE \
	u64 sp, var, vref, sf, arg; \
	u64 value; /* that a body returns */ \
	u64 pc; /* where it left, in linear memory */ \
	u64 stack; /* rsp when a piece returns */

enum {
	NATIVE_INTERPRET,	/* one opcode, that which stood there, in the interpreter */
	NATIVE_DISPATCH,	/* what stands there */
	NATIVE_EXCEPTION,
	NATIVE_RETURN,
	NATIVE_SUSPEND,		/* yield, await */
};

#define COLD extern __attribute__((cold))

/* At the beginning of the image's code; 0 without. A hash table by the address of JSFunctionBytecode, linear probing. */
struct native_code {
	u32 shift;		/* of the hash, that is 32 minus the binary logarithm of the number of slots */
	u32 mask;		/* slots minus one */
	struct native_function {
		u32 bytecode;	/* 0: free */
		u32 places;	/* for each byte of the bytecode: offset from `code` << 8 | opcode; offset 0: there is no code for it */
		u32 code;	/* both in bytes from the beginning */
		u32 body;	/* not 0: `code` is a compiled body (ahead/call.h), this is where it is called, and a place has the number of an entry plus one */
	} functions[];
};
#define NATIVE_HASH 2654435761u /* Knuth's multiplicative hash for 32 bits */
extern const struct native_code *engine_native;
