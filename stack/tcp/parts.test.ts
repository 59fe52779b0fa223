import { runs } from '@xen-ts/boot/fuzz'
import test from 'ava'
import fc from 'fast-check'
import { seededRandom, testAbi } from '../testing/abi.ts'
import { Congestion } from './congestion.ts'
import { Cubic } from './cubic.ts'
import { InitialSequence, KeyedHash } from './isn.ts'
import { MemoryBudget, Reassembly } from './reassembly.ts'
import { RoundTrip } from './round-trip.ts'
import { SendQueue } from './send-queue.ts'
import { distance, isAfter, isBefore } from './sequence.ts'
import { SlowStart } from './slow-start.ts'

const abi = testAbi(1, () => 0)

test('sequence numbers compare across the wrap-around', t => {
  t.true(isAfter(5, -5))
  t.true(isBefore(0x7fffffff, (0x7fffffff + 10) | 0))
  t.is(distance(0x7fffffff, (0x7fffffff + 10) | 0), 10)
})

test('a send queue is the bytes that were written, whatever is copied out and dropped', t => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          write: fc.integer({ min: 0, max: 700 }),
          drop: fc.nat(900),
          at: fc.nat(900),
          length: fc.integer({ min: 1, max: 900 }),
        }),
        { maxLength: 60 },
      ),
      fc.integer(),
      (steps, seed) => {
        const random = seededRandom(seed)
        const queue = new SendQueue(abi)
        let model = Buffer.alloc(0)
        for (const { write, drop, at, length } of steps) {
          const bytes = Buffer.from(Array.from({ length: write + 5 }, () => random() * 256))
          queue.push(bytes, 5, write)
          model = Buffer.concat([model, bytes.subarray(5)])
          if (at < model.length) {
            const size = Math.min(length, model.length - at)
            const out = Buffer.alloc(size + 3)
            queue.copy(at, size, out, 3)
            if (!out.subarray(3).equals(model.subarray(at, at + size))) return false
            // Where they are in one array they can be found there.
            const array = queue.find(at, size)
            if (array !== undefined && !Buffer.from(array.subarray(queue.found, queue.found + size)).equals(model.subarray(at, at + size)))
              return false
            if (array === undefined && queue.find(at, 1) === undefined) return false
          }
          const gone = Math.min(drop, model.length)
          queue.drop(gone)
          model = model.subarray(gone)
          if (queue.bytes !== model.length) return false
        }
        return true
      },
    ),
    runs({ few: 500, cost: 5, seed: 1 }),
  )
  t.pass()
})

test('reassembly gives back every byte once, in order, from pieces in any order and overlap, near the wrap-around too', t => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(200), fc.integer({ min: 1, max: 60 })), { maxLength: 60 }),
      fc.constantFrom(0, 0x7fffffc0),
      (pieces, base) => {
        const budget = new MemoryBudget(1 << 20)
        const reassembly = new Reassembly(abi, budget)
        const stream = Buffer.from(Array.from({ length: 300 }, (_, i) => i & 255))
        const present = new Array(300).fill(false)
        for (const [from, length] of pieces) {
          if (!reassembly.add((base + from + 1) | 0, stream, from + 1, length, false)) return false
          present.fill(true, from + 1, from + 1 + length)
          const blocks = reassembly.blocks(4)
          if (blocks.length < 2 || blocks.length > 8) return false
          // The block of the latest piece comes first.
          const at = (base + from + 1) | 0
          if (((at - blocks[0]) | 0) < 0 || ((blocks[1] - at) | 0) < length) return false
        }
        present[0] = true
        let next = 1
        const out = [stream.subarray(0, 1)]
        for (let piece = reassembly.take((base + next) | 0); piece !== undefined; piece = reassembly.take((base + next) | 0)) {
          const part = Buffer.from(piece.bytes.subarray((base + next - piece.sequence) | 0))
          out.push(part)
          next += part.length
        }
        const end = present.indexOf(false)
        if (!Buffer.concat(out).equals(stream.subarray(0, end))) return false
        reassembly.clear()
        return budget.used === 0
      },
    ),
    runs({ few: 500, cost: 5, seed: 2 }),
  )
  t.pass()
})

test('RFC 6298: first sample, later samples, bounds, doubling', t => {
  const time = new RoundTrip()
  t.is(time.timeout, 1000)
  time.sample(500)
  t.is(time.timeout, 500 + 4 * 250)
  time.sample(500)
  t.is(time.timeout, 500 + 4 * 187.5)
  for (let i = 0; i < 100; i++) time.sample(1)
  t.is(time.timeout, 200)
  t.is(time.backedOff(3), 1600)
  t.is(time.backedOff(10), 60_000)
})

test('congestion window: slow start, loss, NewReno recovery, timeout', t => {
  const mss = 1000
  const c = new Congestion(mss, 0)
  const acknowledged = (bytes: number, upTo: number, flight: number): boolean => c.acknowledged(bytes, upTo, flight, 0, 10)
  t.is(c.window, 10_000)
  acknowledged(100, 1, 0)
  t.is(c.window, 10_000, 'a window that is not used does not grow')
  acknowledged(2000, 2001, 8000)
  t.is(c.window, 12_000)
  t.false(c.duplicate(2001, 12_000, 14_000))
  t.is(c.extra, 1000, 'limited transmit')
  t.false(c.duplicate(2001, 12_000, 14_000))
  t.true(c.duplicate(2001, 12_000, 14_000), 'the third: send the first segment again')
  t.is(c.window, 8400 + 3000)
  t.false(c.duplicate(2001, 12_000, 14_000))
  t.is(c.window, 12_400)
  t.true(acknowledged(4000, 6001, 8000), 'partial: the next is lost too')
  t.is(c.window, 9400)
  t.false(acknowledged(8000, 14_001, 0))
  t.is(c.window, 2000)
  acknowledged(2000, 16_001, 6000)
  acknowledged(2000, 18_001, 6000)
  acknowledged(2000, 20_001, 6000)
  t.is(c.window, 8000)
  acknowledged(400, 20_401, 6000)
  t.is(c.window, 8400)
  acknowledged(400, 20_801, 6000)
  t.true(c.window < 8800, 'slow start is over')
  c.timedOut(26_001, 7000, 33_000, false)
  t.is(c.window, 1000)
  t.false(
    [1, 2, 3, 4].some(() => c.duplicate(26_001, 7000, 33_000)),
    'no fast retransmit for what was sent before the timeout',
  )
})

test('slow start: the acknowledgment of a large packet counts whole, one of more than such a packet does not (RFC 9406 section 4.2)', t => {
  const c = new Congestion(1448, 0)
  c.acknowledged(c.window, c.window, 0, 0, 0)
  t.is(c.window, 2 * 14_480)
  c.acknowledged(45 * 1448, 80_000, 0, 0, 0)
  t.is(c.window, 2 * 14_480 + 45 * 1448)
  const before = c.window
  c.acknowledged(100 * 1448, 240_000, 0, 0, 0)
  t.is(c.window, before + 45 * 1448)
})

test('CUBIC: after a loss the window comes back to where it was, stays there, and looks for more (RFC 9438)', t => {
  const cubic = new Cubic()
  cubic.lost(100)
  const K = Math.cbrt(30 / 0.4)
  let window = 70
  const at: Record<string, number> = {}
  for (let step = 0; step <= 1000; step++) {
    const now = step / 100
    // A way of 100 ms: a tenth of the window is acknowledged each 10 ms.
    window = cubic.grow(window, window / 10, now, 0.1)
    at[now.toFixed(2)] = window
  }
  for (const seconds of [1, 2, 3, 4, 5, 6, 8, 10]) {
    const want = 0.4 * (seconds - K) ** 3 + 100
    const got = at[seconds.toFixed(2)]
    t.true(Math.abs(got - want) < 0.05 * want, `${seconds} s: ${got}, the curve is at ${want}`)
  }
  cubic.lost(80)
  t.true(cubic.grow(56, 1, 20, 0.1) > 56)
  let below = 56
  for (let step = 0; step < 2000; step++) below = cubic.grow(below, below / 10, 20 + step / 100, 0.1)
  t.true(below > 68, 'less than before: others have come; and later it looks for more all the same')
})

test('CUBIC: over a short way the window grows as fast as Reno’s would', t => {
  const cubic = new Cubic()
  cubic.lost(20)
  let window = 14
  let now = 0
  for (let round = 0; round < 200; round++, now += 0.001) for (let i = 0; i < 10; i++) window = cubic.grow(window, window / 10, now, 0.001)
  // 0.53 segments a round trip up to 20, then one.
  t.true(window > 14 + 0.5 * 12 + 170 && window < 220, `${window}`)
})

test('after a pause the window does not jump to where it had been', t => {
  const mss = 1000
  const c = new Congestion(mss, 0)
  let now = 0
  let at = 0
  const round = (): void => {
    const { window } = c
    for (let bytes = 0; bytes < window; bytes += mss) c.acknowledged(mss, (at += mss), window - mss, now, 10)
    now += 10
  }
  c.lossSeen(1, 40_000, 40_000)
  c.acknowledged(40_000, 40_001, 20_000, now, 10)
  for (let i = 0; i < 300; i++) round()
  const before = c.window
  t.true(before > 100 * mss, `${before}`)
  c.idle()
  now += 10_000
  let last = c.window
  t.is(last, 10 * mss)
  for (let i = 0; i < 5; i++) {
    round()
    t.true(c.window <= 2 * last, `${last} ${c.window}`)
    last = c.window
  }
})

test('HyStart++: a round-trip time that rises ends slow start before a loss does, one that only jumps does not (RFC 9406)', t => {
  const rounds = (times: readonly number[]): number => {
    const slowStart = new SlowStart(0)
    let at = 0
    for (const [round, time] of times.entries()) {
      for (let i = 0; i < 10; i++) if (slowStart.sample(time, at, at + 10)) return round
      at += 10
    }
    return slowStart.divisor === 1 ? -1 : -2
  }
  t.is(rounds(new Array(20).fill(50)), -1, 'no queue')
  t.is(rounds([50, 51, 52, 53, 54, 55, 56]), -1, 'an eighth of the time is not much')
  t.is(rounds([50, 50, 60, 60, 60, 60, 60, 60]), 7, 'five slower rounds, and it is over')
  t.is(rounds([50, 50, 60, 60]), -2, 'slower meanwhile')
  t.is(rounds([50, 50, 60, 50, 50, 50, 50, 50, 50]), -1, 'it was no queue')
  t.is(rounds([1, 1, 4, 4, 4]), -1, 'less than four milliseconds are noise')
})

test('initial sequence numbers: HalfSipHash as published, different for each connection, rising with the clock', t => {
  // HalfSipHash-2-4, key 00..07, message 00..0b, from the reference implementation's test vectors.
  const word = (i: number): number => i | ((i + 1) << 8) | ((i + 2) << 16) | ((i + 3) << 24)
  const random = (into: Uint8Array): void => into.forEach((_, i) => (into[i] = i))
  t.is(new KeyedHash({ ...abi, random }).of([word(0), word(4)], word(8)) >>> 0, 0x2f87f057)
  const isn = new InitialSequence(abi)
  const first = isn.next(1000, [1, 2], 80, 5000)
  t.not(first, isn.next(1000, [1, 2], 80, 5001))
  t.is(isn.next(2000, [1, 2], 80, 5000), (first + 250_000) | 0)
})
