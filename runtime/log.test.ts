import test from 'ava'
import { type LogLine, LogWriter, limitedLog, parseThresholds } from './log.ts'

function setUp(keep?: number) {
  let text = ''
  const writer = new LogWriter({
    write: part => {
      text += part
    },
    now: () => Date.UTC(2026, 10, 22, 18, 29, 54, 3),
    keep,
  })
  const lines = () =>
    text
      .split('\n')
      .slice(0, -1)
      .map(line => line.replace('2026-11-22 18:29:54.003 -00:00: ', ''))
  return { writer, lines, all: () => text }
}

test('a line has date, time, zone, level, source and text', t => {
  const { writer, all } = setUp()
  writer.log('net-xen:frontend').info('connect 0')
  t.is(all(), '2026-11-22 18:29:54.003 -00:00: INF [net-xen:frontend] connect 0\n')
})

test('the levels have the names of Mirage, and debug is off by default', t => {
  const { writer, lines } = setUp()
  const log = writer.log('a')
  for (const level of ['app', 'error', 'warn', 'info', 'debug'] as const) log[level](level)
  t.deepEqual(lines(), ['APP [a] app', 'ERR [a] error', 'WRN [a] warn', 'INF [a] info'])
})

test('further lines are indented, and what could forge a line or steer a terminal is spelled out', t => {
  const { writer, lines } = setUp()
  writer.log('a').info('one\ntwo\r\nthree\rERR [b] forged\x1b[2J\0\x9b\n\n')
  t.deepEqual(lines(), ['INF [a] one', '    two', '    three\\x0dERR [b] forged\\x1b[2J\\x00\\x9b'])
})

test('thresholds go by source: the longest name wins, a name covers what is below it, * all the rest', t => {
  const { writer, lines } = setUp()
  const early = writer.log('net-xen:frontend')
  writer.setThresholds(parseThresholds('net-xen:debug,net-xen:frontend:tx:error,*:warn'))
  early.debug('1')
  writer.log('net-xen').debug('2')
  writer.log('net-xenon').info('no')
  writer.log('net-xen:frontend:tx').warn('no')
  writer.log('net-xen:frontend:tx').error('3')
  writer.log('other').info('no')
  writer.log('other').warn('4')
  writer.setThresholds([])
  early.debug('no')
  early.info('5')
  t.deepEqual(
    lines().map(line => line.at(-1)),
    ['1', '2', '3', '4', '5'],
  )
})

test('--logs takes a level alone, and refuses what is none', t => {
  t.deepEqual(parseThresholds('debug'), [{ source: '*', level: 'debug' }])
  for (const wrong of ['loud', 'a:', ':info', 'a:loud', '', 'a:info,,b:info'])
    t.throws(() => parseThresholds(wrong), { message: /is not SOURCE:LEVEL; write for example/ }, wrong)
})

test('the last lines are kept, oldest first', t => {
  const { writer } = setUp(3)
  for (let i = 1; i <= 5; i++) writer.log('a').info(`${i}`)
  t.deepEqual(
    writer.recent().map(line => line.message),
    ['3', '4', '5'],
  )
  const { writer: other } = setUp(3)
  other.log('a').info('1')
  t.deepEqual(
    other.recent().map(line => line.message),
    ['1'],
  )
})

test('a tap gets what all sources write, the lines of a turn together, with their parts', async t => {
  const { writer } = setUp()
  const log = writer.programLog('app')
  writer.log('early').warn('before')
  const got: (readonly LogLine[])[] = []
  const end = log.tap(lines => got.push(lines))
  writer.log('net-xen').info('one\ntwo')
  log.debug('below the threshold')
  log.app('three')
  t.deepEqual(got, [])
  await null
  t.deepEqual(
    got.map(lines => lines.map(({ level, source, message }) => [level, source, message])),
    [
      [
        ['info', 'net-xen', 'one\n    two'],
        ['app', 'app', 'three'],
      ],
    ],
  )
  t.is(got[0]![1]!.text, '2026-11-22 18:29:54.003 -00:00: APP [app] three')
  t.is(got[0]![1]!.time, Date.UTC(2026, 10, 22, 18, 29, 54, 3))
  t.deepEqual(
    log.recent().map(({ message }) => message),
    ['before', 'one\n    two', 'three'],
  )
  end()
  log.info('four')
  await null
  t.is(got.length, 1)
})

test('a tap that logs is not given its own lines, one that throws is not called again, and neither stops the others or the console', async t => {
  const { writer, lines } = setUp()
  const seen: string[] = []
  writer.tap(() => {
    throw new Error('a slip')
  })
  writer.tap(got => {
    seen.push(...got.map(({ message }) => message))
    writer.log('tap').info(`saw ${got.length}`)
  })
  for (const text of ['a', 'b']) {
    writer.log('x').info(text)
    for (let i = 0; i < 5; i++) await null
  }
  t.deepEqual(seen, ['a', 'b'])
  t.deepEqual(
    lines().filter(line => line.startsWith('INF')),
    ['INF [x] a', 'INF [tap] saw 1', 'INF [x] b', 'INF [tap] saw 1'],
  )
  t.deepEqual(lines().filter(line => line.startsWith('ERR')).length, 1)
})

test('a flood in one turn reaches a tap as the lines that are kept', async t => {
  const { writer } = setUp(3)
  let got: readonly LogLine[] = []
  writer.tap(lines => {
    got = lines
  })
  for (let i = 0; i < 1000; i++) writer.log('a').info(`${i}`)
  await null
  t.deepEqual(
    got.map(({ message }) => message),
    ['997', '998', '999'],
  )
})

test('a limited log leaves out a flood and says how much', t => {
  const { writer, lines } = setUp()
  let now = 0
  const log = limitedLog(writer.log('a'), () => now, { burst: 2, interval: 1_000 })
  for (let i = 0; i < 10; i++) log.warn(`${i}`)
  now = 1_000
  log.warn('later')
  t.deepEqual(lines(), ['WRN [a] 0', 'WRN [a] 1', 'WRN [a] 8 more lines like this were left out', 'WRN [a] later'])
})
