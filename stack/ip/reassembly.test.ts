import { runs } from '@xen-ts/boot/fuzz'
import test from 'ava'
import fc from 'fast-check'
import { Counters } from '../counters.ts'
import { pattern } from '../testing/pair.ts'
import { World } from '../testing/world.ts'
import { newFrame } from './frame.ts'
import { type Datagram, type Fragment, Reassembly } from './reassembly.ts'

const AT = 34

function setUp({ memory = 100_000, lifetime = 30_000 } = {}) {
  const world = new World(1)
  const { abi, timers } = world.machine('host')
  const counters = new Counters()
  const expired: Datagram[] = []
  const reassembly = new Reassembly({ abi, timers, counters, lifetime, memory, expired: first => void expired.push(first) })
  /** The payload of the datagram that became whole with this fragment. */
  const add = (piece: Uint8Array, fields: Partial<Fragment> = {}): Uint8Array | undefined => {
    const frame = newFrame(AT + piece.length)
    frame.u8.fill(fields.offset === undefined ? 0xaa : 0xbb, 0, AT)
    frame.u8.set(piece, AT)
    const key = fields.key ?? 'one'
    const whole = reassembly.add({ key, source: 'peer', frame, at: AT, length: piece.length, offset: 0, more: false, least: 8, ...fields })
    frame.u8.fill(0x5a) // it was the sender's during the call only
    return whole?.frame.u8.slice(whole.at, whole.at + whole.length)
  }
  return { world, counters, expired, reassembly, add }
}

test('pieces in any order and doubled are one datagram, with the head of the first, and nothing of it is kept', t => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 12 }),
      fc.integer({ min: 0, max: 7 }),
      fc.infiniteStream(fc.nat(1000)),
      (sizes, spare, random) => {
        const { reassembly, add, counters } = setUp()
        const total = sizes.reduce((a, b) => a + b) * 8 + spare
        const payload = pattern(total)
        const pieces: [number, number][] = []
        let at = 0
        for (const [i, size] of sizes.entries()) {
          const end = i === sizes.length - 1 ? total : at + size * 8
          pieces.push([at, end])
          at = end
        }
        pieces.sort(() => random.next().value! - 500)
        const doubled = pieces.slice(0, -1).flatMap(piece => [piece, piece])
        for (const [from, to] of doubled) {
          t.is(add(payload.subarray(from, to), { offset: from, more: to < total }), undefined)
        }
        const [from, to] = pieces.at(-1)!
        t.deepEqual(add(payload.subarray(from, to), { offset: from, more: to < total }), payload)
        t.is(reassembly.used, 0)
        t.is(counters.reassembled, 1)
        t.is(counters.fragments, pieces.length - 1)
      },
    ),
    runs({ few: 300, seed: 3 }),
  )
})

const sixteen = pattern(16)
/** Fragments before and the one that contradicts them: offset, bytes, more. */
const contradictions: [why: string, before: [number, number, boolean][], last: [number, number, boolean]][] = [
  ['overlaps the end of another (RFC 5722)', [[0, 16, true]], [8, 16, false]],
  ['overlaps the start of another', [[16, 16, true]], [8, 16, true]],
  ['covers another', [[8, 8, true]], [0, 24, true]],
  ['lies inside of another', [[0, 24, true]], [8, 8, true]],
  ['has the place of another and is longer', [[8, 8, true]], [8, 16, true]],
  ['lies behind the last', [[8, 8, false]], [16, 8, true]],
  ['reaches beyond the last', [[16, 8, false]], [8, 24, true]],
  ['is a second last', [[16, 8, false]], [24, 8, false]],
  ['is a second last, before the other', [[16, 8, false]], [8, 8, false]],
  ['is the last, and another lies behind it', [[16, 8, true]], [8, 8, false]],
  ['is the same as another, and now the last', [[8, 8, true]], [8, 8, false]],
  ['is the same as the last, and now not', [[8, 8, false]], [8, 8, true]],
  ['is empty', [[8, 8, true]], [16, 0, true]],
  ['has a length that is no multiple of 8', [[16, 8, true]], [0, 12, true]],
  ['is the first without the whole header of its transport (RFC 1858)', [[16, 8, true]], [0, 0, true]],
  ['ends beyond 65535 bytes', [[8, 8, true]], [65_528, 16, false]],
]

for (const [why, before, [offset, length, more]] of contradictions) {
  test(`a fragment that ${why} ends the datagram, also for what still comes`, async t => {
    const { world, reassembly, add, counters, expired } = setUp()
    for (const [offset, length, more] of before) t.is(add(pattern(length), { offset, more }), undefined)
    t.is(counters.fragments, 0)
    t.is(add(pattern(length), { offset, more }), undefined)
    t.is(counters.fragments, 1)
    const held = reassembly.used
    t.true(held < 200, `${held}`)
    t.is(add(sixteen, { offset: 0, more: true }), undefined)
    t.is(add(sixteen, { offset: 16 }), undefined)
    t.is(counters.fragments, 3)
    t.is(reassembly.used, held)
    t.deepEqual(add(sixteen, { key: 'another' }), sixteen)
    await world.run(30_001)
    t.is(reassembly.used, 0)
    t.is(world.pending, 0)
    t.is(expired.length, 0)
  })
}

test('a first fragment of TCP needs 20 bytes', t => {
  const { add, counters } = setUp()
  t.is(add(sixteen, { more: true, least: 20 }), undefined)
  t.is(counters.fragments, 1)
})

test('the time is over 30 s after the first that came, and the sender is told when the first of the datagram was there', async t => {
  const { world, reassembly, add, counters, expired } = setUp()
  add(sixteen, { key: 'a', more: true })
  await world.run(10_000)
  add(sixteen, { key: 'a', offset: 32, more: true })
  add(sixteen, { key: 'b', offset: 16, more: true })
  await world.run(19_999)
  t.is(counters.reassemblyTimeouts, 0)
  await world.run(2)
  t.is(counters.reassemblyTimeouts, 1)
  t.is(expired.length, 1)
  t.deepEqual(expired[0].frame.u8.slice(expired[0].at), sixteen)
  await world.run(10_000)
  t.is(counters.reassemblyTimeouts, 2)
  t.is(expired.length, 1)
  t.is(reassembly.used, 0)
  t.is(world.pending, 0)
})

test('memory is bounded: the oldest of all go, and of one sender who has more than half of it', t => {
  const { reassembly, add, counters } = setUp({ memory: 20_000 })
  add(pattern(1000), { key: 'friend', source: 'friend', more: true })
  for (let i = 0; i < 1000; i++) {
    add(pattern(1000), { key: `enemy ${i}`, source: 'enemy', more: true })
    t.true(reassembly.used <= 10_000 + 2 * 1256, `${reassembly.used}`)
  }
  t.true(counters.reassemblyEvicted > 900)
  t.deepEqual(add(sixteen, { key: 'friend', source: 'friend', offset: 1000 })?.length, 1016)
  for (let i = 0; i < 1000; i++) {
    add(sixteen, { key: `forged ${i}`, source: `forged ${i}`, more: true })
    t.true(reassembly.used <= 20_000)
  }
  t.deepEqual(add(sixteen, { key: 'forged 999', source: 'forged 999', offset: 16 })?.length, 32)
  // Fragments that are refused cost too, or they would be free of the bound.
  for (let i = 0; i < 1000; i++) {
    add(sixteen.subarray(1), { key: `wrong ${i}`, source: `forged ${i}`, more: true })
    t.true(reassembly.used <= 20_000)
  }
})

test('a datagram in more pieces than any link makes of it is refused', t => {
  const { reassembly, add } = setUp({ memory: 1_000_000 })
  for (let i = 0; i < 2000; i++) add(pattern(8), { offset: i * 8, more: true })
  t.true(reassembly.used < 200)
})

test('the largest possible is put together', t => {
  const { add } = setUp({ memory: 256 * 1024 })
  const payload = pattern(65_535)
  let whole: Uint8Array | undefined
  for (let at = 0; at < payload.length; at += 552) {
    whole = add(payload.subarray(at, at + 552), { offset: at, more: at + 552 < payload.length })
  }
  t.deepEqual(whole, payload)
})

test('clear forgets all, timers too', t => {
  const { world, reassembly, add } = setUp()
  add(sixteen, { more: true })
  t.is(world.pending, 1)
  reassembly.clear()
  t.is(world.pending, 0)
  t.is(reassembly.used, 0)
})
