import test, { type ExecutionContext } from 'ava'
import { abiTable } from '../abi/table.ts'
import { bindAbi, type HostAbi } from './abi.ts'
import { createEngine } from './create.ts'
import type { Engine } from './engine.ts'
import { hostAbi } from './host-abi.ts'
import { runInEngine } from './run.ts'

async function bound(abi: (engine: Engine) => Partial<HostAbi> = () => ({})) {
  const engine = await createEngine()
  bindAbi(engine, { ...hostAbi(engine, { output: () => {} }), ...abi(engine) })
  const run = (source: string) => engine.text(engine.eval(`var abi = __abi; ${source}`, 'test.js'))
  return { engine, run }
}

const refused = (t: ExecutionContext, run: (source: string) => string, source: string, name: string, message: string) =>
  t.throws(() => run(source), { name, message }, source)

test('__abi has every function of the table, under its name', async t => {
  const { run } = await bound()
  t.is(run('Object.keys(abi).join()'), abiTable.map(({ name }) => name).join())
  t.is(run('Object.values(abi).map(f => f.name).join()'), abiTable.map(({ name }) => name).join())
})

test('a wrong number of arguments is a TypeError', async t => {
  const { run } = await bound()
  refused(t, run, 'abi.checksum(new Uint8Array(1), 0)', 'TypeError', 'checksum: takes 4 arguments, not 2')
  refused(t, run, 'abi.fence(1)', 'TypeError', 'fence: takes 0 arguments, not 1')
})

test('an argument of the wrong kind is a TypeError that names it', async t => {
  const { run } = await bound()
  for (const wrong of ['"0"', 'true', 'null', 'undefined', '1n', '{}', 'Symbol()'])
    refused(t, run, `abi.checksum(new Uint8Array(1), ${wrong}, 0, 0)`, 'TypeError', 'checksum: argument 2 must be a number')
  const noArrays = [
    'new Uint16Array(1)',
    'new Uint8ClampedArray(1)',
    'new DataView(new ArrayBuffer(1))',
    'new ArrayBuffer(1)',
    '[1]',
    'null',
    '"x"',
    '{ length: 1 }',
    'new Proxy(new Uint8Array(1), {})',
  ]
  for (const wrong of noArrays) refused(t, run, `abi.random(${wrong})`, 'TypeError', 'random: argument 1 must be a Uint8Array')
  for (const wrong of ['1', 'new String("x")', 'undefined', 'Symbol()'])
    refused(t, run, `abi.consoleWrite(${wrong})`, 'TypeError', 'consoleWrite: argument 1 must be a string')
})

test('what is outside of an array is a RangeError', async t => {
  const { run } = await bound()
  refused(
    t,
    run,
    'abi.checksum(new Uint8Array(9), 8, 2, 0)',
    'RangeError',
    'checksum: offset 8, length 2 is outside of an array of 9 bytes',
  )
  refused(t, run, 'abi.or8(new Uint8Array(9), -1, 2)', 'RangeError', 'or8: offset is -1; it must be a whole number from 0 to 4294967295')
  refused(
    t,
    run,
    'abi.or8(new Uint8Array(9), 0.5, 2)',
    'RangeError',
    'or8: offset is not a whole number; it must be a whole number from 0 to 4294967295',
  )
  refused(t, run, 'abi.or8(new Uint8Array(9), 0, 256)', 'RangeError', 'or8: value is 256; it must be a whole number from 0 to 255')
  refused(t, run, 'abi.exchange32(new Uint8Array(9), 2, 1)', 'RangeError', 'exchange32: offset 2 is not aligned to 4 bytes')
  refused(
    t,
    run,
    'var a = new Uint8Array(9); abi.wait(0, a.subarray(0, 3))',
    'RangeError',
    'wait: ports must have room for a port, 4 bytes',
  )
})

test('arguments reach the host, and results the guest', async t => {
  const seen: unknown[] = []
  const { run } = await bound(() => ({
    consoleWrite(text) {
      seen.push(text)
    },
    grantMap(pages, domid, grants, readonly) {
      seen.push(pages.length, pages[1], domid, grants.length, readonly)
      pages[0] = 77
      return -1.5
    },
    commandLine: () => 'a=ü b',
    xenstorePage: () => undefined,
  }))
  run('abi.consoleWrite("aé\\0€")')
  run('var pages = new Uint8Array([0, 1, 2, 3, 4]).subarray(1, 4)')
  t.is(
    run('[abi.grantMap(pages, -0.5, new Uint8Array(4), NaN), pages[0], abi.commandLine(), String(abi.xenstorePage())].join()'),
    '-1.5,77,a=ü b,undefined',
  )
  t.deepEqual(seen, ['aé\0€', 3, 2, -0.5, 4, NaN])
})

test('an ArrayBuffer result aliases linear memory, also after it has grown', async t => {
  let pages: number | undefined
  const { engine, run } = await bound(engine => ({
    pagesAlloc(count) {
      const view = engine.pages(count)
      pages = view?.byteOffset
      return view
    },
  }))
  t.is(run('var p = new Uint8Array(abi.pagesAlloc(2)); var big = new Uint8Array(30e6); p[5000] = 42; p.length'), '8192')
  t.is(engine.memory.u8[pages! + 5000], 42)
})

test('what a host throws is an error in the guest; a result of the wrong kind is told', async t => {
  const { run } = await bound(() => ({
    evtchnSend() {
      throw new RangeError('evtchnSend: port 9 is not ours')
    },
    evtchnClose: () => undefined as unknown as number,
    pagesReserve: () => new Uint8Array(8) as never,
    randomMix: undefined,
  }))
  t.is(run('try { abi.evtchnSend(9) } catch (e) { String(e) }'), 'RangeError: evtchnSend: port 9 is not ours')
  refused(t, run, 'abi.evtchnClose(1)', 'Error', 'evtchnClose: the host returned undefined')
  refused(t, run, 'abi.pagesReserve(1)', 'Error', 'pagesReserve: the host returned 0,0,0,0,0,0,0,0')
  refused(t, run, 'abi.randomMix(new Uint8Array(1))', 'Error', 'randomMix: this host does not have it')
})

test('the loop: turn is called when no job is left, and all that is uncaught goes to fail', async t => {
  let output = ''
  const bundle = `
    let turns = 0
    const say = text => __abi.consoleWrite(text + ' ')
    globalThis.__xenTs = {
      turn() {
        turns++
        say('turn' + turns)
        if (turns === 1) Promise.resolve().then(() => say('job'))
        if (turns === 2) throw new Error('thrown')
        if (turns === 3) Promise.reject(new Error('lost'))
        if (turns === 4) { const p = Promise.reject(new Error('caught')); Promise.resolve().then(() => p.catch(() => say('handled'))) }
        if (turns === 5) for (const name of ['a', 'b', 'c']) Promise.reject(new Error(name))
        if (turns === 6) __abi.shutdown(1)
      },
      fail(reason) { say('fail:' + reason.message); if (reason.message === 'a') Promise.resolve().then(() => say('job of a')) },
    }`
  const reason = await runInEngine({
    bundle,
    output: text => {
      output += text
    },
  })
  t.is(output, 'turn1 job turn2 fail:thrown turn3 fail:lost turn4 handled turn5 fail:a job of a fail:b fail:c turn6 ')
  t.is(reason, 1)
})

test('an error in fail ends the run', async t => {
  const bundle =
    'globalThis.__xenTs = { turn() { throw new Error("a") }, fail(e) { throw new TypeError("fail cannot handle " + e.message) } }'
  await t.throwsAsync(runInEngine({ bundle }), { name: 'TypeError', message: 'fail cannot handle a' })
})

test('a bundle without hooks is refused', async t => {
  await t.throwsAsync(runInEngine({ bundle: 'var x' }), { message: /does not set globalThis\.__xenTs\.turn/ })
  await t.throwsAsync(runInEngine({ bundle: '__xenTs = { turn() {} }' }), { message: /does not set globalThis\.__xenTs\.fail/ })
})

test('a wait without a deadline is an error where nothing can happen, and time passes at once', async t => {
  let output = ''
  const bundle = `globalThis.__xenTs = {
    turn() {
      __abi.wait(__abi.clockMonotonic() + 3600e3, new Uint8Array(4))
      __abi.consoleWrite(__abi.clockMonotonic() + ' ')
      __abi.wait(Infinity, new Uint8Array(4))
    },
    fail(e) { __abi.consoleWrite(e.message); __abi.shutdown(3) } }`
  t.is(
    await runInEngine({
      bundle,
      output: text => {
        output += text
      },
    }),
    3,
  )
  t.is(output, '3600000 wait: no deadline, and nothing that could happen')
})
