/** This qube ends in the middle of calls: every caller gets an exit code, and its vchan's end, while the domain is still there. */

import type { ByteChannel, Channels } from '@xen-ts/drivers/channel'
import { SimulatedXen } from '@xen-ts/drivers/sim'
import { hello, MiniQubes, type MiniQubesOptions } from '@xen-ts/rig/dom0'
import { Lifecycle } from '@xen-ts/runtime/machine'
import test, { type ExecutionContext } from 'ava'
import { endWith, startAgents } from '../agents.ts'
import { channelsOf, pollingChannelsOf } from '../testing.ts'
import type { ServiceHandler } from './incoming.ts'
import { exec } from './testing.ts'
import '@xen-ts/drivers/sim/leak-check'

/** A qube whose program runs until it is told to end, and its dom0. */
async function setUp(
  t: ExecutionContext,
  services: Record<string, ServiceHandler>,
  start = (signal: AbortSignal) => aborted(signal),
  options: Partial<MiniQubesOptions> = {},
) {
  const xen = new SimulatedXen()
  const [dom0, guest] = [xen.createDomain(0), xen.createDomain(5)]
  const theirs = pollingChannelsOf(dom0)
  /** When dom0 saw the end of a channel, by port. */
  const closings = new Map<number, number>()
  const noted = async (port: number, opening: Promise<ByteChannel>): Promise<ByteChannel> => {
    const channel = await opening
    void channel.closed.then(() => closings.set(port, xen.now))
    return channel
  }
  const noting: Channels = {
    connect: (domid, port, options) => noted(port, theirs.connect(domid, port, options)),
    serve: (domid, port, options) => noted(port, theirs.serve(domid, port, options)),
  }
  const qubes = new MiniQubes({ domid: 5, channels: noting, ...options })
  qubes.failed.catch(error => t.fail(String(error)))
  qubes.start()
  await xen.settle()
  const { machine, channels } = channelsOf(guest)
  const lifecycle = new Lifecycle(guest.abi, machine.timers, machine.log('app'))
  const agents = startAgents({ machine, channels })
  const begun = Promise.withResolvers<void>()
  endWith({ lifecycle, agents, timers: machine.timers, started: begun.promise })
  for (const [name, handler] of Object.entries(services)) agents.qrexec.service(name, handler)
  /** When the devices of the program were closed. */
  let closed = Infinity
  const running = lifecycle.run(
    async () => {
      lifecycle.onShutdown('device', () => {
        closed = xen.now
      })
    },
    () => {
      begun.resolve()
      return start(lifecycle.signal)
    },
  )
  qubes.connect()
  await xen.run(qubes.qrexec.connected())
  /** A call, and when its end was seen. */
  const call = (service: string, options: Parameters<MiniQubes['call']>[1] = {}) => {
    const seen = { code: -1, stdout: '', at: Infinity }
    const ended = qubes.call(service, options).then(
      ({ code, stdout }) => Object.assign(seen, { code, stdout: stdout.toString(), at: xen.now }),
      error => Object.assign(seen, { stdout: String(error), at: xen.now }),
    )
    return { seen, ended }
  }
  const shutDown = async () => {
    lifecycle.request('poweroff')
    await xen.run(running)
    t.is(guest.shutdownReason, 0)
    const end = xen.now
    await xen.advance(100)
    qubes.stop()
    await xen.advance(30_000)
    return end
  }
  return { xen, guest, qubes, theirs, closings, devicesClosed: () => closed, agents, call, shutDown }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve())
  })

/** Some input, and then nothing for ever. */
async function* waiting(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('half')
  await new Promise(() => {})
}

const sleeper =
  (set: (delay: number, run: () => void) => unknown) =>
  (milliseconds: number): Promise<void> =>
    new Promise(resolve => {
      set(milliseconds, resolve)
    })

test('a service that needs 1.5 s to tidy up has them, and what it writes and its exit code arrive', async t => {
  let sleep = (_: number): Promise<void> => Promise.resolve()
  const { xen, guest, call, devicesClosed, shutDown } = await setUp(t, {
    tidy: async ({ signal, stdout }) => {
      await aborted(signal)
      await sleep(1500)
      await stdout.write('tidied up')
      return 7
    },
  })
  sleep = sleeper((delay, run) => guest.machine.timers.set(delay, run))
  const { seen } = call('tidy')
  await xen.advance(100)
  const end = await shutDown()
  t.like(seen, { code: 7, stdout: 'tidied up' })
  t.true(seen.at <= devicesClosed() && devicesClosed() <= end) // it may need them
})

test('a service that waits for input which does not come is told so after a second; its caller gets an exit code', async t => {
  const { xen, call, shutDown } = await setUp(t, { echo: ({ stdin, stdout }) => stdin.pipeTo(stdout) })
  const { seen } = call('echo', { input: waiting() })
  await xen.advance(100)
  const before = xen.now
  const end = await shutDown()
  t.like(seen, { code: 1, stdout: 'half' })
  t.true(seen.at <= end && end - before < 2_000)
})

test('input that goes on arriving is taken to its end', async t => {
  const { xen, guest, call, shutDown } = await setUp(t, { echo: ({ stdin, stdout }) => stdin.pipeTo(stdout) })
  const input = async function* (): AsyncGenerator<Uint8Array> {
    for (let piece = 0; piece < 5; piece++) {
      yield Buffer.from(`${piece}`)
      await sleeper((delay, run) => guest.machine.timers.set(delay, run))(600)
    }
  }
  const { seen } = call('echo', { input: input() })
  await xen.advance(100)
  const end = await shutDown()
  t.like(seen, { code: 0, stdout: '01234' })
  t.true(seen.at <= end)
})

test('a service that ignores the signal is closed after the grace: exit code 125, what it wrote before it, and nothing after', async t => {
  const { xen, guest, call, shutDown } = await setUp(t, {
    stubborn: async ({ stdout }) => {
      await stdout.write('begun')
      await new Promise(() => {})
    },
    chatty: async ({ stdout }) => {
      for (;;) {
        await stdout.write('x')
        await sleeper((delay, run) => guest.machine.timers.set(delay, run))(700)
      }
    },
  })
  const [stubborn, chatty] = [call('stubborn', { input: waiting() }), call('chatty')]
  await xen.advance(100)
  const before = xen.now
  const end = await shutDown()
  t.like(stubborn.seen, { code: 125, stdout: 'begun' })
  t.like(chatty.seen, { code: 125 })
  t.regex(chatty.seen.stdout, /^x{2,9}$/)
  t.true(stubborn.seen.at <= end && chatty.seen.at <= end && end - before <= 6_000)
  t.is(guest.log.filter(({ level, text }) => level === 'warn' && /stubborn for dom0/.test(text)).length, 1)
})

test('a caller that takes nothing does not keep the qube; its vchan ends all the same', async t => {
  const { xen, qubes, theirs, shutDown } = await setUp(t, {
    flood: async ({ stdout }) => {
      for (;;) await stdout.write(new Uint8Array(100_000))
    },
  })
  const served = theirs.serve(5, 600, { readSize: 65536, writeSize: 65536 })
  await xen.run(qubes.qrexec.sendRaw(exec(600, 'user:QUBESRPC flood dom0\0'), 600))
  const channel = await xen.run(served)
  await xen.run(hello(channel, 3))
  let closed = Infinity
  void channel.closed.then(() => {
    closed = xen.now
  })
  await xen.advance(100)
  const end = await shutDown()
  t.true(closed <= end)
  channel.close()
})

test('a service that is called while the qube shuts down is refused with 125; one under way may call others until the end', async t => {
  let sleep = (_: number): Promise<void> => Promise.resolve()
  const { xen, guest, qubes, agents, call, shutDown } = await setUp(t, {
    slow: async ({ signal, stdout }) => {
      await aborted(signal)
      await sleep(500)
      await stdout.write(await agents.qrexec.call('@default', 'qubes.GetDate').text())
      return 3
    },
  })
  sleep = sleeper((delay, run) => guest.machine.timers.set(delay, run))
  const { seen } = call('slow')
  await xen.advance(100)
  let late: ReturnType<typeof call> | undefined
  guest.machine.timers.set(200, () => {
    late = call('slow')
  })
  const end = await shutDown()
  t.is(seen.code, 3)
  t.regex(seen.stdout, /^\d{4}-/)
  t.is(late!.seen.code, 125)
  t.true(late!.seen.at <= end)
  t.deepEqual(qubes.qrexec.portsInUse, [])
})

test('JUST_EXEC: the service has its grace as well', async t => {
  let sleep = (_: number): Promise<void> => Promise.resolve()
  let done = false
  const { xen, guest, call, shutDown } = await setUp(t, {
    detached: async ({ signal }) => {
      await aborted(signal)
      await sleep(1500)
      done = guest.alive
    },
  })
  sleep = sleeper((delay, run) => guest.machine.timers.set(delay, run))
  call('detached', { justExec: true })
  await xen.advance(100)
  await shutDown()
  t.true(done)
})

test('without calls the qube ends at once', async t => {
  const { xen, shutDown } = await setUp(t, {})
  await xen.advance(100)
  const before = xen.now
  t.true((await shutDown()) - before < 100)
})

test('windows, QubesDB, the control channel and a call of the program end with the qube', async t => {
  const hold = Promise.withResolvers<string>()
  const { xen, agents, qubes, closings, shutDown } = await setUp(t, {}, undefined, {
    policy: ({ service }) => (service === 'qubes.Slow' ? () => hold.promise : undefined),
  })
  await xen.run(qubes.gui!.until(() => qubes.gui!.minor > 0))
  const outgoing = agents.qrexec.call('@default', 'qubes.Slow')
  outgoing.wait().catch(() => {})
  await xen.advance(1000)
  const end = await shutDown()
  hold.resolve('nobody hears this')
  await xen.settle()
  t.deepEqual(
    [...closings].sort(([a], [b]) => a - b).map(([port, at]) => [port, at <= end]),
    [
      [111, true],
      [512, true],
      [513, true],
      [6000, true],
    ],
  )
})

test('a program that fails: the domain crashes, and callers have their exit codes before', async t => {
  let fail = (_: Error): void => {}
  const { xen, guest, call, devicesClosed } = await setUp(
    t,
    { echo: ({ stdin, stdout }) => stdin.pipeTo(stdout) },
    () =>
      new Promise((_, reject) => {
        fail = reject
      }),
  )
  const { seen, ended } = call('echo', { input: waiting() })
  await xen.advance(100)
  fail(new Error('the disk is gone'))
  await xen.run(ended)
  await xen.advance(30_000)
  t.is(guest.shutdownReason, 3)
  t.like(seen, { code: 1, stdout: 'half' })
  t.true(seen.at <= devicesClosed())
})

test('a caller that connects and never greets is not waited for: its service has not begun', async t => {
  const { xen, qubes, theirs, shutDown } = await setUp(t, { echo: ({ stdin, stdout }) => stdin.pipeTo(stdout) })
  const served = theirs.serve(5, 600, { readSize: 65536, writeSize: 65536 })
  await xen.run(qubes.qrexec.sendRaw(exec(600, 'user:QUBESRPC echo dom0\0'), 600))
  const channel = await xen.run(served)
  let closed = Infinity
  void channel.closed.then(() => {
    closed = xen.now
  })
  await xen.advance(100)
  const before = xen.now
  const end = await shutDown()
  t.true(closed <= end && end - before < 1_500, `${end - before} ms`)
  channel.close()
})
