import test from 'ava'
import { evaluateInEngine } from './evaluate.ts'

const evaluate = (bundle: string, timeout = 60_000) => evaluateInEngine({ bundle, filename: 'app.js', global: '__result', timeout })

test('a bundle leaves a text, once its jobs are done; what is no text is none', async t => {
  t.is(await evaluate("void Promise.resolve().then(() => { globalThis.__result = 'grüß' })"), 'grüß')
  t.is(await evaluate('globalThis.__result = 7'), undefined)
  t.is(await evaluate('new Promise(() => {})'), undefined)
  await t.throwsAsync(evaluate('null.x'), { name: 'TypeError' })
})

test('a bundle that does not end is ended, and the next has a thread', async t => {
  const endless = evaluate('for (;;);', 300)
  const waits = evaluate("globalThis.__result = 'after it'")
  await t.throwsAsync(endless, { message: 'it still runs after 0.3 s' })
  t.is(await waits, 'after it')
  t.is(await evaluate("globalThis.__result = 'again'"), 'again')
})

test('a result that has come counts, even if this thread had no time for it', async t => {
  const busy = (): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000)
  const bundle = "__abi.consoleWrite('begun'); for (let i = 0; i < 1e6; i++); globalThis.found = 'done'"
  t.is(await evaluateInEngine({ bundle, filename: 'app.js', global: 'found', timeout: 300, output: () => void setImmediate(busy) }), 'done')
})
