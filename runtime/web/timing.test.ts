import test from 'ava'
import * as ownWeb from './inject.ts'
import { Performance } from './performance.ts'
import { asInNode } from './testing.ts'
import { timingScenarios } from './timing.cases.ts'
import { addTiming } from './timing.ts'

addTiming()
const performance = new Performance({ clockMonotonic: () => globalThis.performance.now(), clockWall: () => Date.now() }) as any

asInNode(test, timingScenarios, { ...ownWeb, performance })

test('of each kind a thousand are kept, the last ones', t => {
  for (let i = 0; i < 1005; i++) performance.mark(`m${i}`)
  const names = performance.getEntriesByType('mark').map(({ name }: { name: string }) => name)
  t.deepEqual([names.length, names[0], names.at(-1)], [1000, 'm5', 'm1004'])
  performance.clearMarks()
})

test('a performance is not constructed by programs', t => {
  t.throws(() => new Performance(), { instanceOf: TypeError })
})

test('a measure of a duration needs a start or an end (Node takes it)', t => {
  t.throws(() => performance.measure('m', { duration: 3 }), { instanceOf: TypeError })
})
