/** Daemons that do anything. Whatever it is, the rules of supervise.ts hold, and what is asked for is answered or rejected. */
import { runs } from '@xen-ts/boot/fuzz'
import test from 'ava'
import fc from 'fast-check'
import type { Reply } from '../sim/index.ts'
import { watchMemory } from '../sim/index.ts'
import { XenstoreError } from '../xenstore/error.ts'
import { HostileStore } from './xenstored.ts'
import '../sim/leak-check.ts'

watchMemory()

const word = fc.oneof(fc.nat(30), fc.nat(5000), fc.nat(0xffffffff), fc.constantFrom(0, 0xffffffff))

/** Asks, lets `attack` happen, and closes: every request must have had an end by then, and only one of its own kind. */
async function survives(attack: (peer: HostileStore) => Promise<void>): Promise<void> {
  const peer = new HostileStore()
  const { xen, xenstore, domain, supervision } = peer
  const watch = xenstore.watch('data', () => {})
  await xen.settle()
  const work = Promise.allSettled([
    xenstore.read('domid'),
    xenstore.directory('data'),
    xenstore.transaction(async view => view.write('data/x', await view.read('domid'))),
    xenstore.until('data/y', value => value === '1'),
  ])
  await attack(peer)
  await xen.advance(10_000)
  const { length } = supervision.warnings()
  if (length > 12) throw new Error(`${length} warnings in ten seconds`)
  watch.close()
  xenstore.close()
  for (const result of await xen.run(work))
    if (result.status === 'rejected' && !(result.reason instanceof XenstoreError)) throw result.reason
  domain.destroy()
  await supervision.verdict()
}

test('property: whatever the ring page holds, the client neither throws nor hangs', async t => {
  const indices = fc.tuple(word, word, word, word)
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.uint8Array({ minLength: 0, maxLength: 64 }), indices), { minLength: 1, maxLength: 4 }), rounds =>
      survives(async peer => {
        peer.connection.stopped = true
        for (const [bytes, [a, b, c, d]] of rounds) {
          peer.bytes.set(bytes, 1024 + (peer.words[2056 / 4] & 511))
          peer.words.set([a, b, peer.words[2056 / 4], peer.words[2060 / 4] + (d % 1500)], 2048 / 4)
          if (c % 3 === 0) peer.words[2056 / 4] = c
          peer.event()
          await peer.xen.settle()
        }
      }),
    ),
    runs({ few: 200, cost: 50 }),
  )
  t.pass()
})

test('property: whatever messages come, well-formed or nearly, every request is answered or rejected', async t => {
  const header = fc.record({
    type: fc.constantFrom(1, 2, 4, 6, 7, 11, 15, 16, 22, 99),
    id: fc.nat(12),
    transaction: fc.nat(3),
    payload: fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.constantFrom('OK\0', 'EAGAIN\0', 'data\0w1\0', '1\0', '7\0', 'ENOENT\0').map(text => Uint8Array.from(text, c => c.charCodeAt(0))),
    ),
  })
  const change = fc.record({ drop: fc.boolean(), more: fc.array(header, { maxLength: 3 }), keepId: fc.boolean() })
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 30 }), changes =>
      survives(async ({ connection }) => {
        let count = 0
        connection.tamper = (reply): Reply[] => {
          const { drop, more, keepId } = changes[count++ % changes.length]
          const extra = more.map(({ type, id, transaction, payload }) => ({
            type,
            requestId: keepId ? reply.requestId : id,
            transactionId: transaction,
            payload,
          }))
          return drop ? extra : [...extra, reply]
        }
      }),
    ),
    runs({ few: 200, cost: 50 }),
  )
  t.pass()
})
