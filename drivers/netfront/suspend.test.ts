/** The network device over a suspend: a new link to a new backend, and nothing lost when the suspend is cancelled. */

import type { Frame } from '@xen-ts/runtime/machine'
import test from 'ava'
import { connectDrivers, connectNetfront, listResources } from '../index.ts'
import type { SimulationOptions } from '../sim/index.ts'
import { restore, SimulatedNetback, SimulatedXen } from '../sim/index.ts'
import { collect, packet, transmit } from './testing.ts'
import '../sim/leak-check.ts'

/** A guest that is restored with each suspend, as domain 7, 8, ..., with a vif made by the toolstack before it goes on. */
const setUp = (simulation?: SimulationOptions) => {
  const xen = new SimulatedXen(simulation)
  const dom0 = xen.createDomain(0)
  const guest = xen.createDomain(1)
  const parts = connectDrivers(dom0.machine)
  const set = { xen, guest, drivers: connectDrivers(guest.machine), netback: new SimulatedNetback(dom0, parts, 1) }
  let domid = 7
  guest.onSuspend = () => {
    set.netback.vanish()
    restore(guest, domid)
    set.netback = new SimulatedNetback(dom0, parts, domid++, { hotplugDelay: 100 })
    return 0
  }
  return { set, suspend: () => xen.run(guest.machine.suspension.suspend()) }
}
type Set = ReturnType<typeof setUp>['set']

const end = async ({ xen, guest, netback, drivers }: Set, close: () => Promise<void>): Promise<void> => {
  await xen.run(close())
  netback.vanish()
  await xen.advance(3000)
  xen.assertNoLeaks()
  const held = listResources(drivers).filter(line => !line.startsWith('0 requests'))
  const warnings = guest.log.filter(({ level }) => level === 'warn' || level === 'error').map(({ text }) => text)
  if (held.length + warnings.length > 0) throw new Error([...held, ...warnings].join('\n'))
}

test('after a restore the device goes on with its new backend, again and again, whatever was under way', async t => {
  for (const seed of [undefined, 1, 2, 3]) {
    const { set, suspend } = setUp({ seed })
    const { xen, drivers } = set
    const device = await xen.run(connectNetfront(drivers))
    const packets = collect(device)
    let connected = 0,
      writable = 0
    device.onConnected = () => connected++
    device.onWritable = () => writable++
    for (let round = 0; round < 5; round++) {
      // Frames under way both ways, and one that the stack is building.
      set.netback.holdResponses = true
      for (let i = 0; i < 20; i++) {
        t.true(transmit(device, packet(60, i)))
        set.netback.send(packet(70, i))
      }
      const building = device.reserve() as Frame
      t.is(await suspend(), 'resumed')
      t.is(device.reserve(), undefined) // no backend yet
      building.u8.fill(1)
      device.send(building, 60) // goes nowhere, and does no harm
      await xen.advance(1000)
      t.deepEqual([connected, writable], [round + 1, round + 1])
      const before = packets.length
      t.true(transmit(device, packet(80, round)))
      set.netback.send(packet(90, round))
      await xen.settle()
      t.deepEqual(set.netback.received, [packet(80, round)])
      t.deepEqual(packets.slice(before), [packet(90, round)])
      t.is(set.netback.fatal, undefined)
    }
    await end(set, () => device.close())
  }
})

test('after a cancelled suspend the same link goes on, and what came meanwhile is there', async t => {
  const { set, suspend } = setUp()
  const { xen, guest, drivers } = set
  const device = await xen.run(connectNetfront(drivers))
  const packets = collect(device)
  let connected = 0
  device.onConnected = () => connected++
  guest.onSuspend = () => {
    set.netback.send(packet(90))
    return 1
  }
  t.true(transmit(device, packet(80)))
  t.is(await suspend(), 'cancelled')
  await xen.settle()
  t.deepEqual([set.netback.received, packets], [[packet(80)], [packet(90)]])
  t.is(connected, 0)
  await end(set, () => device.close())
})

test('a suspend while the device connects, is detached or closes: it ends where it should, at whatever step the world changes', async t => {
  const scenes = {
    connecting: { up: true, act: () => {} },
    detached: { up: true, act: ({ netback }: Set) => netback.detach() },
    closing: { up: false, act: () => {} },
  }
  for (const [scene, { up, act }] of Object.entries(scenes)) {
    for (let steps = 0; steps < 40; steps++) {
      const { set, suspend } = setUp({ seed: steps + 1 })
      const { xen, drivers } = set
      const connecting = connectNetfront(drivers)
      let device = scene === 'connecting' ? undefined : await xen.run(connecting)
      act(set)
      const closing = scene === 'closing' ? device!.close() : undefined
      for (let i = 0; i < steps; i++) {
        await new Promise<void>(resolve => {
          ;(globalThis.setImmediate ?? globalThis.setTimeout)(resolve)
        })
        xen.step(xen.now)
      }
      t.is(await suspend(), 'resumed')
      device ??= await xen.run(connecting)
      await xen.advance(5000)
      t.is(transmit(device, packet(80)), up, `${scene} ${steps}`)
      await xen.settle()
      t.is(set.netback.received.length, up ? 1 : 0, `${scene} ${steps}`)
      await end(set, () => closing ?? device!.close())
    }
  }
})
