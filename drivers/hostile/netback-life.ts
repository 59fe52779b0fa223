/** What a backend, and who plays the toolstack for it, may do to the directories in xenstore; and silence. */
import type { Assert } from '@xen-ts/boot/cases'
import { connectNetfront } from '../index.ts'
import { FIRST_SLOT, packet, transmit } from '../netfront/testing.ts'
import { ForeignPages } from '../shared-pages.ts'
import { XenbusState } from '../xenbus/handshake.ts'
import type { Row, Table } from './netback.ts'
import { HostileNetback } from './netback.ts'

const leaves = (act: Row['act']): Row => ({ act, outcome: 'leaves' })
const bears = (act: Row['act']): Row => ({ act, outcome: 'bears' })
const state = (value: string | undefined): Row => leaves(peer => peer.write('state', value))

export const life: Table = {
  'a state that is empty': state(''),
  'a state that is a word': state('connected'),
  'a state that is huge': state('99999999999'),
  'a state of 2,000 digits': state('4'.repeat(2000)),
  'a state below the first': state('-4'),
  'a state beyond the last': state('9'),
  'a state with a fraction': state('4.0'),
  'a state with a blank': state(' 4'),
  'state Unknown': state('0'),
  'a state that vanishes': state(undefined),
  'a directory that vanishes': leaves(peer => peer.write('', undefined)),
  "a guest's directory that vanishes": leaves(peer => peer.write('', undefined, 'guest')),
  'closing without ever being closed': state('5'),
  'closed without closing': state('6'),
  "another backend's path in our directory": leaves(peer => peer.write('backend', '/local/domain/0/backend/vif/1/77', 'guest')),
  'a backend path that is none': leaves(peer => peer.write('backend', 'nonsense', 'guest')),
  'a backend path that is empty': leaves(peer => peer.write('backend', '', 'guest')),
  'a backend path of 2,000 characters': leaves(peer => peer.write('backend', `/${'x'.repeat(2000)}`, 'guest')),
  'a backend path that vanishes': leaves(peer => peer.write('backend', undefined, 'guest')),
  "a backend's domid that is no number": leaves(peer => peer.write('backend-id', 'zero', 'guest')),
  "a backend's domid that no domain can have": leaves(peer => peer.write('backend-id', '65536', 'guest')),
  "a backend's domid that vanishes": leaves(peer => peer.write('backend-id', undefined, 'guest')),
  'our own state set back by the toolstack': leaves(peer => peer.write('state', '1', 'guest')),
  'our own state made nonsense': leaves(peer => peer.write('state', 'x'.repeat(100), 'guest')),

  'a ring and a buffer that stay mapped after the end': {
    outcome: 'leaves',
    act: async peer => {
      const { dom0, netback, xen } = peer.set
      const refs = [Number(xen.store.read(`${netback.frontendPath}/tx-ring-ref`)), peer.rx[FIRST_SLOT + 9]]
      peer.kept = new ForeignPages(dom0.machine, 1, refs, false, 'kept')
      peer.write('state', '5')
      await xen.advance(60_000)
    },
    check: async (peer, t) => {
      const { dom0, drivers, xen } = peer.set
      const held = (): number => drivers.grants.list().filter(line => line.includes('still held')).length
      t.is(held(), 1) // nothing of it is used for anything else
      dom0.abi.copy(peer.kept.bytes, 0, new Uint8Array(8192).fill(0x55), 0, 8192)
      peer.kept.release()
      await xen.advance(2000)
      t.is(held(), 0)
    },
  },

  'states out of order': bears(async peer => {
    for (const value of ['3', '2', '1', '8', '7', '2', '4']) {
      peer.write('state', value)
      await peer.settle()
    }
  }),
  'a storm of events without a reason': bears(async peer => {
    for (let i = 0; i < 500; i++) {
      peer.event()
      await peer.settle()
    }
  }),
  'a storm of state changes without a reason': bears(async peer => {
    for (let i = 0; i < 300; i++) {
      peer.write('state', ['4', '3', '8', '7'][i % 4])
      if (i % 7 === 0) await peer.settle()
    }
    peer.write('state', '4')
  }),
  'features that change when it is too late': bears(peer => {
    for (const feature of ['sg', 'gso-tcpv4', 'gso-tcpv6', 'no-csum-offload', 'split-event-channels']) peer.write(`feature-${feature}`, 'x')
  }),
  'an event channel that is closed while packets flow': bears(async peer => {
    // No event arrives any more, and there is nobody to tell: silence. But the guest goes on, and closes when it is told.
    peer.set.netback.channel?.close()
    peer.set.netback.txChannel?.close()
    transmit(peer.device, packet(60))
    await peer.set.xen.advance(10_000)
    peer.set.netback.detach()
    await peer.set.xen.advance(100)
    peer.set.netback = peer.set.attach({})
    await peer.set.xen.advance(1500)
  }),
}

/** Values of a feature that do not offer it. */
const features: readonly string[] = ['', '0', '2', 'yes', '-1', '1 ', '01', '1'.repeat(1000)]

const MTUS: readonly string[] = ['', '3', '-1', '99999', 'many', '1e3', '1500.5', '9'.repeat(500)]

/** MAC addresses with which there is no device. */
const MACS: readonly (string | undefined)[] = [
  undefined,
  '',
  '01:16:3e:00:00:01',
  'ff:ff:ff:ff:ff:ff',
  '00:16:3e:00:00:01:02',
  '00-16-3e-00-00-01',
  'a'.repeat(2000),
]

const short = (value: string | undefined): string =>
  value !== undefined && value.length > 20 ? `${value.slice(0, 10)}... (${value.length})` : (JSON.stringify(value) ?? 'that is missing')

/** What stands in xenstore before we connect. */
export const keys: Readonly<Record<string, (t: Assert) => Promise<void>>> = {
  ...Object.fromEntries(
    features.map(value => [
      `a feature of ${short(value)} is not one`,
      async (t: Assert) => {
        const peer = new HostileNetback({ features: [] })
        for (const name of ['sg', 'gso-tcpv4', 'gso-tcpv6', 'no-csum-offload']) peer.write(`feature-${name}`, value)
        await peer.connect()
        t.is(peer.device.largest(), 0)
        t.true(peer.device.checksums)
        await peer.serves(t)
        await peer.end()
      },
    ]),
  ),
  ...Object.fromEntries(
    MTUS.map(mtu => [
      `an MTU of ${short(mtu)} is taken as 1500`,
      async (t: Assert) => {
        const peer = new HostileNetback({ mtu })
        await peer.connect()
        t.is(peer.device.mtu, 1500)
        await peer.serves(t)
        await peer.end()
      },
    ]),
  ),
  ...Object.fromEntries(
    MACS.map(mac => [
      `a MAC address ${short(mac)} is refused, and nothing remains`,
      async (t: Assert) => {
        const peer = new HostileNetback({})
        peer.write('mac', mac, 'guest')
        const error = await t.rejects(peer.connect(), { message: /^net-xen: device\/vif\/0\/mac is .*not the address of a device/ })
        t.true(error.message.length < 250)
        peer.set.netback.vanish()
        await peer.supervision.verdict()
      },
    ]),
  ),
  'a vif that goes in whatever moment of connecting, by whatever way, is followed by the next': async t => {
    for (const way of ['vanish', 'detach'] as const) {
      const peer = new HostileNetback({})
      const { set } = peer
      await peer.connect()
      for (let steps = 0; steps < 30; steps++) {
        for (let i = 0; i < steps; i++) {
          await new Promise<void>(resolve => {
            setImmediate(resolve)
          })
          set.xen.step(set.xen.now)
        }
        set.netback[way]()
        if (steps % 3 === 0) await set.xen.advance(2000)
        if (way === 'detach' && set.xen.store.read(set.netback.frontendPath) !== undefined) set.netback.vanish()
        set.netback = set.attach({})
      }
      await set.xen.advance(2000)
      t.deepEqual(peer.supervision.warnings(), [])
      await peer.serves(t)
      await peer.end()
    }
  },
  'one that breaks the rules again and again is not tried more than once a second': async t => {
    const peer = new HostileNetback({})
    await peer.connect()
    for (let i = 0; i < 100; i++) {
      peer.set.dom0.abi.fence()
      if (peer.set.netback.rx !== undefined) peer.showReceived(1000)
      await peer.settle()
      if (peer.set.netback.state === XenbusState.closed) peer.set.netback.setState(XenbusState.initWait)
      await peer.set.xen.advance(100)
    }
    const { length } = peer.supervision.warnings()
    t.true(length >= 5 && length <= 11, `${length} warnings in ten seconds`)
    await peer.end()
  },
  'one that closes and begins again all the time is not followed more than once a second': async t => {
    const peer = new HostileNetback({})
    await peer.connect()
    const { guest, netback, xen } = peer.set
    const quiet = guest.log.length
    for (let i = 0; i < 100; i++) {
      netback.setState(XenbusState.closing)
      await xen.advance(50)
      netback.setState(XenbusState.initWait)
      await xen.advance(50)
    }
    const connections = guest.log.slice(quiet).filter(({ text }) => /disconnected from domain/.test(text)).length
    t.true(connections >= 5 && connections <= 11, `${connections} connections ended in ten seconds`)
    await xen.advance(2000)
    await peer.serves(t)
    await peer.end()
  },
  'one that keeps the pages of a connection gets no more of them': async t => {
    const peer = new HostileNetback({})
    await peer.connect()
    const { dom0, guest, netback, xen } = peer.set
    const free = guest.freePages
    peer.kept = new ForeignPages(dom0.machine, 1, [Number(xen.store.read(`${netback.frontendPath}/tx-ring-ref`))], false, 'kept')
    for (let i = 0; i < 10; i++) {
      netback.setState(XenbusState.closing)
      await xen.advance(50)
      netback.setState(XenbusState.initWait)
      await xen.advance(5000)
    }
    t.true(guest.freePages >= free)
    t.is(peer.supervision.warnings().length, 1)
    peer.kept.release()
    await xen.advance(5000)
    await peer.serves(t)
    await peer.end()
  },
}

/** A backend that is not as it should be before we connect: nothing happens, until it is. */
const early: Readonly<Record<string, readonly [key: string, value: string]>> = {
  'a state that is nonsense before we connect': ['state', 'x'],
  'a state of Initialising that lasts': ['state', '1'],
  'a state beyond the last before we connect': ['state', '42'],
}

/** Before the connection: `key` of the backend is `value`; then it is InitWait, and all is well. */
async function playEarly(t: Assert, [key, value]: readonly [string, string]): Promise<void> {
  const peer = new HostileNetback({})
  await peer.settle()
  peer.write(key, value)
  let connected = false
  const connecting = connectNetfront(peer.set.drivers, { sendBuffers: 8, receiveBuffers: 32 })
  void connecting.then(() => {
    connected = true
  })
  await peer.set.xen.advance(20_000)
  t.false(connected)
  t.deepEqual(peer.supervision.warnings(), [])
  peer.set.netback.setState(XenbusState.initWait)
  await peer.adopt(await peer.set.xen.run(connecting))
  await peer.serves(t)
  await peer.end()
}

export const beforehand: Readonly<Record<string, (t: Assert) => Promise<void>>> = Object.fromEntries(
  Object.entries(early).map(([name, key]) => [name, (t: Assert) => playEarly(t, key)]),
)
