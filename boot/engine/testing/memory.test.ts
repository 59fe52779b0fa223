/** Memory that comes to its end at each place of a program: machine code does what the interpreter does, and leaves as much. */
import test from 'ava'
import fc from 'fast-check'
import { firstSeed, inputs } from '../../node/fuzz.ts'
import { prepareNative } from '../native.ts'
import { difference } from './judges.ts'
import { ownText, programs } from './program.ts'

/** At the end of a program: how much more there is room for, in small pieces. */
const rest = `
box = table = proxied = bytes = undefined
let pieces = 0, list = null
try { for (;;) { list = { list }; pieces++ } } catch (e) { list = null; print('room for ' + pieces) }`

const linesOf = ({ stdout, stderr, status, signal }: { stdout: string; stderr: string; status: number | null; signal: string | null }) => [
  ...stdout.split('\n'),
  status === 0 ? 'ended well' : `ended: ${signal ?? stderr.split('\n')[0]}`,
]

test('each allocation fails once', async t => {
  const seed = firstSeed({ seed: 7 })
  const [count, steps] = [inputs({ few: 3, cost: 1000 }), inputs({ few: 25, cost: 100 })]
  let [ran, failures] = [0, 0]
  for (const program of fc.sample(programs, { numRuns: count, seed })) {
    const script = `${program}\n${rest}`
    const [interpreted, compiled] = [await prepareNative(script, { bodies: 'none' }), await prepareNative(script, { bodies: 'all' })]
    try {
      // From nothing to 200 KiB: what a program takes is less, and the rest of it takes all.
      for (let step = 0; step < steps; step++) {
        const room = Math.floor((step / steps) ** 2 * (200 << 10)) + 16 * (step % 8)
        const [here, there] = [interpreted.run({ room }), compiled.run({ room })].map(linesOf)
        const found = difference(here, there)
        if (found !== undefined) throw new Error(`with room for ${room} bytes, seed ${seed}:\n${found}\n${ownText(program)}`)
        ran++
        if (here.some(line => line.includes('InternalError') || line.includes('out of memory'))) failures++
      }
    } finally {
      interpreted.dispose()
      compiled.dispose()
    }
  }
  t.log(`${ran} runs of ${count} programs, ${failures} without memory`)
  t.true(failures > 0)
})
