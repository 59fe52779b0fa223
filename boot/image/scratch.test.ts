import test from 'ava'
import fc from 'fast-check'
import { runs } from '../node/fuzz.ts'
import { Scratch } from './scratch.ts'

test('blocks never overlap, are aligned and inside, and their room is what was asked for', t => {
  const step = fc.record({ size: fc.integer({ min: 1, max: 5000 }), give: fc.boolean(), which: fc.nat() })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), steps => {
      const scratch = new Scratch(1000, 100_000)
      const live: { address: number; size: number }[] = []
      for (const { size, give, which } of steps) {
        if (give && live.length > 0) {
          scratch.give(live.splice(which % live.length, 1)[0].address)
          continue
        }
        const address = scratch.take(size)
        if (address === 0) continue
        t.is(address % 16, 0)
        t.true(scratch.holds(address) && address >= 1000 && address + size <= 100_000 && scratch.room(address) >= size)
        t.true(live.every(other => address + size <= other.address || other.address + other.size <= address))
        live.push({ address, size })
      }
      t.is(scratch.blocks, live.length)
    }),
    runs(),
  )
})

test('a freed block is used again, and a full area says so', t => {
  const scratch = new Scratch(4096, 4096 + 256)
  const first = scratch.take(100)
  t.is(scratch.take(200), 0)
  const second = scratch.take(128)
  t.is(scratch.take(1), 0)
  scratch.give(first)
  t.is(scratch.take(120), first)
  t.not(second, first)
  t.is(new Scratch(100, 100).take(1), 0)
})
