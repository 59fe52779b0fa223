import test from 'ava'
import { hostFunctions, lineLog, nodeMachine, nodeTimers } from './machine.ts'

test("memory and text are the kernel's: checked, and text ends at the first NUL", t => {
  const { abi } = nodeMachine()
  const bytes = new Uint8Array(8)
  t.is(abi.utf8Encode('Zürich', bytes, 1), 7)
  t.is(abi.utf8Decode(bytes, 1, 7), 'Zürich')
  t.is(abi.utf8Encode('Zürich', bytes, 2), -7)
  t.is(abi.latin1Decode(Uint8Array.of(0x41, 0xe9, 0, 0x42), 0, 4), 'Aé')
  t.is(abi.checksum(Uint8Array.of(1, 2, 3), 0, 3, 0xffff), 0x204)
  for (const wrong of [() => abi.copy(bytes, 6, bytes, 0, 3), () => abi.checksum(bytes, -1, 1, 0), () => abi.utf8Decode(bytes, 0, 1.5)])
    t.throws(wrong, { instanceOf: RangeError })
})

test("clocks and randomness are the process's, or what is passed in", t => {
  const { clockMonotonic, clockWall, random } = hostFunctions()
  const before = clockMonotonic()
  t.true(clockMonotonic() >= before)
  t.true(Math.abs(clockWall() - Date.now()) < 10_000)
  const large = new Uint8Array(200_000) // more than getRandomValues gives at once
  random(large)
  t.true(large.subarray(-100).some(byte => byte !== 0))
  const own = hostFunctions({ now: () => 7, wall: () => 9, random: into => into.fill(5) })
  const into = new Uint8Array(2)
  own.random(into)
  t.deepEqual([own.clockMonotonic(), own.clockWall(), ...into], [7, 9, 5, 5])
})

test('timers fire, faster when asked, and not when cancelled', async t => {
  const timers = nodeTimers(1000)
  const fired: string[] = []
  timers.set(1, () => fired.push('cancelled')).cancel()
  const start = timers.now()
  await new Promise<void>(resolve => {
    timers.set(5_000, () => {
      fired.push('fired')
      resolve()
    })
  })
  t.deepEqual(fired, ['fired'])
  t.true(timers.now() - start >= 4_000)
})

test('a line of the log has its level and its source', t => {
  const lines: string[] = []
  const log = lineLog(line => lines.push(line))('net:rx')
  for (const level of ['app', 'error', 'warn', 'info', 'debug'] as const) log[level]('said')
  t.deepEqual(
    lines,
    ['APP', 'ERR', 'WRN', 'INF', 'DBG'].map(label => `${label} [net:rx] said`),
  )
})
