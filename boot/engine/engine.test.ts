/** The native engine (the object that boots, as a Linux program) against the same .wasm under V8, and its limits. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { buildEngine, engineFolder } from './build.ts'
import { run } from './compile.ts'
import { createEngine } from './instance.ts'
import { engineLayout } from './layout.ts'

test.before('the engine is built', async t => {
  t.timeout(15 * 60_000)
  await buildEngine({ out: engineFolder })
})

/** Runs a script in the native engine and returns the lines that it prints; throws when it ends with an error. */
async function native(source: string, ...options: string[]): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'xen-ts-engine-'))
  try {
    writeFileSync(join(folder, 'test.js'), source)
    const args = [join(engineFolder, 'memory.bin'), ...options, 'test.js']
    const output = await run(join(engineFolder, 'host'), args, { seconds: 60, cwd: folder })
    return output.trimEnd().split('\n')
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function underV8(source: string): Promise<string[]> {
  const lines: string[] = []
  const engine = await createEngine({ stackBytes: 65536 })
  engine.define('print', text => {
    lines.push(String(text))
  })
  engine.evaluate(source, 'test.js')
  engine.drain()
  return lines.join('\n').split('\n')
}

const semantics = readFileSync(new URL('engine.cases.js', import.meta.url), 'utf8')
  .split(/^\/\/ ?/m)
  .slice(1)
for (const piece of semantics) {
  const [title, ...source] = piece.split('\n')
  test(`native and V8 agree: ${title}`, async t => {
    const [here, there] = await Promise.all([native(source.join('\n')), underV8(source.join('\n'))])
    t.deepEqual(here, there)
    t.true(here.length > 0 && here[0] !== '')
  })
}

test('what the training prints is the same under V8', async t => {
  for (const name of ['data', 'objects', 'tasks', 'text']) {
    const source = readFileSync(new URL(`training/${name}.js`, import.meta.url), 'utf8')
    t.deepEqual(await native(source), await underV8(`globalThis.add = (a, b) => a + b; ${source}`), name)
  }
})

test("a lost rejection reaches the host's function in the extra table slot, a handled one too", async t => {
  const { rejectionTracker } = await engineLayout()
  const lines = await native(
    `
    Promise.reject(new TypeError('nobody sees this'))
    const late = Promise.reject(42)
    Promise.resolve().then(() => late.catch(reason => print('caught ' + reason)))
    ;(async () => { await null; null.property })().catch(() => {})
    new Promise((resolve, reject) => { resolve(1); reject(2) })`,
    '--rejections',
    String(rejectionTracker),
  )
  t.deepEqual(
    lines.filter(line => !line.includes('of null')),
    ['rejection, unhandled: TypeError: nobody sees this', 'rejection, unhandled: 42', 'rejection, handled: 42', 'caught 42'],
  )
})

// The engine checks its linear stack (64 KiB here), not the native one; these are what takes most of it for a KiB of the linear stack. The
// kernel gives native stack on demand, and makes the linear stack end where it should end (boot/kernel/linear.c).
const nativeStackLimit = 2 << 20
const nests: Record<string, [source: string, error: RegExp]> = {
  'JSON.parse': ['JSON.parse("[".repeat(200000))', /^SyntaxError: stack overflow/],
  'JSON.stringify': ['let a = []; for (let i = 0; i < 200000; i++) a = [a]; JSON.stringify(a)', /^InternalError: stack overflow/],
  'parentheses in eval': ['eval("(".repeat(200000))', /^SyntaxError: stack overflow/],
  'arrays in eval': ['eval("[".repeat(200000))', /^SyntaxError: stack overflow/],
  recursion: ['(function down() { down() })()', /^InternalError: stack overflow/],
}
for (const [what, [source, error]] of Object.entries(nests)) {
  test(`endless nesting is an exception and stays within the native stack: ${what}`, async t => {
    const [message, used] = await native(`try { ${source}; print('no error') } catch (e) { print(e) }`, '--stack-used')
    t.regex(message, error)
    const bytes = Number(/native stack used: (\d+) bytes/.exec(used)![1])
    t.log(`${bytes} bytes of native stack`)
    t.true(bytes < nativeStackLimit, `${bytes} bytes`)
  })
}

test('JSON.stringify refuses what is nested so deeply that it would take long, and no less', async t => {
  const source = `const nested = n => { let a = []; while (--n) a = [a]; return a }
    const levels = n => { try { return JSON.stringify(nested(n)).length / 2 } catch (e) { return e.message } }
    print(levels(110) + ' ' + levels(130))`
  t.deepEqual(await native(source), ['110 stack overflow'])
})

// The host has 256 MiB of linear memory.
for (const [what, source] of Object.entries({
  'cycles that hold buffers': 'for (let i = 0; i < 1000; i++) { const o = { bytes: new Uint8Array(1e6) }; o.self = o }',
  'cycles that hold arrays which grew': 'for (let i = 0; i < 400; i++) { const o = []; for (let k = 0; k < 1e5; k++) o.push(o) }',
  'cycles that hold strings': 'for (let i = 0; i < 400; i++) { const o = { text: "x".repeat(1e6) }; o.self = o }',
})) {
  test(`garbage does not fill the memory: ${what}`, async t => {
    t.deepEqual(await native(`${source}; print('done')`), ['done'])
  })
}

test('an error that nobody catches ends the host with its stack', async t => {
  const source = 'function inner() {\n  throw new RangeError("too far") }\ninner()'
  await t.throwsAsync(native(source), { message: /RangeError[^]*too far[^]*test\.js:2/ })
})
