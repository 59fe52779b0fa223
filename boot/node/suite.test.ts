import test from 'ava'
import { memoryAbi } from './memory-abi.ts'
import { engineCases, suite } from './suite.ts'

const results = await engineCases(import.meta.resolve('./fixture.cases.ts'))
const failure = (name: string) => results.get(name)?.message

test("cases run in the guest's engine, and a case that holds passes", t => {
  t.is(results.size, 8)
  t.is(results.get('passes'), undefined)
  t.is(results.get('rejects as expected'), undefined)
  t.is(results.get('timers run in order of time, which passes at once in the engine'), undefined)
})

test('a failed assertion is reported with its TypeScript position', t => {
  t.is(failure('fails'), '1 is not 2')
  t.regex(results.get('fails')!.stack!, /boot\/node\/fixture\.cases\.ts:16:/)
  t.is(failure('fails later'), 'a message: false is not true')
  t.is(failure('expects an error in vain'), 'nothing was thrown; it returned 5')
})

test('a case that waits for ever fails, and the next ones run', t => {
  t.regex(failure('never ends')!, /never ends/)
})

test('an unhandled rejection fails the case that caused it', t => {
  t.is(failure('loses an error'), 'lost')
})

Object.assign(globalThis, { __abi: memoryAbi }) // for Node; the engine has its own
await suite(test, import.meta.resolve('./memory-abi.cases.ts'))
