/** The agents in the guest's engine: each has one conversation with a peer that is played by hand. */
import type { Abi } from '@xen-ts/boot/abi'
import { cases } from '@xen-ts/boot/cases'
import { Hub } from '@xen-ts/rig/dom0/hub'
import type { Log } from '@xen-ts/runtime/machine'
import { AbortController, AbortSignal, type ReadableStream, TransformStream } from '@xen-ts/runtime/web'
import { Gui } from './gui/agent.ts'
import { Qrexec } from './qrexec/agent.ts'
import { byteReader } from './qrexec/streams.ts'
import { QubesDB } from './qubesdb/client.ts'
import { bytesOf, textOf } from './qubesdb/value.ts'
import { concat, Text, writeU32 } from './text.ts'
import { Clock, parseDate } from './time.ts'

const host = globalThis as { __abi?: Abi; AbortController?: unknown; AbortSignal?: unknown }
if (host.AbortController === undefined) Object.assign(host, { AbortController, AbortSignal, performance: { now: () => 0 } })

function setUp() {
  const abi = host.__abi!
  const lines: string[] = []
  const log = (source: string): Log => {
    const write = (text: string): void => {
      lines.push(`[${source}] ${text}`)
    }
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
  'QubesDB: keys, a change, a write': async t => {
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
    await server.write(
      concat([
        message(11, '/vm-config/a', 'Grüße 😀'),
        message(11, '/qubes-ip', '10.137.0.16'),
        message(11, '/qubes-gateway', '10.137.0.1'),
        message(11, '', ''),
      ]),
    )
    await db.synced
    t.deepEqual([...db.config], [['a', 'Grüße 😀']])
    t.is(db.network.gateway, '10.137.0.1')
    const changed = new Promise<string | undefined>(resolve => {
      db.watch('/name', ({ value }) => resolve(value))
    })
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

  'QubesDB: a value that is not UTF-8 is written back as it was read': t => {
    const { text } = setUp()
    for (const bytes of [[0xff, 0x41, 0xfe], [0x80], [0xf0, 0x9f, 0x98, 0x80, 0xf0, 0x9f], [0xed, 0xa0, 0x80], [0xef, 0xbf, 0xbd], []]) {
      const value = Uint8Array.from(bytes)
      t.deepEqual(bytesOf(text, textOf(text, value)), value)
    }
    t.is(textOf(text, Uint8Array.of(0xff, 0x41)), '\udcffA')
    t.is(textOf(text, Uint8Array.of(0xf0, 0x9f, 0x98, 0x80)), '😀')
  },

  'qrexec: a call with argument and input': async t => {
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

  'qrexec: streams through a transform, and a writer that nobody awaits': async t => {
    const { machine, text, guest, dom0 } = setUp()
    const agent = new Qrexec({ machine, channels: guest })
    agent.service('my.Upper', async ({ stdin, stdout, stderr }) => {
      const upper = new TransformStream<Uint8Array, string>({
        transform: (bytes, controller) => controller.enqueue(text.decode(bytes).toUpperCase()),
      })
      void stderr.getWriter().write('late')
      await (stdin as unknown as ReadableStream<Uint8Array>).pipeThrough(upper).pipeTo(stdout as never)
    })
    void agent.run()
    const control = await dom0.connect(5, 512)
    await control.readExactly(12)
    await control.write(words(0x300, 4, 3))
    const served = dom0.serve(5, 514, { readSize: 65536, writeSize: 65536 })
    const command = text.encode('user:QUBESRPC my.Upper dom0\0')
    await control.write(concat([words(0x200, 8 + command.length, 0, 514), command]))
    const data = await served
    await data.readExactly(12)
    await data.write(concat([words(0x300, 4, 3), words(0x190, 3), text.encode('abc'), words(0x190, 0)]))
    const seen: string[] = []
    for (let header; (header = await data.readExactly(8)) !== undefined; ) {
      const body = header[4] === 0 ? new Uint8Array(0) : await data.readExactly(header[4])
      seen.push(`${header[0].toString(16)} ${header[0] === 0x93 ? body![0] : text.decode(body!)}`)
    }
    t.deepEqual(
      seen.filter(frame => frame.startsWith('91')),
      ['91 ABC', '91 '],
    )
    t.deepEqual(
      seen.filter(frame => frame.startsWith('92')),
      ['92 late', '92 '],
    )
    t.is(seen.at(-1), '93 0')
    agent.close()
  },

  'the clock is set to what dom0 says, and to nothing else': async t => {
    const { machine, text } = setUp()
    let wall = 1000,
      answer = '',
      now = 0
    const pauses: (() => void)[] = []
    const abi = Object.assign(Object.create(machine.abi), {
      clockWall: () => wall,
      clockSet: (value: number) => {
        wall = value
      },
    })
    const timers = {
      now: () => now,
      set(delay: number, run: () => void) {
        if (delay !== 120_000) pauses.push(run)
        return { cancel() {} }
      },
    }
    const call = () => ({
      stdout: byteReader(new Text(abi), { next: pullOnce(answer) }),
      wait: async () => ({ code: 0, stderr: '' }),
      close() {},
    })
    const clock = new Clock({ machine: { ...machine, abi, timers }, qrexec: { call: call as never } })
    const pullOnce = (value: string) => {
      let given = false
      return async () => {
        if (given || value === '') return undefined
        given = true
        return text.encode(value)
      }
    }
    const running = clock.run()
    for (const [value, expected] of [
      ['2026-11-31T00:00:00+00:00\n', 1000],
      ['2026-11-22T18:29:54,250000000+00:00\n', 1795372194250],
      ['', 1795372194250],
    ] as const) {
      answer = value
      now += 1000
      pauses.shift()!()
      while (pauses.length === 0) await null
      t.is(wall, expected)
    }
    t.is(parseDate('2028-02-29T23:59:59+00:00\n'), 1835481599000)
    t.is(parseDate('2027-02-29T23:59:59+00:00\n'), undefined)
    clock.close()
    await running
  },

  'GUI: greeting and clipboard': async t => {
    const { machine, lines, guest, dom0 } = setUp()
    const gui = new Gui({ machine, channels: guest, domain: async () => 0 })
    void gui.run()
    const daemon = await dom0.connect(5, 6000)
    t.deepEqual(await daemon.readExactly(4), words(0x10008))
    await daemon.write(concat([words(0x10007, 1920, 1080, 24, 8101), words(139, 1, 0)]))
    t.deepEqual(await daemon.readExactly(12), words(140, 1, 0))
    t.deepEqual(lines, ['[gui] connected to dom0, protocol 1.7'])
    gui.close()
  },

  'GUI: a window from open to close': async t => {
    const { machine, text, guest, dom0 } = setUp()
    const granted: number[] = []
    const memory = {
      pagesAlloc: (count: number) => new ArrayBuffer(count * 4096),
      pagesFree: () => 0,
      pageFrame: (_: Uint8Array, index: number) => 70 + index,
    }
    const grants = {
      world: 0,
      available: 1000,
      grant(domid: number, frame: number) {
        granted.push(frame)
        return domid + frame
      },
      release(refs: number[], done: () => void) {
        granted.splice(0, refs.length)
        done()
      },
    }
    const soon = {
      now: () => 0,
      set(_: number, run: () => void) {
        void Promise.resolve().then(run)
        return { cancel() {} }
      },
    }
    const own = { ...machine, abi: Object.assign(Object.create(machine.abi), memory), timers: soon, suspension: {} }
    const gui = new Gui({ machine: own, channels: guest, grants: grants as never, domain: async () => 0 })
    const events: unknown[] = []
    const window = gui.window({ title: 'Grüße', width: 40, height: 30, class: 'c', resizable: false })
    window.setCursor('pointer')
    for (const kind of ['key', 'resize', 'state', 'paste', 'focus'] as const) window.on(kind, event => events.push([kind, event]))
    void gui.run()
    const daemon = await dom0.connect(5, 6000)
    await daemon.readExactly(4)
    await daemon.write(words(0x10008, 1920, 1080, 24, 8101))
    const next = async (type: number, length: number, ...body: number[]): Promise<void> => {
      const bytes = await daemon.readExactly(12 + length)
      t.deepEqual(bytes!.slice(0, 12), words(type, 1, length))
      if (body.length > 0) t.deepEqual(bytes!.slice(12), words(...body))
    }
    await next(130, 24, 0, 0, 40, 30, 0, 0)
    await next(146, 128)
    const name = await daemon.readExactly(12 + 128)
    t.is(text.decodeField(name!, 12, 128), 'Grüße')
    await next(144, 36, 48, 40, 30, 40, 30, 0, 0, 0, 0)
    await next(148, 4, 0x100 + 60)
    await next(147, 16 + 2 * 4, 0, 40, 30, 24, 70, 71)
    await next(132, 8, 0, 0)
    await next(136, 16, 0, 0, 40, 30)
    window.damage(-1, 5, 4, 1)
    await next(136, 16, 0, 5, 3, 1)
    const paste = text.encode('für 😀')
    await daemon.write(
      concat([
        words(124, 1, 20, 2, 3, 4, 0, 38),
        words(142, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0),
        words(128, 1, 12, 9, 0, 0),
        words(140, 1, paste.length),
        paste,
        words(145, 1, 8, 1, 0),
        words(149, 1, 0),
        words(134, 1, 20, 0, 0, 50, 30, 0),
      ]),
    )
    await next(134, 20, 0, 0, 50, 30, 0)
    await next(147, 16 + 2 * 4, 0, 50, 30, 24, 70, 71)
    t.deepEqual(events, [
      ['key', { pressed: true, x: 3, y: 4, state: 0, keycode: 38 }],
      ['key', { pressed: false, keycode: 38, x: 0, y: 0, state: 0 }],
      ['focus', true],
      ['paste', 'für 😀'],
      ['state', { fullscreen: true, minimized: false, attention: false }],
      ['resize', { width: 50, height: 30 }],
    ])
    t.is(window.pixels.length, 1500)
    await next(136, 16, 0, 0, 50, 30)
    await daemon.write(words(149, 1, 0))
    window.close()
    await next(133, 0)
    await next(131, 0)
    await daemon.write(words(131, 1, 0, 139, 1, 0))
    await next(140, 0)
    t.deepEqual(granted, [])
    gui.close()
  },
})
