import { execFileSync } from 'node:child_process'
import test from 'ava'
import fc from 'fast-check'
import { repeat, runs } from './fuzz.ts'

const asked = (script: string, env: Record<string, string>): string =>
  execFileSync(
    process.execPath,
    ['--input-type=module', '-e', `import { runs, inputs, firstSeed } from './boot/node/fuzz.ts'; ${script}`],
    {
      env: { ...process.env, XEN_TS_FUZZ: '', XEN_TS_FUZZ_SEED: '', ...env },
      cwd: new URL('../..', import.meta.url),
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  ).trim()

test('few inputs and the seed of the test, unless npm run fuzz wants others', t => {
  const script = `console.log(inputs({ few: 7 }), inputs({ few: 7, cost: 50 }), runs({ few: 7, seed: 5 }).numRuns, firstSeed({ seed: 5 }))`
  t.is(asked(script, {}), '7 7 7 5')
  t.is(asked(script, { XEN_TS_FUZZ: '1000', XEN_TS_FUZZ_SEED: '9' }), '1000 20 1000 9')
  t.is(asked(script, { XEN_TS_FUZZ: '1000' }).split(' ').length, 4)
  t.throws(() => asked(script, { XEN_TS_FUZZ: 'many' }), { message: /XEN_TS_FUZZ is "many": it must be a whole number/ })
})

test('a failure names the input, the seed, the command that repeats it, and has the error as its cause', t => {
  const wrong = new Error('above 100')
  const check = (): void =>
    fc.assert(
      fc.property(fc.nat(), value => {
        if (value > 100) throw wrong
      }),
      runs({ seed: 3 }),
    )
  const error = t.throws(check, { message: /Counterexample: \[101\]/ })
  t.regex(error.message, /XEN_TS_FUZZ_SEED=\d+ npx ava boot\/node\/fuzz\.test\.ts$/)
  t.is(error.cause, wrong)
})

test('the command names the first test file of a stack', t => {
  const stack = `Error\n    at siege (file://${process.cwd()}/stack/a.ts:1:1)\n    at file://${process.cwd()}/stack/a.test.ts:7:9\n    at run (/b.test.ts:1:1)`
  t.regex(repeat(stack)(12), /XEN_TS_FUZZ_SEED=12 npx ava stack\/a\.test\.ts$/)
  t.regex(repeat('')(1), /npx ava FILE$/)
})
