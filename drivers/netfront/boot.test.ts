/** What a boot waits for: the store, and the backend. */
import test from 'ava'
import { connectNetfront } from '../index.ts'
import { collect, end, packet, setUp } from './testing.ts'
import '../sim/leak-check.ts'

test('a connection takes few round trips to the store, and one hypercall for all that is asked for at a time', async t => {
  const set = setUp()
  await set.xen.settle()
  const { guest } = set
  let kicks = 0
  let answers = 0
  const { evtchnSend } = guest.abi
  guest.abi.evtchnSend = port => {
    if (port === guest.abi.xenstorePort()) kicks++
    return evtchnSend(port)
  }
  const dispatch = guest.dispatch.bind(guest)
  guest.dispatch = port => {
    if (port === guest.abi.xenstorePort()) answers++
    dispatch(port)
  }
  const device = await set.xen.run(connectNetfront(set.drivers))
  t.true(device.isUp)
  t.log(`${answers} events of the store, ${kicks} of ours`)
  t.true(answers <= 7 && kicks <= 8, `${answers} events of the store, ${kicks} of ours`)
  collect(device)
  await end(set, device)
})

test('a device that nobody can use yet connects, is up when it can be used, and has kept what came meanwhile', async t => {
  const set = setUp()
  const { promise: ready, resolve } = Promise.withResolvers<void>()
  const device = await set.xen.run(connectNetfront(set.drivers, { later: true, ready }))
  await set.xen.settle()
  t.is(set.netback.state, 4) // XenbusStateConnected
  t.false(device.isUp)
  t.is(device.reserve(), undefined)
  set.netback.send(packet(60))
  await set.xen.settle()
  resolve()
  await set.xen.run(device.connected)
  t.true(device.isUp)
  const packets = collect(device)
  await set.xen.settle()
  t.deepEqual(packets, [packet(60)])
  await end(set, device)
})

test('a backend that leaves before the device can be used: the next one is taken', async t => {
  const set = setUp()
  const { promise: ready, resolve } = Promise.withResolvers<void>()
  const device = await set.xen.run(connectNetfront(set.drivers, { later: true, ready }))
  await set.xen.settle()
  set.netback.detach()
  await set.xen.advance(2000)
  resolve()
  await set.xen.settle()
  t.false(device.isUp)
  set.netback = set.attach()
  await set.xen.advance(2000)
  t.true(device.isUp)
  await end(set, device)
})
