/** Memory that comes to its end at each place of a program: machine code does what the interpreter does, and leaves as much. */
import test from 'ava'
import fc from 'fast-check'
import { firstSeed, inputs, repeat } from '../../node/fuzz.ts'
import { compileScripts, prepareNative } from '../native.ts'
import { difference, linesOf } from './judges.ts'
import { ownText, programs } from './program.ts'

/** At the end of a program: all that there is room for, in small pieces. */
const rest = `
box = table = proxied = bytes = undefined
let pieces = 0, list = null
try { for (;;) { list = { list }; pieces++ } } catch (e) { list = null; print(pieces > 0 ? 'room for more' : 'full') }`

test('each allocation fails once', async t => {
  t.timeout(5 * 60_000)
  const seed = firstSeed({ seed: 7 })
  const again = repeat(new Error().stack)(seed)
  const [count, steps] = [inputs({ few: 2, cost: 2000 }), inputs({ few: 30, cost: 100 })]
  let [ran, failures] = [0, 0]
  const scripts = fc.sample(programs, { numRuns: count, seed }).map(program => `${program}\n${rest}`)
  const ready = await compileScripts(scripts)
  for (const [i, script] of scripts.entries()) {
    const [interpreted, ...bodies] = await Promise.all(
      (['none', 'all', 'compiled'] as const).map(bodies => prepareNative(script, { bodies, ready })),
    )
    try {
      // From nothing to 200 KiB: what a program takes is less, and the rest of it takes all.
      for (let step = 0; step < steps; step++) {
        const room = Math.floor((step / steps) ** 2 * (200 << 10)) + 16 * (step % 8)
        const run = (one: typeof interpreted) => linesOf(one.run({ room, live: true }))
        const here = run(interpreted)
        for (const there of bodies.map(run)) {
          if (here === undefined || there === undefined) continue
          const found = difference(here, there)
          if (found !== undefined) throw new Error(`program ${i} with room for ${room} bytes: ${found}\n${again}\n${ownText(script)}`)
          ran++
          if (here.some(line => line.includes('InternalError') || line.includes('out of memory'))) failures++
        }
      }
    } finally {
      for (const one of [interpreted, ...bodies]) one.dispose()
    }
  }
  t.log(`${ran} runs of ${count} programs, ${failures} without memory`)
  t.true(failures > 0)
})
