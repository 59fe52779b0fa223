/**
 * Random programs as compiled machine code, and as any mixture of compiled, joined and interpreted functions, which is what images are: all do
 * what the interpreter does, and leave as many allocations. Many programs are compiled together: gcc is what takes the time.
 */
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { firstSeed, inputs, repeat } from '../../node/fuzz.ts'
import { buildEngine, engineFolder } from '../build.ts'
import { type BodyKind, compileScripts, runNative } from '../native.ts'
import { dense } from './dense.ts'
import { difference, linesOf } from './judges.ts'
import { ownText, programs } from './program.ts'

test.before('the engine is built', async t => {
  t.timeout(15 * 60_000)
  await buildEngine({ out: engineFolder })
})

/** Programs whose functions gcc gets at once. */
const BATCH = 40
/** Seconds for one program. */
const LONGEST = 20

const kinds: readonly BodyKind[] = ['compiled', 'all', 'none']
/** The same for the same program, another for its neighbours. */
const mixed =
  (seed: number) =>
  (i: number): BodyKind =>
    kinds[(Math.imul(seed + i, 2654435761) >>> 16) % kinds.length]

async function agree(t: ExecutionContext, from: fc.Arbitrary<string>, { few, seed: first }: { few: number; seed: number }) {
  const seed = firstSeed({ seed: first })
  const again = repeat(new Error().stack)(seed)
  const all = fc.sample(from, { numRuns: inputs({ few, cost: 500 }), seed })
  let [ran, lines, late] = [0, 0, 0]
  for (let start = 0; start < all.length; start += BATCH) {
    const batch = all.slice(start, start + BATCH)
    const ready = await compileScripts(batch)
    for (const [i, program] of batch.entries()) {
      const run = async (bodies: BodyKind | ((index: number) => BodyKind)) =>
        linesOf(await runNative(program, { bodies, ready, seconds: LONGEST, live: true }))
      const interpreted = await run('none')
      for (const [name, bodies] of Object.entries({ compiled: 'compiled' as const, mixed: mixed(seed + start + i) })) {
        const found = await run(bodies)
        if (interpreted === undefined || found === undefined) {
          late++
          continue
        }
        ran++
        lines += found.length
        const differs = difference(interpreted, found)
        if (differs !== undefined) throw new Error(`${name}, program ${start + i}: ${differs}\n${again}\n${ownText(program)}`)
      }
    }
  }
  t.log(`${ran} runs, ${lines} lines; ${late} took too long`)
  t.true(ran > 0 && late * 10 <= ran, `${late} of ${ran + late} take too long`)
}

test('programs', t => {
  t.timeout(5 * 60_000)
  return agree(t, programs, { few: 6, seed: 7 })
})

test('small functions with values at every border', t => {
  t.timeout(5 * 60_000)
  return agree(t, dense, { few: 2, seed: 7 })
})
