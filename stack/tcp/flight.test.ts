/** What is under way and what is lost of it (RFC 8985), beside a model and by cases. */
import { runs } from '@xen-ts/boot/fuzz'
import test from 'ava'
import fc from 'fast-check'
import { Flight } from './flight.ts'

type Step =
  | { kind: 'add'; length: number }
  | { kind: 'hold'; from: number; length: number }
  | { kind: 'advance'; by: number }
  | { kind: 'detect' | 'timeout' | 'forget' | 'resend' | 'resendLast' }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('add' as const), length: fc.integer({ min: 1, max: 12 }) }),
  fc.record({ kind: fc.constant('hold' as const), from: fc.nat(60), length: fc.integer({ min: 1, max: 12 }) }),
  fc.record({ kind: fc.constant('advance' as const), by: fc.nat(10) }),
  fc.record({ kind: fc.constantFrom('detect' as const, 'timeout' as const, 'forget' as const, 'resend' as const, 'resendLast' as const) }),
)

test('its counts are those of a set of numbers, near the wrap-around too, and what is lost was neither delivered nor sent last', t => {
  fc.assert(
    fc.property(fc.array(fc.tuple(step, fc.nat(3)), { maxLength: 60 }), fc.constantFrom(0, 0x7fffffd0, -20), (steps, base) => {
      const at = (n: number): number => (base + n) | 0
      const flight = new Flight()
      let una = 0
      let max = 10
      let now = 0
      flight.begin(at(0), at(max), now)
      const held = new Set<number>()
      for (const [{ kind, ...values }, pause] of steps) {
        now += pause
        const { length = 0, from = 0, by = 0 } = values as { length?: number; from?: number; by?: number }
        flight.listen()
        if (kind === 'add') {
          max += length
          flight.add(at(max), now)
        } else if (kind === 'hold') {
          const begin = una + 1 + from
          const end = Math.min(begin + length, max)
          if (begin >= end) continue
          let news = false
          for (let i = begin; i < end; i++) {
            if (!held.has(i)) news = true
            held.add(i)
          }
          if (flight.hold(at(begin), at(end), now) !== news) return false
        } else if (kind === 'advance') {
          if (una + by >= max) continue
          una += by
          for (const i of held) if (i < una) held.delete(i)
          const isTakenBack = held.has(una)
          if (flight.advance(at(una), now) === isTakenBack) return false
          if (isTakenBack) {
            flight.forget()
            held.clear()
          }
        } else if (kind === 'detect') {
          if (flight.detect(now, 4, 3, false) < 0) return false
        } else if (kind === 'timeout') {
          flight.timedOut(now, 3)
          if (flight.lost === 0) return false
        } else if (kind === 'forget') {
          flight.forget()
          held.clear()
          if (flight.lost !== max - una) return false
        } else if (kind === 'resend') {
          const first = flight.firstLost()
          if (first < 0 !== (flight.lost === 0)) return false
          if (first < 0) continue
          for (let i = first; i < first + flight.length; i++) if (held.has(una + i)) return false
          const { lost } = flight
          const part = Math.min(4, flight.length)
          flight.resend(part, now)
          if (flight.lost !== lost - part) return false
        } else {
          const last = flight.lastSegment(4)
          if (last < 0) continue
          if (held.has(una + last) || last + flight.length !== max - una) return false
          flight.resendLast(now)
        }
        if (flight.held !== held.size || flight.una !== at(una)) return false
        if (flight.lost < 0 || flight.resent < 0 || flight.lost + flight.held + flight.resent > max - una) return false
        if (flight.pipe !== max - una - flight.held - flight.lost) return false
      }
      return true
    }),
    runs({ few: 2000, seed: 3 }),
  )
  t.pass()
})

/** Ten segments of 1000 bytes, one a millisecond from 0 on. */
function ten(): Flight {
  const flight = new Flight()
  flight.begin(0, 1000, 0)
  for (let i = 1; i < 10; i++) flight.add((i + 1) * 1000, i)
  return flight
}

const MSS = 1000

test('three segments beyond a hole make it lost at once; fewer after a quarter of a round trip', t => {
  const flight = ten()
  flight.listen()
  flight.hold(1000, 2000, 20)
  t.is(flight.detect(20, MSS, 19, false), 19 + 19 / 4 - 20)
  t.is(flight.lost, 0)
  flight.detect(24, MSS, 19, false)
  t.is(flight.lost, 1000)
  const other = ten()
  other.listen()
  other.hold(1000, 3000, 20)
  other.detect(20, MSS, 19, false)
  t.is(other.lost, 0, 'two segments')
  other.hold(3000, 4000, 21)
  other.detect(21, MSS, 19, false)
  t.is(other.lost, 1000)
  const crumbs = ten()
  crumbs.listen()
  for (const from of [1100, 2100, 3100]) crumbs.hold(from, from + 10, 20)
  crumbs.detect(20, MSS, 19, false)
  t.is(crumbs.lost, 1000 + 100 + 890 + 100 + 890 + 100, 'three pieces, however small: all that was sent before the last of them')
})

test('when something came late once, all that is missing gets a quarter of a round trip, and more with each that was sent twice for nothing', t => {
  const flight = ten()
  flight.listen()
  flight.hold(1000, 4000, 20)
  flight.listen()
  flight.advance(4000, 21) // the first came after the others
  flight.listen()
  flight.hold(5000, 9000, 26)
  const wait = flight.detect(26, MSS, 19, false)
  t.true(wait > 0)
  t.is(flight.lost, 0)
  flight.arrivedTwice(10_000)
  const longer = flight.detect(26, MSS, 19, false)
  t.true(longer > wait, `${wait} ${longer}`)
  flight.detect(26 + longer, MSS, 19, false)
  t.is(flight.lost, 1000)
})

test('what was sent again is lost when something sent later arrives; not when its first transmission does', t => {
  const flight = ten()
  flight.listen()
  flight.hold(1000, 9000, 20)
  flight.detect(20, MSS, 19, false)
  t.is(flight.firstLost(), 0)
  flight.resend(1000, 30)
  flight.add(11_000, 31)
  t.is(flight.lost, 0)
  flight.listen()
  flight.hold(9000, 10_000, 31)
  flight.detect(31, MSS, 19, true)
  t.is(flight.lost, 0, 'sent before')
  flight.listen()
  flight.hold(10_000, 11_000, 51)
  flight.detect(51, MSS, 19, true)
  t.is(flight.lost, 1000, 'sent later')
})

test('it is bounded, whatever a peer tells', t => {
  const flight = new Flight()
  flight.begin(0, 1_000_000, 0)
  flight.listen()
  let taken = 0
  for (let i = 1; i < 50_000; i++) if (flight.hold(i * 10, i * 10 + 5, 1)) taken++
  t.true(taken > 200 && taken < 300, `${taken}`)
  const { held } = flight
  t.true(held >= taken * 5)
  flight.listen()
  flight.advance(1_000_000, 2)
  t.deepEqual([flight.held, flight.lost, flight.resent], [0, 0, 0])
})
