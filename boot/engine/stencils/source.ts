/** The C of all stencils, and what the engine's own C has to offer to them. */
import { unexpected } from '../text.ts'
import { readGraph } from './graph.ts'
import { type Handler, writeHandler } from './handler.ts'
import { findQuick } from './quick.ts'
import { findRoles, interpreterName, type Roles } from './roles.ts'

export interface StencilSource {
  /** stencils.c */
  readonly source: string
  readonly roles: Roles
  /** Bytes by opcode, of those whose handler tells it. */
  readonly lengths: ReadonlyMap<number, number>
  /** The variables of the interpreter that bodies find in their state, with their types, in this order. */
  readonly states: readonly (readonly [name: string, type: string])[]
  /** The engine's functions that pieces call. */
  readonly functions: ReadonlySet<string>
}

/** Opcodes from here on are none; the first of them stands for "a body is here" (translate.ts). */
export const opcodes = 244

/** @param engine engine.c as interpreter.ts leaves it */
export function writeStencils(engine: string): StencilSource {
  const text = functionText(engine, interpreterName)
  const start = text.indexOf('  w2c_i0 = engine_sp;\n')
  if (start < 0) unexpected('the interpreter does not begin with its stack frame')
  const graph = readGraph(text.slice(start), 'w2c_l21')
  const quick = findQuick(engine)
  const roles = findRoles(text, graph, quick.names)
  const handlers: Handler[] = []
  for (let opcode = 1; opcode < opcodes; opcode++)
    for (const form of ['inline', 'call'] as const) {
      const handler = writeHandler(graph, roles, opcode, form)
      if (handler) handlers.push(handler)
    }
  const functions = new Set([...handlers.flatMap(each => [...each.functions]), ...quick.names.keys()])
  const states = [...new Set(handlers.flatMap(each => [...each.states]))].sort().map(name => [name, roles.types.get(name)!] as const)
  const lengths = new Map(handlers.flatMap(({ opcode, length }) => (length === undefined ? [] : [[opcode, length] as const])))
  return { source: file(engine, handlers, functions, states, quick.source), roles, lengths, states, functions }
}

export function functionText(engine: string, name: string): string {
  const [text] = new RegExp(`^static \\w+ ${name}\\([^;{]*\\) \\{\\n[^]*?^\\}\\n`, 'm').exec(engine) ?? unexpected(`there is no ${name}`)
  return text
}

/** struct native_state: boot/engine/native.h gives its first members. */
export const stateMembers = (states: StencilSource['states']): string => states.map(([name, type]) => `\t${type} ${name};\n`).join('')

/**
 * What all bodies share. To leave, from whatever depth of the stack: kind in edx, place in eax, and back to native_run. The slow form of an
 * instruction, with its address on the stack as the seventh argument.
 */
const shared = (): string => {
  const piece = (name: string, ...code: string[]) =>
    `asm(".section .text.${name}, \\"ax\\", @progbits\\n${name}:\\n${code.map(line => `\\t${line}\\n`).join('')}\\t.size ${name}, . - ${name}\\n\\t.text\\n");\n`
  const leave = ['dispatch', 'exception', 'return', 'suspend'].map((name, i) =>
    piece(`leave_${name}`, 'mov %edi, %eax', `mov $${i + 1}, %edx`, `mov ${stackOffset}(%r12), %rsp`, 'ret'),
  )
  return [
    ...leave,
    piece('interpret', 'mov $hole_pc, %eax', 'xor %edx, %edx', `mov ${stackOffset}(%r12), %rsp`, 'ret'),
    piece('slow', 'push $hole_pc', 'call CALL', 'pop %rcx', 'jmp NEXT'),
  ].join('')
}
/** Of `stack` in struct native_state (NATIVE_STATE). */
const stackOffset = 56

/** Holes that quick.ts and the common pieces have. */
const always = ['hole_pc', 'hole_ctx', 'base_ctx']

function file(
  engine: string,
  handlers: readonly Handler[],
  functions: ReadonlySet<string>,
  states: StencilSource['states'],
  quick: string,
): string {
  const body = handlers.map(({ source }) => source).join('\n')
  const holes = [...new Set([...always, ...(body.match(/\b(?:hole|base)_\w+/g) ?? [])])].sort()
  const branches = [...new Set(handlers.flatMap(each => each.branches))].sort()
  const declarations = [...functions].sort().map(name => {
    const [, rest] = new RegExp(`^static (\\w+ ${name}\\([^;{]*\\));$`, 'm').exec(engine) ?? unexpected(`${name} is not declared`)
    return `extern ${rest};`
  })
  const table = /^static const struct engine_function engine_table\[(\d+)\] = \{$/m.exec(engine) ?? unexpected('there is no table')
  return `/* Made by boot/engine/stencils/source.ts: do not edit. */
#include "engine.h"
#include "operations.h"
#include "native.h"

/* Pieces are linked to the engine alone, and the host's may be in a library: native-run.h has two that lead there. */
void *native_memmove(void *, const void *, size_t), *native_memset(void *, int, size_t);
#define memory_copy(to, from, length) native_memmove(engine_memory(to), engine_memory(from), length)
#define memory_fill(to, value, length) native_memset(engine_memory(to), (u8)(value), length)

register u64 SP asm("rbx");
register u64 VAR asm("rbp");
register struct native_state *S asm("r12");
register u64 VREF asm("r13");
register u64 SF asm("r14");
register u64 ARG asm("r15");

struct native_state {
	NATIVE_STATE
${stateMembers(states)}};
struct leave { u64 pc, kind; };

/*
 * What is known when a body is joined, as an instruction of its own: the compiler knows nothing about it, and makes it anew wherever it is needed.
 */
#define KNOWN(symbol) ({ u32 known; asm("mov %1, %0" : "=r"(known) : "i"(symbol), "i"(__COUNTER__)); known; })

extern const struct engine_function engine_table[${table[1]}];
${declarations.join('\n')}

extern char ${holes.map(name => `${name}[]`).join(', ')};
extern struct leave NEXT(void)${branches.map(name => `, ${name}(void)`).join('')};
COLD struct leave LEAVE_EXCEPTION(u32 pc), LEAVE_DISPATCH(u32 pc);
extern struct leave LEAVE_RETURN(u32), LEAVE_SUSPEND(u32 pc), SLOW(void);
COLD void CALL_LEAVE_EXCEPTION(u32 pc), CALL_LEAVE_DISPATCH(u32 pc);
extern void CALL_LEAVE_RETURN(u32), CALL_LEAVE_SUSPEND(u32 pc);
#define NONE u32 none_1, u32 none_2, u32 none_3, u32 none_4, u32 none_5, u32 none_6

${shared()}
${quick}
${body}`
}
