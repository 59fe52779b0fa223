import { runs } from '@xen-ts/boot/fuzz'
import test from 'ava'
import fc from 'fast-check'
import { seededRandom } from '../testing/abi.ts'
import { World } from '../testing/world.ts'
import { interleave, type RaceOptions, race } from './happy-eyeballs.ts'
import { orderServices } from './srv.ts'

test('families take turns, that of the first address begins', t => {
  t.deepEqual(interleave([]), [])
  t.deepEqual(interleave(['::1', '::2', '::3', '1.1.1.1']), ['::1', '1.1.1.1', '::2', '::3'])
  t.deepEqual(interleave(['1.1.1.1', '1.1.1.2', '::1', '::2', '::3']), ['1.1.1.1', '::1', '1.1.1.2', '::2', '::3'])
  fc.assert(
    fc.property(fc.array(fc.constantFrom('::1', '::2', '1.1.1.1', '2.2.2.2')), addresses => {
      const order = interleave(addresses)
      t.deepEqual(order.toSorted(), addresses.toSorted())
      for (const family of [':', '.']) {
        t.deepEqual(
          order.filter(address => address.includes(family)),
          addresses.filter(address => address.includes(family)),
        )
      }
    }),
    runs(),
  )
})

/** What an address does: connects after so many milliseconds, or fails after them; 0 is at once. */
type Behaviour = { readonly connects: number } | { readonly fails: number } | 'never' | 'throws'

function contest(behaviours: readonly Behaviour[], options: Partial<RaceOptions<string>> = {}) {
  const world = new World(1)
  const addresses = behaviours.map((_, i) => `10.0.0.${i}`)
  const log: string[] = []
  const connect = (address: string, signal: AbortSignal): Promise<string> => {
    log.push(`${world.now} ${address}`)
    signal.addEventListener('abort', () => log.push(`${world.now} ${address} aborted`))
    const behaviour = behaviours[addresses.indexOf(address)]
    if (behaviour === 'throws') throw new Error(`${address} throws`)
    return new Promise((resolve, reject) => {
      if (behaviour === 'never') return
      if ('connects' in behaviour) world.at(behaviour.connects, () => resolve(`to ${address}`))
      else world.at(behaviour.fails, () => reject(new Error(`${address} refuses`)))
    })
  }
  const close = (connection: string): void => void log.push(`${world.now} closed ${connection}`)
  const result = race(addresses, { timers: world.machine('guest').timers, connect, close, ...options })
  result.catch(() => {})
  return { world, log, result }
}

test('the first that answers wins, and the others end', async t => {
  const { world, log, result } = contest(['never', { connects: 100 }, { connects: 10 }])
  await world.run(10_000)
  t.deepEqual(await result, { address: '10.0.0.1', connection: 'to 10.0.0.1' })
  t.deepEqual(log, ['0 10.0.0.0', '250 10.0.0.1', '350 10.0.0.0 aborted'])
  t.is(world.pending, 0)
})

test('after a failure the next begins at once', async t => {
  const { world, log, result } = contest([{ fails: 20 }, 'throws', { connects: 30 }])
  await world.run(10_000)
  t.is((await result).address, '10.0.0.2')
  t.deepEqual(log, ['0 10.0.0.0', '20 10.0.0.1', '20 10.0.0.2'])
})

test('a connection that comes too late is closed', async t => {
  const { world, log, result } = contest([{ connects: 300 }, { connects: 20 }])
  await world.run(10_000)
  t.is((await result).address, '10.0.0.1')
  t.deepEqual(log, ['0 10.0.0.0', '250 10.0.0.1', '270 10.0.0.0 aborted', '300 closed to 10.0.0.0'])
})

test('when all fail the error tells of each', async t => {
  const { world, result } = contest([{ fails: 500 }, { fails: 10 }, 'throws'])
  await world.run(10_000)
  const error = (await t.throwsAsync(result, { instanceOf: AggregateError })) as AggregateError
  t.is(error.message, 'none of 3 addresses answers: 10.0.0.1 refuses; 10.0.0.2 throws; 10.0.0.0 refuses')
  t.is(error.errors.length, 3)
  const one = contest([{ fails: 5 }])
  await one.world.run(1000)
  await t.throwsAsync(one.result, { message: '10.0.0.0 refuses' })
  await t.throwsAsync(contest([]).result, { instanceOf: RangeError })
})

test('an abort ends all attempts', async t => {
  const controller = new AbortController()
  const { world, log, result } = contest(['never', { connects: 400 }, 'never'], { signal: controller.signal })
  world.at(300, () => controller.abort(new Error('enough')))
  await world.run(10_000)
  await t.throwsAsync(result, { message: 'enough' })
  t.deepEqual(log, ['0 10.0.0.0', '250 10.0.0.1', '300 10.0.0.0 aborted', '300 10.0.0.1 aborted', '650 closed to 10.0.0.1'])
  t.is(world.pending, 0)
  const late = contest([{ connects: 1 }], { signal: controller.signal })
  await t.throwsAsync(late.result, { message: 'enough' })
  t.deepEqual(late.log, [])
})

test('services: by priority, then by weight and chance', t => {
  const random = seededRandom(1)
  const one = (priority: number, weight: number) => ({ priority, weight, port: 1, target: `${priority}-${weight}` })
  const count: Record<string, number> = {}
  for (let i = 0; i < 1000; i++) {
    const order = orderServices([one(2, 9), one(1, 10), one(1, 30), one(1, 0)], random)
    t.is(order.length, 4)
    t.is(order[3].priority, 2)
    count[order[0].target] = (count[order[0].target] ?? 0) + 1
  }
  t.true(count['1-30'] > 650 && count['1-30'] < 850, `${count['1-30']}`)
  t.true(count['1-0'] < 60, `${count['1-0']}`)
})
