/** The agents in the guest's engine: each has one conversation with a peer that is played by hand. */
import type { Abi } from '@xen-ts/boot/abi/abi.ts'
import { cases } from '@xen-ts/boot/node/cases.ts'
import type { Log } from '@xen-ts/runtime/log.ts'
import { AbortController, AbortSignal } from '@xen-ts/runtime/web/abort.ts'
import { Hub } from '../test/dom0/hub.ts'
import { Gui } from './gui/agent.ts'
import { Qrexec } from './qrexec/agent.ts'
import { QubesDB } from './qubesdb/client.ts'
import { concat, Text, writeU32 } from './text.ts'

const host = globalThis as { __abi?: Abi, AbortController?: unknown, AbortSignal?: unknown }
if (host.AbortController === undefined) Object.assign(host, { AbortController, AbortSignal, performance: { now: () => 0 } })

function setUp() {
  const abi = host.__abi!
  const lines: string[] = []
  const log = (source: string): Log => {
    const write = (text: string): void => { lines.push(`[${source}] ${text}`) }
    return { app: write, error: write, warn: write, info: write, debug: () => {} }
  }
  // Nothing here may wait for time to pass.
  const machine = { abi, log, timers: { now: () => 0, set: () => ({ cancel() {} }) } }
  const hub = new Hub()
  return { machine, lines, text: new Text(abi), guest: hub.channels(5), dom0: hub.channels(0) }
}

const words = (...values: number[]): Uint8Array => {
  const bytes = new Uint8Array(values.length * 4)
  values.forEach((value, index) => writeU32(bytes, index * 4, value))
  return bytes
}

export default cases({
  'QubesDB: keys, a change, a write': async (t) => {
    const { machine, lines, text, guest, dom0 } = setUp()
    const message = (type: number, path: string, value: string): Uint8Array => {
      const data = text.encode(value)
      const bytes = new Uint8Array(72 + data.length)
      bytes[0] = type
      bytes.set(text.encode(path), 1)
      writeU32(bytes, 68, data.length)
      bytes.set(data, 72)
      return bytes
    }
    const db = new QubesDB({ machine, channels: guest })
    void db.run()
    const server = await dom0.serve(5, 111, { readSize: 4096, writeSize: 4096 })
    t.deepEqual(await server.readExactly(72), message(2, '', ''))
    await server.write(concat([message(11, '/vm-config/a', 'Grüße 😀'), message(11, '/qubes-ip', '10.137.0.16'), message(11, '/qubes-gateway', '10.137.0.1'), message(11, '', '')]))
    await db.synced
    t.deepEqual([...db.config], [['a', 'Grüße 😀']])
    t.is(db.network.gateway, '10.137.0.1')
    const changed = new Promise<string | undefined>((resolve) => { db.watch('/name', ({ value }) => resolve(value)) })
    await server.write(message(1, '/name', 'x'))
    t.is(await changed, 'x')
    t.deepEqual(await server.readExactly(72), message(7, '/name', ''))
    const written = db.write('/b', 'é')
    t.deepEqual(await server.readExactly(74), message(1, '/b', 'é'))
    await server.write(message(7, '/b', ''))
    await written
    t.is(db.get('/b'), 'é')
    t.deepEqual(lines, ['[qubesdb] connecting to server', '[qubesdb] connected, 3 keys'])
    db.close()
  },

  'qrexec: a call with argument and input': async (t) => {
    const { machine, lines, text, guest, dom0 } = setUp()
    const agent = new Qrexec({ machine, channels: guest })
    agent.service('my.Echo', async ({ argument, source, stdin, stdout }) => {
      await stdout.write(`${source} ${argument} `)
      for await (const bytes of stdin) await stdout.write(bytes)
      return 3
    })
    void agent.run()
    const control = await dom0.connect(5, 512)
    t.deepEqual(await control.readExactly(12), words(0x300, 4, 3))
    await control.write(words(0x300, 4, 3))
    const served = dom0.serve(5, 513, { readSize: 65536, writeSize: 65536 })
    const command = text.encode('user:QUBESRPC my.Echo+arg work\0')
    await control.write(concat([words(0x200, 8 + command.length, 0, 513), command]))
    const data = await served
    t.deepEqual(await data.readExactly(12), words(0x300, 4, 3))
    const input = text.encode('Grüße')
    await data.write(concat([words(0x300, 4, 3), words(0x190, input.length), input, words(0x190, 0)]))
    const output = text.encode('work arg Grüße')
    t.deepEqual(await data.readExactly(9 + 8), concat([words(0x191, 9), output.slice(0, 9)]))
    t.deepEqual(await data.readExactly(8 + input.length), concat([words(0x191, input.length), input]))
    t.deepEqual(await data.readExactly(28), concat([words(0x191, 0), words(0x192, 0), words(0x193, 4, 3)]))
    t.is(await data.read(), undefined)
    t.deepEqual(await control.readExactly(16), words(0x211, 8, 0, 513))
    t.deepEqual(lines, ['[qrexec] connected to dom0, protocol 3'])
    agent.close()
  },

  'GUI: greeting and clipboard': async (t) => {
    const { machine, lines, guest, dom0 } = setUp()
    const gui = new Gui({ machine, channels: guest, domain: async () => 0 })
    void gui.run()
    const daemon = await dom0.connect(5, 6000)
    t.deepEqual(await daemon.readExactly(4), words(0x10007))
    await daemon.write(concat([words(0x10007, 1920, 1080, 24, 8101), words(139, 1, 0)]))
    t.deepEqual(await daemon.readExactly(12), words(140, 1, 0))
    t.deepEqual(lines, ['[gui] connected to dom0, protocol 1.7'])
    gui.close()
  },
})
