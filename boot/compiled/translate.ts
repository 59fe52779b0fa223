/**
 * wasm2c's C of the compiled functions, put on the engine's operations.h and its linear memory, as the engine itself is
 * (boot/engine/translate.ts). This module is simple: functions and an imported memory; no data, table or global, nothing that starts.
 */
import { lines, Text, unexpected } from '../engine/text.ts'

/** @throws EngineError when something is there that no step knows. */
export function rewriteCompiled(wasm2cOutput: string): string {
  const c = new Text(wasm2cOutput)
  // Includes, macros and helpers, whose place operations.h takes; then types, which only calls through a table would need.
  c.take(/^[^]*?static bool s_module_initialized = false;\n/)
  c.take(/^static u32 func_types\[\d+\];\n/m)
  c.take(/^static void init_func_types\(void\) \{\n(?:  .*\n)*\}\n/m)
  c.take(/^static void init_memories\(.*\) \{\n\}\n/m)
  c.take(lines(String.raw`static void init_instance_import\([^]*`)) // to the end: instantiation
  maybe(c, /\b(memory_copy)\(instance->Z_envZ_memory, instance->Z_envZ_memory, /, '$1(')
  maybe(c, /\b(\w+_(?:load|store)\w*|memory_fill)\(instance->Z_envZ_memory, /, '$1(')
  c.replace(/^  FUNC_(?:PROLOGUE|EPILOGUE);\n/m, '')
  c.replace(/\(Z_engine_instance_t\*( instance)?, /, '(')
  c.replace(/\(instance, /, '(')
  c.replace(/^\/\* export: '\w+' \*\/\nu32 Z_engineZ_(\w+)\(/m, 'u32 compiled_$1(')
  const left = /^.*(\b(?:instance|wasm_rt_|func_types|Z_)|\(void\*).*$/m.exec(c.text)
  if (left) unexpected(`a line is left that no step knows: ${left[0].trim()}`)
  return `/* Made by boot/compiled/translate.ts from the TypeScript beside it: do not edit. */
#include "compiled.h"
#include "operations.h"

${c.text.trim()}
`
}

/** What a small module may be without. */
function maybe(c: Text, pattern: RegExp, to: string): void {
  if (pattern.test(c.text)) c.replace(pattern, to)
}
