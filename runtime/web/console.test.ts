import test from 'ava'
import { LogWriter } from '../log.ts'
import { createConsole } from './console.ts'

function setUp() {
  const lines: string[] = []
  const writer = new LogWriter({
    write: text => {
      lines.push(text.replace(/^.*: (?=[A-Z]{3} )/, '').trimEnd())
    },
    now: () => 0,
  })
  writer.setThresholds([{ source: '*', level: 'debug' }])
  let now = 0
  return { console: createConsole(writer.log('app'), () => (now += 1.5)), lines }
}

test('each function writes at the level of its name, log as what the program says', t => {
  const { console, lines } = setUp()
  for (const name of ['log', 'info', 'warn', 'error', 'debug']) console[name]('%s', name, { a: 1 })
  t.deepEqual(lines, [
    'APP [app] log { a: 1 }',
    'INF [app] info { a: 1 }',
    'WRN [app] warn { a: 1 }',
    'ERR [app] error { a: 1 }',
    'DBG [app] debug { a: 1 }',
  ])
})

test('counting, timing, asserting, grouping', t => {
  const { console, lines } = setUp()
  console.count()
  console.count('x')
  console.countReset('never counted')
  console.count()
  console.countReset()
  console.count()
  console.time('t')
  console.time('t')
  console.timeLog('t', 'half')
  console.timeEnd('t')
  console.timeEnd('t')
  console.assert(true, 'no')
  console.assert(false, '%s', 'yes')
  console.assert(false)
  console.assert(0, { a: 1 })
  console.group('outer')
  console.log('a\nb')
  console.groupEnd()
  console.log('c')
  console.groupCollapsed('closed')
  console.group()
  console.info('d')
  console.clear()
  console.log('e')
  console.groupEnd()
  console.log('f')
  t.deepEqual(
    lines.map(line => line.replace(/^.*?\[app\] /, '')),
    [
      'default: 1',
      'x: 1',
      "console: there is no count 'never counted'",
      'default: 2',
      'default: 1',
      "console: the timer 't' runs already",
      't: 1.500 ms half',
      't: 3.000 ms',
      "console: there is no timer 't'; call console.time('t') first",
      'Assertion failed: yes',
      'Assertion failed',
      'Assertion failed { a: 1 }',
      'outer',
      '  a\n      b',
      'c',
      'closed',
      '    d',
      'e',
      'f',
    ],
  )
})

test('a trace is shown where a program is looked at, with frames', t => {
  const { console, lines } = setUp()
  console.trace('here %d', 1)
  t.regex(lines.join('\n'), /^APP \[app\] Trace: here 1\n +at /)
})

test('without tables a table is what inspect shows', t => {
  const { console, lines } = setUp()
  console.table([{ a: 1 }])
  t.deepEqual(lines, ['APP [app] [ { a: 1 } ]'])
})
