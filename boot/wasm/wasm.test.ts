import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { linkCode } from '../image/code.ts'
import { readElf } from '../image/elf.ts'
import { addressesOf, readSymbols } from '../image/sections.ts'
import { WasmError } from './error.ts'
import { hashOf, linkWasm, type NamedModule } from './link.ts'
import { readModule } from './module.ts'
import { assemble } from './testing.ts'

const folder = mkdtempSync(join(tmpdir(), 'xen-ts-wasm-test-'))
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
test.after.always(() => rmSync(folder, { recursive: true, force: true }))

const named = (name: string, text: string): NamedModule => {
  const bytes = assemble(text)
  return { name, hash: hashOf(bytes), module: readModule(bytes) }
}
const add = named('add.wasm', '(module (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))')
const calls = named(
  'calls.wasm',
  `(module (type $t (func (param i32 i32) (result i32))) (import "a" "b" (func $b (type $t))) (memory 1) (table 2 funcref) (elem (i32.const 0) $b)
    (data (i32.const 0) "hello") (func (export "call") (param i32) (result i32) (call_indirect (type $t) (i32.load (local.get 0)) (i32.const 1) (i32.const 0))))`,
)

test('compiled modules need nothing that the kernel lacks; their order does not count', t => {
  const kernel = addressesOf(readSymbols(readElf(readFileSync(here('../build/kernel.elf')), 'the kernel').sections))
  const link = (...modules: NamedModule[]) => linkCode(linkWasm(modules, folder), 0xffffffff80400000n, kernel)
  const both = link(add, calls)
  t.deepEqual(link(calls, add, add), both)
  t.true(link(add).length < both.length)
  t.deepEqual(linkWasm([], folder), [])
})

test('runtime.c and the kernel agree on what they have of each other', t => {
  const include = ['../kernel', '../build/kernel', '../build/engine', '.'].map(path => `-I${here(path)}`)
  const check = (...flags: string[]) =>
    execFileSync('gcc', ['-std=gnu11', '-ffreestanding', '-fsyntax-only', '-Wall', '-Werror', ...include, ...flags, here('runtime.c')], {
      stdio: 'pipe',
    })
  t.notThrows(() => check('-DKERNEL_HEADERS'))
  t.notThrows(() => check())
})

test('without a compiler, or with another wasm2c, it is said what to install', t => {
  const path = process.env.PATH
  t.teardown(() => {
    process.env.PATH = path
  })
  const refused = (PATH: string, message: RegExp) => {
    process.env.PATH = PATH
    const error = t.throws(() => linkWasm([add], join(folder, 'empty')), { instanceOf: WasmError, message })
    t.regex(error!.todo, /apt install wabt gcc/)
  }
  refused('/nowhere', /^WebAssembly is compiled to native code, and gcc is not installed/)
})

test('what wasm2c or gcc refuse is named', t => {
  const invalid = { ...add, name: 'bad.wasm', module: { ...add.module, plain: add.module.plain.slice(0, -2) } }
  t.throws(() => linkWasm([invalid], folder), { instanceOf: WasmError, message: /bad\.wasm: wasm2c refuses the module/ })
})
