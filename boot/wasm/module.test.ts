import test from 'ava'
import fc from 'fast-check'
import { runs } from '../node/fuzz.ts'
import { describeModule } from './describe.ts'
import { WasmError } from './error.ts'
import { readModule } from './module.ts'
import { assemble } from './testing.ts'

const text = `(module
  (import "a */ int x; /*" "f\\n" (func (param i32 i64) (result f32 f64)))
  (import "b" "m" (memory 1 3))
  (import "b" "g" (global (mut i64)))
  (table (export "t") 2 5 funcref)
  (global (export "h") f32 (f32.const 1))
  (func $one (export "one") (param f64))
  (func $two (result i32) (i32.const 1))
  (func $three)
  (export "f again" (func 0))
  (export "uno" (func $one))
  (export "m" (memory 0))
  (elem (i32.const 0) $two))`
const bytes = assemble(text, '--debug-names')

test('imports, exports, and the functions that others can have', t => {
  const module = readModule(bytes)
  t.deepEqual(
    module.imports.map(({ module, name, kind }) => [module, name, kind]),
    [
      ['a */ int x; /*', 'f\n', 'function'],
      ['b', 'm', 'memory'],
      ['b', 'g', 'global'],
    ],
  )
  t.deepEqual(module.reachable, [0, 1, 2])
  t.deepEqual(describeModule('0123456789abcdef', module), {
    hash: '0123456789abcdef',
    imports: [
      ['a */ int x; /*', 'f\n', 'function', 'ij>fd'],
      ['b', 'm', 'memory', [1, 3]],
      ['b', 'g', 'global', ['j', 1]],
    ],
    exports: [
      ['t', 0, -1, 'table', [2, 5]],
      ['h', 1, -1, 'global', ['f', 0]],
      ['one', 1, -1, 'function', 'd>'],
      ['f again', 0, 0, 'function', 'ij>fd'],
      ['uno', 1, -1, 'function', 'd>'],
      ['m', 2, 1, 'memory', [1, 3]],
    ],
    functions: [
      [0, 'ij>fd'],
      [1, 'd>'],
      [2, '>i'],
    ],
  })
})

test('what is compiled has no name of the module, and is the same module for V8', t => {
  const { plain } = readModule(bytes)
  const { Module } = WebAssembly as unknown as { Module: any }
  const module = new Module(plain)
  t.deepEqual(Module.imports(module), [
    { module: 'i', name: '0', kind: 'function' },
    { module: 'i', name: '1', kind: 'memory' },
    { module: 'i', name: '2', kind: 'global' },
  ])
  t.deepEqual(
    Module.exports(module).map(({ name }: { name: string }) => name),
    ['f0', 'f1', 'f2', 't0', 'g1', 'm0'],
  )
  t.false(Buffer.from(plain).toString('latin1').includes('int x'))
})

test('every form of element segment names its functions', t => {
  const segments = [
    '(elem (i32.const 0) $f)',
    '(elem func $f)',
    '(elem (table $u) (i32.const 0) func $f)',
    '(elem declare func $f)',
    '(elem (i32.const 0) funcref (ref.func $f) (ref.null func))',
    '(elem funcref (ref.null func) (ref.func $f))',
    '(elem (table $u) (i32.const 0) funcref (ref.func $f))',
    '(elem declare funcref (ref.func $f))',
  ]
  for (const segment of segments) {
    const module = assemble(`(module (table 4 funcref) (table $u 4 funcref) (func) (func) (func $f) ${segment})`)
    t.deepEqual(readModule(module).reachable, [2], segment)
  }
  t.deepEqual(readModule(assemble('(module (func) (func $f) (global funcref (ref.func $f)))')).reachable, [1])
})

test('what xen-ts does not have is refused by its name', t => {
  const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]
  const refused = (section: number[], message: RegExp) =>
    t.throws(() => readModule(Uint8Array.from([...header, ...section])), { instanceOf: WasmError, message })
  refused([1, 5, 1, 0x60, 1, 0x7b, 0], /uses vectors \(SIMD\)/)
  refused([1, 4, 1, 0x5f, 0, 0], /types other than those of functions/)
  refused([5, 4, 1, 3, 1, 1], /shared memory/)
  refused([5, 3, 1, 4, 1], /64-bit memory/)
  refused([2, 7, 1, 1, 97, 1, 98, 4, 0], /imports of another kind/)
  t.throws(() => readModule(Buffer.from('#!/bin/sh')), { instanceOf: WasmError, message: /not a WebAssembly module/ })
})

test('no bytes make the reader fail otherwise than with its own error', t => {
  for (let length = 0; length < bytes.length; length++) {
    try {
      readModule(bytes.slice(0, length))
    } catch (error) {
      t.true(error instanceof WasmError, `${length} bytes: ${(error as Error).stack}`)
    }
  }
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { maxLength: 4 }), changes => {
      const changed = bytes.slice()
      for (const [at, value] of changes) changed[at] = value
      try {
        readModule(changed)
      } catch (error) {
        if (!(error instanceof WasmError)) throw error
      }
    }),
    runs(),
  )
  t.pass()
})
