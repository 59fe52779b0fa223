import { waitPorts } from '@xen-ts/boot/abi'
import { runs } from '@xen-ts/boot/fuzz'
import test from 'ava'
import fc from 'fast-check'
import { FakeKernel } from './fake-kernel.ts'
import { DeadlockError, Loop } from './loop.ts'
import { type HeapTimer, TimerHeap } from './timer-heap.ts'

function setUp() {
  const kernel = new FakeKernel()
  const loop = new Loop(kernel.abi)
  const log: string[] = []
  return {
    kernel,
    loop,
    log,
    note: (text: string) => () => {
      log.push(text)
    },
  }
}

test('timers fire in the order of their deadlines, equal ones as they were set, one a turn', t => {
  const { kernel, loop, log, note } = setUp()
  loop.set(20, note('c'))
  loop.set(10, note('a'))
  loop.set(10, note('b'))
  loop.turn()
  t.deepEqual(log, ['a'])
  t.is(kernel.time, 10)
  loop.turn()
  loop.turn()
  t.deepEqual(log, ['a', 'b', 'c'])
  t.is(kernel.time, 20)
})

test('a cancelled timer does not fire, also when one that is due with it cancels it; cancelling again does nothing', t => {
  const { loop, log, note } = setUp()
  const second = loop.set(1, note('second'))
  const first = loop.set(0, () => {
    log.push('first')
    second.cancel()
    first.cancel()
  })
  loop.set(2, note('third'))
  for (let i = 0; i < 2; i++) loop.turn()
  t.deepEqual(log, ['first', 'third'])
})

test('a timer never fires early, even when wait returns early', t => {
  const { kernel, loop, log, note } = setUp()
  const wait = kernel.abi.wait
  const early = new Loop({
    ...kernel.abi,
    clockMonotonic: () => kernel.time,
    wait: (deadline: number, ports: Uint8Array) => wait(deadline - 1, ports),
  } as any)
  early.set(5, note('fired'))
  early.turn()
  t.deepEqual(log, [])
  kernel.time = 5
  early.turn()
  t.deepEqual(log, ['fired'])
  t.is(loop.now(), 5)
})

test('each pending port gets one call, one a turn', t => {
  const { kernel, loop, log, note } = setUp()
  for (const port of [3, 7]) loop.on(port, note(`port ${port}`))
  kernel.notify(7)
  kernel.notify(3)
  kernel.notify(7)
  loop.turn()
  t.is(log.length, 1)
  loop.turn()
  t.deepEqual(log.sort(), ['port 3', 'port 7'])
})

test('a port that is closed between report and turn is not called', t => {
  const { kernel, loop, log, note } = setUp()
  loop.on(3, () => {
    log.push('three')
    loop.off(7)
  })
  loop.on(7, note('seven'))
  kernel.notify(3)
  kernel.notify(7)
  loop.set(1, note('timer'))
  for (let i = 0; i < 3; i++) loop.turn()
  t.deepEqual(log, ['three', 'timer'])
})

test('a port that is always busy does not starve timers, and timers that are always due do not starve a port', t => {
  const { kernel, loop, log } = setUp()
  loop.on(1, () => {
    log.push('port')
    kernel.notify(1)
  })
  const again = () => {
    log.push('timer')
    loop.set(0, again)
  }
  again()
  kernel.notify(1)
  for (let i = 0; i < 100; i++) loop.turn()
  t.true(log.filter(entry => entry === 'port').length >= 49, log.join())
  t.true(log.filter(entry => entry === 'timer').length >= 49, log.join())
})

test('more busy ports than fit a batch are all served', t => {
  const { kernel, loop } = setUp()
  const calls = new Map<number, number>()
  for (let port = 1; port <= 600; port++) {
    loop.on(port, () => {
      calls.set(port, (calls.get(port) ?? 0) + 1)
      kernel.notify(port)
    })
    kernel.notify(port)
  }
  for (let i = 0; i < 2_400; i++) loop.turn()
  t.is(calls.size, 600)
  t.true(Math.min(...calls.values()) >= 3)
})

test('a second handler for a port is refused', t => {
  const { loop } = setUp()
  loop.on(1, () => {})
  t.throws(() => loop.on(1, () => {}), { message: /port 1 has a handler already/ })
})

test('when nothing can ever happen the loop says so instead of waiting for ever', t => {
  const { loop } = setUp()
  t.throws(() => loop.turn(), { instanceOf: DeadlockError })
  loop.set(Infinity, () => {})
  t.throws(() => loop.turn(), { instanceOf: DeadlockError })
})

test('what a handler throws reaches the kernel, and the loop goes on', t => {
  const { loop, log, note } = setUp()
  loop.set(0, () => {
    throw new RangeError('x')
  })
  loop.set(0, note('next'))
  t.throws(() => loop.turn(), { instanceOf: RangeError })
  loop.turn()
  t.deepEqual(log, ['next'])
})

test('the heap gives timers in order whatever is set and removed', t => {
  const action = fc.oneof(
    fc.record({ add: fc.nat(20) }),
    fc.record({ append: fc.nat(2) }),
    fc.record({ remove: fc.nat(30) }),
    fc.constant('pop' as const),
  )
  // Timers without a delay that are there from the beginning: many are removed before those after them.
  const queue = fc.oneof(fc.constant(0), fc.nat(200))
  fc.assert(
    fc.property(queue, fc.array(action, { maxLength: 300 }), (queued, actions) => {
      const heap = new TimerHeap()
      let now = 0
      const model: HeapTimer[] = []
      const all: HeapTimer[] = []
      const drop = (timer: HeapTimer | undefined) => {
        if (timer === undefined) return
        heap.remove(timer)
        const index = model.indexOf(timer)
        if (index >= 0) model.splice(index, 1)
      }
      const put = (timer: HeapTimer) => {
        model.push(timer)
        all.push(timer)
      }
      for (let i = 0; i < queued; i++) put(heap.append(0, () => {}))
      for (const step of actions) {
        if (step === 'pop') drop(heap.first())
        else if ('add' in step) put(heap.add(step.add, () => {}))
        else if ('append' in step) put(heap.append((now += step.append), () => {}))
        else drop(all[step.remove])
        model.sort((a, b) => a.deadline - b.deadline || a.sequence - b.sequence)
        t.is(heap.first(), model[0])
        t.is(heap.size, model.length)
      }
    }),
    runs(),
  )
})

test('timers without a delay cost one reading of the clock a round, and do not keep one with a delay waiting', t => {
  const { kernel, loop } = setUp()
  const { clockMonotonic } = kernel.abi
  let readings = 0
  kernel.abi.clockMonotonic = () => {
    readings++
    kernel.time += 0.25
    return clockMonotonic()
  }
  const counts = [0, 0, 0]
  const again = (index: number) => () => {
    counts[index]++
    loop.set(0, again(index))
  }
  for (const index of counts.keys()) loop.set(0, again(index))
  for (let i = 0; i < 300; i++) loop.turn()
  t.deepEqual(counts, [100, 100, 100])
  t.true(readings <= 101, String(readings))

  let late = false
  loop.set(5, () => {
    late = true
  })
  for (let i = 0; i < 100; i++) loop.turn()
  t.true(late)
})

test('the loop has room for as many ports as the kernel gives at once, and no more', t => {
  const { kernel } = setUp()
  const rooms: number[] = []
  const loop = new Loop({
    ...kernel.abi,
    wait: (_deadline: number, ports: Uint8Array) => {
      rooms.push(ports.length / 4)
      return 0
    },
  } as any)
  loop.on(1, () => {})
  loop.turn()
  t.deepEqual(rooms, [waitPorts])
})

test('a handler that has read the clock spares the loop to do so; a timer that comes due meanwhile does not wait for more than one port', t => {
  const { kernel, loop, log, note } = setUp()
  const { clockMonotonic } = kernel.abi
  let readings = 0
  kernel.abi.clockMonotonic = () => {
    readings++
    return clockMonotonic()
  }
  loop.set(100, note('timer'))
  loop.on(1, () => {
    loop.now()
    log.push('port')
    kernel.notify(1)
    kernel.time += 40
  })
  kernel.notify(1)
  loop.turn()
  readings = 0
  loop.turn()
  t.is(readings, 1, 'the handler’s own')
  for (let i = 0; i < 4; i++) loop.turn()
  t.deepEqual(log.slice(0, 4), ['port', 'port', 'port', 'port'])
  t.true(log.indexOf('timer') === 4, log.join())
})

test('a handler that asks for a recent time is given that of the kernel, and spares the loop a reading too', t => {
  const { kernel, loop } = setUp()
  let readings = 0
  kernel.abi.clockMonotonic = () => {
    readings++
    return kernel.time
  }
  kernel.abi.clockRecent = () => kernel.time - 3
  loop.set(100, () => {})
  readings = 0
  const times: number[] = []
  loop.on(1, () => times.push(loop.recent()))
  for (let i = 0; i < 5; i++) {
    kernel.notify(1)
    loop.turn()
  }
  t.deepEqual([times, readings], [Array(5).fill(kernel.time - 3), 0])
})

test('a timer at a time that is known: with its subject, without a look at the clock, and it cancels itself', t => {
  const { kernel, loop, log } = setUp()
  loop.now()
  const { clockMonotonic } = kernel.abi
  let readings = 0
  kernel.abi.clockMonotonic = () => {
    readings++
    return clockMonotonic()
  }
  const say = ({ text }: { text: string }): void => void log.push(`${text} ${kernel.time}`)
  loop.at(20, say, { text: 'b' })
  loop.at(10, say, { text: 'a' })
  loop.at(15, say, { text: 'none' }).cancel()
  t.is(readings, 0)
  for (let i = 0; i < 2; i++) loop.turn()
  t.deepEqual(log, ['a 10', 'b 20'])
})
