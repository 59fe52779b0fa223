import test from 'ava'
import type { Drivers } from './index.ts'
import { connectDrivers, ForeignPages, listResources, SharedPages } from './index.ts'
import type { SimulatedDomain, SimulationOptions } from './sim/index.ts'
import { restore, SimulatedXen } from './sim/index.ts'
import './sim/leak-check.ts'

const setUp = (options?: SimulationOptions) => {
  const xen = new SimulatedXen(options)
  const domain = xen.createDomain(1)
  const peer = xen.createDomain(2)
  domain.onSuspend = () => restore(domain, 7)
  return { xen, domain, peer, drivers: connectDrivers(domain.machine), peerDrivers: connectDrivers(peer.machine) }
}

const suspend = (xen: SimulatedXen, { machine }: SimulatedDomain) => xen.run(machine.suspension.suspend())
const warnings = ({ log }: SimulatedDomain): string[] =>
  log.filter(({ level }) => level === 'warn' || level === 'error').map(({ text }) => text)
const held = (drivers: Drivers): string[] => listResources(drivers).filter(line => !line.startsWith('0 requests'))

// event channels

test('event channels are closed in a new world without a call to Xen: their numbers belong to others', async t => {
  const { xen, domain, peer, drivers, peerDrivers } = setUp()
  const events: string[] = []
  const old = drivers.events.allocUnbound(2, 'old', () => events.push('old'))
  const theirs = peerDrivers.events.bindInterdomain(1, old.port, 'theirs', () => {})
  t.is(await suspend(xen, domain), 'resumed')
  t.false(theirs.connected)
  t.false(old.connected)
  const fresh = drivers.events.allocUnbound(2, 'fresh', () => events.push('fresh'))
  t.is(fresh.port, old.port) // or the test shows nothing
  old.notify()
  old.close()
  const again = peerDrivers.events.bindInterdomain(7, fresh.port, 'again', () => events.push('peer'))
  again.notify()
  fresh.notify()
  await xen.settle()
  t.true(fresh.connected)
  t.deepEqual(events.toSorted(), ['fresh', 'peer'])
  t.is(held(drivers).length, 1)
  for (const channel of [fresh, theirs, again]) channel.close()
  xen.assertNoLeaks()
  t.is(peer.alive, true)
})

test('event channels go on after a cancelled suspend, and an event of that time is not lost', async t => {
  const { xen, domain, drivers, peerDrivers } = setUp()
  let events = 0
  const ours = drivers.events.allocUnbound(2, 'ours', () => events++)
  const theirs = peerDrivers.events.bindInterdomain(1, ours.port, 'theirs', () => {})
  await xen.settle()
  const before = events
  domain.onSuspend = () => {
    theirs.notify()
    return 1
  }
  t.is(await suspend(xen, domain), 'cancelled')
  await xen.settle()
  t.is(events, before + 1)
  t.true(ours.connected)
  ours.close()
  theirs.close()
  xen.assertNoLeaks()
})

// grants and foreign pages

test('grants are void in a new world; their references are free for others once their owners let go, and those that a peer still held at once', async t => {
  const { xen, domain, peer, drivers } = setUp()
  const pages = new SharedPages(domain.machine, drivers.grants, 2, 2, false, 'pages')
  const given = new SharedPages(domain.machine, drivers.grants, 1, 2, false, 'given')
  const mapped = new ForeignPages(peer.machine, 1, given.refs, false, 'mapped')
  given.release()
  t.deepEqual(
    drivers.grants.list().map(line => line.replace(/ \(.*\)/, '')),
    ['pages: 2 grants', 'given: 1 grants, 1 still held by the peer'],
  )
  t.is(await suspend(xen, domain), 'resumed')
  t.deepEqual(
    drivers.grants.list().map(line => line.replace(/ \(.*\)/, '')),
    ['pages: 2 grants'],
  )
  t.throws(() => new ForeignPages(peer.machine, 7, pages.refs, false, 'mapped'), { message: /general_error/ })
  const other = new SharedPages(domain.machine, drivers.grants, 1, 2, false, 'other')
  t.false(pages.refs.includes(other.refs[0]))
  pages.release()
  t.deepEqual(held(drivers).length, 1)
  other.bytes[5] = 55
  const again = new ForeignPages(peer.machine, 7, other.refs, false, 'again')
  t.is(again.bytes[5], 55)
  for (const part of [again, other, mapped]) part.release()
  await xen.advance(3000)
  xen.assertNoLeaks()
  t.deepEqual(warnings(domain), [])
})

test('grants stay as they are after a cancelled suspend', async t => {
  const { xen, domain, peer, drivers } = setUp()
  domain.onSuspend = () => 1
  const pages = new SharedPages(domain.machine, drivers.grants, 1, 2, false, 'pages')
  const mapped = new ForeignPages(peer.machine, 1, pages.refs, false, 'mapped')
  pages.release()
  await suspend(xen, domain)
  t.is(drivers.grants.list().length, 1)
  mapped.release()
  await xen.advance(3000)
  xen.assertNoLeaks()
})

test('foreign pages are gone in a new world: they are freed, not unmapped, and their addresses are used again', async t => {
  const { xen, domain, peer, drivers, peerDrivers } = setUp()
  const theirs = new SharedPages(peer.machine, peerDrivers.grants, 3, 1, false, 'theirs')
  const mapped = new ForeignPages(domain.machine, 2, theirs.refs, false, 'mapped')
  t.is(await suspend(xen, domain), 'resumed')
  const unmapped: number[] = []
  domain.hook = operation => {
    if (operation === 'grantUnmap') unmapped.push(1)
  }
  mapped.release()
  t.deepEqual(unmapped, [])
  domain.hook = undefined
  theirs.release()
  const again = new SharedPages(peer.machine, peerDrivers.grants, 1, 7, false, 'again')
  const fresh = new ForeignPages(domain.machine, 2, again.refs, false, 'fresh')
  fresh.release()
  again.release()
  await xen.advance(3000)
  xen.assertNoLeaks()
  t.deepEqual(warnings(domain), [])
  t.deepEqual(held(drivers), [])
})

// xenstore

test('watches are registered again in a new world, and tell once that something may have changed; those closed are not', async t => {
  const { xen, domain, drivers } = setUp()
  const seen: string[] = []
  const watches = ['data/a', '/local/domain/2/data'].map(path => drivers.xenstore.watch(path, changed => seen.push(changed)))
  const closed = drivers.xenstore.watch('data/closed', () => seen.push('closed'))
  await xen.settle()
  closed.close()
  await xen.settle()
  seen.length = 0
  t.is(await suspend(xen, domain), 'resumed')
  await xen.settle()
  t.deepEqual(seen, ['data/a', '/local/domain/2/data'])
  xen.store.write('/local/domain/7/data/a', 'changed')
  await xen.settle()
  t.deepEqual(seen.slice(2), ['data/a'])
  for (const watch of watches) watch.close()
  await xen.settle()
  xen.assertNoLeaks()
  t.deepEqual(warnings(domain), [])
})

test('the number of the domain is asked once, and again in a new world', async t => {
  const {
    xen,
    domain,
    drivers: { xenstore },
  } = setUp()
  const first = xenstore.domid()
  t.is(await xen.run(first), 1)
  t.is(xenstore.domid(), first)
  t.is(await suspend(xen, domain), 'resumed')
  t.is(await xen.run(xenstore.domid()), 7)
  xen.assertNoLeaks()
})

for (const cancelled of [true, false]) {
  const world = cancelled ? 'the same world' : 'a new world'
  test(`requests that come while the domain gets quiet go out in ${world}; those in flight are answered before`, async t => {
    const {
      xen,
      domain,
      drivers: { xenstore },
    } = setUp()
    const inFlight: number[] = []
    domain.onSuspend = () => {
      inFlight.push(Number(xenstore.list()[0].split(' ')[0]))
      return cancelled ? 1 : restore(domain, 7)
    }
    const before = Array.from({ length: 40 }, (_, i) => xenstore.write(`data/before/${i}`, 'x'.repeat(100)))
    const suspended = domain.machine.suspension.suspend()
    // Some jobs later the store is quiet: nothing of this may go out.
    for (let i = 0; i < 10; i++) await Promise.resolve()
    const during = [xenstore.read('domid'), xenstore.write('data/during', '1').then(() => xenstore.read('data/during'))]
    const seen: string[] = []
    const watch = xenstore.watch('data/during', path => seen.push(path))
    const closed = xenstore.watch('data/closed', () => seen.push('closed'))
    closed.close()
    await xen.run(suspended)
    await xen.run(Promise.all(before))
    t.deepEqual(inFlight, [0])
    t.deepEqual(await xen.run(Promise.all(during)), [cancelled ? '1' : '7', '1'])
    await xen.settle()
    t.true(seen.length >= 1 && seen.every(path => path === 'data/during'), seen.join())
    watch.close()
    await xen.settle()
    xen.assertNoLeaks()
    t.deepEqual(warnings(domain), [])
  })

  test(`a transaction that cannot end before the suspend ends in ${world}, and happens once`, async t => {
    const {
      xen,
      domain,
      drivers: { xenstore },
    } = setUp()
    domain.onSuspend = () => (cancelled ? 1 : restore(domain, 7))
    const blocked = Promise.withResolvers<void>()
    let runs = 0
    const transaction = xenstore.transaction(async view => {
      runs++
      await view.write('data/sum', String(Number((await view.tryRead('data/sum')) ?? 0) + 1))
      await blocked.promise
      await view.write('data/end', '1')
      return 'done'
    })
    await xen.settle()
    domain.machine.suspension.onResume(() => blocked.resolve())
    t.is(await suspend(xen, domain), cancelled ? 'cancelled' : 'resumed')
    // In a new world its number is soon another's.
    const other = xenstore.transaction(async view => view.write('data/other', '1'))
    t.is(await xen.run(transaction), 'done')
    await xen.run(other)
    t.is(runs, cancelled ? 1 : 2)
    t.deepEqual(
      ['sum', 'end', 'other'].map(name => xen.store.read(`/local/domain/${domain.domid}/data/${name}`)),
      ['1', '1', '1'],
    )
    t.is(xen.now, 1000) // it was waited for
    await xen.settle()
    xen.assertNoLeaks()
  })
}

test('transactions that end soon end before the suspend; no new one begins', async t => {
  const {
    xen,
    domain,
    drivers: { xenstore },
  } = setUp()
  let runs = 0
  // The keys are there, or the transactions would collide by making them.
  const makeKeys = (): void => {
    for (let i = 0; i < 12; i++) xen.store.write(`/local/domain/${domain.domid}/data/${i}`, '', [{ domid: domain.domid, access: 0 }])
  }
  makeKeys()
  domain.onSuspend = () => {
    restore(domain, 7)
    makeKeys()
    return 0
  }
  const transactions = Array.from({ length: 12 }, (_, i) =>
    xenstore.transaction(async view => {
      runs++
      await view.write(`data/${i}`, String(await view.read('domid')))
    }),
  )
  await suspend(xen, domain)
  await xen.run(Promise.all(transactions))
  t.is(runs, 12) // none was begun twice
  t.is(xen.now, 0)
  await xen.settle()
  xen.assertNoLeaks()
})

test('a daemon that does not answer calls the suspend off; everything goes on when it does', async t => {
  const {
    xen,
    domain,
    drivers: { xenstore },
  } = setUp()
  const connection = xen.store.connections.get(1)!
  connection.stopped = true
  const read = xenstore.read('domid')
  t.is(await suspend(xen, domain), 'refused')
  t.is(xen.now, 10_000)
  connection.stopped = false
  xenstore.write('data/kick', '1').catch(() => {})
  t.is(await xen.run(read), '1')
  t.is(await suspend(xen, domain), 'resumed')
  t.is(await xen.run(xenstore.read('domid')), '7')
})

test('a connection that broke is whole again in a new world', async t => {
  const {
    xen,
    domain,
    drivers: { xenstore },
  } = setUp()
  const watch = xenstore.watch('data/y', () => {})
  await xen.settle()
  new Uint32Array(domain.xenstore!.page)[2060 / 4] += 5000
  xen.store.connections.get(1)!.flush(true)
  await xen.settle()
  await t.throwsAsync(xen.run(xenstore.read('domid')), { message: /EIO/ })
  await suspend(xen, domain)
  t.is(await xen.run(xenstore.read('domid')), '7')
  watch.close()
  await xen.settle()
  xen.assertNoLeaks()
})

test('a closed connection stays closed', async t => {
  const {
    xen,
    domain,
    drivers: { xenstore },
  } = setUp()
  xenstore.close()
  await suspend(xen, domain)
  await t.throwsAsync(xenstore.read('domid'), { message: /EIO/ })
  t.deepEqual([...domain.handlers.keys()], [])
})

// all together

test('one world after the other, in whatever order events come', async t => {
  for (let seed = 1; seed <= 5; seed++) {
    const { xen, domain, drivers } = setUp({ seed })
    const { xenstore } = drivers
    let seen = 0
    const watch = xenstore.watch('data', () => seen++)
    for (let domid = 10; domid < 20; domid++) {
      domain.onSuspend = () => (domid % 3 === 0 ? 1 : restore(domain, domid))
      const work = Promise.all(
        Array.from({ length: 5 }, (_, i) => xenstore.transaction(async view => view.write(`data/${i}`, await view.read('domid')))),
      )
      const [outcome] = await xen.run(Promise.all([domain.machine.suspension.suspend(), work]))
      t.is(outcome, domid % 3 === 0 ? 'cancelled' : 'resumed')
      t.is(await xen.run(xenstore.read('domid')), String(domain.domid))
    }
    t.true(seen > 10)
    watch.close()
    await xen.settle()
    t.deepEqual(held(drivers), [])
    xen.assertNoLeaks()
  }
})

test('a suspend that somebody refuses while a transaction still has its second holds nothing back afterwards', async t => {
  const { xen, domain, drivers } = setUp()
  const { xenstore } = drivers
  const gate = Promise.withResolvers<void>()
  const transaction = xenstore.transaction(async view => {
    await view.write('data/a', '1')
    await gate.promise
  })
  await xen.settle()
  const unsubscribe = domain.machine.suspension.subscribe('store', { suspend: () => Promise.reject(new Error('not now')) })
  t.is(await suspend(xen, domain), 'refused')
  unsubscribe()
  await xen.advance(2000)
  gate.resolve()
  await xen.run(transaction)
  t.is(await xen.run(xenstore.read('data/a')), '1')
  domain.onSuspend = () => 1
  t.is(await suspend(xen, domain), 'cancelled')
  xen.assertNoLeaks()
})
