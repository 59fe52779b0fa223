/** Messages to the letter of RFC 5424, datagrams on real sockets, and the image with its target. */
import { createSocket } from 'node:dgram'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readImage } from '@xen-ts/boot'
import { connect as connectUnix } from '@xen-ts/targets/unix'
import test from 'ava'
import type { LogLine, ProgramLog, Stack } from 'xen-ts'
import { buildProgram } from 'xen-ts/tool'
import { endpoint, forward, syslogMessage } from './syslog.ts'

const line = (more: Partial<LogLine> = {}): LogLine => ({
  time: Date.UTC(2026, 10, 22, 18, 29, 54, 3),
  level: 'info',
  source: 'net-xen',
  message: 'vif 0: grüße',
  text: '',
  ...more,
})
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()

test('a message: priority, version, time, host, program, source', t => {
  t.is(
    text(syslogMessage(line(), { host: '10.0.0.2', name: 'www' })),
    '<134>1 2026-11-22T18:29:54.003Z 10.0.0.2 www - net-xen - \ufeffvif 0: grüße',
  )
  for (const [level, priority] of [
    ['error', 131],
    ['warn', 132],
    ['app', 133],
    ['debug', 135],
  ] as const)
    t.true(text(syslogMessage(line({ level }), { name: 'www' })).startsWith(`<${priority}>1 `), level)
  t.regex(text(syslogMessage(line({ source: 'two words ü' }), { name: 'x'.repeat(60) })), / - x{48} - two_words__ - /)
})

test('a long message is cut between characters', t => {
  for (let i = 0; i < 4; i++) {
    const message = `${'x'.repeat(i)}${'ü'.repeat(2000)}`
    const bytes = syslogMessage(line({ message }), { name: 'www' })
    t.true(bytes.length <= 1180 && bytes.length > 1176)
    t.false(text(bytes).includes('\ufffd'))
  }
})

test('where the server is', t => {
  t.deepEqual(endpoint('10.0.0.1'), { address: '10.0.0.1', port: 514 })
  t.deepEqual(endpoint('10.0.0.1:1514'), { address: '10.0.0.1', port: 1514 })
  for (const wrong of ['', 'loghost', '10.0.0.1:', '10.0.0.1:0', '10.0.0.1:70000'])
    t.throws(() => endpoint(wrong), { message: /^--syslog: '.*' is not an address; write 10\.0\.0\.1/ })
})

test('what was logged is sent, then what is, until the end', async t => {
  const server = createSocket('udp4')
  t.teardown(() => server.close())
  const received: string[] = []
  await new Promise<void>(resolve => server.bind(0, '127.0.0.1', resolve))
  const arrived = (count: number) =>
    new Promise<void>(resolve => {
      const look = () => (received.length >= count ? resolve() : setTimeout(look, 5))
      look()
    })
  server.on('message', bytes => received.push(text(bytes).replace(/^.*- \ufeff/, '')))
  const stop = new AbortController()
  const context: any = {
    args: { portMap: [], tap: '', dns: [], ipv4: '', ipv4Gateway: '', ipv6: '', ipv6Gateway: '', dhcp: false },
    machine: {},
    signal: stop.signal,
  }
  const net = (await (await connectUnix(context)).provide.stack({}, {}, context)) as Stack
  let listener: ((lines: readonly LogLine[]) => void) | undefined
  const log = {
    recent: () => [line({ message: 'before' })],
    tap(given) {
      listener = given
      return () => {
        listener = undefined
      }
    },
  } as Partial<ProgramLog> as ProgramLog
  forward({ log, net, to: { address: '127.0.0.1', port: (server.address() as AddressInfo).port }, name: 'www', signal: stop.signal })
  listener!([line({ message: 'one' }), line({ message: 'two' })])
  await arrived(3)
  t.deepEqual(received.sort(), ['before', 'one', 'two'])
  stop.abort()
  t.is(listener, undefined)
})

test('the example is built for its target, with a stack that the program itself does not ask for', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'xen-ts-syslog-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const output = join(folder, 'clockwork.xen')
  await buildProgram({ app: import.meta.dirname, output })
  const { metadata } = readImage(readFileSync(output))
  t.deepEqual([metadata.target, metadata.network], ['xen-syslog', true])
  await t.throwsAsync(buildProgram({ app: import.meta.dirname, output, args: ['--syslog=loghost'] }), {
    message: /'loghost' is not an address/,
  })
})
