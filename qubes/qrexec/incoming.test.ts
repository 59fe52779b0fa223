import { message, testMachine } from '@xen-ts/rig/dom0'
import { Hub } from '@xen-ts/rig/dom0/hub'
import test from 'ava'
import { Qrexec } from './agent.ts'
import { DOMID, setUp, text, tick, u32 } from './testing.ts'

test('a service gets input, argument, source and user, and gives output and an exit code', async t => {
  const { hub, machine, agent, daemon } = setUp()
  agent.service('my.Service', async ({ service, argument, source, user, stdin, stdout, stderr }) => {
    await stdout.write(`${service} ${argument} ${source} ${user} ${await stdin.text()}`)
    await stderr.write('careful')
    return 42
  })
  const result = await daemon.call('my.Service+a+b', { input: 'Grüße', source: 'work', user: 'alice' })
  t.deepEqual(text(result), { code: 42, stdout: 'my.Service a+b work alice Grüße', stderr: 'careful' })
  await daemon.idle()
  t.deepEqual(
    machine.lines.filter(line => !line.startsWith('DBG')),
    ['INF [qrexec] connected to dom0, protocol 3'],
  )
  t.deepEqual(hub.served, ['5>0:512 65536/65536', '0>5:513 65536/65536'])
  t.deepEqual(hub.open, ['5>0:512'])
})

test('an empty argument, with or without its +, is the same service', async t => {
  const { daemon } = setUp()
  t.is((await daemon.call('xen-ts.Echo+', { input: 'a' })).stdout.toString(), 'a')
  t.is((await daemon.call('xen-ts.Echo', { input: 'b' })).stdout.toString(), 'b')
})

for (const version of [2, 3, 4] as const) {
  test(`1 MiB goes through an echo service unchanged, protocol ${version}`, async t => {
    const { daemon } = setUp({ version })
    const input = Buffer.alloc(1 << 20)
    for (let offset = 0; offset < input.length; offset += 4) input.writeUInt32LE(Math.imul(offset, 2654435761) >>> 0, offset)
    const result = await daemon.call('xen-ts.Echo', { input })
    t.is(result.code, 0)
    t.true(result.stdout.equals(input))
    await daemon.idle()
  })
}

test('one large write is cut to what the protocol allows', async t => {
  for (const version of [2, 3] as const) {
    const { agent, daemon } = setUp({ version })
    agent.service('big', async ({ stdout }) => {
      await stdout.write(new Uint8Array(200_000).fill(7))
    })
    const { stdout } = await daemon.call('big')
    t.is(stdout.length, 200_000)
    t.true(stdout.every(byte => byte === 7))
  }
})

test('100 calls at once, and then 300 one after another: every port comes back', async t => {
  const { daemon, hub } = setUp()
  const inputs = Array.from({ length: 100 }, (_, n) => `call ${n} `.repeat(n * 20))
  const results = await Promise.all(inputs.map(input => daemon.call('xen-ts.Echo', { input })))
  t.deepEqual(
    results.map(({ stdout }) => stdout.toString()),
    inputs,
  )
  for (let n = 0; n < 300; n++) t.is((await daemon.call('xen-ts.Echo', { input: 'x' })).code, 0)
  await daemon.idle()
  t.deepEqual(hub.open, ['5>0:512'])
})

test('a failing service is logged and its caller gets 1; a wrong exit code is 125', async t => {
  const { agent, daemon, machine } = setUp()
  agent.service('fails', () => {
    throw new Error('secret reason')
  })
  for (const [name, code] of [
    ['text', 'x'],
    ['negative', -1],
    ['large', 256],
    ['half', 1.5],
  ] as const)
    agent.service(name, () => code as number)
  const result = text(await daemon.call('fails'))
  t.deepEqual(result, { code: 1, stdout: '', stderr: '' })
  const line = machine.lines.find(line => line.startsWith('ERR [qrexec] service fails for dom0 failed: Error: secret reason'))
  t.regex(line ?? machine.lines.join(), /\n +at .*incoming\.test\.ts:\d+/, 'where it failed is for its author')
  for (const name of ['text', 'negative', 'large', 'half']) t.is((await daemon.call(name)).code, 125, name)
})

test('JUST_EXEC: exit code 0 and the port at once, the service goes on without streams', async t => {
  const { agent, daemon } = setUp()
  let finish: ((input: string) => void) | undefined
  const input = new Promise<string>(resolve => {
    finish = resolve
  })
  let release = (): void => {}
  const hold = new Promise<void>(resolve => {
    release = resolve
  })
  agent.service('slow', async ({ stdin, stdout }) => {
    await hold
    await stdout.write('nobody reads this')
    finish!(`<${await stdin.text()}>`)
  })
  t.is((await daemon.call('slow', { justExec: true })).code, 0)
  await daemon.idle()
  release()
  t.is(await input, '<>')
})

test('a service that answers before it has read its input ends cleanly', async t => {
  const { agent, daemon } = setUp()
  agent.service('hasty', async ({ stdout }) => {
    await stdout.write('no need')
    return 5
  })
  const result = text(await daemon.call('hasty', { input: new Uint8Array(1 << 20) }))
  t.deepEqual(result, { code: 5, stdout: 'no need', stderr: '' })
  await daemon.idle()
})

test('a caller whose input never ends is told the exit code, and ends it then', async t => {
  const { agent, daemon } = setUp()
  agent.service('first', async ({ stdin }) => (await stdin.read())![0])
  const endless = async function* (): AsyncGenerator<Uint8Array> {
    yield Uint8Array.of(33)
    await new Promise(() => {})
  }
  t.is((await daemon.call('first', { input: endless() })).code, 33)
  await daemon.idle()
})

test('streams closed by the service end once, output after the end is an error of the service', async t => {
  const { agent, daemon } = setUp()
  agent.service('closes', async ({ stdout, stderr }) => {
    await stdout.write('x')
    await stdout.close()
    await stdout.close()
    await stderr.close()
    await t.throwsAsync(stdout.write('y'), { name: 'TypeError' })
    return 9
  })
  t.deepEqual(text(await daemon.call('closes')), { code: 9, stdout: 'x', stderr: '' })
})

test('a caller that goes away aborts the service, cuts its input short with an error, and frees the port', async t => {
  const { agent, daemon, machine } = setUp()
  const seen: unknown[] = []
  agent.service('waits', async ({ signal, stdin }) => {
    signal.addEventListener('abort', () => seen.push('abort'))
    await stdin.read().then(bytes => seen.push(Buffer.from(bytes!).toString()))
    await stdin.read().catch(error => {
      seen.push(error.name)
      throw error
    })
  })
  const caller = new AbortController()
  const endless = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.from('half')
    await new Promise(() => {})
  }
  const call = daemon.call('waits', { input: endless(), signal: caller.signal })
  while (seen.length === 0) await tick()
  caller.abort()
  await t.throwsAsync(call, { instanceOf: Error })
  await daemon.idle()
  t.deepEqual(seen.sort(), ['ChannelClosedError', 'abort', 'half'])
  t.false(machine.lines.some(line => line.startsWith('ERR')))
})

test("a service that ignores its caller's end still gives the port back after a while", async t => {
  const { agent, daemon } = setUp()
  agent.service('stubborn', () => new Promise<void>(() => {}))
  const caller = new AbortController()
  const call = daemon.call('stubborn', { signal: caller.signal })
  await tick()
  caller.abort()
  await t.throwsAsync(call)
  await daemon.idle()
  t.deepEqual(daemon.portsInUse, [])
})

test('a restart of the daemon: a new greeting, calls under way go on, old ports are not given to the new daemon', async t => {
  const { agent, daemon, machine } = setUp()
  let release = (): void => {}
  const hold = new Promise<void>(resolve => {
    release = resolve
  })
  agent.service('slow', async ({ stdout }) => {
    await hold
    await stdout.write('done')
  })
  const call = daemon.call('slow')
  await tick()
  daemon.disconnect()
  while (machine.lines.filter(line => line.includes('connected to dom0')).length < 2) await tick()
  t.is((await daemon.call('xen-ts.Echo+', { input: 'again' })).stdout.toString(), 'again')
  release()
  t.is((await call).stdout.toString(), 'done')
  // A stray CONNECTION_TERMINATED would make the strict daemon reject here.
  t.is((await daemon.call('xen-ts.Echo', { input: 'x' })).code, 0)
})

test('close ends calls and connection', async t => {
  const { agent, daemon, hub, running } = setUp()
  agent.service(
    'waits',
    ({ signal }) =>
      new Promise<void>(resolve => {
        signal.addEventListener('abort', () => resolve())
      }),
  )
  const call = daemon.call('waits')
  await tick()
  daemon.stop()
  agent.close()
  await running
  await call.catch(() => {})
  await tick()
  t.deepEqual(hub.open, [])
})

test('golden order of a call that prints nothing: HELLO, two ends, exit code, close', async t => {
  const { hub, machine } = { hub: new Hub(), machine: testMachine() }
  const agent = new Qrexec({ machine, channels: hub.channels(DOMID) })
  void agent.run()
  agent.service('quiet', () => 7)
  const control = await hub.channels(0).connect(DOMID, 512)
  t.is(Buffer.from((await control.readExactly(12))!).toString('hex'), '000300000400000003000000')
  await control.write(message(0x300, u32(3)))
  const served = hub.channels(0).serve(DOMID, 600, { readSize: 65536, writeSize: 65536 })
  await control.write(message(0x200, Buffer.concat([u32(0), u32(600), Buffer.from('user:QUBESRPC quiet dom0\0')])))
  const data = await served
  t.is(Buffer.from((await data.readExactly(12))!).toString('hex'), '000300000400000003000000')
  await data.write(message(0x300, u32(3)))
  await data.write(message(0x190, Buffer.alloc(0)))
  t.is(Buffer.from((await data.readExactly(28))!).toString('hex'), '9101000000000000' + '9201000000000000' + '930100000400000007000000')
  t.is(await data.read(), undefined)
  t.is(Buffer.from((await control.readExactly(16))!).toString('hex'), '11020000080000000000000058020000')
})

test('a caller that makes a service fail again and again does not fill the log', async t => {
  const { machine, agent, daemon } = setUp()
  agent.service('my.Fails', () => {
    throw new Error('no')
  })
  await Promise.all(Array.from({ length: 200 }, async () => t.is((await daemon.call('my.Fails')).code, 1)))
  await daemon.idle()
  // Ten at a time: the clock of this machine runs fast.
  const told = machine.lines.filter(line => line.startsWith('ERR') && line.includes('my.Fails')).length
  t.true(told >= 10 && told < 200, `${told}`)
})
