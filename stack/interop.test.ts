/** The Linux kernel's TCP and curl against this stack, over a clean wire and over a bad one. */

import { createHash } from 'node:crypto'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nodeMachine } from '@xen-ts/runtime/node'
import test from 'ava'
import { httpServer } from './http/server/server.ts'
import { upgradeWebSocket } from './http/websocket/upgrade.ts'
import { createStack, type IpStack } from './stack.ts'
import { pattern } from './testing/pair.ts'
import { TapDevice, tapProblem } from './testing/tap.ts'

const problem = tapProblem()
const interop = problem === undefined ? test.serial : test.serial.skip
const bigBody = pattern(1_000_000)
const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

let device: TapDevice
let stack: IpStack
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
  const machine = nodeMachine()
  stack = createStack(machine, device, { address: '10.137.0.16', netmask: '255.255.255.255', gateway: '10.137.0.1' })
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

for (const [name, trouble] of [
  ['clean', {}],
  ['lossy', { loss: 0.05, reordering: 0.1, jitter: 5 }],
] as const) {
  interop(`Linux, ${name} wire: curl gets a page, and several over one connection`, async t => {
    device.trouble = trouble
    const one = await curl('http://10.137.0.16/a')
    t.is(one.stdout.toString(), 'hello /a', one.stderr)
    const many = await curl('-v', ...Array.from({ length: 20 }, (_, i) => `http://10.137.0.16/${i}`))
    t.is(many.stdout.toString(), Array.from({ length: 20 }, (_, i) => `hello /${i}`).join(''))
    t.is(many.stderr.match(/Connected to/g)?.length, 1)
  })

  interop(`Linux, ${name} wire: a megabyte down, and up and down again`, async t => {
    device.trouble = trouble
    const down = await curl('http://10.137.0.16/big')
    t.is(digest(down.stdout), digest(bigBody), down.stderr)
    const echo = await curl('--data-binary', `@${import.meta.filename}`, '-H', 'Expect: 100-continue', 'http://10.137.0.16/')
    t.is(echo.stdout.toString(), await readFile(import.meta.filename, 'utf8'), echo.stderr)
    const file = join(tmpdir(), 'xen-ts-interop-body')
    await writeFile(file, bigBody)
    const up = await curl('--data-binary', `@${file}`, 'http://10.137.0.16/')
    await rm(file)
    t.is(digest(up.stdout), digest(bigBody), up.stderr)
  })
}

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
  t.log(stack.counters)
})
