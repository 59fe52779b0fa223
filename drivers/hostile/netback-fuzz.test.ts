/** Backends that do anything in any order. Whatever it is, the rules of supervise.ts hold, and a good backend after it is served. */
import { runs } from '@xen-ts/boot/fuzz'
import test from 'ava'
import fc from 'fast-check'
import { FIRST_SLOT, packet, transmit, transmitLarge } from '../netfront/testing.ts'
import { watchMemory } from '../sim/index.ts'
import { HostileNetback } from './netback.ts'
import '../sim/leak-check.ts'

watchMemory()

const word = fc.oneof(
  fc.nat(0xffffffff),
  fc.nat(300),
  fc.nat(31).map(id => id | (60 << 16)),
  fc.constantFrom(0, 0xffffffff, 0x10000),
)
const step = fc.oneof(
  fc.record({ do: fc.constantFrom('rx', 'tx'), at: fc.nat(FIRST_SLOT + 60), value: word }),
  fc.record({
    do: fc.constant('respond'),
    slot: fc.nat(40),
    offset: fc.constantFrom(0, 0, 0, 100, 4090),
    flags: fc.constantFrom(0, 0, 4, 8, 12, 3),
    length: fc.integer({ min: -2, max: 4100 }),
  }),
  fc.record({ do: fc.constant('answer'), slot: fc.nat(20), id: fc.nat(12), status: fc.constantFrom(0, 0, 1, 0xffff) }),
  fc.record({ do: fc.constantFrom('show received', 'show answers'), count: fc.oneof(fc.nat(4), fc.integer({ min: -3, max: 300 })) }),
  fc.record({ do: fc.constantFrom('send', 'send large', 'receive', 'event', 'settle', 'second', 'hold', 'release', 'unbind') }),
  fc.record({
    do: fc.constant('key'),
    key: fc.constantFrom('state', 'state', 'online', 'feature-sg', ''),
    value: fc.option(fc.constantFrom('1', '2', '4', '5', '6', 'x', ''), { nil: undefined }),
  }),
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

async function perform(peer: HostileNetback, step: Step): Promise<void> {
  const { netback, xen, dom0 } = peer.set
  dom0.abi.fence()
  if (step.do === 'key') return peer.write((step as { key: string }).key, (step as { value: string | undefined }).value)
  if (step.do === 'settle') return xen.settle()
  if (step.do === 'second') return xen.advance(1000)
  if (step.do === 'send') return void transmit(peer.device, packet(60))
  if (step.do === 'send large') return void (peer.device.largest() >= 5000 && transmitLarge(peer.device, packet(5000), 1448))
  if (netback.rx === undefined || netback.tx === undefined) return
  switch (step.do) {
    case 'rx':
    case 'tx': {
      peer[step.do][(step as { at: number }).at] = (step as { value: number }).value
      break
    }
    case 'respond': {
      const { slot, offset, flags, length } = step as { slot: number; offset: number; flags: number; length: number }
      peer.respond(slot, slot % 32, offset, flags, length)
      break
    }
    case 'answer': {
      const { slot, id, status } = step as { slot: number; id: number; status: number }
      peer.answer(slot, id, status)
      break
    }
    case 'show received': {
      peer.showReceived((step as { count: number }).count)
      break
    }
    case 'show answers': {
      peer.showAnswers((step as { count: number }).count)
      break
    }
    case 'receive': {
      netback.send(packet(60))
      break
    }
    case 'event': {
      peer.event()
      break
    }
    case 'hold': {
      netback.holdResponses = true
      break
    }
    case 'release': {
      netback.releaseResponses()
      break
    }
    case 'unbind': {
      netback.channel?.close()
      break
    }
  }
}

test('property: whatever a backend does, a good one after it is served', async t => {
  let closed = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async steps => {
      const peer = new HostileNetback(undefined)
      await peer.connect()
      for (const each of steps) await perform(peer, each)
      await peer.set.xen.advance(1000)
      const lines = peer.supervision.warnings()
      if (lines.some(line => line.includes('broke the ring'))) closed++
      if (lines.length > 2 + steps.filter(each => each.do === 'second').length)
        throw new Error(`${lines.length} warnings: ${lines.join('; ')}`)
      await peer.replace()
      const got = peer.packets.length
      if (!transmit(peer.device, packet(60))) throw new Error('it cannot send')
      peer.set.netback.send(packet(60))
      await peer.set.xen.advance(10)
      if (peer.packets.length !== got + 1 || peer.set.netback.received.length !== 1) throw new Error('the good backend is not served')
      await peer.end()
    }),
    runs({ few: 300, cost: 50 }),
  )
  t.log(`${closed} were closed for breaking the ring`)
  t.true(closed > 10)
})
