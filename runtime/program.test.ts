import test from 'ava'
import { provided } from './device.ts'
import { FakeKernel } from './fake-kernel.ts'
import { testTarget } from './fixtures/target.ts'
import { order } from './graph.ts'
import { arg, assets, clock, type Devices, describe, device, http, stack, unikernel } from './index.ts'
import { programOf } from './program.ts'
import { elsewhere } from './target.ts'

const xen = testTarget({
  name: 'xen',
  provide: {
    net: () => 'net',
    stack: ({ net }) => ({ on: net }),
    http: ({ stack }) => ({ stack }),
  },
  needs: { stack: { net: provided('net') } },
})
const names = (devices: Devices) => order(devices, xen.target).map(one => one.name)

async function start(devices: Devices, on = xen, others = [on]) {
  let seen: any
  const kernel = new FakeKernel()
  const reason = await kernel.run({
    ...on,
    elsewhere: elsewhere(
      on.target,
      others.map(other => other.target),
    ),
    name: 'app',
    program: async () => ({
      default: unikernel({
        name: 'app',
        devices,
        start(context: any) {
          seen = context
        },
      }),
    }),
  })
  return { reason, seen, kernel }
}

test("devices are connected after what they need, the target's own needs included, each once", t => {
  const a = device({ name: 'a', connect: () => 1 })
  const b = device({ name: 'b', needs: { a }, connect: () => 2 })
  t.deepEqual(names({ http: http(), net: stack(), b, a }), ['net', 'stack', 'http', 'a', 'b'])
})

test('devices are shared by identity, provided ones by kind and options', async t => {
  let made = 0
  const counter = device({ name: 'counter', connect: () => ({ number: ++made }) })
  const { seen } = await start({
    one: counter,
    two: counter,
    first: http(),
    second: http(),
    net: stack(),
    other: provided('net', { options: { vif: 1 } }),
  })
  t.is(seen.one, seen.two)
  t.is(made, 1)
  t.is(seen.first, seen.second)
  t.is(seen.first.stack, seen.net)
  t.deepEqual(names({ a: provided('net'), b: provided('net', { options: { vif: 1 } }) }), ['net', 'net'])
})

test('start gets its devices, arguments, log, signal, clock and random', async t => {
  const { seen } = await start({ a: device({ name: 'a', connect: async () => 'ready' }) })
  t.is(seen.a, 'ready')
  t.deepEqual(seen.args, {})
  t.false(seen.signal.aborted)
  t.is(seen.clock.now(), 0)
  t.is(seen.random.bytes(5).length, 5)
  t.is(typeof seen.log.info, 'function')
})

test('a device may be made by target', async t => {
  const tap = device({ name: 'tap', on: { unix: { connect: () => 'tun0' }, xen: { connect: () => 'vif0' } } })
  t.is((await start({ tap })).seen.tap, 'vif0')
  t.is((await start({ tap }, testTarget({ name: 'unix' }))).seen.tap, 'tun0')
  const { reason, kernel } = await start({ tap }, testTarget({ name: 'qubes' }))
  t.is(reason, 3)
  t.deepEqual(kernel.lines, ['ERR [app] tap: only on targets unix, xen (target is qubes)'])
})

test('a device that the target lacks is refused in a sentence, before anything is connected', async t => {
  let connected = false
  const first = device({
    name: 'first',
    connect: () => {
      connected = true
    },
  })
  const others = [
    testTarget({ name: 'unix', provide: { tap: () => 1 } }),
    xen,
    testTarget({ name: 'qubes', provide: { qrexec: () => 1, http: () => 1, tap: () => 1 } }),
  ]
  const cases: [Devices[string], string][] = [
    [provided('qrexec'), 'qrexec: only on target qubes (target is xen)'],
    [provided('tap'), 'tap: only on targets qubes, unix (target is xen)'],
    [provided('floppy'), 'floppy: not on target xen'],
    [provided('toString'), 'toString: not on target xen'],
    [device({ name: 'deep', needs: { q: provided('qrexec') }, connect: () => 1 }), 'qrexec: only on target qubes (target is xen)'],
  ]
  for (const [one, message] of cases) {
    const { reason, kernel } = await start({ first, one }, xen, others)
    t.deepEqual([reason, connected, kernel.lines], [3, false, [`ERR [app] ${message}`]])
  }
})

test('devices that need each other in a circle are refused with the circle', t => {
  const needs: Record<string, any> = {}
  const a = device({ name: 'a', needs, connect: () => 1 })
  const b = device({ name: 'b', needs: { a }, connect: () => 1 })
  needs.b = b
  t.throws(() => names({ outer: device({ name: 'outer', needs: { a }, connect: () => 1 }) }), {
    message: "devices need each other in a circle: a -> b -> a; take one of these out of 'needs'",
  })
})

test('what is no device, no name and no start is refused when it is written', t => {
  t.throws(() => names({ http: http as any }), { message: /devices.http is not a device description; write for example http: http\(\)/ })
  t.throws(() => device({ name: 'x' } as any), { message: /device 'x' has neither connect nor on/ })
  t.throws(() => unikernel({ name: 'a b', start() {} }), { message: /name 'a b' is not usable/ })
  t.throws(() => unikernel({ name: 'a' } as any), { message: /unikernel 'a' has no start/ })
  t.throws(() => unikernel({ name: 'a', devices: { log: http() }, start() {} } as any), { message: /devices.log hides/ })
  t.throws(() => assets('./public'), { message: /assets\('.\/public'\) was not replaced/ })
})

test('an argument may not hide one of the target or of every program', async t => {
  for (const [key, owner] of [
    ['help', 'every program'],
    ['ipv4', 'target xen'],
  ]) {
    const kernel = new FakeKernel()
    const on = testTarget({ name: 'xen', args: { ipv4: arg.string({ doc: 'address' }) } })
    const program = unikernel({ name: 'app', args: { [key]: arg.string({ doc: 'mine' }) }, start() {} })
    t.is(await kernel.run({ ...on, name: 'app', program: async () => ({ default: program }) }), 3)
    t.deepEqual(kernel.lines, [`ERR [app] app: args.${key} is taken: ${owner} has an argument of that name; call it something else`])
  }
})

test("devices and target see the target's arguments; what it uses is shared with the program", async t => {
  const seen: unknown[] = []
  const kernel = new FakeKernel({ commandLine: 'ipv4=10.0.0.2' })
  let used: (() => Promise<unknown>) | undefined
  const on = testTarget({
    name: 'xen',
    args: { ipv4: arg.string({ doc: 'address' }) },
    provide: { stack: (_needs, _options, { args }) => ({ address: args.ipv4 }) },
    connected: async ({ args, use, program }) => {
      seen.push(args.ipv4, program.name, program.version)
      await t.throwsAsync(use(stack()), { message: 'target xen used device stack before its connect had returned' })
      used = () => use(stack())
    },
    settings: async () => {
      seen.push(await used!())
      return new Map()
    },
  })
  const program = unikernel({
    name: 'app',
    devices: { net: stack() },
    start({ net }) {
      seen.push(net)
    },
  })
  t.is(await kernel.run({ ...on, name: 'x', version: '1.2.3', program: async () => ({ default: program }) }), 0)
  t.deepEqual(seen.slice(0, 3), ['10.0.0.2', 'app', '1.2.3'])
  t.is(seen[3], seen[4])
})

test('a module with a fetch serves HTTP on port 80, or on the port of --port, until the signal', async t => {
  const served: any[] = []
  const on = testTarget({
    name: 'x',
    provide: {
      stack: () => ({}),
      http: () => ({
        serve: async (options: any, handler: any) => {
          served.push(options, await handler('request'))
        },
      }),
    },
  })
  const module = {
    default: {
      greeting: 'hi',
      fetch(request: unknown) {
        return `${this.greeting} ${request}`
      },
    },
  }
  for (const [commandLine, port] of [
    ['', 80],
    ['--port=8080', 8080],
  ] as const) {
    const kernel = new FakeKernel({ commandLine })
    t.is(await kernel.run({ ...on, name: 'handler', program: async () => module }), 0, kernel.console)
    const [options, answer] = served.splice(0)
    t.is(options.port, port)
    t.false(options.signal.aborted)
    t.is(answer, 'hi request')
  }
  t.is(programOf({ default: Object.assign(() => {}, { fetch() {} }) }, 'f').name, 'f')
})

test('describe shows the graph with what is shared, and the arguments', t => {
  const program = unikernel({
    name: 'www',
    args: { greeting: arg.string({ default: 'Hello', doc: 'what the front page says' }) },
    devices: {
      http: http(),
      net: stack(),
      site: assets({ 'index.html': { type: 'text/html', etag: '"1"', bytes: new Uint8Array(9) } }),
      timer: device({ name: 'mine', needs: { clock }, connect: () => 1 }),
    },
    start() {},
  })
  t.is(
    describe(program as any, xen.target),
    `www on xen
devices
  http
    stack
      net
  net: stack (shared)
  site: assets (files 1, bytes 9)
  timer: mine
    clock
arguments
  greeting: TEXT, what the front page says`,
  )
})
