/** What does not fit, and what is no text. */

import { QubesDBDaemon, testMachine } from '@xen-ts/rig/dom0'
import { Hub } from '@xen-ts/rig/dom0/hub'
import test, { type ExecutionContext } from 'ava'
import { QubesDB } from './client.ts'

async function setUp(t: ExecutionContext, keys: [string, string | Uint8Array][]) {
  const hub = new Hub()
  const machine = testMachine()
  const daemon = new QubesDBDaemon({ keys, serve: () => hub.channels(0).serve(5, 111, { readSize: 4096, writeSize: 4096 }) })
  const db = new QubesDB({ machine, channels: hub.channels(5) })
  daemon.run().catch(error => t.fail(String(error)))
  const running = db.run()
  t.teardown(async () => {
    db.close()
    daemon.stop()
    await running
  })
  await Promise.race([db.synced, new Promise(resolve => setTimeout(resolve, 10_000))])
  const acknowledged = (count: number) => daemon.until(() => daemon.acknowledged === count)
  const warnings = () => machine.lines.filter(line => /^(WRN|ERR)/.test(line))
  return { machine, daemon, db, acknowledged, warnings }
}

/** 1.5 million characters below /vm-config, which dom0 lists before the keys that a qube cannot do without. */
const large = (): [string, string][] => [
  ...Array.from({ length: 500 }, (_, n): [string, string] => [`/vm-config/${String(n).padStart(3, '0')}`, 'x'.repeat(3000)]),
  ['/name', 'large'],
  ['/qubes-ip', '10.137.0.16'],
  ['/qubes-gateway', '10.137.0.1'],
]

test('more keys than fit: one connection, one warning with the size, what fits is there and current', async t => {
  const { machine, daemon, db, acknowledged, warnings } = await setUp(t, large())
  t.is(db.name, 'large')
  t.is(db.network.gateway, '10.137.0.1')
  t.true(db.config.size > 300 && db.config.size < 350, String(db.config.size))
  t.is(warnings().length, 1)
  t.regex(
    warnings()[0],
    /WRN \[qubesdb\] .* has 15\d{5} characters, of which 1048576 fit .*: \d+ keys are left out, \/vm-config\/\d+ is one/,
  )
  daemon.write('/name', 'other')
  daemon.write('/vm-config/499', 'changed')
  await acknowledged(2)
  t.deepEqual([db.name, db.config.get('499')], ['other', 'changed'])
  t.is(machine.lines.filter(line => line.includes('connecting')).length, 1)
})

test('a value that stops fitting is not there any more: never an old one; it comes back when there is room', async t => {
  const { daemon, db, acknowledged, warnings } = await setUp(t, large())
  const seen: (string | undefined)[] = []
  const [kept] = db.list('/vm-config/')[0]
  daemon.write(kept, 'short')
  daemon.write('/vm-config/filling', 'y'.repeat(2950))
  await acknowledged(2)
  db.watch(kept, ({ value }) => seen.push(value))
  daemon.write(kept, 'z'.repeat(3071))
  await acknowledged(3)
  t.is(db.get(kept), undefined)
  daemon.rm('/vm-config/filling')
  daemon.rm('/vm-config/499')
  daemon.write(kept, 'z'.repeat(3071))
  await acknowledged(6)
  t.is(db.get(kept)?.length, 3071)
  t.deepEqual(
    seen.map(value => value?.length),
    [undefined, 3071],
  )
  t.is(warnings().length, 1)
})

test('what is left out can be removed and written, and what does not exist is not asked for: the daemon would exit', async t => {
  const { daemon, db } = await setUp(t, large())
  t.is(db.get('/vm-config/000'), undefined)
  await db.rm('/vm-config/000')
  t.false(daemon.keys.has('/vm-config/000'))
  await db.rm('/vm-config/000')
  await db.write('/vm-config/001', 'x'.repeat(3000))
  t.is((daemon.keys.get('/vm-config/001') as string).length, 3000)
  await db.rm('/vm-config/')
  t.is(daemon.keys.size, 3)
  await db.rm('/vm-config/')
})

test('after a reconnect that brings less, nothing is left out, and a later excess is told again', async t => {
  const { daemon, db, acknowledged, warnings, machine } = await setUp(t, large())
  for (const [key] of [...daemon.keys]) if (key.startsWith('/vm-config/')) daemon.keys.delete(key)
  daemon.disconnect()
  while (machine.lines.filter(line => line.includes('connected, ')).length < 2) await new Promise(resolve => setTimeout(resolve, 5))
  t.is(db.config.size, 0)
  t.is(warnings().length, 2) // the first, and the end of the connection
  for (let n = 0; n < 500; n++) daemon.write(`/vm-config/${n}`, 'x'.repeat(3000))
  await acknowledged(500)
  t.is(warnings().length, 3)
})

test('many small keys count with what each of them takes', async t => {
  const { db, warnings } = await setUp(
    t,
    Array.from({ length: 20_000 }, (_, n): [string, string] => [`/a/${n}`, '']),
  )
  t.true(db.list('/a/').length < 16_000)
  t.is(warnings().length, 1)
  // So many that not all names are known: nothing is said about those.
  await t.throwsAsync(db.rm('/a/1'), { name: 'QubesDBError', message: /not known whether '\/a\/1' exists/ })
})

test('values are bytes: text is lossless, and what was read is written back as it was', async t => {
  const values: Uint8Array[] = [
    Buffer.from('Grüße 😀'),
    Buffer.from([0xff, 0x41, 0xfe]),
    Buffer.from([0x80]),
    Buffer.from('\ufffd'),
    Buffer.from([0xc3, 0x28, 0xe2, 0x82, 0xf0, 0x9f, 0x98, 0xed, 0xa0, 0x80, 0xc0, 0xaf, 0xf5]),
    Buffer.from([0xed, 0xb2, 0x80]), // U+DC80 itself, which is not UTF-8 either
    Buffer.from(''),
  ]
  const { daemon, db, acknowledged } = await setUp(
    t,
    values.map((value, n) => [`/v${n}`, value]),
  )
  for (const [n, value] of values.entries()) {
    const text = db.get(`/v${n}`)!
    t.deepEqual(db.bytes(`/v${n}`), new Uint8Array(value))
    t.is(text.includes('\ufffd'), n === 3)
    await db.write(`/copy${n}`, text)
    await db.write(`/bytes${n}`, db.bytes(`/v${n}`)!)
    for (const copy of [`/copy${n}`, `/bytes${n}`]) {
      t.deepEqual(Buffer.from(daemon.keys.get(copy) as string), Buffer.from(value), `${copy} of ${Buffer.from(value).toString('hex')}`)
      t.is(db.get(copy), text)
    }
  }
  t.is(db.get('/v0'), 'Grüße 😀')
  t.is(db.get('/v1'), '\udcffA\udcfe')
  t.is(db.bytes('/none'), undefined)
  const seen: unknown[] = []
  db.watch('/v1', ({ value }) => seen.push(value))
  daemon.write('/v1', Buffer.from([0x41, 0x99]))
  await acknowledged(1)
  t.deepEqual(seen, ['A\udc99'])
  await t.throwsAsync(db.write('/v1', new Uint8Array([1, 0])), { message: /NUL/ })
  await t.throwsAsync(db.write('/v1', 7 as never), { name: 'TypeError', message: /must be a string or a Uint8Array/ })
})

test('watches that fail for each change do not fill the log', async t => {
  const { machine, daemon, db, acknowledged } = await setUp(t, [['/name', 'work']])
  db.watch('/name', () => {
    throw new Error('no')
  })
  for (let i = 0; i < 40; i++) daemon.write('/name', `work-${i}`)
  await acknowledged(40)
  t.is(db.name, 'work-39')
  t.is(machine.lines.filter(line => line.startsWith('ERR') && line.includes('the watch on /name failed')).length, 10)
})
