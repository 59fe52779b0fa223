import test from 'ava'
import { FakeKernel } from '../fake-kernel.ts'
import { Loop } from '../loop.ts'
import { createTimers } from './timers.ts'

function setUp() {
  const kernel = new FakeKernel()
  const loop = new Loop(kernel.abi)
  const log: string[] = []
  const until = (time: number) => {
    for (; kernel.time < time; ) loop.turn()
  }
  return { kernel, loop, log, until, ...createTimers(loop) }
}

test('setTimeout passes its arguments and fires once', t => {
  const { setTimeout, log, loop } = setUp()
  setTimeout((a: string, b: string) => log.push(a + b), 10, 'x', 'y')
  loop.turn()
  t.deepEqual(log, ['xy'])
  t.throws(() => loop.turn())
})

test('a delay that is missing, negative or no number means at once; Infinity means never', t => {
  const { setTimeout, log, loop, kernel } = setUp()
  setTimeout(() => log.push('never'), Infinity)
  for (const delay of [undefined, -5, NaN, 'x', null]) setTimeout(() => log.push(String(delay)), delay as number)
  for (let i = 0; i < 5; i++) loop.turn()
  t.deepEqual(log, ['undefined', '-5', 'NaN', 'x', 'null'])
  t.is(kernel.time, 0)
})

test('an interval keeps its rhythm when its function is slow, and skips what it missed', t => {
  const { setInterval, setTimeout, clearInterval, kernel, loop } = setUp()
  const times: number[] = []
  const id = setInterval(() => {
    times.push(kernel.time)
    if (times.length === 2) kernel.time += 5
    if (times.length === 4) kernel.time += 35
    if (times.length === 7) clearInterval(id)
  }, 10)
  setTimeout(() => {}, 1_000)
  while (kernel.time < 1_000) loop.turn()
  t.deepEqual(times, [10, 20, 30, 40, 75, 80, 90])
})

test('an interval of nothing lets time pass', t => {
  const { setInterval, clearInterval, setTimeout, log, until } = setUp()
  const id = setInterval(() => log.push('tick'), 0)
  setTimeout(() => clearInterval(id), 5)
  setTimeout(() => {}, 6)
  until(6)
  t.true(log.length >= 4 && log.length <= 5)
})

test('clearing takes any value, its own timer while it runs, and both kinds', t => {
  const { setTimeout, setInterval, clearTimeout, clearInterval, log, loop } = setUp()
  for (const wrong of [undefined, null, 99, 'x', {}]) clearTimeout(wrong)
  clearInterval(setTimeout(() => log.push('timeout'), 1))
  clearTimeout(setInterval(() => log.push('interval'), 1))
  const own: number = setTimeout(() => {
    clearTimeout(own)
    log.push('own')
  }, 1)
  loop.turn()
  t.deepEqual(log, ['own'])
})

test('a callback that is no function is refused', t => {
  const { setTimeout } = setUp()
  t.throws(() => setTimeout('x' as any, 1), {
    instanceOf: TypeError,
    message: /setTimeout: the first argument must be a function, not string/,
  })
})
