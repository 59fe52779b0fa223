import { GuiDaemon, testMachine } from '@xen-ts/rig/dom0'
import { Hub } from '@xen-ts/rig/dom0/hub'
import test from 'ava'
import { Gui } from './agent.ts'
import { clipboardData } from './messages.ts'
import { encodeVersion } from './wire.ts'

const DOMID = 5

function setUp(minor?: number) {
  const hub = new Hub()
  const machine = testMachine()
  const gui = new Gui({ machine, channels: hub.channels(DOMID), domain: async () => 0 })
  const daemon = new GuiDaemon({ minor, connect: () => hub.channels(0).connect(DOMID, 6000) })
  const serving = daemon.run()
  return { hub, machine, gui, daemon, running: gui.run(), serving }
}

const tick = (): Promise<void> =>
  new Promise(resolve => {
    setTimeout(resolve, 5)
  })

for (const [minor, expected] of [
  [4, 4],
  [5, 5],
  [7, 7],
  [8, 8],
  [9, 8],
] as const) {
  test(`a daemon of protocol 1.${minor} is spoken to in 1.${expected}`, async t => {
    const { hub, machine, gui, daemon, running } = setUp(minor)
    await daemon.until(() => daemon.minor > 0)
    while (gui.screen === undefined) await tick()
    t.is(daemon.minor, expected)
    t.deepEqual(gui.screen, { width: 1920, height: 1080, depth: 24 })
    t.deepEqual(machine.lines, [`INF [gui] connected to dom0, protocol 1.${expected}`])
    t.deepEqual(hub.served, ['5>0:6000 4096/4096'])
    daemon.stop()
    gui.close()
    await running
    t.deepEqual(hub.open, [])
  })
}

test('messages of all lengths are drained, the clipboard is empty', async t => {
  const { daemon } = setUp()
  await daemon.until(() => daemon.minor > 0)
  for (const [type, length] of [
    [145, 8],
    [142, 32],
    [149, 0],
    [140, 60_000],
    [999, 5000],
  ])
    await daemon.send(type, 3, Buffer.alloc(length, 1))
  t.is((await daemon.requestClipboard(7)).length, 0)
  for (let n = 0; n < 2000; n++) await daemon.send(126, 1, Buffer.alloc(16))
  t.is((await daemon.requestClipboard()).length, 0)
})

test('a restart of the daemon is followed by a new handshake', async t => {
  const { daemon, machine } = setUp()
  await daemon.until(() => daemon.minor > 0)
  daemon.disconnect()
  await daemon.until(() => daemon.minor === 0)
  await daemon.until(() => daemon.minor > 0)
  while (machine.lines.filter(line => line.includes('connected to dom0')).length < 2) await tick()
  t.is((await daemon.requestClipboard()).length, 0)
})

test('a change of the GUI domain moves the server there', async t => {
  const hub = new Hub()
  let domain = 0
  const machine = testMachine()
  const gui = new Gui({ machine, channels: hub.channels(DOMID), domain: async () => domain })
  const running = gui.run()
  await tick()
  t.deepEqual(hub.open, ['5>0:6000'])
  domain = 12
  gui.reconnect()
  const daemon = new GuiDaemon({ connect: () => hub.channels(12).connect(DOMID, 6000) })
  void daemon.run()
  await daemon.until(() => daemon.minor > 0)
  while (machine.lines.length === 0) await tick()
  t.deepEqual(machine.lines, ['INF [gui] connected to domain 12, protocol 1.7'])
  daemon.stop()
  gui.close()
  await running
})

test('close ends the agent while nobody connects', async t => {
  const hub = new Hub()
  const gui = new Gui({ machine: testMachine(), channels: hub.channels(DOMID), domain: async () => 0 })
  const running = gui.run()
  await tick()
  gui.close()
  await running
  t.deepEqual(hub.open, [])
})

test('golden bytes of the wire', t => {
  t.is(Buffer.from(encodeVersion()).toString('hex'), '08000100')
  t.is(Buffer.from(clipboardData(7, new Uint8Array(0))).toString('hex'), '8c0000000700000000000000')
})

const words = (...values: number[]): Buffer => Buffer.from(new Uint32Array(values).buffer)
const GREETING = words(0x10007, 1920, 1080, 24, 8101)

/** What a daemon may send; [bytes, whether the agent must drop the connection]. */
const HOSTILE: Record<string, [Buffer, boolean]> = {
  'major version 2': [words(0x20007), true],
  'version that was not offered': [words(0x10009), true],
  'version that has no answer': [words(0x10003), true],
  'version 0': [words(0), true],
  'half a version': [Buffer.from('07', 'hex'), false],
  'no screen': [words(0x10007), false],
  'half a screen': [words(0x10007, 1920), false],
  'screen of 4 billion pixels': [words(0x10007, 0xffffffff, 1080, 24, 0), true],
  'depth of 4 billion': [words(0x10007, 1920, 1080, 0xffffffff, 0), true],
  'message of 4 GiB': [Buffer.concat([GREETING, words(124, 1, 0xffffffff)]), true],
  'message of 1 MiB and a byte': [Buffer.concat([GREETING, words(140, 1, (1 << 20) + 1)]), true],
  'half a header': [Buffer.concat([GREETING, words(124)]), false],
  'half a message': [Buffer.concat([GREETING, words(124, 1, 20, 2)]), false],
  'unknown type': [Buffer.concat([GREETING, words(0xffffffff, 1, 4, 0)]), false],
  'clipboard request with a body': [Buffer.concat([GREETING, words(139, 1, 4, 0)]), true],
  'flood of clipboard requests that are never read': [
    Buffer.concat([GREETING, ...Array.from({ length: 1000 }, () => words(139, 1, 0))]),
    false,
  ],
  'flood of empty messages': [Buffer.concat([GREETING, ...Array.from({ length: 5000 }, () => words(137, 1, 0))]), false],
}

for (const [name, [bytes, drops]] of Object.entries(HOSTILE)) {
  test(`hostile daemon: ${name}: the agent greets the next`, async t => {
    const hub = new Hub()
    const gui = new Gui({ machine: testMachine(), channels: hub.channels(DOMID), domain: async () => 0 })
    const running = gui.run()
    const evil = await hub.channels(0).connect(DOMID, 6000)
    void evil.write(bytes).catch(() => {})
    if (drops) await evil.closed
    else await tick()
    evil.close()
    const daemon = new GuiDaemon({ connect: () => hub.channels(0).connect(DOMID, 6000) })
    daemon.run().catch(error => t.fail(String(error)))
    await daemon.until(() => daemon.minor === 7)
    t.is((await daemon.requestClipboard()).length, 0)
    daemon.stop()
    gui.close()
    await running
    t.deepEqual(hub.open, [])
  })
}
