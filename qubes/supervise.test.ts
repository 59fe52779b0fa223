import { SimulatedXen } from '@xen-ts/drivers/sim'
import test from 'ava'
import { type Attempt, ProtocolError, supervise } from './supervise.ts'
import '@xen-ts/drivers/sim/leak-check'

/** Supervises what the test does in each attempt; `starts` are the times (ms) they began at. */
function setUp(run: (attempt: Attempt, number: number, sleep: (ms: number) => Promise<void>) => Promise<void>) {
  const xen = new SimulatedXen()
  const { machine, log } = xen.createDomain(5)
  const abort = new AbortController()
  const starts: number[] = []
  const sleep = (ms: number): Promise<void> =>
    new Promise(resolve => {
      machine.timers.set(ms, resolve)
    })
  const running = supervise({
    timers: machine.timers,
    log: machine.log('agent'),
    signal: abort.signal,
    run: attempt => run(attempt, starts.push(xen.now) - 1, sleep),
  })
  const end = async (): Promise<void> => {
    abort.abort()
    await xen.advance(60_000)
    await running
  }
  const lines = () => log.filter(({ level }) => level !== 'debug').map(({ text }) => text)
  return { xen, starts, end, lines }
}

test('a daemon that dies again and again finds the next server at once, and the log says so a few times', async t => {
  const { xen, starts, end, lines } = setUp(async ({ connected, log }, _, sleep) => {
    connected()
    log.info('connected')
    await sleep(500)
    log.warn('the daemon closed the connection')
  })
  await xen.advance(60_000)
  t.true(starts.length > 95, String(starts.length))
  t.true(starts.slice(1).every((start, n) => start - starts[n] <= 600))
  t.deepEqual(starts.slice(0, 8), [0, 500, 1000, 1500, 2000, 2500, 3000, 3500])
  const told = lines().filter(line => line.startsWith('connected'))
  t.true(told.length > 5 && told.length < 12, told.join('\n'))
  t.regex(told.at(-1)!, /^connected \(and \d+ times before it\)$/)
  await end()
})

test('one that broke the protocol is no different', async t => {
  const { xen, starts, end, lines } = setUp(async ({ connected }) => {
    connected()
    throw new ProtocolError('a message of type 9')
  })
  await xen.advance(1000)
  t.true(starts.length >= 18 && starts.length <= 22, String(starts.length)) // ten at once, then ten a second
  t.is(lines().length, 3)
  t.regex(lines()[0], /connection lost: ProtocolError: a message of type 9; connecting again/)
  await end()
})

test('what never comes to a connection is tried ever less often', async t => {
  const { xen, starts, end } = setUp(async () => {
    throw new Error('no grant left')
  })
  await xen.advance(60_000)
  t.deepEqual(starts.slice(0, 9), [0, 100, 300, 700, 1500, 3100, 6300, 12_700, 22_700])
  await end()
})

test('after a good connection all is as at first', async t => {
  const { xen, starts, end, lines } = setUp(async ({ connected, log }, number, sleep) => {
    connected()
    log.info(`connection ${number}`)
    await sleep(number === 20 ? 20_000 : 100)
  })
  await xen.advance(40_000)
  t.is(starts[21] - starts[20], 20_000)
  for (const number of [21, 22]) t.true(lines().some(line => line.startsWith(`connection ${number}`)))
  await end()
})
