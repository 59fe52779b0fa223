import test from 'ava'
import { collect, connect, end, packet, same, setUp, transmit } from './testing.ts'
import '../sim/leak-check.ts'

/** What Linux offers, with and without an event channel for each ring. */
const offers = { 'one event channel': ['sg', 'gso-tcpv4'], 'an event channel for each ring': ['sg', 'gso-tcpv4', 'split-event-channels'] }

for (const [name, features] of Object.entries(offers)) {
  const isSplit = features.includes('split-event-channels')

  test(`${name}: the keys say so, and both ports are closed with the device`, async t => {
    const set = setUp({ features })
    const device = await connect(set)
    const keys = ['event-channel', 'event-channel-tx', 'event-channel-rx'].map(key =>
      set.xen.store.read(`${set.netback.frontendPath}/${key}`),
    )
    t.deepEqual(
      keys.map(port => port !== undefined),
      [!isSplit, isSplit, isSplit],
    )
    t.is(new Set(keys).size, isSplit ? 3 : 2)
    await end(set, device) // which looks for ports that are left
  })

  test(`${name}: packets both ways, senders that wait for buffers, and a backend that waits for ours`, async t => {
    const set = setUp({ features })
    const device = await connect(set, { receiveBuffers: 8, sendBuffers: 4 })
    const packets = collect(device)
    let sent = 0
    const send = (): void => {
      while (sent < 200 && transmit(device, packet(60 + sent, sent))) sent++
    }
    device.onWritable = send
    send()
    for (let i = 0; i < 200; i++) set.netback.send(packet(100 + i, i))
    await set.xen.settle()
    t.is(packets.length, 200)
    t.true(packets.every((bytes, i) => same(bytes, packet(100 + i, i))))
    t.is(set.netback.received.length, 200)
    t.true(set.netback.received.every((bytes, i) => same(bytes, packet(60 + i, i))))
    await end(set, device)
    t.is(set.netback.fatal, undefined)
  })

  test(`${name}: the backend is told once of what is sent and of buffers that it waits for`, async t => {
    const set = setUp({ features })
    const device = await connect(set, { receiveBuffers: 8 })
    await set.xen.settle()
    let told = 0
    set.guest.hook = operation => {
      if (operation === 'evtchnSend') told++
    }
    device.onReceive = () => transmit(device, packet(60))
    for (let i = 0; i < 9; i++) set.netback.send(packet(60)) // one more than there are buffers
    await set.xen.settle()
    t.is(set.netback.received.length, 9)
    t.true(told <= (isSplit ? 4 : 2), `${told}`)
    await end(set, device)
  })
}

test('a split port that cannot be had gives back the other', async t => {
  const set = setUp()
  let ports = 0
  const { abi } = set.guest
  const real = abi.evtchnAllocUnbound
  abi.evtchnAllocUnbound = remote => (++ports === 2 ? -28 : real.call(abi, remote))
  await t.throwsAsync(connect(set), { message: /event channel.*ENOSPC/ })
  abi.evtchnAllocUnbound = real
  set.netback.vanish()
  await set.xen.advance(3000)
  set.xen.assertNoLeaks()
})
