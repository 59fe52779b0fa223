import { readFileSync } from 'node:fs'
import test from 'ava'
import { runWasm2c } from '../engine/wasm2c.ts'
import { compilerSources, compileToWasm } from './build.ts'
import { type CompiledAbi, checkedArguments, compiledAbi } from './host.ts'
import * as plain from './index.ts'
import { compiledTable, misfit } from './table.ts'
import { compare } from './testing.ts'
import { rewriteCompiled } from './translate.ts'

const wasm = compileToWasm()
const module = new WebAssembly.Module(wasm)
const { imports, exports } = WebAssembly.Module as unknown as Record<string, (module: WebAssembly.Module) => { name: string }[]>

/** The compiled functions under V8: arrays are copied into a memory and back. */
function wasmAbi(): CompiledAbi {
  const memory = new WebAssembly.Memory({ initial: 16 })
  const functions = new WebAssembly.Instance(module, { env: { memory } }).exports as Record<string, (...args: number[]) => number>
  const bytes = new Uint8Array(memory.buffer)
  const call =
    (row: (typeof compiledTable)[number]) =>
    (...values: (Uint8Array | number)[]) => {
      let at = 4096
      const places: [Uint8Array, number][] = []
      const place = (array: Uint8Array): number => {
        const known = places.find(([other]) => other === array)
        if (known !== undefined) return known[1]
        places.push([array, at])
        bytes.set(array, at)
        at += (array.length + 15) & ~15
        return places.at(-1)![1]
      }
      const passed = checkedArguments(row, values).map(value => (typeof value === 'number' ? value : place(value)))
      const result = functions[row.name](...passed) | 0
      for (const [array, where] of places) array.set(bytes.subarray(where, where + array.length))
      if (result < 0) throw new RangeError(`${row.name}: ${misfit}`)
      return row.result === 'num' ? result : undefined
    }
  return Object.fromEntries(compiledTable.map(row => [row.name, call(row)])) as unknown as CompiledAbi
}

test('the compiler makes of the sources what plain TypeScript does with them', t => {
  const { differences, interesting } = compare(wasmAbi(), 4000)
  t.deepEqual(differences.slice(0, 3), [])
  for (const [name, count] of Object.entries(interesting)) t.true(count > 500, `${name}: ${count} results that say something`)
})

test('a function that does something else is found', t => {
  const abi = wasmAbi()
  for (const name of Object.keys(plain) as (keyof CompiledAbi)[]) {
    const wrong = (...values: unknown[]) => {
      const result = (abi[name] as (...values: unknown[]) => unknown)(...values)
      const [first] = values
      if (first instanceof Uint8Array && first.length > 60) first[59] ^= 1
      return result
    }
    t.true(compare({ ...abi, [name]: wrong }, 50).differences.length > 0, name)
  }
})

test('the table has each function, and arrays that it may write to', t => {
  t.deepEqual(compiledTable.map(({ name }) => name).sort(), Object.keys(plain).sort())
  for (const { name, args, writes } of compiledTable) {
    const arrays = args
      .filter(([, check]) => check === 'bytes' || check === 'all' || typeof check === 'number')
      .map(([argument]) => argument)
    t.deepEqual(
      writes.filter(argument => !arrays.includes(argument)),
      [],
      name,
    )
  }
})

test('hostile offsets and lengths are a RangeError', t => {
  const bytes = new Uint8Array(60)
  const record = new Uint8Array(128)
  for (const length of [-1, 0.5, NaN, Infinity, 2 ** 32, 61])
    t.throws(() => compiledAbi.packetIn(bytes, length, 0, record), { instanceOf: RangeError, message: /^packetIn: (length|offset) / })
  t.throws(() => compiledAbi.packetIn(bytes, 60, 0, record.subarray(1)), {
    message: 'packetIn: record has 127 bytes; it must have at least 128',
  })
  t.throws(() => compiledAbi.packetIn(bytes, 60, 0, new Uint8Array(132).subarray(2)), {
    message: 'packetIn: record is not aligned to 4 bytes',
  })
  t.throws(() => compiledAbi.segmentOut(bytes, bytes, bytes, 60, 1, record), { message: /^segmentOut: offset 60, length 1 is outside/ })
  t.throws(() => compiledAbi.segmentOut(bytes, bytes, bytes, 0, 7, record), { message: `segmentOut: ${misfit}` })
})

test('nothing but numbers and memory: no data, no globals, no imports but the memory', t => {
  t.deepEqual(
    imports(module).map(({ name }) => name),
    ['memory'],
  )
  t.deepEqual(
    exports(module)
      .map(({ name }) => name)
      .sort(),
    Object.keys(plain).sort(),
  )
  t.true(wasm.length < 8 * 1024, `${wasm.length} bytes`)
})

test('the compiler gets its own memory module, and sources without what it does not know', t => {
  const sources = compilerSources()
  t.is(sources['memory.ts'], readFileSync(new URL('memory.as', import.meta.url), 'utf8'))
  for (const [name, source] of Object.entries(sources))
    if (name !== 'memory.ts') t.notRegex(source, /import \{[^}]*\btype\b|from '[^']*\.ts'/, name)
})

const output = runWasm2c(wasm)
const changes: Record<string, [pattern: RegExp | string, to: string]> = {
  'another name for the memory': [/instance->Z_envZ_memory/g, 'instance->w2c_M0'],
  'a global': ['FUNC_PROLOGUE;', 'FUNC_PROLOGUE; instance->w2c_g0 = 1u;'],
  'another preamble': ['static bool s_module_initialized', 'static int s_module_initialized'],
  'initial data': [/static void init_memories\((.*)\) \{\n/, 'static void init_memories($1) {\n  LOAD_DATA(1);\n'],
}
for (const [what, [pattern, to]] of Object.entries(changes)) {
  test(`changed wasm2c output is refused: ${what}`, t => {
    const changed = output.replace(pattern, to)
    t.not(changed, output, 'the change applies')
    t.throws(() => rewriteCompiled(changed), { name: 'EngineError' })
  })
}
