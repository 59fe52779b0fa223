import test from 'ava'
import fc from 'fast-check'
import type { ByteChannel } from '@xen-ts/drivers/channel.ts'
import { Hub } from '../../test/dom0/hub.ts'
import { testMachine } from '../../test/dom0/machine.ts'
import { hello, message } from '../../test/dom0/qrexec-frames.ts'
import { QrexecDaemon, type QrexecDaemonOptions } from '../../test/dom0/qrexec.ts'
import { Text } from '../text.ts'
import { Qrexec } from './agent.ts'
import { parseCommand } from './command.ts'
import { encodeNumbers, encodeTrigger, HELLO } from './wire.ts'

const DOMID = 5

function setUp(options: Partial<QrexecDaemonOptions> = {}) {
  const hub = new Hub()
  const machine = testMachine()
  const agent = new Qrexec({ machine, channels: hub.channels(DOMID) })
  const dom0 = hub.channels(0)
  const daemon = new QrexecDaemon({
    domid: DOMID, connect: (port) => dom0.connect(DOMID, port), serve: (port) => dom0.serve(DOMID, port, { readSize: 65536, writeSize: 65536 }), ...options,
  })
  const running = agent.run()
  const serving = daemon.run()
  serving.catch(() => {})
  agent.service('xen-ts.Echo', async ({ stdin, stdout }) => { await stdin.pipeTo(stdout) })
  return { hub, machine, agent, daemon, running, serving }
}

const tick = (): Promise<void> => new Promise((resolve) => { setTimeout(resolve, 5) })
const text = (result: { code: number, stdout: Buffer, stderr: Buffer }) => ({ code: result.code, stdout: result.stdout.toString(), stderr: result.stderr.toString() })

test('a service gets input, argument, source and user, and gives output and an exit code', async (t) => {
  const { hub, machine, agent, daemon } = setUp()
  agent.service('my.Service', async ({ service, argument, source, user, stdin, stdout, stderr }) => {
    await stdout.write(`${service} ${argument} ${source} ${user} ${await stdin.text()}`)
    await stderr.write('careful')
    return 42
  })
  const result = await daemon.call('my.Service+a+b', { input: 'Grüße', source: 'work', user: 'alice' })
  t.deepEqual(text(result), { code: 42, stdout: 'my.Service a+b work alice Grüße', stderr: 'careful' })
  await daemon.idle()
  t.deepEqual(machine.lines.filter((line) => !line.startsWith('DBG')), ['INF [qrexec] connected to dom0, protocol 3'])
  t.deepEqual(hub.served, ['5>0:512 65536/65536', '0>5:513 65536/65536'])
  t.deepEqual(hub.open, ['5>0:512'])
})

test('an empty argument, with or without its +, is the same service', async (t) => {
  const { daemon } = setUp()
  t.is((await daemon.call('xen-ts.Echo+', { input: 'a' })).stdout.toString(), 'a')
  t.is((await daemon.call('xen-ts.Echo', { input: 'b' })).stdout.toString(), 'b')
})

for (const version of [2, 3, 4] as const) {
  test(`1 MiB goes through an echo service unchanged, protocol ${version}`, async (t) => {
    const { daemon } = setUp({ version })
    const input = Buffer.alloc(1 << 20)
    for (let offset = 0; offset < input.length; offset += 4) input.writeUInt32LE(Math.imul(offset, 2654435761) >>> 0, offset)
    const result = await daemon.call('xen-ts.Echo', { input })
    t.is(result.code, 0)
    t.true(result.stdout.equals(input))
    await daemon.idle()
  })
}

test('one large write is cut to what the protocol allows', async (t) => {
  for (const version of [2, 3] as const) {
    const { agent, daemon } = setUp({ version })
    agent.service('big', async ({ stdout }) => { await stdout.write(new Uint8Array(200_000).fill(7)) })
    const { stdout } = await daemon.call('big')
    t.is(stdout.length, 200_000)
    t.true(stdout.every((byte) => byte === 7))
  }
})

test('100 calls at once, and then 300 one after another: every port comes back', async (t) => {
  const { daemon, hub } = setUp()
  const inputs = Array.from({ length: 100 }, (_, n) => `call ${n} `.repeat(n * 20))
  const results = await Promise.all(inputs.map((input) => daemon.call('xen-ts.Echo', { input })))
  t.deepEqual(results.map(({ stdout }) => stdout.toString()), inputs)
  for (let n = 0; n < 300; n++) t.is((await daemon.call('xen-ts.Echo', { input: 'x' })).code, 0)
  await daemon.idle()
  t.deepEqual(hub.open, ['5>0:512'])
})

for (const [name, code, stderr] of [
  ['qubes.WaitForSession', 0, /^$/], ['qubes.SetMonitorLayout', 0, /^$/], ['qubes.SuspendPre', 0, /^$/], ['qubes.SuspendPostAll', 0, /^$/],
  ['qubes.WaitForNetworkUplink', 0, /^$/], ['qubes.VMShell', 126, /^this qube is a unikernel.*\n$/], ['qubes.VMShell+WaitForSession', 126, /unikernel/],
  ['qubes.VMExec+ls-2D-2Dla', 126, /unikernel/], ['my.Unknown+arg', 127, /^this qube has no service my.Unknown\n$/],
] as const) {
  test(`built in: ${name} ends with ${code}`, async (t) => {
    const { daemon } = setUp()
    const result = text(await daemon.call(name, { input: 'user' }))
    t.is(result.code, code)
    t.is(result.stdout, '')
    t.regex(result.stderr, stderr)
    await daemon.idle()
  })
}

test("a program's own service takes the place of a built-in one", async (t) => {
  const { agent, daemon } = setUp()
  agent.service('qubes.VMShell', () => 3)
  t.is((await daemon.call('qubes.VMShell')).code, 3)
})

test('shell commands are refused, malformed command lines are a problem of qrexec', async (t) => {
  const { daemon } = setUp()
  t.is((await daemon.command('ls -la')).code, 126)
  t.is((await daemon.command('nogui:ls')).code, 126)
  t.is((await daemon.command('QUBESRPC')).code, 126)
  t.is((await daemon.command('QUBESRPC ')).code, 125)
  t.is((await daemon.command('QUBESRPC xen-ts.Echo')).code, 125)
  t.is((await daemon.command('nogui:QUBESRPC xen-ts.Echo work name dom0', { input: '' })).code, 0)
})

test('a failing service is logged and its caller gets 1; a wrong exit code is 125', async (t) => {
  const { agent, daemon, machine } = setUp()
  agent.service('fails', () => { throw new Error('secret reason') })
  for (const [name, code] of [['text', 'x'], ['negative', -1], ['large', 256], ['half', 1.5]] as const) agent.service(name, () => code as number)
  const result = text(await daemon.call('fails'))
  t.deepEqual(result, { code: 1, stdout: '', stderr: '' })
  t.true(machine.lines.includes('ERR [qrexec] service fails for dom0 failed: secret reason'))
  for (const name of ['text', 'negative', 'large', 'half']) t.is((await daemon.call(name)).code, 125, name)
})

test('JUST_EXEC: exit code 0 and the port at once, the service goes on without streams', async (t) => {
  const { agent, daemon } = setUp()
  let finish: ((input: string) => void) | undefined
  const input = new Promise<string>((resolve) => { finish = resolve })
  let release = (): void => {}
  const hold = new Promise<void>((resolve) => { release = resolve })
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

test('a service that answers before it has read its input ends cleanly', async (t) => {
  const { agent, daemon } = setUp()
  agent.service('hasty', async ({ stdout }) => { await stdout.write('no need'); return 5 })
  const result = text(await daemon.call('hasty', { input: new Uint8Array(1 << 20) }))
  t.deepEqual(result, { code: 5, stdout: 'no need', stderr: '' })
  await daemon.idle()
})

test('a caller whose input never ends is told the exit code, and ends it then', async (t) => {
  const { agent, daemon } = setUp()
  agent.service('first', async ({ stdin }) => (await stdin.read())![0])
  const endless = async function* (): AsyncGenerator<Uint8Array> { yield Uint8Array.of(33); await new Promise(() => {}) }
  t.is((await daemon.call('first', { input: endless() })).code, 33)
  await daemon.idle()
})

test('streams closed by the service end once, output after the end is an error of the service', async (t) => {
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

test('a caller that goes away aborts the service, cuts its input short with an error, and frees the port', async (t) => {
  const { agent, daemon, machine } = setUp()
  const seen: unknown[] = []
  agent.service('waits', async ({ signal, stdin }) => {
    signal.addEventListener('abort', () => seen.push('abort'))
    await stdin.read().then((bytes) => seen.push(Buffer.from(bytes!).toString()))
    await stdin.read().catch((error) => { seen.push(error.name); throw error })
  })
  const caller = new AbortController()
  const endless = async function* (): AsyncGenerator<Uint8Array> { yield Buffer.from('half'); await new Promise(() => {}) }
  const call = daemon.call('waits', { input: endless(), signal: caller.signal })
  while (seen.length === 0) await tick()
  caller.abort()
  await t.throwsAsync(call, { instanceOf: Error })
  await daemon.idle()
  t.deepEqual(seen.sort(), ['ChannelClosedError', 'abort', 'half'])
  t.false(machine.lines.some((line) => line.startsWith('ERR')))
})

test('a service that ignores its caller\'s end still gives the port back after a while', async (t) => {
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

test('a restart of the daemon: a new greeting, calls under way go on, old ports are not given to the new daemon', async (t) => {
  const { agent, daemon, machine } = setUp()
  let release = (): void => {}
  const hold = new Promise<void>((resolve) => { release = resolve })
  agent.service('slow', async ({ stdout }) => { await hold; await stdout.write('done') })
  const call = daemon.call('slow')
  await tick()
  daemon.disconnect()
  while (machine.lines.filter((line) => line.includes('connected to dom0')).length < 2) await tick()
  t.is((await daemon.call('xen-ts.Echo+', { input: 'again' })).stdout.toString(), 'again')
  release()
  t.is((await call).stdout.toString(), 'done')
  // A stray CONNECTION_TERMINATED would make the strict daemon reject here.
  t.is((await daemon.call('xen-ts.Echo', { input: 'x' })).code, 0)
})

test('close ends calls and connection', async (t) => {
  const { agent, daemon, hub, running } = setUp()
  agent.service('waits', ({ signal }) => new Promise<void>((resolve) => { signal.addEventListener('abort', () => resolve()) }))
  const call = daemon.call('waits')
  await tick()
  daemon.stop()
  agent.close()
  await running
  await call.catch(() => {})
  await tick()
  t.deepEqual(hub.open, [])
})

const answering = setUp.bind(undefined, {
  policy: ({ service, argument, target }) => service === 'qubes.GetDate' ? (input: Buffer) => `${target} ${argument} ${input}\n`
    : service === 'fails' ? () => ({ code: 3, stdout: Buffer.from('half'), stderr: Buffer.from('went wrong\n') })
    : service === 'big' ? (input: Buffer) => ({ stdout: input }) : undefined,
})

test('outgoing calls: output, exit code, stderr', async (t) => {
  const { agent, daemon, hub } = answering()
  await daemon.connected()
  t.is(await agent.call('@default', 'qubes.GetDate+nanoseconds', 'now').text(), '@default nanoseconds now\n')
  await t.throwsAsync(agent.call('dom0', 'fails').text(), { name: 'QrexecError', message: 'fails in dom0 ended with exit code 3: went wrong' })
  const call = agent.call('dom0', 'fails')
  t.is(await call.stdout.text(), 'half')
  t.deepEqual(await call.wait(), { code: 3, stderr: 'went wrong\n' })
  await daemon.idle()
  t.deepEqual(hub.open, ['5>0:512'])
})

test('outgoing calls: 1 MiB there and back, 20 at once, protocol 2 and 3', async (t) => {
  for (const version of [2, 3] as const) {
    const { agent, daemon } = setUp({ version, policy: () => (input) => ({ stdout: input }) })
    await daemon.connected()
    const input = Buffer.alloc(1 << 20, 'abcdefg')
    t.true(Buffer.from(await agent.call('dom0', 'big', input).bytes()).equals(input))
    const texts = await Promise.all(Array.from({ length: 20 }, (_, n) => agent.call('dom0', 'big', `${n}`).text()))
    t.deepEqual(texts, Array.from({ length: 20 }, (_, n) => `${n}`))
    await daemon.idle()
  }
})

test('outgoing calls that cannot be made say why, and send nothing', async (t) => {
  const { agent, daemon, serving } = answering()
  const lonely = new Qrexec({ machine: testMachine(5000), channels: new Hub().channels(DOMID) })
  await t.throwsAsync(lonely.call('dom0', 'x').wait(), { message: /x in dom0 cannot be called: dom0's daemon did not connect within 60 s/ })
  await daemon.connected()
  await t.throwsAsync(agent.call('dom0', 'my.Forbidden').text(), { name: 'QrexecRefusedError', message: /dom0 refused my.Forbidden in dom0: look at its policy/ })
  for (const [target, service] of [['', 'x'], ['a b', 'x'], ['x'.repeat(64), 'x'], ['dom0', ''], ['dom0', '+x'], ['dom0', 'a b'], ['dom0', 'x'.repeat(65001)]]) {
    await t.throwsAsync(agent.call(target, service).wait(), { name: 'QrexecError', message: /cannot be called/ })
  }
  await daemon.idle()
  t.is(await Promise.race([serving.then(() => 'ended'), tick()]), undefined)
})

test('an outgoing call can be given up at any time; its port comes back', async (t) => {
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

test('golden bytes of the wire', (t) => {
  const abi = new Text(testMachine().abi)
  t.is(Buffer.from(encodeNumbers(HELLO, 3)).toString('hex'), '000300000400000003000000')
  t.is(Buffer.from(encodeNumbers(0x211, 0, 513)).toString('hex'), '11020000080000000000000001020000')
  const trigger = Buffer.from(encodeTrigger(abi, 3, 'dom0', 'a+b', 'id'))
  t.is(trigger.toString('hex'), `120200006400000064${Buffer.from('om0').toString('hex')}${'00'.repeat(60)}6964${'00'.repeat(30)}612b6200`)
  const old = Buffer.from(encodeTrigger(abi, 2, 'dom0', 'a+b', 'id'))
  t.is(old.toString('hex'), `1002000080000000612b62${'00'.repeat(61)}64${Buffer.from('om0').toString('hex')}${'00'.repeat(28)}6964${'00'.repeat(30)}`)
})

test('golden order of a call that prints nothing: HELLO, two ends, exit code, close', async (t) => {
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

test('command lines', (t) => {
  t.deepEqual(parseCommand('user:QUBESRPC a.B+c+d work'), { user: 'user', service: 'a.B', argument: 'c+d', source: 'work' })
  t.deepEqual(parseCommand('root:nogui:QUBESRPC a.B+ @adminvm name dom0'), { user: 'root', service: 'a.B', argument: '', source: '@adminvm' })
  t.deepEqual(parseCommand('user:echo a:b'), { user: 'user', service: undefined, argument: '', source: '' })
  for (const line of ['', ':', 'user', ':x', 'u:QUBESRPC  ', 'u:QUBESRPC +a b', 'u:QUBESRPC a', 'u:QUBESRPC a \x1b[2J']) t.is(parseCommand(line), undefined, line)
  fc.assert(fc.property(fc.string(), (line) => { parseCommand(line) }))
})

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value >>> 0)
  return bytes
}

const exec = (port: number, line: string, domain = 0, type = 0x200): Buffer => message(type, Buffer.concat([u32(domain), u32(port), Buffer.from(line)]))
const header = (type: number, length: number): Buffer => Buffer.concat([u32(type), u32(length)])

/** What a daemon may send after its greeting; [bytes, whether the agent must drop the connection]. */
const CONTROL: Record<string, [Buffer, boolean]> = {
  'unknown type': [message(0x999, Buffer.from('future')), false],
  'unknown type, 4 GiB': [header(0x999, 0xffffffff), true],
  'command of 4 GiB': [header(0x200, 0xffffffff), true],
  'command of 65544 bytes': [header(0x200, 65544), true],
  'command without bytes': [header(0x200, 0), true],
  'command shorter than its numbers': [message(0x200, Buffer.alloc(8)), true],
  'port of the control channel': [exec(512, 'user:QUBESRPC xen-ts.Echo dom0\0'), false],
  'port 769': [exec(769, 'user:QUBESRPC xen-ts.Echo dom0\0'), false],
  'port of 4 GiB': [exec(0xffffffff, 'user:QUBESRPC xen-ts.Echo dom0\0'), false],
  'domain that cannot be': [exec(520, 'user:QUBESRPC xen-ts.Echo dom0\0', 0x7ff4), false],
  'caller that never serves': [exec(521, 'user:QUBESRPC xen-ts.Echo dom0\0', 9), false],
  'same port twice': [Buffer.concat([exec(522, 'user:x\0', 9), exec(522, 'user:x\0', 9)]), false],
  'SERVICE_CONNECT for nobody': [message(0x202, Buffer.concat([u32(0), u32(530), Buffer.alloc(32)])), false],
  'SERVICE_CONNECT for nobody, wrong port': [message(0x202, Buffer.concat([u32(0), u32(3), Buffer.alloc(32)])), false],
  'SERVICE_CONNECT too short': [message(0x202, Buffer.alloc(12)), true],
  'SERVICE_CONNECT whose ident has no end': [message(0x202, Buffer.concat([u32(0), u32(530), Buffer.alloc(32, 'x')])), true],
  'SERVICE_REFUSED for nobody': [message(0x203, Buffer.alloc(32)), false],
  'SERVICE_REFUSED too long': [message(0x203, Buffer.alloc(33)), true],
  'HELLO again': [message(0x300, u32(3)), false],
  'half a header': [Buffer.from('00', 'hex'), false],
  'half a command': [header(0x200, 100), false],
  'flood of 1,000 commands': [Buffer.concat(Array.from({ length: 1000 }, (_, n) => exec(513 + n % 256, 'user:x\0', 9 + (n >> 8)))), false],
}

/** A daemon of a test's own making. */
async function greeted(hub: Hub, answer: Buffer): Promise<ByteChannel> {
  const control = await hub.channels(0).connect(DOMID, 512)
  await control.readExactly(12)
  await control.write(answer)
  return control
}

async function stillServes(t: import('ava').ExecutionContext, hub: Hub): Promise<void> {
  const dom0 = hub.channels(0)
  const daemon = new QrexecDaemon({ domid: DOMID, connect: (port) => dom0.connect(DOMID, port), serve: (port) => dom0.serve(DOMID, port, { readSize: 65536, writeSize: 65536 }) })
  daemon.run().catch((error) => t.fail(String(error)))
  t.is((await daemon.call('xen-ts.Echo', { input: 'still here' })).stdout.toString(), 'still here')
  await daemon.idle()
  daemon.stop()
}

function victim() {
  const hub = new Hub()
  const machine = testMachine()
  const agent = new Qrexec({ machine, channels: hub.channels(DOMID) })
  agent.service('xen-ts.Echo', async ({ stdin, stdout }) => { await stdin.pipeTo(stdout) })
  return { hub, machine, agent, running: agent.run() }
}

for (const [name, [bytes, drops]] of Object.entries(CONTROL)) {
  test(`hostile daemon: ${name}: the agent serves the next call`, async (t) => {
    const { hub, machine, agent, running } = victim()
    const control = await greeted(hub, message(0x300, u32(3)))
    void control.write(bytes).catch(() => {})
    if (drops) await control.closed
    else await tick()
    control.close()
    await stillServes(t, hub)
    t.false(machine.lines.some((line) => /[^ -~]/.test(line)))
    agent.close()
    await running
  })
}

for (const [name, greeting] of Object.entries({
  'version 1': message(0x300, u32(1)), 'version 0': message(0x300, u32(0)), 'no HELLO': message(0x200, u32(3)), 'HELLO of 8 bytes': message(0x300, Buffer.alloc(8)),
  'HELLO of 4 GiB': header(0x300, 0xffffffff), 'half a HELLO': header(0x300, 4),
})) {
  test(`hostile daemon greets with ${name}: the agent serves the next one`, async (t) => {
    const { hub, agent, running } = victim()
    const control = await greeted(hub, greeting)
    if (!name.startsWith('half')) await control.closed
    control.close()
    await stillServes(t, hub)
    agent.close()
    await running
  })
}

test('a daemon from the future is spoken to in protocol 3', async (t) => {
  const { hub, machine } = victim()
  await greeted(hub, message(0x300, u32(0xffffffff)))
  while (machine.lines.length === 0) await tick()
  t.deepEqual(machine.lines, ['INF [qrexec] connected to dom0, protocol 3'])
})

/** What a caller may send after its greeting on a data channel. */
const DATA: Record<string, Buffer> = {
  'unknown type': message(0x199, Buffer.from('x')),
  'chunk of 65537 bytes': message(0x190, Buffer.alloc(65537)),
  'chunk of 4 GiB': header(0x190, 0xffffffff),
  'half a chunk': Buffer.concat([header(0x190, 100), Buffer.from('x')]),
  'half a header': Buffer.from('9001', 'hex'),
  'HELLO again': message(0x300, u32(3)),
  'exit code from the caller': message(0x193, u32(0)),
  'stderr from the caller': message(0x192, Buffer.from('x')),
  'flood of empty stderr': Buffer.concat(Array.from({ length: 5000 }, () => message(0x192, Buffer.alloc(0)))),
  'nothing': Buffer.alloc(0),
  'control message': exec(513, 'user:x\0'),
}

for (const [name, bytes] of Object.entries(DATA)) {
  test(`hostile caller: ${name}: its call ends, the next is served`, async (t) => {
    const { hub, machine, agent, daemon } = setUp()
    await daemon.connected()
    const evil = hub.channels(9).serve(DOMID, 700, { readSize: 65536, writeSize: 65536 })
    await daemon.sendRaw(exec(700, 'user:QUBESRPC xen-ts.Echo evil\0', 9), 700)
    const data = await evil
    await hello(data, 3)
    await data.write(bytes).catch(() => {})
    await tick()
    data.close()
    t.is((await daemon.call('xen-ts.Echo', { input: 'next' })).stdout.toString(), 'next')
    while (hub.open.some((channel) => channel.includes(':700'))) await tick()
    t.true(machine.lines.filter((line) => line.startsWith('WRN')).length <= 3, machine.lines.join('\n'))
    agent.close()
  })
}

test('a caller that greets wrongly loses its call only', async (t) => {
  const { hub, agent, daemon } = setUp()
  for (const greeting of [message(0x300, u32(1)), message(0x190, u32(3)), header(0x300, 5)]) {
    await daemon.connected()
    const evil = hub.channels(9).serve(DOMID, 700, { readSize: 65536, writeSize: 65536 })
    await daemon.sendRaw(exec(700, 'user:QUBESRPC xen-ts.Echo evil\0', 9), 700)
    const data = await evil
    await data.write(greeting)
    await data.closed
    while (hub.open.some((channel) => channel.includes(':700'))) await tick()
  }
  agent.close()
  t.pass()
})
