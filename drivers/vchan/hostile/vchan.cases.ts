/** Hostile ends of a vchan, by name: see vchan.ts for what is checked of each. */
import { type Assert, type Case, cases } from '@xen-ts/boot/cases'
import { ChannelClosedError } from '@xen-ts/drivers/channel'
import { watchMemory } from '@xen-ts/drivers/sim'
import { Live } from '../layout.ts'
import { HostileClient, HostileServer, play, serves } from './vchan.ts'
import { either, keys, unusable } from './vchan-tables.ts'

watchMemory()

/** A server that cannot be used, then a good one on the same port, for the client that was waiting. */
const refused =
  (prepare: (peer: HostileServer) => void): Case =>
  async t => {
    const peer = new HostileServer()
    prepare(peer)
    peer.publish()
    const connecting = peer.connecting()
    const { xen, server } = peer.set
    await xen.advance(30_000)
    t.is(peer.supervision.warnings().length, 1)
    peer.leave()
    const [a, b] = await xen.run(Promise.all([server.channels.serve(2, 512, { readSize: 4096, writeSize: 4096 }), connecting]))
    a.close()
    b.close()
    await serves(t, peer)
    await peer.supervision.verdict()
  }

const useless =
  ([ringRef, eventChannel, warnings]: (typeof keys)[number]): Case =>
  async t => {
    const peer = new HostileServer()
    peer.publish(ringRef ?? '', eventChannel ?? '')
    const controller = new AbortController()
    const connecting = peer.connecting(controller.signal)
    await peer.set.xen.advance(15_000)
    controller.abort(new Error('enough'))
    await t.rejects(peer.set.xen.run(connecting), { message: 'enough' })
    t.is(peer.supervision.warnings().length, warnings)
    peer.leave()
    await serves(t, peer)
    await peer.supervision.verdict()
  }

const others: Readonly<Record<string, Case>> = {
  'a server that died, and the next one with the same numbers': async t => {
    const peer = new HostileServer()
    const page = peer.control.slice()
    peer.control.fill(0)
    peer.publish()
    const connecting = peer.connecting()
    await peer.set.xen.advance(1000)
    t.is(peer.supervision.warnings().length, 1)
    peer.control.set(page)
    peer.publish()
    const channel = await peer.set.xen.run(connecting)
    channel.close()
    peer.leave()
    await serves(t, peer)
    await peer.supervision.verdict()
  },
  'hostile server: keys that change again and again, to nothing good': async t => {
    const peer = new HostileServer()
    const controller = new AbortController()
    const connecting = peer.connecting(controller.signal)
    for (let i = 0; i < 300; i++) {
      peer.publish(String(1000 + i), String(2000 + i))
      await peer.set.xen.advance(20)
    }
    const { length } = peer.supervision.warnings()
    t.true(length >= 1 && length <= 7, `${length} warnings in six seconds`)
    controller.abort(new Error('enough'))
    await t.rejects(peer.set.xen.run(connecting), { message: 'enough' })
    peer.leave()
    await serves(t, peer)
    await peer.supervision.verdict()
  },
  'hostile server: keys that vanish and come back while we connect': async t => {
    const peer = new HostileServer()
    const connecting = peer.connecting()
    for (let i = 0; i < 20; i++) {
      peer.publish()
      for (let steps = i % 5; steps > 0; steps--) peer.set.xen.step()
      peer.set.xen.store.remove('/local/domain/1/data/vchan')
      await new Promise<void>(resolve => {
        setImmediate(resolve)
      })
    }
    peer.publish()
    peer.channel = await peer.set.xen.run(connecting)
    peer.channel.close()
    peer.leave()
    await serves(t, peer)
    await peer.supervision.verdict()
  },
  'hostile server: bytes, and a live byte without meaning, at once': async t => {
    const peer = new HostileServer()
    await peer.open()
    peer.words[peer.produced] += 3
    peer.control[peer.ownLive] = 200
    peer.kick()
    await peer.set.xen.run(peer.channel.closed)
    t.is((await peer.set.xen.run(peer.channel.readExactly(3)))?.length, 3) // what was sent before is read first
    t.is(await peer.set.xen.run(peer.channel.read()), undefined)
    peer.channel.close()
    peer.leave()
    await serves(t, peer)
    await peer.supervision.verdict()
  },
  'hostile server: both rings are the control page': async t => {
    const peer = new HostileServer()
    peer.words.set([peer.refs[0], peer.refs[0]], 6)
    await peer.open()
    const work = Promise.allSettled([peer.channel.read(), peer.channel.write(new Uint8Array(100).fill(0xff))])
    await peer.set.xen.advance(1000)
    peer.channel.close()
    for (const result of await peer.set.xen.run(work)) if (result.status === 'rejected') t.true(result.reason instanceof ChannelClosedError)
    peer.leave()
    await serves(t, peer)
    await peer.supervision.verdict()
  },
  'hostile client: one that binds and never says that it lives': async t => {
    const peer = new HostileClient()
    const controller = new AbortController()
    const serving = peer.serving(controller.signal)
    await peer.settle()
    peer.map()
    peer.bind()
    for (let i = 0; i < 100; i++) {
      peer.kick()
      await peer.set.xen.advance(100)
    }
    controller.abort(new Error('enough'))
    await t.rejects(peer.set.xen.run(serving), { message: 'enough' })
    t.deepEqual(peer.supervision.warnings(), [])
    peer.leave()
    await serves(t, peer)
    await peer.supervision.verdict()
  },
  'hostile client: one that says at once that it is gone, or what means nothing': async t => {
    for (const live of [Live.gone, 77]) {
      const peer = new HostileClient()
      await peer.open(live)
      t.is(await peer.set.xen.run(peer.channel.read()), undefined)
      await t.rejects(peer.set.xen.run(peer.channel.write(Uint8Array.of(1))), { name: 'ChannelClosedError' })
      peer.channel.close()
      peer.leave()
      await serves(t, peer)
      await peer.supervision.verdict()
    }
  },
  'hostile client: one that keeps the page mapped for a minute after the end': async t => {
    const peer = new HostileClient()
    await peer.open()
    peer.channel.close()
    await peer.set.xen.advance(60_000)
    t.is(peer.set.server.grants.list().length, 1) // the page must not be used for anything else
    peer.control.fill(0x55, 0, 4096)
    peer.leave()
    await serves(t, peer)
    await peer.supervision.verdict()
  },
  'hostile client: a domain that is destroyed with the page mapped': async t => {
    const peer = new HostileClient()
    await peer.open()
    const work = Promise.allSettled([peer.channel.read(), peer.channel.write(new Uint8Array(9000))])
    await peer.settle()
    peer.set.client.domain.destroy()
    const [reading, writing] = await peer.set.xen.run(work)
    t.deepEqual([reading.status, writing.status], ['fulfilled', 'rejected'])
    peer.channel.close()
    await peer.supervision.verdict()
  },
}

const bothEnds = Object.entries(either).flatMap(([name, row]): [string, Case][] => [
  [`hostile server: ${name}`, (t: Assert) => play(t, new HostileServer(), row)],
  [`hostile client: ${name}`, (t: Assert) => play(t, new HostileClient(), row)],
])

export default cases(
  Object.fromEntries<Case>([
    ...bothEnds,
    ...Object.entries(unusable).map(
      ([name, prepare]) => [`hostile server: ${name} is refused, and the client connects to the next server`, refused(prepare)] as const,
    ),
    ...keys.map(row => [`hostile server: keys ${JSON.stringify(row.slice(0, 2)).slice(0, 40)} connect nobody`, useless(row)] as const),
    ...Object.entries(others),
  ]),
)
