/** The C of all stencils, and what the engine's own C has to offer to them. */
import { unexpected } from '../text.ts'
import { readGraph } from './graph.ts'
import { type Handler, writeHandler } from './handler.ts'
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
  const roles = findRoles(text, graph)
  const handlers: Handler[] = []
  for (let opcode = 1; opcode < opcodes; opcode++) handlers.push(writeHandler(graph, roles, opcode))
  const functions = new Set(handlers.flatMap(each => [...each.functions]))
  const states = [...new Set(handlers.flatMap(each => [...each.states]))].sort().map(name => [name, roles.types.get(name)!] as const)
  const lengths = new Map(handlers.flatMap(({ opcode, length }) => (length === undefined ? [] : [[opcode, length] as const])))
  return { source: file(engine, handlers, functions, states), roles, lengths, states, functions }
}

export function functionText(engine: string, name: string): string {
  const [text] = new RegExp(`^static \\w+ ${name}\\([^;{]*\\) \\{\\n[^]*?^\\}\\n`, 'm').exec(engine) ?? unexpected(`there is no ${name}`)
  return text
}

/** struct native_state: boot/engine/native.h gives its first members. */
export const stateMembers = (states: StencilSource['states']): string => states.map(([name, type]) => `\t${type} ${name};\n`).join('')

function file(engine: string, handlers: readonly Handler[], functions: ReadonlySet<string>, states: StencilSource['states']): string {
  const quick = quickFunctions(engine)
  const body = handlers.map(({ source }) => source.replace(/\bw2c_f\d+(?=\()/g, name => quick.names.get(name) ?? name)).join('\n')
  const holes = [...new Set(body.match(/\bhole_\w+/g))].sort()
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

extern const struct engine_function engine_table[${table[1]}];
${declarations.join('\n')}

extern char ${holes.map(name => `${name}[]`).join(', ')};
extern struct leave NEXT(void)${branches.map(name => `, ${name}(void)`).join('')};
COLD struct leave LEAVE_EXCEPTION(u32 pc), LEAVE_DISPATCH(u32 pc);
extern struct leave LEAVE_RETURN(void), LEAVE_SUSPEND(u32 pc);
struct leave leave_exception(u32 pc) { return (struct leave){ pc, NATIVE_EXCEPTION }; }
struct leave leave_dispatch(u32 pc) { return (struct leave){ pc, NATIVE_DISPATCH }; }
struct leave leave_return(void) { return (struct leave){ 0, NATIVE_RETURN }; }
struct leave leave_suspend(u32 pc) { return (struct leave){ pc, NATIVE_SUSPEND }; }
struct leave interpret(void) { return (struct leave){ (u32)(u64)hole_pc, NATIVE_INTERPRET }; }

${quick.source}
${body}`
}

/**
 * Small functions whose usual way is put into the pieces: the poll for an interrupt, and the two that drop a reference. Each calls
 * the engine's own, which begins anew, for all else.
 */
function quickFunctions(engine: string): { names: ReadonlyMap<string, string>; source: string } {
  const find = (pattern: RegExp): string[] => {
    const found = [...engine.matchAll(new RegExp(pattern, 'gm'))]
    return found.length === 1 ? found[0] : unexpected(`${pattern} is there ${found.length} times`)
  }
  const body = (...lines: string[]) => lines.map(line => String.raw`\s+${line}\n`).join('')
  const [, poll, counter] = find(
    new RegExp(
      String.raw`^static u32 (w2c_f\d+)\(u32 w2c_p0\) \{\n.*\n.*\n` +
        body('w2c_i0 = w2c_p0;', 'w2c_i1 = w2c_p0;', String.raw`w2c_i1 = i32_load\(\(u64\)\(w2c_i1\) \+ (\d+)u\);`, 'w2c_l1 = w2c_i1;') +
        body('w2c_i2 = 1u;', 'w2c_i1 -= w2c_i2;', String.raw`i32_store\(\(u64\)\(w2c_i0\) \+ \2, w2c_i1\);`, 'w2c_i0 = w2c_l1;', 'w2c_i1 = 1u;') +
        body(String.raw`w2c_i0 = \(u32\)\(\(s32\)w2c_i0 <= \(s32\)w2c_i1\);`, String.raw`if \(w2c_i0\) \{`),
    ),
  )
  const [, free, counted] = find(
    new RegExp(
      String.raw`^static void (w2c_f\d+)\(u32 w2c_p0, u64 w2c_p1\) \{\n.*\n.*\n.*\n` +
        body('w2c_j0 = w2c_p1;', String.raw`w2c_j1 = (\d+)ull;`, 'w2c_i0 = w2c_j0 < w2c_j1;', String.raw`if \(w2c_i0\) \{goto w2c_B0;\}`) +
        body('w2c_j0 = w2c_p1;', String.raw`w2c_i0 = \(u32\)\(w2c_j0\);`, 'w2c_l2 = w2c_i0;', 'w2c_i1 = w2c_l2;', String.raw`w2c_i1 = i32_load\(\(u64\)\(w2c_i1\)\);`) +
        body('w2c_l2 = w2c_i1;', 'w2c_i2 = 1u;', 'w2c_i1 -= w2c_i2;', String.raw`i32_store\(\(u64\)\(w2c_i0\), w2c_i1\);`, 'w2c_i0 = w2c_l2;', 'w2c_i1 = 1u;') +
        body(String.raw`w2c_i0 = \(u32\)\(\(s32\)w2c_i0 > \(s32\)w2c_i1\);`, String.raw`if \(w2c_i0\) \{goto w2c_B0;\}`) +
        body('w2c_i0 = w2c_p0;', String.raw`w2c_i0 = i32_load\(\(u64\)\(w2c_i0\) \+ 16u\);`),
    ),
  )
  const [, set] = find(
    new RegExp(
      String.raw`^static void (w2c_f\d+)\(u32 w2c_p0, u32 w2c_p1, u64 w2c_p2\) \{\n.*\n.*\n.*\n` +
        body('w2c_i0 = w2c_p1;', String.raw`w2c_j0 = i64_load\(\(u64\)\(w2c_i0\)\);`, 'w2c_l3 = w2c_j0;', 'w2c_i0 = w2c_p1;', 'w2c_j1 = w2c_p2;') +
        body(String.raw`i64_store\(\(u64\)\(w2c_i0\), w2c_j1\);`, 'w2c_i0 = w2c_p0;', 'w2c_j1 = w2c_l3;', String.raw`${free}\(w2c_i0, w2c_j1\);`) +
        String.raw`\}`,
    ),
  )
  const source = `COLD u32 slow_poll(u32) asm("${poll}");
COLD void slow_free(u32, u64) asm("${free}");
INLINE u32 quick_poll(u32 context)
{
	u32 counter = i32_load((u64)context + ${counter});
	if (UNLIKELY((s32)counter <= 1))
		return slow_poll(context);
	i32_store((u64)context + ${counter}, counter - 1);
	return 0;
}
INLINE void quick_free(u32 context, u64 value)
{
	if (value < ${counted}ull)
		return;
	u32 references = i32_load((u32)value);
	if (UNLIKELY((s32)references <= 1))
		slow_free(context, value);
	else
		i32_store((u32)value, references - 1);
}
INLINE void quick_set(u32 context, u32 place, u64 value)
{
	u64 before = i64_load(place);
	i64_store(place, value);
	quick_free(context, before);
}
`
  return { names: new Map([[poll, 'quick_poll'], [free, 'quick_free'], [set, 'quick_set']]), source }
}
