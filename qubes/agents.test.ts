import { MiniQubes, type MiniQubesOptions, testMachine } from '@xen-ts/rig/dom0'
import { Hub } from '@xen-ts/rig/dom0/hub'
import test, { type ExecutionContext } from 'ava'
import { startAgents } from './agents.ts'

const tick = (): Promise<void> =>
  new Promise(resolve => {
    setTimeout(resolve, 5)
  })

function setUp(t: ExecutionContext, options: Partial<MiniQubesOptions> = {}) {
  const hub = new Hub()
  const machine = testMachine()
  const events: string[] = []
  const dom0 = new MiniQubes({
    domid: 5,
    channels: hub.channels(0),
    log: line => {
      events.push(line)
    },
    ...options,
  })
  const start = () => {
    const agents = startAgents({ machine, channels: hub.channels(5) })
    t.teardown(() => agents.close())
    return agents
  }
  const said = async (text: string): Promise<void> => {
    while (!machine.lines.some(line => line.includes(text))) await tick()
  }
  return { hub, machine, dom0, events, start, said }
}

test('a qube and its dom0: sync, greetings, a call, and everything is closed at the end', async t => {
  const { hub, machine, dom0, events, start, said } = setUp(t)
  dom0.start()
  const { db, qrexec, close } = start()
  dom0.connect()
  await Promise.all([said('[gui] connected'), said('[qrexec] connected'), db.synced])
  t.deepEqual([...machine.lines].sort(), [
    'INF [gui] connected to dom0, protocol 1.7',
    'INF [qrexec] connected to dom0, protocol 3',
    'INF [qubesdb] connected, 24 keys',
    'INF [qubesdb] connecting to server',
  ])
  t.deepEqual(events.sort(), ['gui: agent connected, protocol 1.7', 'qrexec: agent connected, protocol 3', 'qubesdb: synced, 24 keys'])
  qrexec.service('my.Name', async ({ stdout }) => {
    await stdout.write(db.name!)
  })
  t.is((await dom0.call('my.Name', { source: 'work' })).stdout.toString(), 'mirage-test')
  dom0.db.write('/qubes-random-seed', 'fresh')
  await dom0.db.until(() => dom0.db.acknowledged === 1)
  t.deepEqual(
    machine.seeds.map(({ length }) => length),
    [88, 5],
  )
  dom0.stop()
  await close()
  t.deepEqual(hub.open, [])
})

test('agents without any daemon wait, and close at once', async t => {
  const { hub, machine, start } = setUp(t)
  const { close } = start()
  await tick()
  await close()
  t.deepEqual(hub.open, [])
  t.deepEqual(machine.lines, ['INF [qubesdb] connecting to server'])
})

test('without QubesDB the GUI agent takes dom0, after a while', async t => {
  const { dom0, said, start } = setUp(t)
  start()
  dom0.connect()
  await said('[gui] connected to dom0')
  t.pass()
})

test('a GUI domain of its own, and its restart under another number', async t => {
  const { hub, dom0, start, said } = setUp(t, { gui: false, keys: [['/qubes-gui-domain-xid', '12']] })
  dom0.start()
  start()
  while (!hub.open.includes('5>12:6000')) await tick()
  dom0.db.write('/qubes-gui-domain-xid', '12')
  dom0.db.write('/qubes-gui-domain-xid', '13')
  while (!hub.open.includes('5>13:6000')) await tick()
  t.false(hub.open.includes('5>12:6000'))
  const gui = await hub.channels(13).connect(5, 6000)
  await gui.readExactly(4)
  await gui.write(new Uint8Array(new Uint32Array([0x10007, 0, 0, 0, 0]).buffer))
  await said('connected to domain 13, protocol 1.7')
  t.pass()
})

test('one agent whose vchan cannot be made does not stop the others', async t => {
  const { hub, machine, dom0 } = setUp(t)
  const channels = hub.channels(5)
  const { db, close } = startAgents({
    machine,
    channels: {
      ...channels,
      serve: (domid, port, options) => (port === 512 ? Promise.reject(new Error('no grant left')) : channels.serve(domid, port, options)),
    },
  })
  dom0.start()
  dom0.gui!.run().catch(error => t.fail(String(error)))
  await db.synced
  await dom0.gui!.until(() => dom0.gui!.minor > 0)
  t.true(machine.lines.some(line => line.startsWith('WRN [qrexec] connection lost: no grant left')))
  dom0.stop()
  await close()
})

test('a slip that would kill a real daemon shows in `failed`', async t => {
  const { hub, dom0 } = setUp(t)
  dom0.start()
  const channel = await hub.channels(5).connect(0, 111)
  channel.close()
  await t.throwsAsync(dom0.failed, { name: 'DaemonDied', message: /without MULTIREAD/ })
})

test('a service called before the program has begun waits for it; one that dom0 counts on does not, and one that never comes ends with 127', async t => {
  const { hub, machine, dom0 } = setUp(t)
  const begun = Promise.withResolvers<void>()
  const { qrexec, close } = startAgents({ machine, channels: hub.channels(5), started: begun.promise })
  dom0.start()
  dom0.connect()
  const early = [dom0.call('my.Name'), dom0.call('my.Other')]
  t.is((await dom0.call('qubes.SuspendPre')).code, 0)
  qrexec.service('my.Name', async ({ stdout }) => {
    await stdout.write('here')
  })
  begun.resolve()
  t.is((await early[0]).stdout.toString(), 'here')
  t.is((await early[1]).code, 127)
  dom0.stop()
  await close()
})
