import test from 'ava'
import { createEngine } from '../node/create.ts'
import { nameOf } from './function-names.ts'
import { findBytecode } from './functions.ts'

const source = `(function outer() {
  const inner = (a, b) => a + b
  return { 'wíde €': () => 1, method() { return inner }, 12() {},
    async * later() {} }
})`

test('functions have the file and the place that they have in a stack, and the name where it is in their head', async t => {
  const engine = await createEngine({ stripSource: true })
  const turn = engine.eval(source, 'some-file.js')
  const { u8 } = engine.memory
  const found = findBytecode({ pages: [], memoryPages: u8.length / 65536, runtime: engine.runtime, turn }, u8.slice())
  const named = found.map(({ address }) => nameOf(u8, engine.runtime, address)).filter(({ file }) => file === 'some-file.js')
  // Methods and arrow functions get their names when they are made.
  t.deepEqual(named.map(({ name, line, column }) => `${name} ${line}:${column}`).sort(), [
    ' 2:17',
    ' 3:22',
    ' 3:31',
    ' 3:58',
    ' 4:5',
    'outer 1:2',
  ])
})
