import test from 'ava'
import { createEngine } from '../node/create.ts'
import { counterPages, withCounters } from './count.ts'
import { engineWasm } from './names.ts'

/** Sum of all counts while a script runs. */
async function bytecodes(source: string): Promise<number> {
  const counts = new WebAssembly.Memory({ initial: counterPages })
  const engine = await createEngine({ counts })
  engine.free(engine.eval(source, 'count.js'))
  return new Uint32Array(counts.buffer, 0, engine.memory.size).reduce((sum, count) => sum + count, 0)
}

test('a loop counts the same for each round, exactly', async t => {
  const loop = (rounds: number) => bytecodes(`(function () { for (let i = 0; i < ${rounds}; i++) {} })()`)
  const [ten, eleven, thousand] = [await loop(10), await loop(11), await loop(1010)]
  const round = eleven - ten
  t.true(round > 2 && round < 10, `${round} bytecodes`)
  // A larger number is another opcode, and that is all.
  t.is(thousand - ten, round * 1000)
  t.is(await loop(10), ten)
})

test('regular expressions are not bytecodes', async t => {
  const searching = (length: number) => bytecodes(`/a*b/.test('${'a'.repeat(length)}')`)
  t.is(await searching(500), await searching(5))
})

test('another module is refused', t => {
  const wasm = Uint8Array.from(engineWasm())
  t.throws(() => withCounters(wasm.subarray(0, 8)), { message: /there is no code/ })
  const empty = Uint8Array.from([...wasm.subarray(0, 8), 10, 1, 0])
  t.throws(() => withCounters(empty), { message: /there are 0 interpreters/ })
})
