/** The kernel, the engine and the runtime on real Xen. Each test says what it proves. */
import test from 'ava'
import { XenTests } from './harness.ts'

const xen = new XenTests(test)
const message = (line: string) => line.replace(/^.*?\[\w[^\]]*\] /, '')

test.serial('hello: banner, three lines a second apart, bye, a clean end', async t => {
  const { lines, reason } = await xen.run(t, '../../examples/hello')
  t.is(reason, 'poweroff', lines.join('\n'))
  const [, version] = /^xen-ts \d+\.\d+\.\d+ \(build [0-9a-f]+\) on Xen ([\d.]+), 32 MiB, QuickJS \d{4}-\d\d-\d\d$/.exec(lines[0]) ?? []
  t.is(version, xen.rig.files.release.xen, lines[0])
  const said = lines.filter(line => line.includes('[hello]'))
  t.deepEqual(said.map(message), ['hello 1', 'hello 2', 'hello 3', 'bye'])
  const at = said.map(line => Date.parse(`${line.slice(0, 10)}T${line.slice(11, 23)}Z`))
  for (const i of [1, 2, 3]) t.true(at[i] - at[i - 1] >= 1000, `line ${i} came ${at[i] - at[i - 1]} ms after the one before`)
})

test.serial("clocks: the wall clock is dom0's, and both clocks run at its speed", async t => {
  const running = await xen.start(t, await xen.image('programs/clock.ts'))
  const ticks: { dom0: number; wall: number; mono: number }[] = []
  for (const i of [0, 9]) {
    const line = await running.line(new RegExp(`tick ${i} `))
    const dom0 = Number((await xen.rig.must('cat /proc/uptime')).split(' ')[0]) * 1000
    const [, wall, mono] = /wall (\d+) mono ([\d.]+)/.exec(line)!
    ticks.push({ dom0, wall: Number(wall), mono: Number(mono) })
  }
  t.is((await running.ended).reason, 'poweroff')
  const [first, last] = ticks
  const [wall, mono, dom0] = (['wall', 'mono', 'dom0'] as const).map(clock => last[clock] - first[clock])
  t.true(Math.abs(wall - mono) < 20, `wall ${wall} ms, monotonic ${mono} ms`)
  // The test asks dom0 after it has seen the line: what that takes on a busy machine is the tolerance.
  t.true(Math.abs(mono - dom0) < 1500, `guest ${mono} ms, dom0 ${dom0} ms`)
  const now = Number(await xen.rig.must('date +%s')) * 1000
  t.true(Math.abs(now - last.wall) < 30_000, `guest ${new Date(last.wall).toISOString()}, dom0 ${new Date(now).toISOString()}`)
})

test.serial("randomness differs between two boots of one image, also at the program's top level", async t => {
  const boots = [await xen.run(t, 'programs/random.ts'), await xen.run(t, 'programs/random.ts')]
  for (const what of ['math', 'top', 'bytes', 'uuid']) {
    const [a, b] = boots.map(({ lines }) => lines.find(line => message(line).startsWith(`${what} `)))
    t.truthy(a)
    t.not(message(a!), message(b!), what)
  }
})

test.serial('6 MiB are enough for hello', async t => {
  const { lines, reason } = await xen.run(t, '../../examples/hello', { memory: 6 })
  t.is(reason, 'poweroff', lines.join('\n'))
  t.true(lines.some(line => message(line) === 'bye'))
})

test.serial('maxmem above memory (populate on demand): the kernel keeps to what is there', async t => {
  const { lines, reason } = await xen.run(t, 'programs/hog.ts', { memory: 32, maxmem: 256, seconds: 120 })
  t.is(reason, 'poweroff', lines.join('\n'))
  t.true(lines.some(line => /out of memory after \d+ blocks/.test(line)))
})

test.serial('out of memory is an error that can be caught, and the program goes on', async t => {
  const { lines, reason } = await xen.run(t, 'programs/hog.ts', { seconds: 120 })
  t.is(reason, 'poweroff', lines.join('\n'))
  t.true(lines.some(line => message(line) === 'still here: 2'))
})

test.serial('out of memory that nobody catches ends in a crash with a reason', async t => {
  const { lines, reason } = await xen.run(t, 'programs/hog.ts', { args: '--catch=false', seconds: 120 })
  t.is(reason, 'crash', lines.join('\n'))
  t.true(
    lines.some(line => /ERR \[hog\].*memory/i.test(line)),
    lines.join('\n'),
  )
})

test.serial('too little memory: one sentence, and a crash', async t => {
  const { lines, reason } = await xen.run(t, 'programs/memory.ts', { args: 'mib=30', memory: 16, seconds: 90 })
  t.is(reason, 'crash', lines.join('\n'))
  t.true(lines.some(line => /memory/i.test(line)))
})

for (const [how, line] of [
  ['start', 5],
  ['timer', 5],
  ['lost', 5],
  ['microtask', 5],
] as const) {
  test.serial(`an uncaught error (${how}) is told with its TypeScript line, and the domain crashes`, async t => {
    const { lines, reason } = await xen.run(t, 'programs/throw.ts', { args: `how=${how}` })
    t.is(reason, 'crash', lines.join('\n'))
    t.true(
      lines.some(text => /ERR \[throw\].*failed by/.test(text)),
      lines.join('\n'),
    )
    t.true(
      lines.some(text => text.includes(`throw.ts:${line}:`)),
      lines.join('\n'),
    )
  })
}

// Calls, and calls when the heap has taken all the memory that it may have.
for (const [memory, calls, least] of [
  [64, 11_000, 8_000],
  [8, 11_000, 800],
  [6, 7_000, 550],
]) {
  test.serial(
    `JavaScript that runs out of stack in any way gets an error that it can catch, after ${calls} calls (${memory} MiB)`,
    async t => {
      const { lines, reason } = await xen.run(t, 'programs/deep.ts', { memory, seconds: 300 })
      t.is(reason, 'poweroff', lines.join('\n'))
      const said = new Map(lines.filter(line => line.includes('[deep]')).map(line => message(line).split(/: (.*)/) as [string, string]))
      t.log([...said].map(([name, text]) => `${name}: ${text}`).join('\n'))
      const depth = (name: string) => Number(/ at (\d+)$/.exec(said.get(name)!)![1])
      // With little memory that may come to its end with the stack, and then the error has no trace, or not even a name.
      const ends = memory > 8 ? /^(InternalError|RangeError|SyntaxError): stack overflow/ : /stack overflow|out of memory/
      for (const name of [
        'recursion',
        'map',
        'sort',
        'getter',
        'proxy',
        'replace',
        'refused',
        'generator',
        'parse',
        'stringify',
        'evaluate',
      ])
        t.regex(said.get(name) ?? '', ends, name)
      // Where memory ends first, the parser may say so in words of its own.
      for (const name of ['clone', 'pattern', 'functions']) t.regex(said.get(name) ?? '', /Error: /, name)
      t.true(depth('recursion') > calls, said.get('recursion'))
      for (const round of [0, 1, 2]) {
        const [, whileFull, then] = /at (\d+) while.* at (\d+)$/.exec(said.get(`round ${round}`)!)!
        t.true(Number(whileFull) > least && Number(then) > least, said.get(`round ${round}`))
      }
      t.is(said.get('again'), '100 caught')
      t.is(said.get('levels'), '50')
      t.true(said.has('alive'))
    },
  )
}

for (const [fault, report] of [
  ['write-text', /write.*(kernel )?text/i],
  ['write-text-alias', /write/i],
  ['execute-data', /(fetch|execut)/i],
  ['null-read', /null page/i],
  ['null-call', /null page/i],
  ['stack-overflow', /stack/i],
  ['linear-guard', /linear memory/i],
  ['linear-stack', /linear stack guard/],
  ['engine-trap', /trap|unreachable/i],
] as const) {
  test.serial(`fault ${fault}: one readable report, reason crash`, async t => {
    const { lines, reason } = await xen.run(t, '../../examples/hello', { args: `selftest=${fault}` })
    t.is(reason, 'crash', lines.join('\n'))
    t.true(
      lines.some(line => report.test(line)),
      lines.join('\n'),
    )
    t.false(lines.some(line => line.includes('bye')))
  })
}

test.serial('a console flood of 10 MiB loses nothing', async t => {
  const { lines, reason } = await xen.run(t, 'programs/flood.ts', { seconds: 300 })
  t.is(reason, 'poweroff')
  const numbers = lines
    .map(line => /flood (\d+) /.exec(line)?.[1])
    .filter(number => number !== undefined)
    .map(Number)
  t.is(numbers.length, (10 * 1024 * 1024) / 128)
  t.is(
    numbers.findIndex((number, i) => number !== i),
    -1,
  )
})

test.serial('xl shutdown reaches a program that waits', async t => {
  const running = await xen.start(t, await xen.image('programs/stop.ts'))
  await running.line(/waiting/)
  await running.domain.shutdown()
  const { lines, reason } = await running.ended
  t.is(reason, 'poweroff', lines.join('\n'))
  t.true(lines.some(line => message(line) === 'asked to stop'))
})
