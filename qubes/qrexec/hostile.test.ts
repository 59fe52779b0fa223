import type { ByteChannel } from '@xen-ts/drivers/channel'
import { hello, message, QrexecDaemon } from '@xen-ts/rig/dom0'
import type { Hub } from '@xen-ts/rig/dom0/hub'
import test, { type ExecutionContext } from 'ava'
import { DOMID, exec, header, setUp, tick, u32, victim } from './testing.ts'

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
  'flood of 1,000 commands': [
    Buffer.concat(Array.from({ length: 1000 }, (_, n) => exec(513 + (n % 256), 'user:x\0', 9 + (n >> 8)))),
    false,
  ],
}

/** A daemon of a test's own making. */
async function greeted(hub: Hub, answer: Buffer): Promise<ByteChannel> {
  const control = await hub.channels(0).connect(DOMID, 512)
  await control.readExactly(12)
  await control.write(answer)
  return control
}

async function stillServes(t: ExecutionContext, hub: Hub): Promise<void> {
  const dom0 = hub.channels(0)
  const daemon = new QrexecDaemon({
    domid: DOMID,
    connect: port => dom0.connect(DOMID, port),
    serve: port => dom0.serve(DOMID, port, { readSize: 65536, writeSize: 65536 }),
  })
  daemon.run().catch(error => t.fail(String(error)))
  t.is((await daemon.call('xen-ts.Echo', { input: 'still here' })).stdout.toString(), 'still here')
  await daemon.idle()
  daemon.stop()
}

for (const [name, [bytes, drops]] of Object.entries(CONTROL)) {
  test(`hostile daemon: ${name}: the agent serves the next call`, async t => {
    const { hub, machine, agent, running } = victim()
    const control = await greeted(hub, message(0x300, u32(3)))
    void control.write(bytes).catch(() => {})
    if (drops) await control.closed
    else await tick()
    control.close()
    await stillServes(t, hub)
    t.false(machine.lines.some(line => /[^ -~]/.test(line)))
    agent.close()
    await running
  })
}

for (const [name, greeting] of Object.entries({
  'version 1': message(0x300, u32(1)),
  'version 0': message(0x300, u32(0)),
  'no HELLO': message(0x200, u32(3)),
  'HELLO of 8 bytes': message(0x300, Buffer.alloc(8)),
  'HELLO of 4 GiB': header(0x300, 0xffffffff),
  'half a HELLO': header(0x300, 4),
})) {
  test(`hostile daemon greets with ${name}: the agent serves the next one`, async t => {
    const { hub, agent, running } = victim()
    const control = await greeted(hub, greeting)
    if (!name.startsWith('half')) await control.closed
    control.close()
    await stillServes(t, hub)
    agent.close()
    await running
  })
}

test('a daemon from the future is spoken to in protocol 3', async t => {
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
  nothing: Buffer.alloc(0),
  'control message': exec(513, 'user:x\0'),
}

for (const [name, bytes] of Object.entries(DATA)) {
  test(`hostile caller: ${name}: its call ends, the next is served`, async t => {
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
    while (hub.open.some(channel => channel.includes(':700'))) await tick()
    t.true(machine.lines.filter(line => line.startsWith('WRN')).length <= 3, machine.lines.join('\n'))
    agent.close()
  })
}

test('a caller that greets wrongly loses its call only', async t => {
  const { hub, agent, daemon } = setUp()
  for (const greeting of [message(0x300, u32(1)), message(0x190, u32(3)), header(0x300, 5)]) {
    await daemon.connected()
    const evil = hub.channels(9).serve(DOMID, 700, { readSize: 65536, writeSize: 65536 })
    await daemon.sendRaw(exec(700, 'user:QUBESRPC xen-ts.Echo evil\0', 9), 700)
    const data = await evil
    await data.write(greeting)
    await data.closed
    while (hub.open.some(channel => channel.includes(':700'))) await tick()
  }
  agent.close()
  t.pass()
})
