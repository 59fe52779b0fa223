import test from 'ava'
import { SimulatedXen } from '../sim/index.ts'
import { XenstoreError } from './error.ts'
import { Xenstore } from './xenstore.ts'
import '../sim/leak-check.ts'

const setUp = (seed?: number) => {
  const xen = new SimulatedXen({ seed })
  const domain = xen.createDomain(1)
  xen.createDomain(2)
  const connection = xen.store.connections.get(1)
  if (connection === undefined) throw new Error('no connection')
  return { xen, domain, connection, xenstore: new Xenstore(domain.machine), other: new Xenstore((xen.domain(2) as typeof domain).machine) }
}

test('read, write, mkdir, directory and remove, with relative and absolute paths', async t => {
  const { xen, xenstore } = setUp()
  await xen.run(async () => {
    await xenstore.write('data/a/b', 'hello')
    t.is(await xenstore.read('/local/domain/1/data/a/b'), 'hello')
    await xenstore.mkdir('data/a/empty')
    t.is(await xenstore.read('data/a/empty'), '')
    t.deepEqual((await xenstore.directory('data/a')).sort(), ['b', 'empty'])
    t.deepEqual(await xenstore.directory('data/a/b'), [])
    await xenstore.remove('data/a')
    t.is(await xenstore.tryRead('data/a/b'), undefined)
    await xenstore.remove('data/a') // is not there: fine
    t.is(await xenstore.read('domid'), '1')
  })
  xen.assertNoLeaks()
})

test('an error has the name, the path and a hint', async t => {
  const { xen, xenstore } = setUp()
  const missing = await t.throwsAsync(xen.run(xenstore.read('data/nothing')), { instanceOf: XenstoreError })
  t.is(missing.code, 'ENOENT')
  t.is(missing.path, 'data/nothing')
  t.regex(missing.message, /^xenstore: read data\/nothing: ENOENT\. There is no such key/)
  const forbidden = await t.throwsAsync(xen.run(xenstore.write('/local/domain/2/data/x', '1')), { instanceOf: XenstoreError })
  t.is(forbidden.code, 'EACCES')
  t.is((await t.throwsAsync(xen.run(xenstore.write('data/a\0b', '1')), { instanceOf: XenstoreError })).code, 'EINVAL')
  t.is((await t.throwsAsync(xen.run(xenstore.read('/' + 'a'.repeat(4000))), { instanceOf: XenstoreError })).code, 'EINVAL')
  t.is((await t.throwsAsync(xen.run(xenstore.write('data/x', 'a'.repeat(5000))), { instanceOf: XenstoreError })).code, 'E2BIG')
  xen.assertNoLeaks()
})

test('hundreds of requests in flight, far more than the ring holds, get each its own reply', async t => {
  const { xen, xenstore } = setUp(7)
  await xen.run(async () => {
    await Promise.all(Array.from({ length: 300 }, (_, i) => xenstore.write(`data/k${i}`, `value ${i} ${'x'.repeat(i)}`)))
    const values = await Promise.all(Array.from({ length: 300 }, (_, i) => xenstore.read(`data/k${i}`)))
    t.deepEqual(
      values,
      Array.from({ length: 300 }, (_, i) => `value ${i} ${'x'.repeat(i)}`),
    )
  })
  xen.assertNoLeaks()
})

test('a directory of more than 4096 bytes comes in parts', async t => {
  const { xen, xenstore } = setUp()
  const names = Array.from({ length: 700 }, (_, i) => `a-rather-long-name-${i}`)
  // Only dom0 may make such a directory.
  for (const name of names) xen.store.write(`/local/domain/1/data/${name}`, '')
  t.deepEqual((await xen.run(xenstore.directory('data'))).sort(), names.sort())
})

test('permissions open a key to one other domain', async t => {
  const { xen, xenstore, other } = setUp()
  await xen.run(async () => {
    await xenstore.write('data/key', 'secret')
    await t.throwsAsync(other.read('/local/domain/1/data/key'), { message: /EACCES/ })
    await xenstore.setPermissions('data/key', { owner: 1, others: 'none', peers: [{ domid: 2, access: 'read' }] })
    t.is(await other.read('/local/domain/1/data/key'), 'secret')
    await t.throwsAsync(other.write('/local/domain/1/data/key', ''), { message: /EACCES/ })
  })
})

test('a watch fires once at first and then for every change at or below its path, until it is closed', async t => {
  const { xen, xenstore } = setUp()
  const seen: string[] = []
  const watch = xenstore.watch('data/dir', path => seen.push(path))
  await xen.settle()
  t.deepEqual(seen, ['data/dir'])
  await xen.run(async () => {
    await xenstore.write('data/dir/x', '1')
    await xenstore.write('data/elsewhere', '1')
    await xenstore.remove('data/dir')
  })
  t.deepEqual(seen, ['data/dir', 'data/dir/x', 'data/dir'])
  void xenstore.write('data/dir', 'again') // its event will be on the way when the watch is closed
  xen.step()
  watch.close()
  watch.close()
  await xen.settle()
  t.is(seen.length, 3)
  xen.assertNoLeaks()
})

test('watches of the same path share one watch of the store, and each gets its first event', async t => {
  const { xen, xenstore, connection } = setUp()
  const counts = new Array(200).fill(0)
  const watches = counts.map((_, i) => xenstore.watch('@releaseDomain', () => counts[i]++))
  await xen.settle()
  t.is(connection.watches.length, 1)
  t.deepEqual(counts, new Array(200).fill(1))
  for (const watch of watches) watch.close()
  await xen.settle()
  xen.assertNoLeaks()
})

test('more watches than the store allows fall back to looking once a second', async t => {
  const { xen, domain, xenstore } = setUp()
  const values = new Map<number, string | undefined>()
  const watches = Array.from({ length: 140 }, (_, i) =>
    xenstore.watch(`data/k${i}`, async () => {
      values.set(i, await xenstore.tryRead(`data/k${i}`))
    }),
  )
  await xen.settle()
  for (let i = 0; i < 140; i++) xen.store.write(`/local/domain/1/data/k${i}`, `v${i}`)
  await xen.advance(1500)
  t.is(values.size, 140)
  for (const [i, value] of values) t.is(value, `v${i}`)
  t.is(domain.log.filter(({ level }) => level === 'warn').length, 1)
  for (const watch of watches) watch.close()
  await xen.settle()
  xen.assertNoLeaks()
})

test('until waits for a value, and gives up when its signal aborts', async t => {
  const { xen, xenstore } = setUp()
  const waiting = xenstore.until('data/state', value => value === '4')
  await xen.settle()
  xen.store.write('/local/domain/1/data/state', '2')
  await xen.settle()
  xen.store.write('/local/domain/1/data/state', '4')
  t.is(await xen.run(waiting), '4')
  const controller = new AbortController()
  const aborted = xenstore.until('data/never', () => false, controller.signal)
  await xen.settle()
  controller.abort(new Error('enough'))
  await t.throwsAsync(xen.run(aborted), { message: 'enough' })
  await xen.settle()
  xen.assertNoLeaks()
})

test('changes() loses nothing that happens while the loop is busy', async t => {
  const { xen, xenstore } = setUp()
  const seen: string[] = []
  await xen.run(async () => {
    for await (const path of xenstore.changes('data')) {
      seen.push(path)
      if (path === 'data/last') break
      if (seen.length === 1) for (const name of ['a', 'b', 'last']) await xenstore.write(`data/${name}`, '')
    }
  })
  t.deepEqual(seen, ['data', 'data/a', 'data/b', 'data/last'])
  await xen.settle()
  xen.assertNoLeaks()
})

test('whoever writes a thousand keys below what is watched costs until() a look, and changes() a bounded memory', async t => {
  const { xen, xenstore } = setUp()
  const storm = (): void => {
    for (let i = 0; i < 1500; i++) {
      xen.store.write(`/local/domain/1/data/state/${i}`, '')
      xen.store.remove(`/local/domain/1/data/state/${i}`)
    }
  }
  const waiting = xenstore.until('data/state', value => value === '4')
  await xen.settle()
  xen.store.requests = 0
  storm()
  await xen.settle()
  t.true(xen.store.requests < 200, `${xen.store.requests} requests`)
  xen.store.write('/local/domain/1/data/state', '4')
  await xen.run(waiting)
  const changes = xenstore.changes('data/state')
  await xen.run(changes.next())
  storm()
  await xen.settle()
  const seen = new Set<string>()
  for (;;) {
    const { value } = await xen.run(changes.next())
    if (seen.has(value!) || seen.add(value!).size === 1500) break
    if (value === 'data/state') break
  }
  t.true(seen.size > 100 && seen.size < 300, `${seen.size} paths`)
  t.true(seen.has('data/state')) // look at all of it
  await xen.run(changes.return())
  await xen.settle()
  xen.assertNoLeaks()
})

test('a transaction happens as a whole, is repeated after a collision, and not at all when its body throws', async t => {
  const { xen, xenstore } = setUp()
  let runs = 0
  xen.store.store.collisions = 3
  await xen.run(
    xenstore.transaction(async view => {
      runs++
      await view.write('data/a', '1')
      await view.write('data/b', '2')
      t.is(xen.store.read('/local/domain/1/data/a'), undefined) // nobody sees it yet
    }),
  )
  t.is(runs, 4)
  t.is(xen.store.read('/local/domain/1/data/b'), '2')
  await t.throwsAsync(
    xen.run(
      xenstore.transaction(async view => {
        await view.write('data/a', 'changed')
        throw new Error('no, not this')
      }),
    ),
    { message: 'no, not this' },
  )
  t.is(xen.store.read('/local/domain/1/data/a'), '1')
  xen.assertNoLeaks()
})

test('a transaction that really collides with another domain sees the newer value when it runs again', async t => {
  const { xen, xenstore } = setUp()
  xen.store.write('/local/domain/1/data/counter', '1')
  let interfere = true
  await xen.run(
    xenstore.transaction(async view => {
      const value = Number(await view.read('data/counter'))
      if (interfere) xen.store.write('/local/domain/1/data/counter', '10')
      interfere = false
      await view.write('data/counter', String(value + 1))
    }),
  )
  t.is(xen.store.read('/local/domain/1/data/counter'), '11')
})

test('more transactions at once than the store allows take turns', async t => {
  const { xen, xenstore } = setUp(3)
  await xen.run(
    Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        xenstore.transaction(async view => {
          await view.write(`data/t${i}`, await view.read('domid'))
        }),
      ),
    ),
  )
  t.is((await xen.run(xenstore.directory('data'))).length, 40)
  xen.assertNoLeaks()
})

test('domainExists tells the living from the dead', async t => {
  const { xen, xenstore } = setUp()
  t.true(await xen.run(xenstore.domainExists(2)))
  xen.domain(2)?.destroy()
  t.false(await xen.run(xenstore.domainExists(2)))
})

test('what an earlier kernel of the domain left in the store, watches and transactions, is gone', async t => {
  const xen = new SimulatedXen()
  const { machine } = xen.createDomain(1)
  const before = new Xenstore(machine)
  before.watch('data', () => {})
  before.transaction(() => new Promise(() => {})).catch(() => {})
  await xen.settle()
  t.throws(() => xen.assertNoLeaks(), { message: /watch on data is set\n.*transaction \d+ is open/ })
  before.close()
  const after = new Xenstore(machine)
  const seen: string[] = []
  const watch = after.watch('data', path => seen.push(path))
  await xen.run(after.write('data/x', '1'))
  await xen.settle()
  t.deepEqual(seen, ['data', 'data/x'])
  watch.close()
  await xen.settle()
  xen.assertNoLeaks()
})
