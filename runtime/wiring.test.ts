/** Devices as a generated main.ts names them, and the defaults of an image. */
import test from 'ava'
import { FakeKernel } from './fake-kernel.ts'
import { testTarget } from './fixtures/target.ts'
import type { Wire } from './graph.ts'
import { arg, device, provided, unikernel } from './index.ts'

test('each device that main.ts names is made once, when it is asked for, after what it needs, and shared with what the target uses', async t => {
  const made: string[] = []
  const maker = (name: string) => (needs: object) => {
    made.push(`${name}(${Object.entries(needs).flat().join(' ')})`)
    return name
  }
  const stack = () => provided<string>('stack')
  const kernel = new FakeKernel()
  let used: unknown
  const target = testTarget({
    provide: { stack: maker('stack'), http: maker('http') },
    connected: ({ use, lifecycle }) => {
      made.push('the target')
      lifecycle.onShutdown('test', () => {})
      void Promise.resolve().then(async () => {
        while (made.length < 3) await null
        used = await use(stack())
      })
    },
  })
  const own = device({ name: 'own', connect: maker('own') })
  const program = unikernel({
    name: 'app',
    devices: { web: provided<string>('http', { needs: { stack: stack() } }), net: stack(), own },
    start: ({ web, net, own, log }) => log.info(`${web} ${net} ${own}`),
  })
  const wire: Wire = ({ devices, once }) => {
    const net = once(devices.web.needs.stack)
    const web = once(devices.web, { stack: net })
    const own = once(devices.own)
    once(devices.unused ?? devices.own) // nobody asks for it
    return { own, web, net }
  }
  t.is(await kernel.run({ ...target, name: 'app', devices: wire, program: async () => ({ default: program }) }), 0)
  t.deepEqual(made, ['the target', 'own()', 'stack()', 'http(stack stack)'])
  t.is(used, 'stack')
  t.deepEqual(kernel.lines, ['INF [app] http stack own'])
})

test('defaults of an image: the command line wins, then the settings', async t => {
  const run = async (commandLine: string, settings: Record<string, string>) => {
    const kernel = new FakeKernel({ commandLine })
    const target = testTarget({
      args: { place: arg.string({ default: '', doc: '' }) },
      settings: () => new Map(Object.entries(settings)),
      connected: ({ args, log }) => log.info(String(args.place)),
    })
    const program = unikernel({
      name: 'app',
      args: { greeting: arg.string({ default: 'Hello', doc: '' }) },
      start: ({ args, log }) => log.info(args.greeting),
    })
    const defaults = ['--greeting=Good day', '--place=here']
    t.is(await kernel.run({ ...target, name: 'app', defaults, program: async () => ({ default: program }) }), 0)
    return kernel.lines.map(line => line.replace(/^INF \[.*\] /, ''))
  }
  t.deepEqual(await run('', {}), ['here', 'Good day'])
  t.deepEqual(await run('place=there', { greeting: 'Moin' }), ['there', 'Moin'])
  t.deepEqual(await run('greeting=Hi', { greeting: 'Moin' }), ['here', 'Hi'])
})
