/** The Linux kernel's TCP and curl against this stack, over a clean wire and over a bad one. */

import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nodeMachine } from '@xen-ts/runtime/node'
import test from 'ava'
import { httpServer } from './http/server/server.ts'
import { upgradeWebSocket } from './http/websocket/upgrade.ts'
import { createStack, type IpStack } from './stack.ts'
import { pattern } from './testing/pair.ts'
import { compile, TapDevice, tapProblem } from './testing/tap.ts'

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
    const { pathname } = new URL(request.url)
    if (pathname === '/count') return new Response(await count(request))
    if (pathname === '/unread') return new Response('not read')
    if (pathname === '/ws') return echoing(request)
    if (request.method === 'POST') return new Response(await request.bytes())
    return request.url.endsWith('/big') ? new Response(bigBody) : new Response(`hello ${new URL(request.url).pathname}`)
  })
})

/** Bytes and digest of a body, read slowly at first; and the most that the stack held of it. */
async function count(request: Request): Promise<string> {
  const hash = createHash('sha256')
  let bytes = 0
  let held = 0
  let pieces = 0
  for await (const piece of request.body!) {
    bytes += piece.length
    hash.update(piece)
    if (pieces++ < 10) await new Promise(resolve => setTimeout(resolve, 30))
    held = Math.max(held, stack.tcp.memory.used)
  }
  return JSON.stringify({ bytes, digest: hash.digest('hex'), held })
}

function echoing(request: Request): Response {
  const { socket, response } = upgradeWebSocket(request)
  socket.onmessage = ({ data }) => socket.send(data)
  return response
}

test.after.always(async () => {
  stack?.close()
  await device?.close()
})

const curl = (...args: string[]): ReturnType<TapDevice['run']> => device.run('curl', ['-sS', '--max-time', '50', ...args])

interop('Linux: ARP is answered, and echo requests of every size to 64 KiB', async t => {
  const directory = await mkdtemp(join(tmpdir(), 'xen-ts-ping-'))
  const ping = join(directory, 'ping')
  compile('ping.c', ping)
  const before = stack.counters.echoReplies
  const sizes = [0, 1, 56, 1472, 1473, 1480, 2952, 2953, 8000, 32_768, 65_000, 65_507]
  for (const size of sizes) {
    const { code, stderr } = await device.run(ping, ['10.137.0.16', `${size}`])
    t.is(code, 0, `${size} bytes: ${stderr}`)
  }
  await rm(directory, { recursive: true })
  t.is(stack.counters.echoReplies, before + sizes.length)
})

/** Sends one datagram from Linux to a port of the stack; what came back, or the error, and its kernel's own opinion of the path. */
async function datagram(port: number, bytes: number): Promise<string> {
  const program = `
    const socket = require('node:dgram').createSocket('udp4')
    const done = text => { console.log(text); socket.close() }
    setTimeout(() => done('silence'), 5000).unref()
    socket.on('error', error => done(error.code)).on('message', message => done(String(message.length)))
    socket.connect(${port}, '10.137.0.16', () => socket.send(Buffer.alloc(${bytes}, 7)))`
  const { stdout, stderr } = await device.run(process.execPath, ['-e', program])
  return stdout.toString().trim() || stderr
}

interop('Linux: datagrams of any size, and a port without a receiver refuses', async t => {
  device.trouble = {}
  const unbind = stack.udp.bind(9, (bytes, offset, length, from, port) => {
    stack.udp.send(9, from, port, bytes.slice(offset, offset + length))
  })
  for (const size of [0, 1, 1472, 1473, 9000, 65_507]) t.is(await datagram(9, size), `${size}`)
  unbind()
  t.is(await datagram(9, 1), 'ECONNREFUSED')
  t.is(await datagram(9, 9000), 'ECONNREFUSED')
})

interop('Linux: a narrow path behind a router is heard of, and the next connection and datagrams begin with it', async t => {
  device.trouble = {}
  // Behind tap0 there is a second namespace. What goes there has 1000 bytes at most, which only the router knows.
  const farther = `xen-ts-far-${process.pid}`
  const inside = (...args: string[]) => device.run('ip', args)
  for (const step of [
    'link add near mtu 1000 type veth peer name far mtu 1500',
    `netns add ${farther}`,
    `link set far netns ${farther}`,
    'addr add 10.138.0.1/24 dev near',
    'link set near up',
    `netns exec ${farther} ip addr add 10.138.0.2/24 dev far`,
    `netns exec ${farther} ip link set far up`,
    `netns exec ${farther} ip route add default via 10.138.0.1`,
  ]) {
    const { code, stderr } = await inside(...step.split(' '))
    t.is(code, 0, `${step}: ${stderr}`)
  }
  try {
    t.is((await device.run('sh', ['-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward'])).code, 0)
    const far = (...args: string[]) => inside('netns', 'exec', farther, 'curl', '-sS', '--max-time', '50', ...args)
    const { fragmented } = stack.counters
    const first = await far('http://10.137.0.16/big')
    t.is(digest(first.stdout), digest(bigBody), first.stderr)
    const route = stack.udp.routeTo('10.138.0.2')
    t.is(route.pathMtu, 1000)
    // Not our retransmissions: on a busy machine there are some for other reasons.
    const refused = async () => {
      const [names, values] = (await device.run('grep', ['^Icmp:', '/proc/net/snmp'])).stdout
        .toString()
        .split('\n')
        .map(line => line.split(' '))
      return Number(values![names!.indexOf('OutDestUnreachs')])
    }
    const before = await refused()
    t.true(before > 0)
    const second = await far('http://10.137.0.16/big')
    t.is(digest(second.stdout), digest(bigBody), second.stderr)
    t.is(await refused(), before, 'nothing was too big any more')
    stack.udp.send(9, route, 9, new Uint8Array(1400))
    t.is(stack.counters.fragmented, fragmented + 1)
  } finally {
    await inside('netns', 'del', farther)
    await inside('link', 'del', 'near')
  }
})

interop('Linux: neighbour discovery and echo requests of every size over IPv6, to both addresses and to all', async t => {
  const directory = await mkdtemp(join(tmpdir(), 'xen-ts-ping-'))
  const ping = join(directory, 'ping')
  compile('ping.c', ping)
  const cases = [56, 1452, 1453, 20_000, 65_000, 65_527].map(size => ['fd00::16', size] as const)
  for (const [address, size] of [...cases, ['fe80::216:3eff:fe5e:6c00%tap0', 56] as const, ['ff02::1%tap0', 56] as const]) {
    const { code, stderr } = await device.run(ping, [address, `${size}`])
    t.is(code, 0, `${size} bytes to ${address}: ${stderr}`)
  }
  await rm(directory, { recursive: true })
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
    const directory = await mkdtemp(join(tmpdir(), 'xen-ts-interop-')) // of this run: there may be another
    const file = join(directory, 'body')
    await writeFile(file, bigBody)
    const up = await curl('--data-binary', `@${file}`, `http://${host}/`)
    await rm(directory, { recursive: true })
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

interop('Linux: 10 MB up, by length and in chunks, to a program that reads slowly: no more than the receive window is held', async t => {
  device.trouble = {}
  const body = pattern(10_000_000)
  const file = join(tmpdir(), 'xen-ts-interop-upload')
  await writeFile(file, body)
  try {
    for (const how of [
      ['--data-binary', `@${file}`],
      ['-X', 'POST', '-T', file, '-H', 'Transfer-Encoding: chunked'],
    ]) {
      const up = await curl(...how, 'http://10.137.0.16/count')
      const { bytes, digest: itsDigest, held } = JSON.parse(up.stdout.toString())
      t.deepEqual([bytes, itsDigest], [body.length, digest(body)], up.stderr)
      t.true(held <= 256 * 1024 + 65_536, `${held}`)
    }
    const unread = await curl('--data-binary', `@${file}`, '-w', ' %{http_code}', 'http://10.137.0.16/unread')
    t.is(unread.stdout.toString(), 'not read 200', unread.stderr)
  } finally {
    await rm(file)
  }
})

interop('Linux: the WebSocket client of Node, message for message', async t => {
  device.trouble = { loss: 0.02 }
  const client = `const ws = new WebSocket('ws://10.137.0.16/ws'); ws.binaryType = 'arraybuffer'; const said = []
ws.onopen = () => { ws.send('text'); ws.send(new Uint8Array(500000).fill(7)) }
ws.onmessage = ({ data }) => { said.push(data.byteLength ?? data); if (said.length === 2) ws.close(4001, 'enough') }
ws.onclose = ({ code, wasClean }) => console.log(JSON.stringify([...said, code, wasClean]))`
  const { stdout, stderr } = await device.run(process.execPath, ['-e', client])
  t.is(stdout.toString().trim(), '["text",500000,4001,true]', stderr)
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
