/**
 * From wasm2c's C of a module to what is compiled: on wasm-rt.h, without data that changes, and with a description of the module at its end through
 * which runtime.c reaches it. wasm2c's text is edited with patterns, each of which must match.
 */
import { createHash } from 'node:crypto'
import { WasmError } from './error.ts'
import { type External, exportName, type FunctionType, type ValueType, type WasmModule } from './module.ts'

/** What wasm2c is told that the module is called. */
export const moduleName = 'x'
/** The symbol of the description. */
export const description = 'wasm_module'

const cTypes: Record<ValueType, string> = { i32: 'u32', i64: 'u64', f32: 'f32', f64: 'f64', funcref: '', externref: '' }
/** wasm2c's letter in names of results. */
const letters: Record<ValueType, string> = { i32: 'i', i64: 'j', f32: 'f', f64: 'd', funcref: 'r', externref: 'e' }
const instance = `Z_${moduleName}_instance_t`

/** The same number for the same type in all modules: indirect calls compare it. linkWasm() checks that no two types share one. */
export function typeId(type: FunctionType): number {
  const id = createHash('sha256').update(signature(type)).digest().readUInt32LE(0)
  return id === 0 ? 1 : id
}

export const signature = ({ params, results }: FunctionType): string => `${params.join()}>${results.join()}`

/** The C that is compiled. @param text wasm2c's, of `module.plain` */
export function adapt(text: string, module: WasmModule): string {
  checkBoundary(module)
  let c = text
  const replace = (pattern: RegExp, by: string) => {
    if (!pattern.test(c)) throw new WasmError(`wasm2c wrote something unexpected (${pattern})`, 'is it wasm2c 1.0.32, of Debian 12?')
    c = c.replace(pattern, () => by)
  }
  replace(/^#include <assert\.h>[^]*?(?=#include "x\.h")/m, '')
  // Each load and call is checked by comparison, so a load whose value nobody needs may go.
  replace(/^#define wasm_asm __asm__\n/m, '#define wasm_asm(...)\n')
  replace(/^#define I32_POPCNT\(x\) .*\n#define I64_POPCNT\(x\) .*\n/m, populationCounts)
  const ids = module.types.map(type => `${typeId(type)}u`).join(', ')
  if (module.types.length > 0) {
    replace(/^static u32 func_types\[\d+\];\n/m, `static const u32 func_types[] = { ${ids} };\n`)
    replace(/^static void init_func_types\(void\) \{\n(?: {2}.*\n)*\}\n/m, '')
  }
  replace(/^static bool s_module_initialized = false;\n/m, '#undef FUNC_PROLOGUE\n#define FUNC_PROLOGUE WASM_ENTER\n')
  replace(/^void Z_x_init_module\(void\) \{\n(?: {2}.*\n)*\}\n/m, '')
  c = c.replace(/^ {2}assert\(.*\);\n/gm, '')
  return [c, imports(module), description_(module)].join('\n')
}

/** Without the instruction, which not each processor has, gcc would call a library. */
const populationCounts = `static inline u32 I32_POPCNT(u32 x)
{
	x -= x >> 1 & 0x55555555u;
	x = (x & 0x33333333u) + (x >> 2 & 0x33333333u);
	return ((x + (x >> 4)) & 0x0f0f0f0fu) * 0x01010101u >> 24;
}
static inline u64 I64_POPCNT(u64 x) { return I32_POPCNT((u32)x) + I32_POPCNT((u32)(x >> 32)); }
`

/** What cannot go between JavaScript and a module. */
function checkBoundary({ imports, exports }: WasmModule): void {
  const isReference = (type: ValueType) => type === 'funcref' || type === 'externref'
  const references = (one: External): boolean =>
    one.kind === 'function'
      ? [...one.type.params, ...one.type.results].some(isReference)
      : one.kind === 'global'
        ? isReference(one.type.value)
        : one.kind === 'table' && one.type.element === 'externref'
  const [wrong] = [...imports, ...exports].filter(references)
  if (wrong)
    throw new WasmError(
      `the module imports or exports ${wrong.name}, with a reference as its value, which xen-ts does not have`,
      'build the module without reference types: numbers can be passed',
    )
}

const put = (type: ValueType, at: number, value: string): string =>
  type === 'f32' || type === 'f64' ? `*(${type} *)&v[${at}] = ${value};` : `v[${at}] = ${value};`
const get = (type: ValueType, at: number): string =>
  type === 'f32' || type === 'f64' ? `*(${type} *)&v[${at}]` : `(${cTypes[type]})v[${at}]`

function resultType({ results }: FunctionType): string {
  if (results.length === 0) return 'void'
  return results.length === 1 ? cTypes[results[0]] : `struct wasm_multi_${results.map(type => letters[type]).join('')}`
}

/** What wasm2c's text calls: functions of JavaScript, and where memories, tables and globals of others are. */
function imports(module: WasmModule): string {
  let other = 0
  return module.imports
    .map((one, i) => {
      const name = `Z_iZ_${i}(struct Z_i_instance_t *instance`
      if (one.kind === 'function') return importedFunction(one.type, name, i)
      const type = {
        table: 'wasm_rt_funcref_table_t',
        memory: 'wasm_rt_memory_t',
        global: one.kind === 'global' ? cTypes[one.type.value] : '',
      }
      return `${type[one.kind]} *${name}) { return wasm_imported(instance, ${other++}); }`
    })
    .join('\n')
}

function importedFunction(type: FunctionType, name: string, index: number): string {
  const { params, results } = type
  const room = Math.max(1, params.length, results.length)
  const returned = resultType(type)
  return [
    `${returned} ${name}${params.map((param, i) => `, ${cTypes[param]} p${i}`).join('')})`,
    '{',
    `\tu64 v[${room}] = { 0 };`,
    ...params.map((param, i) => `\t${put(param, i, `p${i}`)}`),
    `\twasm_call_import(instance, ${index}, v, ${params.length}, ${results.length});`,
    ...(results.length === 1 ? [`\treturn ${get(results[0], 0)};`] : []),
    ...(results.length > 1 ? [`\treturn (${returned}){ ${results.map((result, i) => get(result, i)).join(', ')} };`] : []),
    '}',
  ].join('\n')
}

const isNumeric = ({ params, results }: FunctionType) => [...params, ...results].every(type => cTypes[type] !== '')

/** The function, and what calls it with values from memory. */
function reachable(module: WasmModule, index: number): { row: string; caller: string } {
  const type = module.functions[index]
  const imported = index < module.importedFunctions
  const place = module.imports.filter(({ kind }) => kind === 'function')[index]
  const fn = imported ? `Z_iZ_${module.imports.indexOf(place)}` : `w2c_${exportName('function', index)}`
  if (!isNumeric(type)) return { row: `\t{ (wasm_rt_function_ptr_t)${fn}, ${typeId(type)}u, call_none },`, caller: '' }
  const args = [imported ? '(struct Z_i_instance_t *)instance' : 'instance', ...type.params.map((param, i) => get(param, i))].join(', ')
  const { results } = type
  const body =
    results.length === 0
      ? `${fn}(${args});`
      : results.length === 1
        ? put(results[0], 0, `${fn}(${args})`)
        : `${resultType(type)} r = ${fn}(${args}); ${results.map((result, i) => put(result, i, `r.${letters[result]}${i}`)).join(' ')}`
  return {
    row: `\t{ (wasm_rt_function_ptr_t)${fn}, ${typeId(type)}u, call_${index} },`,
    caller: `static void call_${index}(void *instance, u64 *v) { ${body} }\n`,
  }
}

/** struct wasm_module, see wasm-rt.h. */
function description_(module: WasmModule): string {
  const functions = module.reachable.map(index => reachable(module, index))
  const externals = externalsOf(module)
  const others = module.imports.filter(({ kind }) => kind !== 'function')
  const own = (name: string) => `Z_${moduleName}Z_${name}`
  const hasImports = module.imports.length > 0
  // The host's pointer is the instance itself, and the first thing in it: where a table leads to an import, wasm2c 1.0.32 passes the
  // address of the pointer instead of the pointer.
  return `
static void call_none(void *instance, u64 *v) { wasm_rt_trap(WASM_RT_TRAP_UNREACHABLE); }
${hasImports ? `_Static_assert(offsetof(${instance}, Z_i_instance) == 0, "the host's pointer comes first");` : ''}
static void start(void *instance) { Z_${moduleName}_instantiate(${hasImports ? 'instance, instance' : 'instance'}); }
${functions.map(({ caller }) => caller).join('')}
static const struct wasm_function functions[] = {
${functions.map(({ row }) => row).join('\n')}
};
static const struct wasm_external externals[] = {
${externals.map(({ kind, index }) => `\t{ ${kinds[kind]}, (void *(*)(void *))${own(exportName(kind, index))} },`).join('\n')}
};
static const u8 imports[] = { ${others.map(({ kind }) => kinds[kind]).join(', ')} };
const struct wasm_module ${description} = {
	sizeof(${instance}), start, ${functions.length}, ${externals.length}, ${others.length}, 0, functions, externals, imports,
};
`
}

const kinds = { function: 'WASM_FUNCTION', table: 'WASM_TABLE', memory: 'WASM_MEMORY', global: 'WASM_GLOBAL' }

/** Exported memories, tables and globals, each once, in the order of their numbers at run time. */
export function externalsOf({ exports }: WasmModule): { kind: External['kind']; index: number }[] {
  const found = new Map(exports.filter(({ kind }) => kind !== 'function').map(one => [exportName(one.kind, one.index), one]))
  return [...found.values()].map(({ kind, index }) => ({ kind, index }))
}
