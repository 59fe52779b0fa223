import test from 'ava'
import { engineNames, engineWasm } from '../engine/names.ts'
import { readWasm } from '../engine/wasm.ts'
import { createEngine } from './create.ts'
import { findLines, withQuickLines } from './source-lines.ts'
import { withExport } from './table.ts'

/** Where the engine's memory is free: a cache, a column, a text. */
const [CACHE, COLUMN, TEXT] = [8_000_000, 8_000_100, 8_000_200]

/** The function that tells lines, of a module that has it, with a text and what it was asked for. */
async function linesOf(edit: (wasm: Uint8Array) => Uint8Array<ArrayBuffer>, text: string) {
  const wasm = engineWasm()
  const { importNamespace, imports, memoryPages } = await engineNames()
  const index = readWasm(wasm).imports.length + findLines(wasm).index
  const memory = new WebAssembly.Memory({ initial: memoryPages, maximum: 32768 })
  const given = Object.fromEntries(Object.entries(imports).map(([minified, name]) => [minified, name === 'memory' ? memory : () => 0]))
  const module = new WebAssembly.Module(withExport(edit(wasm), 'lines', 0, index))
  const lines = new WebAssembly.Instance(module, { [importNamespace]: given }).exports.lines as (...args: number[]) => number
  new Uint8Array(memory.buffer).set(new TextEncoder().encode(text), TEXT)
  const words = new Int32Array(memory.buffer)
  words.set([TEXT, 0, 0, TEXT], CACHE / 4)
  return {
    /** Line and column of a byte. */
    at: (offset: number) => [lines(CACHE, COLUMN, TEXT + offset), words[COLUMN / 4]],
    /** The byte that was asked for last, as the function remembers it. */
    known: () => words[CACHE / 4] - TEXT,
  }
}

/** Bytes of a text, in an order that goes forth and back. */
const order = (length: number): number[] => Array.from({ length: 3000 }, (_, i) => (i % 3 === 0 ? 0 : (i * 7919) % length))

test('lines and columns are the same; the beginning is answered without going there', async t => {
  const text = `äö${'x'.repeat(70)}\n`.repeat(100)
  const [quick, plain] = [await linesOf(withQuickLines, text), await linesOf(wasm => Uint8Array.from(wasm), text)]
  for (const offset of order(Buffer.byteLength(text))) t.deepEqual(quick.at(offset), plain.at(offset))
  quick.at(5000)
  t.deepEqual(quick.at(0), [0, 0])
  t.is(quick.known(), 5000)
})

test('an engine tells places in classes with fields as before', async t => {
  const engine = await createEngine()
  const source = `${'\n'.repeat(40)}class A { field = (() => { throw new Error('in a field') })() }
class B { static made = 1; static { B.place = new Error('in a block').stack } }
try { new A() } catch (error) { error.stack + B.place }`
  const value = engine.eval(source, 'app.js')
  const places = [...engine.text(value).matchAll(/app\.js:(\d+:\d+)/g)].map(([, place]) => place)
  engine.free(value)
  t.deepEqual(places, ['41:43', '41:60', '41:63', '43:12', '42:56', '1:1', '1:1'])
})
