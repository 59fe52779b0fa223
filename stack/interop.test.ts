/** The Linux kernel's TCP and curl against this stack, over a clean wire and over a bad one. */

import { createHash } from 'node:crypto'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nodeMachine } from '@xen-ts/runtime/node'
import test from 'ava'
import { httpServer } from './http/server/server.ts'
import { createStack, type IpStack } from './stack.ts'
import { pattern } from './testing/pair.ts'
import { TapDevice, tapProblem } from './testing/tap.ts'

const problem = tapProblem()
const interop = problem === undefined ? test.serial : test.serial.skip
const bigBody = pattern(1_000_000)
const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

let device: TapDevice
let stack: IpStack
let linuxLinkLocal: string
const controller = new AbortController()
let served: Promise<void>

test.before(async t => {
  if (problem !== undefined) {
    t.log(`interoperability with Linux is not tested: ${problem}`)
    return
  }
  device = await TapDevice.open('10.137.0.1/32')
  // As in Qubes: both ends have a /32, and each reaches the other by a host route.
  await device.run('ip', ['route', 'add', '10.137.0.16/32', 'dev', 'tap0'])
  await device.run('ip', ['addr', 'add', 'fd00::1/128', 'dev', 'tap0', 'nodad'])
  await device.run('ip', ['route', 'add', 'fd00::16/128', 'dev', 'tap0'])
  // Linux answers for its link-local address when it is sure that nobody else has it, a second after the start.
  for (let shown = 'tentative'; /tentative|^$/.test(shown); linuxLinkLocal = /fe80:[\da-f:]+/.exec(shown)?.[0] ?? '')
    shown = (await device.run('ip', ['-6', 'addr', 'show', 'dev', 'tap0', 'scope', 'link'])).stdout.toString()
  const machine = nodeMachine()
  const ipv6 = { address: 'fd00::16', gateway: linuxLinkLocal }
  stack = createStack(machine, device, { address: '10.137.0.16', netmask: '255.255.255.255', gateway: '10.137.0.1', ipv6 })
  served = httpServer(machine, stack.tcp).serve({ port: 80, signal: controller.signal, limits: { body: 10_000_000 } }, async request => {
    if (request.method === 'POST') return new Response(await request.bytes())
    return request.url.endsWith('/big') ? new Response(bigBody) : new Response(`hello ${new URL(request.url).pathname}`)
  })
})

test.after.always(async () => {
  stack?.close()
  await device?.close()
})

const curl = (...args: string[]): ReturnType<TapDevice['run']> => device.run('curl', ['-sS', '--max-time', '50', ...args])

interop('Linux: ARP and echo requests are answered, at full size too', async t => {
  const small = await device.run('ping', ['-c', '3', '-i', '0.2', '10.137.0.16'])
  if (small.code === -1 || /not found|No such file/.test(small.stderr)) {
    t.pass('ping is not installed')
    return
  }
  t.is(small.code, 0, small.stdout.toString() + small.stderr)
  const large = await device.run('ping', ['-c', '3', '-i', '0.2', '-s', '1472', '-M', 'do', '10.137.0.16'])
  t.is(large.code, 0, large.stdout.toString())
})

interop('Linux: neighbour discovery and echo requests of every size over IPv6, to both addresses and to all', async t => {
  const ping = async (...args: string[]): Promise<void> => {
    const result = await device.run('ping', ['-6', '-c', '3', '-i', '0.2', '-w', '5', ...args])
    t.is(result.code, 0, `${args}: ${result.stdout}${result.stderr}`)
  }
  if ((await device.run('sh', ['-c', 'command -v ping'])).code !== 0) {
    t.pass('ping is not installed')
    return
  }
  await ping('fd00::16')
  await ping('-s', '1452', '-M', 'do', 'fd00::16')
  await ping('-s', '20000', 'fd00::16')
  await ping('-s', '65000', 'fd00::16')
  await ping('fe80::216:3eff:fe5e:6c00%tap0')
  const all = await device.run('ping', ['-6', '-c', '5', '-i', '0.2', '-w', '3', 'ff02::1%tap0'])
  t.true(/from fe80::216:3eff:fe5e:6c00/.test(all.stdout.toString()), all.stdout.toString())
})

interop('Linux: over IPv6 a port without a listener refuses, and a datagram that nobody takes is answered', async t => {
  const refused = await curl('http://[fd00::16]:81/')
  t.is(refused.code, 7, refused.stderr)
  const before = stack.counters.icmpErrors
  const ask = `const s = require('node:dgram').createSocket('udp6'); s.connect(9, 'fd00::16', () => s.send('x'))
    s.on('error', error => { console.log(error.code); s.close() })`
  const answer = await device.run(process.execPath, ['-e', ask])
  t.is(answer.stdout.toString().trim(), 'ECONNREFUSED', answer.stderr)
  t.true(stack.counters.icmpErrors > before)
})

for (const [name, trouble, host] of [
  ['clean', {}, '10.137.0.16'],
  ['lossy', { loss: 0.05, reordering: 0.1, jitter: 5 }, '10.137.0.16'],
  ['clean IPv6', {}, '[fd00::16]'],
  ['lossy, reordering and duplicating', { loss: 0.05, reordering: 0.05, jitter: 5, duplication: 0.05 }, '10.137.0.16'],
  ['lossy IPv6', { loss: 0.05, reordering: 0.1, jitter: 5 }, '[fd00::16]'],
] as const) {
  interop(`Linux, ${name} wire: curl gets a page, and several over one connection`, async t => {
    device.trouble = trouble
    const one = await curl(`http://${host}/a`)
    t.is(one.stdout.toString(), 'hello /a', one.stderr)
    const many = await curl('-v', ...Array.from({ length: 20 }, (_, i) => `http://${host}/${i}`))
    t.is(many.stdout.toString(), Array.from({ length: 20 }, (_, i) => `hello /${i}`).join(''))
    t.is(many.stderr.match(/Connected to/g)?.length, 1)
  })

  interop(`Linux, ${name} wire: a megabyte down, and up and down again`, async t => {
    device.trouble = trouble
    const down = await curl(`http://${host}/big`)
    t.is(digest(down.stdout), digest(bigBody), down.stderr)
    const echo = await curl('--data-binary', `@${import.meta.filename}`, '-H', 'Expect: 100-continue', `http://${host}/`)
    t.is(echo.stdout.toString(), await readFile(import.meta.filename, 'utf8'), echo.stderr)
    const file = join(tmpdir(), 'xen-ts-interop-body')
    await writeFile(file, bigBody)
    const up = await curl('--data-binary', `@${file}`, `http://${host}/`)
    await rm(file)
    t.is(digest(up.stdout), digest(bigBody), up.stderr)
  })
}

interop('Linux: ten megabytes each way over a wire that loses, reorders and doubles one frame in twenty', async t => {
  device.trouble = { loss: 0.05, reordering: 0.05, jitter: 5, duplication: 0.05 }
  const body = pattern(10_000_000)
  const file = join(tmpdir(), 'xen-ts-interop-large')
  await writeFile(file, body)
  const { tcpTimeouts, tcpFastRetransmits } = stack.counters
  const answer = await curl('--data-binary', `@${file}`, 'http://10.137.0.16/')
  await rm(file)
  t.is(digest(answer.stdout), digest(body), answer.stderr)
  t.true(stack.counters.tcpFastRetransmits > tcpFastRetransmits)
  t.log(`timeouts ${stack.counters.tcpTimeouts - tcpTimeouts}, recoveries ${stack.counters.tcpFastRetransmits - tcpFastRetransmits}`)
})

interop('Linux: ten curls at once', async t => {
  device.trouble = { loss: 0.02 }
  const answers = await Promise.all(Array.from({ length: 10 }, () => curl('http://10.137.0.16/big')))
  for (const answer of answers) t.is(digest(answer.stdout), digest(bigBody), answer.stderr)
})

interop('Linux: clients that got SYN cookies are served as others are', async t => {
  device.trouble = { loss: 0.02, reordering: 0.1, jitter: 5 }
  const head = Buffer.from(`HTTP/1.1 200 OK\r\ncontent-length: ${bigBody.length}\r\nconnection: close\r\n\r\n`)
  stack.tcp.bind(82, { backlog: 0, signal: controller.signal }, socket => ({
    onData() {
      socket.queue(head, 0, head.length)
      socket.queue(bigBody, 0, bigBody.length)
      socket.end()
      return 0
    },
    onEnd() {},
    onWritable() {},
    onClosed() {},
  }))
  const answers = await Promise.all(Array.from({ length: 5 }, () => curl('http://10.137.0.16:82/')))
  for (const answer of answers) t.is(digest(answer.stdout), digest(bigBody), answer.stderr)
  t.true(stack.counters.tcpSynCookies >= 5)
})

interop('Linux: a port without a listener refuses', async t => {
  device.trouble = {}
  const refused = await curl('http://10.137.0.16:81/')
  t.is(refused.code, 7, refused.stderr)
})

interop('Linux: the stack connects, sends a megabyte, half-closes and reads it back; and is refused where nobody listens', async t => {
  device.trouble = { loss: 0.02 }
  const echo = device.run(process.execPath, [
    '-e',
    `
    require('node:net').createServer({ allowHalfOpen: true }, (socket) => {
      const parts = []
      socket.on('data', (part) => parts.push(part)).on('end', () => { socket.end(Buffer.concat(parts)); server.close() })
    }).listen(4000).on('listening', function () { server = this })`,
  ])
  const body = pattern(1_000_000)
  let connection
  for (let i = 0; connection === undefined; i++) {
    try {
      connection = await stack.tcp.connect({ host: '10.137.0.1', port: 4000, timeout: 5_000 })
    } catch (error) {
      if (i > 40) throw error
      await new Promise(resolve => setTimeout(resolve, 100)) // Node is still starting
    }
  }
  const parts: Uint8Array[] = []
  const reading = (async () => {
    for (let part = await connection.read(); part !== undefined; part = await connection.read()) parts.push(part)
  })()
  for (let at = 0; at < body.length; at += 50_000) await connection.write(body.subarray(at, at + 50_000))
  connection.end()
  await reading
  t.is(digest(Buffer.concat(parts)), digest(body))
  await connection.closed
  t.is((await echo).code, 0)
  await t.throwsAsync(stack.tcp.connect({ host: '10.137.0.1', port: 4001 }), { message: /was refused/ })
})

interop('Linux: after all that, the server stops in good order and no memory is held', async t => {
  controller.abort()
  await served
  t.is(stack.tcp.memory.used, 0)
  t.is(stack.counters.malformed, 0)
  t.is(stack.counters.badChecksum, 0)
  t.is(stack.counters.tcpBadSacks, 0)
  t.is(stack.counters.tcpSackReneged, 0)
  t.is(stack.counters.tcpNoTimestamp, 0, 'Linux sends timestamps on all segments')
  t.true(stack.counters.tcpDuplicateSacks > 0, 'and tells of what arrived twice')
  t.log(stack.counters)
})
