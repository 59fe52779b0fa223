import { SimulatedXen } from '@xen-ts/drivers/sim'
import { MiniQubes, type Policy } from '@xen-ts/rig/dom0'
import test from 'ava'
import { startAgents } from './agents.ts'
import { channelsOf } from './testing.ts'
import { parseDate } from './time.ts'
import '@xen-ts/drivers/sim/leak-check'

const HOUR = 3600_000
const NOON = Date.UTC(2026, 10, 23, 12)

/** A qube whose dom0 answers qubes.GetDate with what `answer` gives; undefined refuses. */
async function setUp(answer: (now: number) => string | undefined | { code: number }) {
  const xen = new SimulatedXen()
  const [dom0, guest] = [xen.createDomain(0), xen.createDomain(5)]
  const asked: string[] = []
  const policy: Policy = ({ target, service, argument }) => {
    asked.push(`${service}+${argument} ${target}`)
    const given = answer(xen.now)
    return given === undefined ? undefined : () => (typeof given === 'string' ? given : { ...given, stdout: Buffer.from(dateOf(NOON)) })
  }
  const qubes = new MiniQubes({ domid: 5, channels: channelsOf(dom0).channels, policy })
  qubes.start()
  const { machine } = guest
  const agents = startAgents({ machine, channels: channelsOf(guest).channels })
  qubes.connect()
  await xen.advance(3_000)
  const lines = (): string[] => guest.log.filter(({ source }) => source === 'clock').map(({ level, text }) => `${level} ${text}`)
  const finish = async (): Promise<void> => {
    await xen.run(qubes.qrexec.idle())
    qubes.stop()
    await xen.run(agents.close())
    await xen.advance(30_000)
    xen.assertNoLeaks()
  }
  return { xen, qubes, abi: machine.abi, asked, lines, finish }
}

const dateOf = (ms: number): string => new Date(ms).toISOString().replace(/\.(\d{3})Z/, ',$1000000+00:00\n')

test('the clock is set at start, every six hours and after a resume; timers do not move', async t => {
  const { xen, qubes, abi, asked, lines, finish } = await setUp(now => dateOf(NOON + now))
  t.deepEqual(asked, ['qubes.GetDate+nanoseconds @default'])
  t.is(abi.clockMonotonic(), xen.now)
  t.true(Math.abs(abi.clockWall() - (NOON + xen.now)) < 50)
  t.is(lines().length, 1)
  t.regex(lines()[0], /^info corrected by 64\d{3}\.\d{3} s, as dom0 says$/)
  await xen.advance(6 * HOUR - 10_000)
  t.is(asked.length, 1)
  await xen.advance(20_000)
  t.is(asked.length, 2)
  abi.clockSet(NOON) // asleep meanwhile
  t.is((await xen.run(qubes.call('qubes.SuspendPost', { user: 'root' }))).code, 0)
  await xen.advance(1_000)
  t.is(asked.length, 3)
  t.true(Math.abs(abi.clockWall() - (NOON + xen.now)) < 50)
  t.is(lines().filter(line => line.startsWith('info')).length, 2)
  await finish()
})

test('a refusal is one line, and the next question comes after six hours', async t => {
  const { xen, asked, lines, finish } = await setUp(() => undefined)
  t.regex(
    lines().join('\n'),
    /^info dom0 did not tell the time, Xen's is used: QrexecRefusedError: dom0 refused qubes.GetDate\+nanoseconds in @default: [^\n]*$/,
  )
  await xen.advance(5.9 * HOUR)
  t.is(asked.length, 1)
  await xen.advance(0.2 * HOUR)
  t.is(asked.length, 2)
  t.is(lines().filter(line => !line.startsWith('debug')).length, 1)
  await finish()
})

test('without an answer it is asked again, at growing intervals, and once it comes it is believed', async t => {
  let broken = true
  const { xen, abi, asked, lines, finish } = await setUp(now => (broken ? '' : dateOf(NOON + now)))
  t.regex(lines()[0], /the answer is empty: no clock qube is set/)
  await xen.advance(60_000)
  t.is(asked.length, 2)
  await xen.advance(60_000)
  t.is(asked.length, 2)
  await xen.advance(60_000)
  t.is(asked.length, 3)
  broken = false
  await xen.advance(240_000)
  t.is(asked.length, 4)
  t.true(Math.abs(abi.clockWall() - (NOON + xen.now)) < 50)
  await xen.advance(5 * HOUR)
  t.is(asked.length, 4)
  await finish()
})

test('dates', t => {
  t.is(parseDate('2026-11-22T18:29:54,123456789+00:00\n'), Date.UTC(2026, 10, 22, 18, 29, 54) + 123.456789)
  t.is(parseDate('2026-11-22T18:29:54+00:00\n'), Date.UTC(2026, 10, 22, 18, 29, 54))
  t.is(parseDate('2028-02-29T00:00:00+00:00\n'), Date.UTC(2028, 1, 29))
})

const HOSTILE: Record<string, string> = {
  'no newline': '2026-11-22T18:29:54+00:00',
  'something behind': '2026-11-22T18:29:54+00:00\nx',
  'another zone': '2026-11-22T18:29:54+01:00\n',
  'a point for the comma': '2026-11-22T18:29:54.123456789+00:00\n',
  milliseconds: '2026-11-22T18:29:54,123+00:00\n',
  'the 31st of November': '2026-11-31T18:29:54+00:00\n',
  'the 29th of February in 2027': '2027-02-29T18:29:54+00:00\n',
  'month 13': '2026-13-01T18:29:54+00:00\n',
  'hour 24': '2026-11-22T24:00:00+00:00\n',
  'a leap second': '2026-12-31T23:59:60+00:00\n',
  'before this program was written': '2025-12-31T23:59:59+00:00\n',
  'the year 26': '0026-11-22T18:29:54+00:00\n',
  'the year 2100': '2100-01-01T00:00:00+00:00\n',
  'the year 9999': '9999-12-31T23:59:59,999999999+00:00\n',
  'digits of another script': '２０２６-11-22T18:29:54+00:00\n',
  'a negative year': '-026-11-22T18:29:54+00:00\n',
  'NUL bytes': '\0'.repeat(36),
  'a megabyte': 'x'.repeat(1 << 20),
  'nothing at all': '',
}

for (const [name, text] of Object.entries(HOSTILE)) {
  test(`hostile date: ${name}: Xen's clock stays`, async t => {
    t.is(parseDate(text), undefined)
    const { xen, abi, lines, finish } = await setUp(() => text)
    t.is(abi.clockWall(), xen.epoch + xen.now)
    t.is(lines().length, 1)
    t.true(lines()[0].length < 320)
    await finish()
  })
}

test('a date from a service that failed is not believed', async t => {
  const { xen, abi, finish } = await setUp(() => ({ code: 1 }))
  t.is(abi.clockWall(), xen.epoch + xen.now)
  await finish()
})
