import type { Frame } from '@xen-ts/runtime/machine'
import test from 'ava'
import { connectDrivers, connectNetfront } from '../index.ts'
import { ForeignPages } from '../shared-pages.ts'
import { SimulatedNetback } from '../sim/index.ts'
import { XenbusState } from '../xenbus/handshake.ts'
import { collect, connect, end, packet, setUp, transmit, warnings } from './testing.ts'
import '../sim/leak-check.ts'

test('it connects as the header says, with the address and MTU from xenstore', async t => {
  const set = setUp({ mac: '00:16:3E:01:02:fd', mtu: '1400', hotplugDelay: 3000 })
  const device = await connect(set)
  t.true(set.xen.now >= 3000) // usable only when the backend says so
  t.deepEqual([...device.mac], [0, 0x16, 0x3e, 1, 2, 0xfd])
  t.is(device.mtu, 1400)
  const key = (name: string): string | undefined => set.xen.store.read(`${set.netback.frontendPath}/${name}`)
  t.deepEqual(['request-rx-copy', 'feature-rx-notify', 'feature-no-csum-offload', 'feature-sg', 'state'].map(key), [
    '1',
    '1',
    '1',
    undefined,
    '4',
  ])
  t.deepEqual(
    set.guest.log.filter(({ source }) => source === 'net-xen').map(({ text }) => text),
    ['vif 0: backend domain 0, MAC 00:16:3e:01:02:fd, MTU 1400'],
  )
  await end(set, device)
  t.is(set.netback.fatal, undefined)
})

test('a detach is answered with states 5 and 6, soon, and everything is given back', async t => {
  const set = setUp()
  const device = await connect(set)
  const held = device.reserve() as Frame
  set.netback.detach()
  await set.xen.settle()
  t.is(set.netback.state, XenbusState.closed)
  t.is(set.xen.store.read(set.netback.frontendPath), undefined)
  t.is(device.reserve(), undefined)
  held.u8.fill(1) // the stack is still building: its memory is still there
  device.send(held, 60)
  await set.xen.run(device.close())
  await set.xen.advance(3000)
  set.xen.assertNoLeaks()
})

test('twenty times detached and attached again, the device goes on with each new backend', async t => {
  const set = setUp()
  const device = await connect(set)
  const packets = collect(device)
  let writable = 0
  device.onWritable = () => writable++
  for (let round = 0; round < 20; round++) {
    set.netback.send(packet(60, round))
    t.true(transmit(device, packet(80, round)))
    await set.xen.settle()
    t.deepEqual(set.netback.received, [packet(80, round)])
    if (round % 2 === 0) set.netback.detach()
    else set.netback.vanish()
    await set.xen.settle()
    t.is(device.reserve(), undefined)
    set.netback = set.attach()
    await set.xen.advance(100)
    t.is(writable, round + 1)
  }
  t.is(packets.length, 20)
  await end(set, device)
})

test('a backend in another domain, that dies, is noticed and replaced', async t => {
  const set = setUp()
  set.netback.vanish()
  await set.xen.settle()
  const netvm = set.xen.createDomain(5)
  const first = new SimulatedNetback(netvm, connectDrivers(netvm.machine), 1)
  const device = await connect(set)
  transmit(device, packet(60))
  await set.xen.settle()
  t.is(first.received.length, 1)
  first.vanish()
  netvm.destroy()
  await set.xen.settle()
  set.netback = set.attach()
  await set.xen.advance(100)
  t.true(transmit(device, packet(60)))
  await set.xen.settle()
  t.is(set.netback.received.length, 1)
  await end(set, device)
})

test('what an earlier kernel left connected is closed first and then connected anew', async t => {
  for (const left of [XenbusState.connected, XenbusState.closing, XenbusState.closed]) {
    const set = setUp()
    await set.xen.settle()
    set.netback.setState(left)
    set.xen.store.write(`${set.netback.frontendPath}/state`, String(left))
    const device = await connect(set)
    t.true(transmit(device, packet(60)))
    await set.xen.settle()
    t.is(set.netback.received.length, 1)
    await end(set, device)
  }
})

test('closing tells the backend each state once', async t => {
  const set = setUp()
  const device = await connect(set)
  const states: string[] = []
  const connection = set.xen.store.connections.get(1)!
  connection.tamper = reply => {
    // After each transaction.
    if (reply.type === 7) states.push(set.xen.store.read(`${set.netback.frontendPath}/state`) ?? '')
    return [reply]
  }
  await set.xen.run(device.close())
  connection.tamper = undefined
  t.deepEqual(states, ['5', '6'])
  await end(set, device)
})

test('closing ends within half a second with a backend that does not answer', async t => {
  const set = setUp()
  const device = await connect(set)
  set.netback.vanish() // no watch any more: nobody answers
  set.xen.store.write(`${set.netback.frontendPath}/backend`, set.netback.path, [{ domid: 1, access: 0 }])
  set.xen.store.write(`${set.netback.frontendPath}/backend-id`, '0', [{ domid: 1, access: 0 }])
  set.xen.store.write(`${set.netback.frontendPath}/state`, '4', [{ domid: 1, access: 0 }])
  set.xen.store.write(`${set.netback.path}/state`, '4', [{ domid: 1, access: 1 }])
  const start = set.xen.now
  await set.xen.run(device.close())
  t.true(set.xen.now - start <= 500)
  t.is(set.xen.store.read(`${set.netback.frontendPath}/state`), '6')
  await set.xen.advance(3000)
  set.xen.assertNoLeaks()
})

test('a directory that is taken away while its keys are written is a vif that has gone, not the end of the device', async t => {
  const set = setUp()
  const device = await connect(set)
  set.netback.detach()
  await set.xen.settle()
  set.netback = set.attach()
  const connection = set.xen.store.connections.get(1)!
  let refused = 0
  connection.tamper = reply => {
    // the store's answer to the first write, its parent being gone
    if (reply.type !== 11 || reply.transactionId === 0 || refused++ > 0) return [reply]
    return [{ ...reply, type: 16, payload: Uint8Array.from('EACCES\0', character => character.charCodeAt(0)) }]
  }
  await set.xen.settle()
  connection.tamper = undefined
  t.true(refused > 0)
  t.deepEqual(warnings(set), [])
  set.netback.vanish()
  await set.xen.settle()
  set.netback = set.attach()
  await set.xen.advance(100)
  t.true(transmit(device, packet(60)))
  await end(set, device)
})

test('a new backend that comes while the old one still has the memory is connected once that is back', async t => {
  const set = setUp()
  set.netback.vanish()
  await set.xen.settle()
  const netvm = set.xen.createDomain(5)
  const drivers = connectDrivers(netvm.machine)
  const old = new SimulatedNetback(netvm, drivers, 1)
  const device = await connect(set)
  const kept = new ForeignPages(netvm.machine, 1, [Number(set.xen.store.read(`${old.frontendPath}/tx-ring-ref`))], false, 'kept')
  set.guest.freePages = 0 // so that the held page is one too few
  old.vanish()
  await set.xen.settle()
  set.netback = set.attach()
  await set.xen.advance(10_000)
  t.is(device.reserve(), undefined)
  t.deepEqual(warnings(set).length, 1)
  kept.release()
  await set.xen.advance(5000)
  t.true(transmit(device, packet(60)))
  await set.xen.settle()
  t.is(set.netback.received.length, 1)
  await end(set, device)
})

test('no device, a wrong MAC, too little memory and an abort are errors, and nothing remains', async t => {
  const set = setUp({ mac: 'ff:ff:ff:ff:ff:ff' })
  await t.throwsAsync(connect(set, { index: 3 }), { message: /no network device 3 .*netvm/ })
  await t.throwsAsync(connect(set), { message: /device\/vif\/0\/mac is "ff:ff.*not the address/ })
  set.netback.vanish()
  set.netback = set.attach({})
  set.guest.freePages = 100
  await t.throwsAsync(connect(set), { message: /vif 0: allocating 128 pages to share: ENOMEM/ })
  set.guest.freePages = 10_000
  await t.throwsAsync(connect(set, { receiveBuffers: 257 }), { instanceOf: RangeError })
  set.xen.store.write(`${set.netback.path}/state`, '1')
  const controller = new AbortController()
  const connecting = connectNetfront(set.drivers, { signal: controller.signal })
  await set.xen.advance(1000)
  controller.abort(new Error('enough'))
  await t.throwsAsync(set.xen.run(connecting), { message: 'enough' })
  set.netback.vanish()
  await set.xen.advance(3000)
  set.xen.assertNoLeaks()
})

test('once it is connected, the signal that waited for the backend ends nothing', async t => {
  const set = setUp()
  const controller = new AbortController()
  const device = await connect(set, { signal: controller.signal })
  controller.abort(new Error('shutdown'))
  await set.xen.advance(1000)
  t.true(transmit(device, packet(60)))
  await end(set, device)
  t.deepEqual(warnings(set), [])
})

test("an MTU that is larger than Ethernet's is taken as 1500", async t => {
  const set = setUp({ mtu: '9000' })
  const device = await connect(set)
  t.is(device.mtu, 1500)
  await end(set, device)
})

test('a vif that comes later, goes, and comes back as another one: same device, new address, and it tells each time', async t => {
  const set = setUp()
  set.netback.vanish()
  await set.xen.settle()
  const device = await set.xen.run(connectNetfront(set.drivers, { later: true }))
  let told = 0
  device.onConnected = () => told++
  await set.xen.advance(60_000)
  t.is(device.reserve(), undefined)
  const { mac } = device
  for (const [round, address] of ['00:16:3e:00:00:01', '00:16:3e:00:00:02', 'no address'].entries()) {
    set.netback = set.attach({ mac: address, mtu: String(1400 + round) })
    await set.xen.advance(100)
    t.is(told, round + 1)
    t.deepEqual([device.mac === mac, device.mac[5], device.mtu], [true, Math.min(round + 1, 2), 1400 + round])
    t.true(transmit(device, packet(60)))
    await set.xen.settle()
    t.is(set.netback.received.length, 1)
    if (round < 2) set.netback.detach()
    await set.xen.settle()
  }
  t.deepEqual(warnings(set).length, 1)
  await end(set, device)
})

test('a vif that is replaced by one of the same name between two looks is connected like any other, and is told nothing before', async t => {
  const set = setUp()
  const device = await connect(set)
  for (let round = 0; round < 3; round++) {
    const states: string[] = []
    set.netback.vanish()
    set.netback = set.attach()
    const path = `${set.netback.frontendPath}/state`
    const watch = set.drivers.xenstore.watch(path, () => states.push(set.xen.store.read(path) ?? ''))
    await set.xen.advance(3000)
    t.true(device.isUp)
    t.false(states.includes('5') || states.includes('6'), states.join())
    t.true(transmit(device, packet(60)))
    await set.xen.settle()
    t.is(set.netback.received.length, 1)
    watch.close()
  }
  await end(set, device)
})

test('a vif that never comes holds nothing up', async t => {
  const set = setUp()
  set.netback.vanish()
  const device = await set.xen.run(connectNetfront(set.drivers, { later: true }))
  await set.xen.run(device.close())
  await set.xen.settle()
  set.xen.assertNoLeaks()
  t.is(set.xen.now, 0)
})
