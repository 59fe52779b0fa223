/** Hostile xenstore daemons, by name: see xenstored.ts for what is checked of each. */
import { type Assert, type Case, cases } from '@xen-ts/boot/cases'
import { watchMemory } from '../sim/index.ts'
import { XenstoreError } from '../xenstore/error.ts'
import { HostileStore, play } from './xenstored.ts'
import { messages, ring } from './xenstored-tables.ts'

watchMemory()

const others: Readonly<Record<string, Case>> = {
  'hostile xenstored: silence ends for those who wait when their signal aborts, or we close': async t => {
    const peer = new HostileStore()
    const { xen, xenstore, connection } = peer
    await peer.works(t)
    connection.stopped = true
    const controller = new AbortController()
    const waiting = xenstore.until('data/x', () => false, controller.signal)
    const reading = xenstore.read('domid')
    await xen.advance(3_600_000)
    t.deepEqual(peer.supervision.warnings(), [])
    controller.abort(new Error('enough'))
    const outcomes = Promise.allSettled([waiting, reading])
    xenstore.close()
    for (const result of await xen.run(outcomes)) t.is(result.status, 'rejected')
    peer.domain.destroy()
    await peer.supervision.verdict()
  },
  'hostile xenstored: a message that comes byte by byte, with an event each, and pauses': async t => {
    const peer = new HostileStore()
    const { xen, xenstore, connection, words } = peer
    await peer.works(t)
    const shown = words[2060 / 4]
    const reading = xenstore.read('domid')
    await Promise.resolve() // the daemon is told when all is asked for
    while (words[2060 / 4] === shown) xen.step() // the answer is in the ring; only the index decides what is seen of it
    const end = words[2060 / 4]
    for (words[2060 / 4] = shown; words[2060 / 4] !== end; ) {
      words[2060 / 4]++
      peer.event()
      await xen.advance(50)
    }
    t.is(await xen.run(reading), '1')
    connection.wake()
    await peer.works(t)
    await peer.supervision.verdict()
  },
  'hostile xenstored: messages without end, faster than we read': async t => {
    const peer = new HostileStore()
    const { xen, words, bytes, domain } = peer
    await peer.works(t)
    await xen.settle()
    const message = [15, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, ...[...'data'].map(c => c.charCodeAt(0)), 0, 0x77, 0x39, 0]
    let left = 5000
    let atFirst = 0
    const more = (): void => {
      if (left-- <= 0) return
      for (const byte of message) bytes[1024 + (words[2060 / 4]++ & 1023)] = byte
    }
    const start = words[2060 / 4]
    xen.watchers.push(({ kind, offset, buffer }) => {
      if (kind === 'read' && offset === 2060 && buffer === bytes.buffer && words[2060 / 4] - words[2056 / 4] < 900) more()
    })
    domain.machine.timers.set(0, () => {
      atFirst = left
    })
    more()
    peer.event()
    await xen.advance(1000)
    t.true(atFirst > 4000, `a timer waited for ${5000 - atFirst} messages`)
    t.true(left <= 0)
    words[2060 / 4] = start // the simulated daemon goes on where it was
    words[2056 / 4] = start
    domain.destroy()
    await peer.supervision.verdict()
  },
  'hostile xenstored: a watch that is refused, and events of it all the same': async t => {
    const peer = new HostileStore()
    const { xen, xenstore, connection } = peer
    connection.tamper = reply =>
      reply.type === 4 ? [{ ...reply, type: 16, payload: Uint8Array.of(0x45, 0x49, 0x4e, 0x56, 0x41, 0x4c, 0) }] : [reply]
    let told = 0
    const watch = xenstore.watch('data', () => told++)
    await xen.advance(3500)
    t.is(peer.supervision.warnings().length, 1)
    t.true(told >= 3) // it looks once a second instead
    connection.tamper = undefined
    watch.close()
    connection.watches.length = 0 // the daemon had it all the same
    await xen.settle()
    const error = await t.rejects(xen.run(xenstore.read('data/none')))
    t.true(error instanceof XenstoreError)
    await peer.supervision.verdict()
  },
}

export default cases(
  Object.fromEntries<Case>([
    ...Object.entries({ ...messages, ...ring }).map(([name, row]) => [`hostile xenstored: ${name}`, (t: Assert) => play(t, row)] as const),
    ...Object.entries(others),
  ]),
)
