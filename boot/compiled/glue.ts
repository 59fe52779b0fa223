/** The C between the ABI and the compiled functions: each array is checked, and becomes an address in linear memory. */
import { type Check, type CompiledFunction, compiledTable, misfit } from './table.ts'

/** compiled.h: what translate.ts makes of the functions. */
export const compiledHeader = (): string => `/* Made by boot/compiled/glue.ts: do not edit. */
#pragma once
#include "rt.h"
${compiledTable.map(f => `u32 compiled_${f.name}(${parameters(f).join(', ')});\n`).join('')}`

/** What wasm sees: an address for an array, with its length behind it where it may be of any size. */
export const parameters = (f: CompiledFunction): string[] => f.args.flatMap(([, check]) => (check === 'all' ? ['u32', 'u32'] : ['u32']))

/** compiled_abi.c, which the kernel is linked with. */
export const compiledGlue = (): string => `/* Made by boot/compiled/glue.ts: do not edit. */
#include "js.h"
#include "compiled.h"

${compiledTable.map(definition).join('\n')}`

function definition({ name, args, result }: CompiledFunction): string {
  const lines: string[] = []
  const passed: string[] = []
  const check = (line: string): void => void lines.push(`\t${line}`, '\tif (failed())', result === 'num' ? '\t\treturn 0;' : '\t\treturn;')
  args.forEach(([argument, kind], i) => {
    const [next, second] = [args[i + 1]?.[1], args[i + 2]?.[1]]
    if (kind === 'bytes') {
      const [offset, length] = next === 'offset' ? [`&a[${i + 1}]`, i + 2] : ['&start', i + 1]
      if (args[length]?.[1] !== 'length') throw new Error(`${name}: no length behind ${argument} (${String(next)}, ${String(second)})`)
      check(`u64 size${i} = whole(&a[${length}], "length", 0xffffffff);`)
      check(`range(&a[${i}], ${offset}, size${i}, 1);`)
    } else if (kind === 'num') {
      check(`whole(&a[${i}], "${argument}", 0xffffffff);`)
    } else if (typeof kind === 'number') {
      check(`record(&a[${i}], "${argument}", ${kind});`)
    }
    passed.push(...passing(kind, i))
  })
  lines.push(`\ts32 result = compiled_${name}(${passed.join(', ')});`, '\tif (result < 0)', `\t\trange_error("${misfit}");`)
  if (result === 'num') lines.push('\treturn result;')
  const start = lines.some(line => line.includes('&start')) ? '\tstatic const struct arg start;\n' : ''
  return `${result === 'num' ? 'f64' : 'void'} abi_${name}(const struct arg *a)\n{\n${start}${lines.join('\n')}\n}\n`
}

/** Numbers were checked to be whole and to have 32 bits, or lie inside of an array. */
function passing(kind: Check, i: number): string[] {
  if (kind === 'offset' || kind === 'length' || kind === 'num') return [`(u32)a[${i}].number`]
  const address = `(u32)((u64)a[${i}].bytes - ENGINE_BASE)`
  return kind === 'all' ? [address, `a[${i}].length`] : [address]
}
