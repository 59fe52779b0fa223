import { runs } from '@xen-ts/boot/fuzz'
import test from 'ava'
import fc from 'fast-check'
import { chooseFunctions } from './choose.ts'

const fn = (address: number, bytes = 10) => ({ address, bytes })

test('the hottest for each byte, as long as there is room', t => {
  const functions = [fn(1), fn(2), fn(3), fn(4)]
  const counts = new Map([
    [1, 10],
    [2, 1000],
    [3, 100],
  ])
  const sizes = new Map([1, 2, 3, 4].map(address => [address, 100]))
  const chosen = (budget: number | undefined) => [...chooseFunctions(functions, { counts, budget, sizes })]
  t.deepEqual(chosen(undefined), [2, 3, 1])
  t.deepEqual(chosen(299), [2, 3])
  t.deepEqual(chosen(99), [])
})

test('a small one fits where a larger one does not', t => {
  const sizes = new Map([
    [1, 500],
    [2, 50],
  ])
  const counts = new Map([
    [1, 1_000_000],
    [2, 1],
  ])
  t.deepEqual([...chooseFunctions([fn(1), fn(2)], { counts, budget: 100, sizes })], [2])
})

test('never more than there is room for, and the same whatever the order', t => {
  const some = fc.uniqueArray(
    fc.record({ address: fc.nat(1000), bytes: fc.integer({ min: 1, max: 300 }), count: fc.nat(50), size: fc.nat(400) }),
    {
      selector: ({ address }) => address,
    },
  )
  fc.assert(
    fc.property(some, fc.nat(3000), (functions, budget) => {
      const counts = new Map(functions.map(({ address, count }) => [address, count]))
      const sizes = new Map(functions.map(({ address, size }) => [address, size]))
      const chosen = chooseFunctions(functions, { counts, budget, sizes })
      const taken = [...chosen].reduce((sum, address) => sum + sizes.get(address)!, 0)
      const left = functions.filter(({ address, count, size }) => !chosen.has(address) && count > 0 && size <= budget - taken)
      const again = chooseFunctions(functions.toReversed(), { counts, budget, sizes })
      return (
        taken <= budget &&
        left.length === 0 &&
        [...chosen].join() === [...again].join() &&
        [...chosen].every(address => counts.get(address)! > 0)
      )
    }),
    runs(),
  )
  t.pass()
})
