import test from 'ava'
import hello from 'hello'
import { FakeKernel } from './fake-kernel.ts'
import { testTarget } from './fixtures/target.ts'
import { arg, unikernel } from './index.ts'

const none = testTarget()

test('hello says its three lines a second apart, then bye, and powers off', async t => {
  const kernel = new FakeKernel()
  t.is(await kernel.run({ ...none, name: 'hello', program: async () => ({ default: hello }) }), 0)
  t.is(
    kernel.console,
    [
      '2026-11-22 18:29:54.123 -00:00: INF [hello] hello 1',
      '2026-11-22 18:29:55.123 -00:00: INF [hello] hello 2',
      '2026-11-22 18:29:56.123 -00:00: INF [hello] hello 3',
      '2026-11-22 18:29:57.123 -00:00: INF [hello] bye',
      '',
    ].join('\n'),
  )
})

test('boot itself touches neither clock nor console: it runs while the snapshot is made', t => {
  const kernel = new FakeKernel()
  const refuse = () => {
    throw new Error('called at snapshot time')
  }
  const scope: any = { __abi: new Proxy({}, { get: () => refuse }) }
  return kernel.run({ ...none, name: 'x', program: async () => ({ default: hello }) }).then(async () => {
    const { boot } = await import('./guest.ts')
    t.notThrows(() => boot({ ...none, name: 'x', program: async () => ({}) }, scope))
    t.deepEqual(Object.keys(scope.__xenTs), ['turn', 'fail'])
    t.is(scope.__xenTs.turn.options.name, 'x')
  })
})

test('a wrong default export ends with a sentence that says what is expected', async t => {
  for (const [module, found] of [
    [{}, 'the module has no default export'],
    [{ default: null }, 'the default export is null'],
    [{ default: 5 }, 'the default export is a number'],
    [{ default: {} }, 'the default export is an object without fetch'],
  ] as const) {
    const kernel = new FakeKernel()
    t.is(await kernel.run({ ...none, name: 'app', program: async () => module }), 3)
    t.deepEqual(kernel.lines, [
      `ERR [app] app: ${found}; expected 'export default unikernel({ ... })' or 'export default { fetch(request) { ... } }'`,
    ])
  }
})

test('arguments reach start; --help lists them and powers off without starting; a wrong one crashes with every problem', async t => {
  const seen: unknown[] = []
  const program = unikernel({
    name: 'www',
    args: { greeting: arg.string({ default: 'Hello', doc: 'what the front page says' }) },
    start: ({ args }) => {
      seen.push(args.greeting)
    },
  })
  const load = { ...none, name: 'www', program: async () => ({ default: program }) }
  t.is(await new FakeKernel({ commandLine: 'root=/dev/xvda console=hvc0 --greeting="Good day"' }).run(load), 0)
  t.deepEqual(seen, ['Good day'])

  const help = new FakeKernel({ commandLine: '--help' })
  t.is(await help.run(load), 0)
  t.regex(help.console, /--greeting=TEXT +what the front page says \(default: Hello\)/)
  t.regex(help.console, /--logs=/)
  t.regex(help.console, /--strict\S* +ends the domain on a rejected promise/)

  const wrong = new FakeKernel({ commandLine: '--greting=x --logs=*:loud' })
  t.is(await wrong.run(load), 3)
  t.regex(wrong.console, /unknown argument --greting=x; did you mean --greeting\?/)
  t.deepEqual(seen, ['Good day'])
})

test('settings of the target fill in what the command line left open, and unknown ones are only a warning', async t => {
  const seen: unknown[] = []
  const program = unikernel({
    name: 'www',
    args: { greeting: arg.string({ default: 'Hello', doc: 'g' }), port: arg.number({ default: 80, doc: 'p' }) },
    start: ({ args }) => {
      seen.push(args)
    },
  })
  const settings = () =>
    new Map([
      ['greeting', 'from settings'],
      ['port', '8080'],
      ['prot', '1'],
    ])
  const kernel = new FakeKernel({ commandLine: 'greeting=Hi' })
  t.is(await kernel.run({ ...testTarget({ settings }), name: 'www', program: async () => ({ default: program }) }), 0)
  t.deepEqual(seen, [{ greeting: 'Hi', port: 8080 }])
  t.deepEqual(kernel.lines, ['WRN [args] settings: unknown argument prot; did you mean --port?'])
})
