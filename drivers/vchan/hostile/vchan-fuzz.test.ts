/** Ends of a vchan that do anything in any order. Whatever it is, the rules of supervise.ts hold, and a good pair after it works. */

import { assert } from '@xen-ts/boot/cases'
import { runs } from '@xen-ts/boot/fuzz'
import { ChannelClosedError } from '@xen-ts/drivers/channel'
import { watchMemory } from '@xen-ts/drivers/sim'
import test from 'ava'
import fc from 'fast-check'
import { HostileClient, HostileServer, serves } from './vchan.ts'
import '@xen-ts/drivers/sim/leak-check'

watchMemory()

const change = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.integer({ min: 0, max: 4097 }),
  fc.integer({ min: -0x80000000, max: 0x7fffffff }),
)
const step = fc.oneof(
  fc.record({ do: fc.constantFrom('produced', 'consumed'), by: change }),
  fc.record({ do: fc.constantFrom('produced', 'consumed'), by: fc.integer({ min: 0, max: 300 }) }),
  fc.record({ do: fc.constant('byte'), by: fc.nat(0xff), at: fc.integer({ min: 0, max: 40 }) }),
  fc.record({ do: fc.constantFrom('kick', 'kick', 'settle', 'minute', 'close'), by: fc.constant(0) }),
  fc.record({ do: fc.constantFrom('read', 'read exactly', 'write'), by: fc.integer({ min: 1, max: 9000 }) }),
)

for (const attacker of ['server', 'client'] as const) {
  test(`property: whatever the ${attacker} does, our end reads, writes or says that it is closed, and a good pair after it works`, async t => {
    let closed = 0
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async steps => {
        const peer = attacker === 'server' ? new HostileServer() : new HostileClient()
        await peer.open()
        const { xen } = peer.set
        const work: Promise<unknown>[] = []
        for (const each of steps) {
          const { by } = each
          switch (each.do) {
            case 'produced':
            case 'consumed': {
              peer.words[peer[each.do]] += by
              break
            }
            case 'byte': {
              peer.control[(each as { at: number }).at] = by
              break
            }
            case 'kick': {
              peer.kick()
              break
            }
            case 'settle': {
              await xen.settle()
              break
            }
            case 'minute': {
              await xen.advance(60_000)
              break
            }
            case 'close': {
              peer.event.close()
              break
            }
            case 'read': {
              work.push(peer.channel.read(by))
              break
            }
            case 'read exactly': {
              work.push(peer.channel.readExactly(by))
              break
            }
            case 'write': {
              work.push(peer.channel.write(new Uint8Array(by)))
              break
            }
          }
          for (const promise of work) promise.catch(() => {})
        }
        peer.attacker.abi.fence()
        await xen.advance(20_000)
        peer.channel.close()
        for (const result of await xen.run(Promise.allSettled(work)))
          if (result.status === 'rejected' && !(result.reason instanceof ChannelClosedError)) throw result.reason
        const { length } = peer.supervision.warnings()
        if (length > 1) throw new Error(`${length} warnings`)
        closed += length
        peer.leave()
        await serves(assert, peer)
        await peer.supervision.verdict()
      }),
      runs({ few: 200, cost: 50 }),
    )
    t.log(`${closed} were closed for breaking the ring`)
    t.true(closed > 2)
  })
}
