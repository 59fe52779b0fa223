/**
 * From wasm2c's C to the engine's: the same functions, on operations.h instead of wabt's runtime. What changes: no instance is
 * passed round, since there is only one; memory is at a constant address; the function table is a constant with one slot more,
 * for the host's promise rejection tracker; imports and exports have their names; the interpreters are threaded. What is not wanted
 * is cut off: the start-up code (a snapshot brings memory, globals and table as they are) and the initial data (90 KB, likewise).
 *
 * wasm2c's text is edited with patterns. Every step checks that it found what it expects (text.ts), and the last one that nothing
 * of the old runtime is left.
 */
import { accountInBytes } from './account.ts'
import { type StepSource, writeSteps } from './ahead/steps.ts'
import { keepError } from './backtrace.ts'
import { countHighBytes } from './c-string.ts'
import { engineExports, engineImports, signature } from './interface.ts'
import { threadInterpreters } from './interpreter.ts'
import { neverInterrupt } from './interrupts.ts'
import type { EngineNames } from './names.ts'
import { bindBodies } from './stencils/bind.ts'
import { type StencilSource, writeStencils } from './stencils/source.ts'
import { boundStringify } from './stringify.ts'
import { lines, Text, unexpected } from './text.ts'
import { readWasm, type WasmModule } from './wasm.ts'
import { runWasm2c } from './wasm2c.ts'

export interface Translation {
  readonly source: string
  readonly header: string
  readonly stencils: StencilSource
  readonly steps: StepSource
}

/** The C source and header of the engine. Throws an EngineError when wasm2c is missing or writes what is not expected. */
export function translate(wasm: Uint8Array, names: EngineNames): Translation {
  const module = readWasm(wasm)
  const engine = rewrite(runWasm2c(wasm), module, names)
  const stencils = writeStencils(engine)
  const steps = writeSteps(engine)
  return { source: bindBodies(engine, stencils, steps.functions), header: header(names), stencils, steps }
}

/** Exported for its tests. */
export function rewrite(wasm2cOutput: string, module: WasmModule, names: EngineNames): string {
  const c = new Text(wasm2cOutput)
  dropPreamble(c)
  dropTypes(c, module)
  const table = takeTable(c, module, names)
  dropStartUp(c, names)
  const internal = takeExports(c, module)
  dropInstance(c)
  nameImports(c, names)
  threadInterpreters(c)
  boundStringify(c, module)
  accountInBytes(c)
  keepError(c)
  neverInterrupt(c, module)
  countHighBytes(c)
  placeTable(c, table)
  const left = /^.*(\b(?:instance|wasm_rt_|func_types|Z_)|\(void\*).*$/m.exec(c.text)
  if (left) unexpected(`a line is left that no step knows: ${left[0].trim()}`)
  return `/* Made by boot/engine/translate.ts from ${names.package} ${names.version} (QuickJS ${names.quickjs}): do not edit. */
#include "engine.h"
#include "operations.h"

u32 engine_sp = ENGINE_STACK_POINTER;
u32 engine_pages = ENGINE_INITIAL_PAGES;

${c.text.trim()}

${exportedFunctions(names, internal)}`
}

/** All before the first thing that depends on the module: includes, macros and helpers, whose place operations.h takes. */
function dropPreamble(c: Text): void {
  c.take(/^[^]*?static bool s_module_initialized = false;\n/)
}

/** Types are registered at run time in wabt. Here a type is its index, which is right as long as no type is there twice. */
function dropTypes(c: Text, { types }: WasmModule): void {
  const [count] = c.take(/^static u32 func_types\[(\d+)\];\n/m)
  const distinct = new Set(types.map(signature)).size
  if (Number(count) !== types.length || distinct !== types.length) unexpected('function types are there twice')
  c.take(/^static void init_func_types\(void\) \{\n(?:  .*\n)*\}\n/m)
}

/** The initialiser of the native table: the module's one element segment, from slot 1, and the host's slot behind it. */
function takeTable(c: Text, { types, tableSize }: WasmModule, names: EngineNames): string {
  const [entries] = c.take(/^static const wasm_elem_segment_expr_t elem_segment_exprs_w2c_e0\[\] = \{\n([^]*?)\};\n/m)
  const slots = [...entries.matchAll(/^  \{(\d+), \(wasm_rt_function_ptr_t\)&(\w+), 0\},$/gm)].map(
    ([, type, fn]) => `{${Number(type) + 1}, ${fn}},`,
  )
  const [initial, count] = c.take(
    lines(
      String.raw`static void init_tables\(.*\) \{`,
      String.raw`  wasm_rt_allocate_funcref_table\(&instance->w2c_T0, (\d+), \d+\);`,
      String.raw`  funcref_table_init\(&instance->w2c_T0, elem_segment_exprs_w2c_e0, (\d+), 1u, 0, \2, instance, func_types\);`,
      String.raw`\}`,
    ),
  )
  const full = Number(initial) === tableSize && Number(count) === tableSize - 1 && slots.length === tableSize - 1
  if (!full) unexpected('the table is not filled from slot 1 to its end')
  const trackerType = types.findIndex(type => signature(type) === trackerSignature)
  if (trackerType < 0) unexpected(`there is no function type ${trackerSignature}, that of a promise rejection tracker`)
  return [
    `static const struct engine_function engine_table[${names.rejectionSlot + 1}] = {`,
    '\t{0, 0},',
    ...slots.map(slot => `\t${slot}`),
    `\t{${trackerType + 1}, engine_rejection},`,
    '};',
    '',
  ].join('\n')
}

/** JSHostPromiseRejectionTracker: context, promise, reason, is_handled, opaque. */
const trackerSignature = 'illii>'

/** Globals, memory contents, instantiation. */
function dropStartUp(c: Text, names: EngineNames): void {
  const [stackPointer] = c.take(/^static void init_globals\(.*\) \{\n  instance->w2c_g0 = (\d+)u;\n\}\n/m)
  if (Number(stackPointer) !== names.initialStackPointer) unexpected('the global is not the stack pointer')
  c.replace(/^static const u8 data_segment_data_w2c_d\d+\[\] = \{\n[^}]*\};\n/m, '')
  c.take(/^static void init_memories\(.*\) \{\n(?:  LOAD_DATA.*\n)*\}\n/m)
  c.take(/^static void init_data_instances\(.*\) \{\n\}\n/m)
  c.take(/^static void init_elem_instances\(.*\) \{\n\}\n/m)
  // The start function clears the zeroed data: the host's memory is zero anyhow.
  const [start] = c.take(
    lines(
      String.raw`static void init_instance_import\([^]*  init_elem_instances\(instance\);`,
      String.raw`  (\w+)\(instance\);`,
      String.raw`\}`,
      '[^]*',
    ),
  ) // to the end
  c.take(lines(String.raw`static void ${start}\(Z_engine_instance_t\*\);`))
  c.take(lines(String.raw`static void ${start}\(Z_engine_instance_t\* instance\) \{[^}]*memory_fill[^}]*\}`))
}

/** Minified export name to wasm2c's name of the function behind it; wasm2c's own wrappers go. */
function takeExports(c: Text, module: WasmModule): Map<string, string> {
  const internal = new Map<string, string>()
  c.replace(
    /^\/\* export: '(\S+)' \*\/\n[^{]*\{\n  return (\w+)\([^}]*\}\n/m,
    (minified, fn) => {
      internal.set(minified, fn)
      return ''
    },
    module.exports.length,
  )
  return internal
}

function dropInstance(c: Text): void {
  // What stands for the memory in its operations, and for its size (memory.size).
  c.replace(/\(\*instance->Z_aZ_a\)\.pages/, 'engine_pages')
  c.replace(/\b(memory_copy)\(instance->Z_aZ_a, instance->Z_aZ_a, /, '$1(')
  c.replace(/\b(\w+_(?:load|store)\w*|memory_fill)\(instance->Z_aZ_a, /, '$1(')
  c.replace(/\binstance->w2c_g0\b/, 'engine_sp')
  // Indirect calls: the callee's instance is not passed.
  c.replace(/, instance->w2c_T0\.data\[\w+\]\.module_instance/, '')
  c.replace(/\binstance->w2c_T0\b/, 'engine_table')
  c.replace(/\(\*\)\(void\*, /, '(*)(')
  // Counters of the call depth: the native stack has a guard page.
  c.replace(/^  FUNC_(?:PROLOGUE|EPILOGUE);\n/m, '')
  // Declarations, definitions and calls.
  c.replace(/\(Z_engine_instance_t\*( instance)?, /, '(')
  c.replace(/\(Z_engine_instance_t\*( instance)?\)/, '(void)')
  c.replace(/\(instance(?:->Z_a_instance)?, /, '(')
  c.replace(/\(instance(?:->Z_a_instance)?\)/, '()')
}

function nameImports(c: Text, names: EngineNames): void {
  c.replace(/\(\*Z_aZ_(\w+)\)\(/, minified => {
    const name = names.imports[minified]
    return name ? `import_${name}(` : unexpected(`import ${minified} is called, which has no name`)
  })
}

/** The table stands between the functions' declarations and their definitions. */
function placeTable(c: Text, table: string): void {
  const first = c.text.search(/^(static )?\w+ w2c_\w+\([^;]*\) \{$/m)
  if (first < 0) unexpected('there is no function')
  c.text = `${c.text.slice(0, first).trim()}\n\n${table}\n${c.text.slice(first)}`
}

const cTypes: Record<string, string> = { i: 'u32', l: 'u64', d: 'f64', f: 'f32' }

/** A C prototype without its semicolon: `u32 name(u32, f64)`, or with parameter names p0, p1 ... */
function prototype(name: string, type: string, parameters = false): string {
  const [params, result] = type.split('>')
  const list = [...params].map((letter, i) => (parameters ? `${cTypes[letter]} p${i}` : cTypes[letter]))
  return `${cTypes[result] ?? 'void'} ${name}(${list.join(', ') || 'void'})`
}

function exportedFunctions(names: EngineNames, internal: Map<string, string>): string {
  return Object.entries(engineExports)
    .map(([name, type]) => {
      const [params, result] = type.split('>')
      const fn = internal.get(names.exports[name]) ?? unexpected(`export ${name} has no function`)
      const args = [...params].map((_, i) => `p${i}`).join(', ')
      return `${prototype(`engine_${name}`, type, true)} { ${result ? 'return ' : ''}${fn}(${args}); }\n`
    })
    .join('')
}

function header(names: EngineNames): string {
  const list = (prefix: string, functions: Record<string, string>) =>
    Object.entries(functions)
      .map(([name, type]) => `${prototype(`${prefix}_${name}`, type)};\n`)
      .join('')
  return `/* Made by boot/engine/translate.ts from ${names.package} ${names.version} (QuickJS ${names.quickjs}): do not edit. */
#pragma once
#include "rt.h"

#define ENGINE_VERSION "QuickJS ${names.quickjs}"
#define ENGINE_STACK_POINTER ${names.initialStackPointer}u /* initially; the stack grows down from here, the heap up */
#define ENGINE_DATA_END ${names.dataEnd}u /* where static data ends and the stack's room begins */
#define ENGINE_INITIAL_PAGES ${names.memoryPages}u
#define ENGINE_REJECTION_SLOT ${names.rejectionSlot}u /* table index of engine_rejection */

extern u32 engine_sp; /* the linear stack's pointer */
extern u32 engine_pages; /* size of linear memory in ENGINE_PAGE; the host changes it in import_emscripten_resize_heap */

/* What the engine offers. Pointers are u32 addresses in linear memory. */
${list('engine', engineExports)}
/* What the host defines. */
${list('import', engineImports)}
/*
 * QuickJS's promise rejection tracker, called when ENGINE_REJECTION_SLOT is set in JSRuntime. Promise and reason are JSValues that
 * belong to the caller.
 */
void engine_rejection(u32 context, u64 promise, u64 reason, u32 is_handled, u32 opaque);

/* Bytes that the heap may have in all, by what memory there is now. Garbage is collected by it. */
u32 engine_heap_most(void);
`
}
