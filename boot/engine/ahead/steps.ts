/**
 * steps.c: what compiled bodies share. For each opcode the interpreter's own handler as a function, for all that a body does not do by
 * itself; and the slower ways of properties, elements and references.
 */
import { readGraph } from '../stencils/graph.ts'
import { writeHandler } from '../stencils/handler.ts'
import { findQuick } from '../stencils/quick.ts'
import { findRoles, interpreterName } from '../stencils/roles.ts'
import { functionText, opcodes as opcodeCount, type StencilSource, stateMembers } from '../stencils/source.ts'
import { unexpected } from '../text.ts'
import { opcodes } from './opcodes.ts'

export interface StepSource {
  /** steps.c */
  readonly source: string
  /** Opcodes that have a step. */
  readonly steps: ReadonlySet<number>
  /** The engine's functions that steps call. */
  readonly functions: ReadonlySet<string>
}

/** @param engine engine.c as interpreter.ts leaves it */
export function writeSteps(engine: string): StepSource {
  const text = functionText(engine, interpreterName)
  const graph = readGraph(text.slice(text.indexOf('  w2c_i0 = engine_sp;\n')), 'w2c_l21')
  const quick = findQuick(engine)
  const roles = findRoles(text, graph, quick.names)
  const steps = new Map<number, string>()
  const functions = new Set<string>()
  for (let opcode = 1; opcode < opcodeCount; opcode++) {
    const handler = writeHandler(graph, roles, opcode, 'call')
    if (!handler) continue
    steps.set(opcode, asStep(handler.source, opcode))
    for (const name of handler.functions) functions.add(name)
  }
  const stepOf = (name: string) => steps.get(opcodes.find(each => each.name === name)!.number) ?? unexpected(`there is no step for ${name}`)
  const calls = {
    free: nameOf(quick.names, 'quick_free'),
    bool: nameOf(quick.names, 'quick_bool'),
    get: called(stepOf('get_field'), /w2c_j0 = (w2c_f\d+)\(w2c_i0, w2c_j1, w2c_i2, w2c_j3, w2c_i4\);/),
    set: called(stepOf('put_field'), /w2c_i0 = (w2c_f\d+)\(w2c_i0, w2c_j1, w2c_i2, w2c_j3, w2c_j4, w2c_i5\);/),
    element: called(stepOf('get_array_el'), /w2c_j0 = (w2c_f\d+)\(w2c_i0, w2c_j1, w2c_j2\);/),
  }
  for (const name of Object.values(calls)) functions.add(name)
  if (!stepOf('put_field').includes('w2c_i5 = 32768u;')) unexpected('put_field has other flags')
  const declarations = [...functions].sort().map(name => {
    const [, rest] = new RegExp(`^static (\\w+ ${name}\\([^;{]*\\));$`, 'm').exec(engine) ?? unexpected(`${name} is not declared`)
    return `extern ${rest};`
  })
  const [, slots] = /^static const struct engine_function engine_table\[(\d+)\] = \{$/m.exec(engine) ?? unexpected('there is no table')
  return {
    source: `/* Made by boot/engine/ahead/steps.ts: do not edit. */
#define RARE
#define CALLS
#include "body.h"

extern const struct engine_function engine_table[${slots}];
${declarations.join('\n')}
extern char base_ctx[], base_rt[];
/* As in stencils.c: the host's may be in a library. */
void *native_memmove(void *, const void *, size_t), *native_memset(void *, int, size_t);
#define memory_copy(to, from, length) native_memmove(engine_memory(to), engine_memory(from), length)
#define memory_fill(to, value, length) native_memset(engine_memory(to), (u8)(value), length)
${common(calls)}
${stepMacros}
${[...steps.values()].join('\n')}`,
    steps: new Set(steps.keys()),
    functions,
  }
}

export const stateDefinition = (states: StencilSource['states']): string =>
  `#define STATE_MEMBERS ${stateMembers(states).replace(/\s+/g, ' ')}\n`

const nameOf = (names: ReadonlyMap<string, string>, quick: string): string =>
  [...names].find(([, each]) => each === quick)?.[0] ?? unexpected(`there is no ${quick}`)

const called = (step: string, pattern: RegExp): string => pattern.exec(step)?.[1] ?? unexpected(`a step has no call like ${pattern}`)

/** The handler's form that is called, returning how it ended. */
const asStep = (source: string, opcode: number): string =>
  source
    .replace(/^void call_\d+\(NONE, u32 pc\)/, `u32 step_${opcode}(struct native_state *S, u32 pc)`)
    .replaceAll(/\{ CALL_LEAVE_(\w+)\((.*)\); return; \}$/gm, '{ S->pc = $2; return NATIVE_$1; }')
    .replaceAll(/^return;$/gm, 'return 0;')

const stepMacros = `#define SP (S->sp)
#define VAR (S->var)
#define VREF (S->vref)
#define SF (S->sf)
#define ARG (S->arg)
#define quick_free drop
#define quick_poll() 0u
INLINE u32 quick_bool(u64 value)
{
	u32 result = truth(value);
	drop(value);
	return result;
}
INLINE void quick_set(u64 place, u64 value)
{
	u64 before = i64_load(place);
	i64_store(place, value);
	drop(before);
}
`

const common = ({ free, bool, get, set, element }: Record<'free' | 'bool' | 'get' | 'set' | 'element', string>): string => `
/* Its count has come down to 0: the engine does that by itself. */
void gone(u64 value)
{
	i32_store((u32)value, i32_load((u32)value) + 1);
	${free}(CTX, value);
}

u32 truth_of(u64 value) { return ${bool}(CTX, dup(value)); }

void drop_all(u64 first, u32 count)
{
	for (; count; count--, first += 8)
		drop(i64_load(first));
}

/* A property, here or in a prototype, as the interpreter looks for it. */
struct kept field(struct native_state *S, u64 value, u32 atom, u32 pc)
{
	u64 found, place = value;
	if (LIKELY(value >= OBJECT))
		for (u32 object = value;;) {
			u32 shape = SHAPE_OF((u64)object), index, word;
			for (index = first_index(shape, atom); index; index = NEXT_INDEX(word)) {
				word = i32_load(PROPERTY(shape, index));
				if (i32_load(PROPERTY(shape, index) + 4) != atom)
					continue;
				place = OBJECT | object;
				if (UNLIKELY(word & NOT_PLAIN))
					goto engine;
				return (struct kept){ i64_load(VALUES_OF((u64)object) + 8 * (u64)index - 8), 0 };
			}
			if (UNLIKELY(IS_EXOTIC((u64)object))) {
				place = OBJECT | object;
				break;
			}
			object = PROTOTYPE_OF((u64)shape);
			if (!object)
				return (struct kept){ VALUE(UNDEFINED, 0), 0 };
		}
engine:
	i32_store(S->sf - ENGINE_BASE + 28, pc);
	dup(value);
	found = ${get}(CTX, place, atom, value, 0);
	drop(value);
	return (struct kept){ found, found };
}

u64 slow_one(struct native_state *S, u64 a, u64 place, u32 pc, step *step)
{
	u64 at = place & ~7ull;
	i64_store(at, place & 1 ? dup(a) : a);
	S->sp = ENGINE_BASE + at + 8;
	return step(S, pc) ? VALUE(EXCEPTION, 0) : i64_load(at);
}

u64 slow_two(struct native_state *S, u64 a, u64 b, u64 place, u32 pc, step *step)
{
	u64 at = place & ~7ull;
	i64_store(at, place & 1 ? dup(a) : a);
	i64_store(at + 8, place & 2 ? dup(b) : b);
	S->sp = ENGINE_BASE + at + 16;
	return step(S, pc) ? VALUE(EXCEPTION, 0) : i64_load(at);
}

struct kept element(struct native_state *S, u64 object, u64 index, u32 pc)
{
	u64 found = element_of(object, index);
	if (found != MISS)
		return (struct kept){ found, 0 };
	i32_store(S->sf - ENGINE_BASE + 28, pc);
	dup(object);
	found = ${element}(CTX, object, dup(index));
	drop(object);
	return (struct kept){ found, found };
}

/* Takes the value. Whether it threw. */
u32 set_field(struct native_state *S, u64 object, u32 atom, u64 value, u32 pc)
{
	u32 result;
	i32_store(S->sf - ENGINE_BASE + 28, pc);
	dup(object);
	result = ${set}(CTX, object, atom, value, object, 32768);
	drop(object);
	return (s32)result < 0;
}
`
