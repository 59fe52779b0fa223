import test from 'ava'
import { FakeKernel } from './fake-kernel.ts'
import { testTarget } from './fixtures/target.ts'
import { installLazily } from './globals.ts'
import { arg, device, unikernel } from './index.ts'
import { type Connect, elsewhere, type Target } from './target.ts'

const ended = async (target: ReturnType<typeof testTarget>, start: (scope: any) => unknown) => {
  const kernel = new FakeKernel()
  const program = unikernel({ name: 'app', start: () => start(kernel.scope) })
  return { reason: await kernel.run({ ...target, name: 'app', program: async () => ({ default: program }) }), lines: kernel.lines }
}

test('where a device kind exists follows from what all targets provide', t => {
  const [qubes, xen, unix, own] = [
    testTarget({ name: 'qubes', provide: { stack: () => 1, vchan: () => 1, qrexec: () => 1 } }),
    testTarget({ name: 'xen', provide: { stack: () => 1, vchan: () => 1 } }),
    testTarget({ name: 'unix', provide: { stack: () => 1, files: () => 1 } }),
    testTarget({ name: 'qubes' }),
  ].map(one => one.target)
  const all = [xen, qubes, unix]
  t.deepEqual(elsewhere(xen, all), { qrexec: ['qubes'], files: ['unix'] })
  t.deepEqual(elsewhere(unix, all), { vchan: ['qubes', 'xen'], qrexec: ['qubes'] })
  t.deepEqual(elsewhere(qubes, [qubes]), {})
  // A program's own target may stand in for one that is known.
  t.deepEqual(elsewhere(own, all), { stack: ['unix', 'xen'], vchan: ['xen'], files: ['unix'] })
})

test('what a platform provides must be what its target says', t => {
  const target = {
    name: 'two',
    becomes: 'image',
    kinds: { stack: {}, http: {} },
    args: { ip: arg.string({ doc: '' }) },
  } as const satisfies Target
  const fits: Connect<typeof target> = ({ machine, args }) => ({
    provide: { stack: () => machine.ports, http: () => args.ip?.length },
  })
  // @ts-expect-error http is not provided
  const less: Connect<typeof target> = () => ({ provide: { stack: () => 1 } })
  const unix = { name: 'unix', becomes: 'process', kinds: {} } as const satisfies Target
  // @ts-expect-error a process has no event channels
  const ports: Connect<typeof unix> = ({ machine }) => ({ provide: {}, started: () => machine.ports })
  t.is([fits, less, ports].length, 3)
})

test("a platform's globals are made when a program uses them, once, and what the program sets wins", async t => {
  const made: string[] = []
  const global = (name: string) => () => {
    made.push(name)
    return { name }
  }
  const target = testTarget({ globals: { fetch: global('fetch'), caches: global('caches'), other: global('other') } })
  const { reason, lines } = await ended(target, scope => {
    t.deepEqual(made, [])
    t.true('fetch' in scope)
    t.is(scope.fetch, scope.fetch)
    scope.caches = 5
    t.is(scope.caches, 5)
    t.deepEqual(made, ['fetch'])
    t.false(Object.keys(scope).includes('fetch'))
    scope.fetch = 6
    t.is(scope.fetch, 6)
    t.true(delete scope.other)
  })
  t.deepEqual([reason, lines], [0, []])
  t.deepEqual(made, ['fetch'])
})

test("what the program's top level sets is not overwritten by a platform's global", async t => {
  const kernel = new FakeKernel()
  const scope = kernel.scope as any
  const program = unikernel({
    name: 'app',
    async start() {
      t.deepEqual([scope.caches, scope.fetch], [5, 'the platform'])
    },
  })
  const target = testTarget({ globals: { caches: () => t.fail(), fetch: () => 'the platform' } })
  const load = async (): Promise<unknown> => {
    scope.caches = 5
    return { default: program }
  }
  t.is(await kernel.run({ ...target, name: 'app', program: load }), 0, kernel.console)
})

test("a target's globals are there before the program's module, and wait for the devices", async t => {
  const net = device({ name: 'net', connect: () => 'net' })
  const kernel = new FakeKernel()
  const scope = kernel.scope as any
  let early: unknown
  const program = unikernel({
    name: 'app',
    devices: { net },
    start: async () => {
      t.is(await early, 'net')
      t.is(await scope.fetch(), 'net')
    },
  })
  const reason = await kernel.run({
    ...testTarget(),
    name: 'app',
    globals: {
      fetch:
        ({ use }) =>
        () =>
          use(net),
      caches: () => t.fail(),
    },
    program: async () => {
      early = scope.fetch()
      return { default: program }
    },
  })
  t.is(reason, 0, kernel.console)
  t.false(Object.keys(scope).includes('fetch'))
})

test('a global may use the devices of the program; one that cannot be made is tried again', async t => {
  let connected = 0
  const net = device({ name: 'net', connect: () => ({ number: ++connected }) })
  let use!: () => Promise<unknown>
  const target = testTarget({
    connected: context => {
      use = () => context.use(net)
    },
    globals: { fetch: () => use },
  })
  const program = unikernel({
    name: 'app',
    devices: { net },
    start: async ({ net }) => {
      t.is(await (kernel.scope as any).fetch(), net)
    },
  })
  const kernel = new FakeKernel()
  t.is(await kernel.run({ ...target, name: 'app', program: async () => ({ default: program }) }), 0, kernel.console)
  t.is(connected, 1)

  let attempts = 0
  const scope: any = {}
  installLazily(scope, {
    late: () => {
      if (++attempts === 1) throw new Error('not yet')
      return attempts
    },
  })
  t.throws(() => scope.late, { message: 'not yet' })
  t.is(scope.late, 2)
})
