import { message, QrexecDaemon, testMachine } from '@xen-ts/rig/dom0'
import { Hub } from '@xen-ts/rig/dom0/hub'
import test from 'ava'
import { Qrexec } from './agent.ts'
import { DOMID, setUp, tick, u32, victim } from './testing.ts'

const answering = setUp.bind(undefined, {
  policy: ({ service, argument, target }) =>
    service === 'qubes.GetDate'
      ? (input: Buffer) => `${target} ${argument} ${input}\n`
      : service === 'fails'
        ? () => ({ code: 3, stdout: Buffer.from('half'), stderr: Buffer.from('went wrong\n') })
        : service === 'big'
          ? (input: Buffer) => ({ stdout: input })
          : undefined,
})

test('outgoing calls: output, exit code, stderr', async t => {
  const { agent, daemon, hub } = answering()
  await daemon.connected()
  t.is(await agent.call('@default', 'qubes.GetDate+nanoseconds', 'now').text(), '@default nanoseconds now\n')
  await t.throwsAsync(agent.call('dom0', 'fails').text(), {
    name: 'QrexecError',
    message: 'fails in dom0 ended with exit code 3: went wrong',
  })
  const call = agent.call('dom0', 'fails')
  t.is(await call.stdout.text(), 'half')
  t.deepEqual(await call.wait(), { code: 3, stderr: 'went wrong\n' })
  await daemon.idle()
  t.deepEqual(hub.open, ['5>0:512'])
})

test('outgoing calls: 1 MiB there and back, 20 at once, protocol 2 and 3', async t => {
  for (const version of [2, 3] as const) {
    const { agent, daemon } = setUp({ version, policy: () => input => ({ stdout: input }) })
    await daemon.connected()
    const input = Buffer.alloc(1 << 20, 'abcdefg')
    t.true(Buffer.from(await agent.call('dom0', 'big', input).bytes()).equals(input))
    const texts = await Promise.all(Array.from({ length: 20 }, (_, n) => agent.call('dom0', 'big', `${n}`).text()))
    t.deepEqual(
      texts,
      Array.from({ length: 20 }, (_, n) => `${n}`),
    )
    await daemon.idle()
  }
})

test('outgoing calls that cannot be made say why, and send nothing', async t => {
  const { agent, daemon, serving } = answering()
  const lonely = new Qrexec({ machine: testMachine(5000), channels: new Hub().channels(DOMID) })
  await t.throwsAsync(lonely.call('dom0', 'x').wait(), { message: /x in dom0 cannot be called: dom0's daemon did not connect within 60 s/ })
  await daemon.connected()
  await t.throwsAsync(agent.call('dom0', 'my.Forbidden').text(), {
    name: 'QrexecRefusedError',
    message: /dom0 refused my.Forbidden in dom0: look at its policy/,
  })
  for (const [target, service] of [
    ['', 'x'],
    ['a b', 'x'],
    ['x'.repeat(64), 'x'],
    ['dom0', ''],
    ['dom0', '+x'],
    ['dom0', 'a b'],
    ['dom0', 'x'.repeat(65001)],
  ]) {
    await t.throwsAsync(agent.call(target, service).wait(), { name: 'QrexecError', message: /cannot be called/ })
  }
  await daemon.idle()
  t.is(await Promise.race([serving.then(() => 'ended'), tick()]), undefined)
})

test('an outgoing call can be given up at any time; its port comes back', async t => {
  const { agent, daemon, hub } = answering()
  await daemon.connected()
  const early = agent.call('dom0', 'qubes.GetDate')
  early.close()
  await t.throwsAsync(early.wait(), { message: /given up/ })
  const late = agent.call('dom0', 'big', new Uint8Array(1 << 20))
  await late.stdout.read()
  late.close()
  await daemon.idle()
  await tick()
  t.deepEqual(hub.open, ['5>0:512'])
})

test('a call whose input fails ends with the reason: the service does not wait for the rest', async t => {
  const { agent, daemon, hub } = answering()
  await daemon.connected()
  const failing = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.from('half')
    throw new Error('the disk is gone')
  }
  await t.throwsAsync(agent.call('dom0', 'big', failing()).text(), {
    name: 'QrexecError',
    message: 'big in dom0 ended because its input failed: the disk is gone',
  })
  const words = async function* (): AsyncGenerator<Uint8Array> {
    yield 'text' as never
  }
  await t.throwsAsync(agent.call('dom0', 'big', words()).wait(), {
    name: 'QrexecError',
    message: /its input failed: TypeError: the input of a call is bytes/,
  })
  await daemon.idle()
  await tick()
  t.deepEqual(hub.open, ['5>0:512'])
})

test('output that is too long, or left in the middle, ends the call; its port comes back', async t => {
  const { agent, daemon, hub } = answering()
  await daemon.connected()
  const call = agent.call('dom0', 'big', new Uint8Array(100_000))
  await t.throwsAsync(call.text(1000), { name: 'RangeError' })
  await daemon.idle()
  const left = agent.call('dom0', 'big', new Uint8Array(100_000))
  for await (const _ of left.stdout) break
  await daemon.idle()
  await t.throwsAsync(left.wait(), { name: 'QrexecError', message: 'big in dom0 was given up' })
  await tick()
  t.deepEqual(hub.open, ['5>0:512'])
})

test('an agent that is closed makes no calls', async t => {
  const agent = new Qrexec({ machine: testMachine(0.01), channels: new Hub().channels(DOMID) }) // no deadline comes
  const running = agent.run()
  agent.close()
  await running
  await t.throwsAsync(agent.call('dom0', 'x').wait(), { name: 'QrexecError', message: 'x in dom0 was given up' })
})

test("a call that was allowed by a daemon that is gone is over: its port may be another call's", async t => {
  const { hub, agent, running } = victim()
  const dom0 = hub.channels(0)
  /** A daemon that allows the next call, on port 513. */
  const allow = async (service: string) => {
    const control = await dom0.connect(DOMID, 512)
    await control.readExactly(12)
    await control.write(message(0x300, u32(3)))
    const ended = agent.call('dom0', service).wait().catch(String)
    const ident = (await control.readExactly(8 + 96 + service.length + 1))!.slice(8 + 64, 8 + 96)
    await control.write(message(0x202, Buffer.concat([u32(0), u32(513), ident])))
    while (!hub.open.includes('5>0:513')) await tick()
    return { control, ended }
  }
  const old = await allow('old')
  old.control.close()
  t.is(await old.ended, 'QrexecError: the connection with dom0 was lost before old in dom0 had begun: call again')
  const { ended } = await allow('new')
  const data = await dom0.connect(DOMID, 513)
  await data.readExactly(12)
  await data.write(Buffer.concat([message(0x300, u32(3)), message(0x193, u32(7))]))
  t.deepEqual(await ended, { code: 7, stderr: '' })
  agent.close()
  await running
})

test('of many calls at once dom0 is asked for a few, and for the next when one has come to its connection', async t => {
  const asked: string[] = []
  const doors: (() => void)[] = []
  const { agent, hub, daemon } = setUp({
    policy: ({ argument }) => {
      asked.push(argument)
      return input => ({ stdout: input })
    },
    connect: async port => {
      if (port !== 512)
        await new Promise<void>(resolve => {
          doors.push(resolve)
        })
      else await tick()
      return hub.channels(0).connect(DOMID, port)
    },
  })
  await daemon.connected()
  const texts = Array.from({ length: 50 }, (_, n) => agent.call('dom0', `my.Service+${n}`, `${n}`).text())
  while (doors.length < 4) await tick()
  await tick()
  t.is(asked.length, 4)
  for (let n = 0; n < 50; n++) {
    while (doors.length === 0) await tick()
    doors.shift()!()
  }
  t.deepEqual(
    await Promise.all(texts),
    Array.from({ length: 50 }, (_, n) => `${n}`),
  )
  t.deepEqual(
    asked,
    Array.from({ length: 50 }, (_, n) => `${n}`),
  )
  await daemon.idle()
})

test('a call that waits for its turn can be given up, or is lost with the connection, and sends nothing', async t => {
  const asked: string[] = []
  const { agent, hub, daemon } = setUp({
    policy: ({ argument }) => {
      asked.push(argument)
      return () => ''
    },
    connect: async port => {
      await (port === 512 ? tick() : new Promise<never>(() => {}))
      return hub.channels(0).connect(DOMID, port)
    },
  })
  await daemon.connected()
  const calls = Array.from({ length: 6 }, (_, n) => agent.call('dom0', `my.Service+${n}`))
  const ends = calls.map(call => call.wait())
  while (asked.length < 4) await tick()
  calls[4].close()
  await t.throwsAsync(ends[4], { message: /given up/ })
  agent.close()
  for (const end of ends) await t.throwsAsync(end, { name: 'QrexecError' })
  t.deepEqual(asked, ['0', '1', '2', '3'])
})

test('an outgoing call can be given up at any moment: nothing of it is left', async t => {
  for (let steps = 0; steps < 150; steps++) {
    const { agent, daemon, hub } = answering()
    await daemon.connected()
    const call = agent.call('dom0', 'qubes.GetDate', 'now')
    for (let step = 0; step < steps; step++) await Promise.resolve()
    call.close()
    await call.wait().catch(() => {})
    await daemon.idle()
    for (let tries = 0; hub.open.length > 1 && tries < 20; tries++) await tick()
    t.deepEqual(hub.open, ['5>0:512'], `given up after ${steps} steps`)
  }
})

test('a port is given back when nothing in xenstore leads to it any more', async t => {
  const hub = new Hub()
  const channels = hub.channels(DOMID)
  const withdrawn = Promise.withResolvers<never>()
  /** A server whose keys take long to withdraw, once it is given up. */
  const slow = (signal: AbortSignal): Promise<never> =>
    new Promise((_, reject) => {
      signal.addEventListener('abort', () => {
        withdrawn.promise.catch(reject)
      })
    })
  const agent = new Qrexec({
    machine: testMachine(),
    channels: {
      ...channels,
      serve: (domid, port, options) => (port === 512 ? channels.serve(domid, port, options) : slow(options.signal!)),
    },
  })
  const dom0 = hub.channels(0)
  const daemon = new QrexecDaemon({
    domid: DOMID,
    connect: port => dom0.connect(DOMID, port),
    serve: port => dom0.serve(DOMID, port, { readSize: 65536, writeSize: 65536 }),
    policy: () => () => '',
  })
  const running = agent.run()
  const serving = daemon.run()
  serving.catch(() => {})
  await daemon.connected()
  const call = agent.call('dom0', 'my.Service')
  while (daemon.portsInUse.length === 0) await tick()
  call.close()
  await tick()
  t.deepEqual(daemon.portsInUse, [513])
  withdrawn.reject(new Error('given up'))
  await daemon.idle()
  await t.throwsAsync(call.wait(), { message: /given up/ })
  agent.close()
  await running
})
