/** Random programs in the engine in Node, in the native engine, and in V8 itself: the same meaning everywhere. */
import vm from 'node:vm'
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { runs } from '../../node/fuzz.ts'
import { buildEngine, engineFolder } from '../build.ts'
import { difference, type Judge, native, standard, v8, wasm } from './judges.ts'
import { programs, type TestProgram, write } from './program.ts'

test.before('the engine is built', async t => {
  t.timeout(15 * 60_000)
  await buildEngine({ out: engineFolder })
})

/** Both print the same, for as many programs as are wanted. */
async function agree(t: ExecutionContext, one: Judge, other: Judge, seen = (lines: readonly string[]) => lines): Promise<void> {
  let [ran, lines, late] = [0, 0, 0]
  const property = fc.asyncProperty(programs, async program => {
    const [here, there] = await Promise.all([one(program), other(program)])
    if (here === undefined || there === undefined) {
      late++
      return
    }
    ran++
    lines += here.length
    const found = difference(seen(here), seen(there))
    if (found !== undefined) throw new Error(`${found}\n${program.setup.slice(program.setup.indexOf('const piece0'))}`)
  })
  await fc.assert(property, runs({ few: 60, cost: 20 }))
  t.log(`${ran} programs, ${lines} lines; ${late} took too long`)
  t.true(late * 20 <= ran, `${late} of ${ran + late} take too long`)
}

test('every program can be parsed', t => {
  let bytes = 0
  fc.assert(
    fc.property(programs, ({ setup }) => {
      bytes += setup.length
      new vm.Script(setup)
    }),
    runs({ few: 300 }),
  )
  t.true(bytes > 0)
})

test('the native engine does what the engine in Node does', t => agree(t, wasm, native))

test('the engine does what V8 does', t => agree(t, wasm, v8, standard))

test('a difference is seen, and the program is made short', async t => {
  const wrong: Judge = async (program: TestProgram) => (await v8(program))?.map(line => line.replace('NaN', 'nan'))
  const property = fc.asyncProperty(programs, async program => difference((await v8(program))!, (await wrong(program))!) === undefined)
  const { failed, counterexample } = await fc.check(property, { numRuns: 2000, seed: 1 })
  t.true(failed)
  const [{ setup }] = counterexample!
  const piece = setup.slice(setup.indexOf('const piece0'))
  t.true(piece.includes('NaN') && piece.length < 600, piece)
})

test('without a choice a program is short', t => {
  const { setup } = write([new Uint8Array()])
  t.regex(setup, /const piece0 = .* return function piece0\(first, second\) \{ if \(!ok\(\)\) return 0;\s+return 0 \}\)\(\)/)
})
