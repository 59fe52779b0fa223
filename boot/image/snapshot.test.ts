import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { GuestError } from '../node/errors.ts'
import { type HostAbiOptions, hostAbi } from '../node/host-abi.ts'
import { runLoop } from '../node/loop.ts'
import { offsets, pageSize, writeSnapshot } from './format.ts'
import { restoreSnapshot } from './restore.ts'
import { makeSnapshot } from './snapshot.ts'

const stamp = { buildId: '0123456789abcdef', version: '0.1.0' }
const firstLight = readFileSync(new URL('./fixture/first-light.js', import.meta.url), 'utf8')

const snapshotOf = (bundle: string, output: (text: string) => void = () => {}) =>
  makeSnapshot({ bundle, filename: 'app.js', program: 'app', output })
const segmentOf = async (bundle: string) => writeSnapshot(await snapshotOf(bundle), stamp)

/** A program whose turns are the given statements. */
const program = (top: string, ...turns: string[]) => `${top}
const turns = [${turns.map(turn => `() => { ${turn} }`).join()}]
const say = text => __abi.consoleWrite(text + '\\n')
globalThis.__xenTs = { turn() { const next = turns.shift(); next ? next() : __abi.shutdown(0) }, fail(e) { say('fail: ' + e + '\\n' + (e?.stack ?? '')) } }`

/** Restores a segment in a fresh engine and runs it to its end. */
async function run(segment: Uint8Array, { seed = 1n, ...options }: { seed?: bigint } & HostAbiOptions = {}) {
  let output = ''
  const { engine, hooks } = await restoreSnapshot(segment, seed, engine =>
    hostAbi(engine, {
      ...options,
      output: text => {
        output += text
      },
    }),
  )
  const reason = runLoop(engine, hooks)
  return { reason, output, engine }
}

test('a restored snapshot runs its turns and shuts down', async t => {
  const { reason, output } = await run(await segmentOf(firstLight))
  t.is(reason, 0)
  t.regex(output, /^first light: 2026-01-01T00:00:00.000Z, .*\na second later: 1000\.000 ms since entry\na job ran\nbye\n$/)
})

test('what the bundle made while the snapshot was made is there after it', async t => {
  const bundle = program(
    `const made = new Map([["a", { list: [1, 2.5, "x"], bytes: new Uint8Array([1, 2, 3]) }]])
    class C { #p = 7n; get p() { return this.#p } }
    const c = new C()`,
    'const a = made.get("a"); say(JSON.stringify(a) + a.bytes.join() + c.p + /b+/.exec("abbc")[0])',
  )
  t.is((await run(await segmentOf(bundle))).output, '{"list":[1,2.5,"x"],"bytes":{"0":1,"1":2,"2":3}}1,2,37bb\n')
})

test('bytes that the bundle asks for are in the snapshot; the function that gave them is not', async t => {
  const bundle = program(
    'const made = [0, 1].map(i => new Uint8Array(__bytes(i))); let error; try { __bytes(2) } catch (e) { error = e }',
    "say(made.map(bytes => [...bytes].join('.')) + ' ' + error.message + ' ' + typeof __bytes); made[0].fill(7); say(made[0].slice(0).join())",
  )
  const snapshot = await makeSnapshot({ bundle, bytes: [Uint8Array.of(1, 0, 255), new Uint8Array()], filename: 'app.js', program: 'app' })
  t.is((await run(writeSnapshot(snapshot, stamp))).output, '1.0.255, __bytes: there is nothing of this number undefined\n7,7,7\n')
})

test('the heap of a restored snapshot is sound: it takes a heavy load of every size', async t => {
  const bundle = program(
    '',
    `
    let live = [], sum = 0
    for (let i = 0; i < 60000; i++) {
      const size = (i * 7919) % (i % 100 === 0 ? 100000 : 300)
      live.push(i % 3 ? new Uint8Array(size).fill(i) : { text: 'x'.repeat(size % 200) + i, link: live[i % 50] })
      if (live.length > 500) for (const item of live.splice(0, 250)) sum += item.text ? Number(item.text.replace(/x+/, '')) % 7 : (item[0] ?? 0)
    }
    say(sum)`,
  )
  const { output } = await run(await segmentOf(bundle))
  t.regex(output, /^\d+\n$/)
})

test("the engine's account of its heap is one of bytes, and asks for no collection at once", async t => {
  const account = async (bundle: string, bytes: readonly Uint8Array[] = []) => {
    const snapshot = await makeSnapshot({ bundle, bytes, filename: 'app.js', program: 'app' })
    const { runtime, layout } = snapshot
    const page = snapshot.pages.find(({ number }) => number === Math.floor(runtime / pageSize))!
    const word = (offset: number) =>
      new DataView(page.content.buffer, page.content.byteOffset).getUint32((runtime + offset) % pageSize, true)
    return { size: word(layout.heapSize), above: word(layout.gcThreshold) }
  }
  const small = await account(program('globalThis.kept = new Uint8Array(10).fill(1)'))
  const large = await account(program('globalThis.kept = new Uint8Array(1000000).fill(1)'))
  const given = await account(program('globalThis.kept = __bytes(0)'), [new Uint8Array(1_000_000).fill(1)])
  t.true(Math.abs(large.size - small.size - 1_000_000) < 10_000, `${large.size - small.size}`)
  t.true(Math.abs(given.size - small.size) < 10_000, `${given.size - small.size}`)
  for (const { size, above } of [small, large, given]) t.is(above, size + (size >>> 1))
})

test('errors reach fail: thrown in a turn, in a job, and rejected without a handler', async t => {
  const bundle = program('', 'throw new Error("one")', 'Promise.reject(new RangeError("two"))', '(async () => { await 0; nothing.here })()')
  const { output } = await run(await segmentOf(bundle))
  t.regex(output, /fail: Error: one\n.*app\.js:2:\d+\)[^]*fail: RangeError: two\n[^]*fail: ReferenceError: /)
  t.is(output.match(/fail: /g)?.length, 3)
})

test('stack traces keep line numbers, functions lose their text', async t => {
  const bundle = program(
    'function far() {\n  /* a comment */\n  throw new TypeError("here")\n}',
    'say(far.toString().includes("comment"))',
    'far()',
  )
  const { output } = await run(await segmentOf(bundle))
  t.regex(output, /^false\nfail: TypeError: here\n +at far \(app\.js:3:\d+\)/)
})

test('the state of Math.random is at the offset in JSContext that the header gives', async t => {
  const segment = await segmentOf(program('', 'say([Math.random(), Math.random()].join())'))
  const draw = async (seed: bigint) => (await run(segment, { seed })).output
  const one = await draw(0x123456789abcdefn)
  t.is(await draw(0x123456789abcdefn), one)
  t.not(await draw(0x123456789abcdf0n), one)
})

test('clock and command line are those of the boot', async t => {
  const bundle = program(
    'const builtAt = Date.now()',
    'say([builtAt, new Date(__abi.clockWall()).getUTCFullYear(), __abi.commandLine()].join())',
  )
  t.is((await run(await segmentOf(bundle), { commandLine: 'x=1', wallStart: Date.UTC(2031, 5) })).output, '0,2031,x=1\n')
})

test('the same bundle gives the same bytes: again, later, and in another process', async t => {
  const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
  const first = digest(await segmentOf(firstLight))
  await new Promise(resolve => setTimeout(resolve, 30))
  t.is(digest(await segmentOf(firstLight)), first)
  const script = `
    const { makeSnapshot } = await import(${JSON.stringify(import.meta.resolve('./snapshot.ts'))})
    const { writeSnapshot } = await import(${JSON.stringify(import.meta.resolve('./format.ts'))})
    const bundle = require('node:fs').readFileSync(${JSON.stringify(fileURLToPath(import.meta.resolve('./fixture/first-light.js')))}, 'utf8')
    const snapshot = await makeSnapshot({ bundle, filename: 'app.js', program: 'app' })
    console.log(require('node:crypto').createHash('sha256').update(writeSnapshot(snapshot, ${JSON.stringify(stamp)})).digest('hex'))`
  const env = { ...process.env, TZ: 'Asia/Tokyo', LANG: 'tr_TR.UTF-8' }
  const other = execFileSync(process.execPath, ['-e', `(async () => {${script}})()`], { encoding: 'utf8', env })
  t.is(other.trim(), first)
})

test('a program that depends on randomness at build time is still reproducible', async t => {
  const bundle = program('const ids = Array.from({ length: 5 }, () => Math.random()); const at = new Date().toString()')
  t.deepEqual(await segmentOf(bundle), await segmentOf(bundle))
})

test('the machine is out of reach while the snapshot is made', async t => {
  const calls = [
    'clockMonotonic()',
    'clockRecent()',
    'clockWall()',
    'commandLine()',
    'random(new Uint8Array(4))',
    'shutdown(0)',
    'pagesAlloc(1)',
    'wait(0, new Uint8Array(4))',
  ]
  for (const call of calls) {
    const message = `${call.slice(0, call.indexOf('('))} is not available while the snapshot is made: call it from start()`
    await t.throwsAsync(snapshotOf(`\n__abi.${call}`), { instanceOf: GuestError, message })
  }
})

test('texts and buffers can be made while the snapshot is made', async t => {
  const top = 'const bytes = new Uint8Array(9); __abi.utf8Encode("grüß", bytes, 1); const text = __abi.utf8Decode(bytes, 1, 6)'
  const bundle = program(top, 'say(text + bytes.join())')
  t.is((await run(await segmentOf(bundle))).output, 'grüß0,103,114,195,188,195,159,0,0\n')
})

test('what modules print while the snapshot is made is shown then, and not at boot', async t => {
  let printed = ''
  const snapshot = await snapshotOf(program('__abi.consoleWrite("loading")', 'say("run")'), text => {
    printed += text
  })
  t.is(printed, 'loading')
  t.is((await run(writeSnapshot(snapshot, stamp))).output, 'run\n')
})

test("errors of the bundle come out with QuickJS's message and position", async t => {
  const syntax = await t.throwsAsync(snapshotOf('let a = 1\nlet b = = 2'), { instanceOf: GuestError, name: 'SyntaxError' })
  t.regex(syntax!.stack!, /app\.js:2:\d+/)
  const thrown = await t.throwsAsync(snapshotOf('function load() {\n  null.x\n}\nload()'), {
    instanceOf: GuestError,
    name: 'TypeError',
    message: /null/,
  })
  t.regex(thrown!.stack!, /at load \(app\.js:2:\d+\)\n    at <eval> \(app\.js:4:\d+\)/)
  await t.throwsAsync(snapshotOf(`${program('')}; Promise.reject(new Error("lost while loading"))`), { message: 'lost while loading' })
  await t.throwsAsync(snapshotOf('var nothing'), { message: /does not set globalThis\.__xenTs\.turn to a function/ })
})

test('the hooks are not left behind as a global', async t => {
  t.is((await run(await segmentOf(program('', 'say("__xenTs" in globalThis)')))).output, 'false\n')
})

test('garbage, dead stack and the source text are not in the image', async t => {
  const bundle = program(`const marker = ["mark", "er"].join("-") + "-garbage"
    let a = { marker: marker + 1 }, b = { a }; a.b = b; a = b = null /* secret comment */`)
  const bytes = Buffer.from(await segmentOf(bundle))
  t.false(bytes.includes('secret comment'))
  t.false(bytes.includes('er-garbage1'))
  t.true(bytes.includes('er-garbage'))
})

test('a cycle that is dropped does not stay in the image', async t => {
  const dropped = (size: number) => `for (let i = 0; i < 50; i++) { const a = { data: new Uint8Array(${size}).fill(7) }; a.self = a }`
  const pages = async (top: string) => (await snapshotOf(program(top))).pages.length
  t.true((await pages(dropped(50_000))) <= (await pages(dropped(50))) + 1)
})

/** A lot of code: parsing it takes far more memory than what is left of it. */
const body = (i: number) => `{ if (a > b) return a * ${i} + b; return [a, b].map(x => x + ${i}).join("${i}") }`
const muchCode = Array.from({ length: 3000 }, (_, i) => `function f${i}(a, b) ${body(i)}`).join('\n')

test('the heap is dense: what parsing leaves free is not in the image', async t => {
  const snapshot = await snapshotOf(program(muchCode))
  const { engine } = await restoreSnapshot(writeSnapshot(snapshot, stamp), 1n, engine => hostAbi(engine))
  const usage = engine.exports.QTS_RuntimeComputeMemoryUsage(engine.runtime, engine.context)
  const used = engine.values.number(engine.get(usage, 'memory_used_size'))! + 8 * engine.values.number(engine.get(usage, 'malloc_count'))!
  const pages = snapshot.pages.filter(({ number }) => number * pageSize > 5 << 20).length
  t.log(`${pages} pages for ${(used / pageSize).toFixed(1)} pages in use`)
  t.true(pages * pageSize < 1.1 * used)
})

test('dense or not, the program is the same', async t => {
  const bundle = program(muchCode, 'say([f7(1, 2), f2999(5, 4), globalThis.f1500.name].join())', 'f3(1, 2).x.y')
  const { output } = await run(await segmentOf(bundle))
  t.regex(output, /^879,14999,f1500\nfail: TypeError: .*\n? +at .*app\.js:/)
})

test('pages are ascending, none is zero, and the header counts them', async t => {
  const snapshot = await snapshotOf(firstLight)
  const segment = writeSnapshot(snapshot, stamp)
  const view = new DataView(segment.buffer)
  const count = view.getUint32(offsets.pageCount, true),
    header = view.getUint32(offsets.headerBytes, true)
  t.is(count, snapshot.pages.length)
  t.is(header % pageSize, 0)
  t.is(segment.length, header + count * pageSize)
  const numbers = snapshot.pages.map(page => page.number)
  t.deepEqual(
    numbers,
    [...numbers].sort((a, b) => a - b),
  )
  t.true(snapshot.pages.every(page => page.content.some(byte => byte !== 0)))
  t.is(Buffer.from(segment.subarray(offsets.engine, offsets.engine + 18)).toString(), 'QuickJS 2025-09-13')
})

test('a program name that has no room is refused', async t => {
  const snapshot = await snapshotOf(firstLight)
  t.throws(() => writeSnapshot({ ...snapshot, program: 'ü'.repeat(32) }, stamp), { instanceOf: RangeError, message: /at most 63 bytes/ })
})

test('a bundle too big for the gap below the heap is taken all the same', async t => {
  const bundle = program(`const big = ${JSON.stringify('y'.repeat(6_000_000))}`, 'say(big.length)')
  t.is((await run(await segmentOf(bundle))).output, '6000000\n')
})

test('a plan changes nothing, of whichever bundle it is', async t => {
  const bundle = program(`const kept = []; for (let i = 0; i < 500; i++) { kept.push({ i }); JSON.parse('[{}]') }`, 'say(kept.length)')
  const other = program(`const kept = 'a'.repeat(50); for (let i = 0; i < 900; i++) [i]`)
  const first = await snapshotOf(bundle)
  const bytes = writeSnapshot(first, stamp)
  const { plan } = first
  const [none, all] = [new Uint8Array(plan.length), new Uint8Array(plan.length).fill(1)]
  const plans = { plan, none, all, empty: new Uint8Array(), short: plan.slice(0, 1000), other: (await snapshotOf(other)).plan }
  for (const [what, given] of Object.entries(plans)) {
    const made = await makeSnapshot({ bundle, filename: 'app.js', program: 'app', plan: given, output: () => {} })
    t.deepEqual(writeSnapshot(made, stamp), bytes, what)
    t.deepEqual(made.plan, plan, what)
    t.deepEqual(made.globals, first.globals, what)
  }
})
