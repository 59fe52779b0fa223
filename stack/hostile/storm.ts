/**
 * Everything that a program has on one stack at a time: server, client, uploads, WebSockets, datagrams, names, to itself and to another
 * host, by both families; while signals abort at any stage, the wire loses frames, and the network changes. Whatever comes of each: it comes to an
 * end, it is right or it is an error, and nothing is left of it.
 */
import type { Machine } from '@xen-ts/runtime/machine'
import { type HttpClient, httpClient } from '../http/client/client.ts'
import { httpServer } from '../http/server/server.ts'
import { closing, handshake, text } from '../http/websocket/testing.ts'
import { upgradeWebSocket } from '../http/websocket/upgrade.ts'
import { createStack, type IpStack } from '../stack.ts'
import { pattern } from '../testing/pair.ts'
import { type SimulatedDevice, Wire } from '../testing/wire.ts'
import { World } from '../testing/world.ts'
import { Dice } from './dice.ts'

const limits = { connections: 48, receiveMemory: 256 * 1024, receiveWindow: 64 * 1024 }
const latin1 = (value: string): Uint8Array => Uint8Array.from(value, character => character.charCodeAt(0))
/** What handlers throw on purpose, and what comes of a body that is another's response. */
const expected = /as it should|\/self\?/
const isSame = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i])

/** Runs one, and throws what is wrong with it. */
export async function storm(seed: number, count: number): Promise<Readonly<Record<string, number>>> {
  const scene = new Storm(seed)
  await scene.run(count)
  return scene.outcomes
}

interface Side {
  readonly name: string
  readonly machine: Machine
  readonly stack: IpStack
  readonly device: SimulatedDevice
  readonly web: HttpClient
  readonly number: number
  stop: AbortController
  serving: Promise<void>
}

class Storm {
  readonly outcomes: Record<string, number> = {}
  readonly #world: World
  readonly #wire: Wire
  readonly #dice: Dice
  readonly #sides: readonly Side[]
  readonly #running = new Map<number, string>()
  #wrong: string | undefined = undefined

  constructor(seed: number) {
    this.#dice = new Dice(seed)
    this.#world = new World(seed)
    this.#wire = new Wire(this.#world, this.#dice.one([{}, {}, { loss: 0.02, reordering: 0.05 }, { rate: 1000 }]))
    this.#sides = ['one', 'two'].map((name, i) => this.#side(name, i + 1))
  }

  #side(name: string, number: number): Side {
    const machine = this.#world.machine(name)
    const device = this.#wire.device(`02:00:00:00:00:0${number}`, { offload: this.#dice.chance(2), frames: this.#dice.one([32, 256]) })
    const stack = createStack(machine, device, { ...addresses(number), limits })
    const web = httpClient(machine, stack.tcp, {
      connections: 12,
      connectionsPerOrigin: 4,
      connectTimeout: 5,
      headTimeout: 8,
      bodyTimeout: 8,
    })
    const side: Side = { name, machine, stack, device, web, number, stop: new AbortController(), serving: Promise.resolve() }
    this.#serve(side)
    stack.udp.bind({ port: 7, onDatagrams: () => {} })
    return side
  }

  #serve(side: Side): void {
    side.stop = new AbortController()
    const { signal } = side.stop
    side.serving = httpServer(side.machine, side.stack.tcp).serve({ port: 80, signal }, request => this.#handle(side, request))
    side.serving.catch(error => this.#fault(`serve: ${error}`))
  }

  async #handle(side: Side, request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url)
    const size = Number(searchParams.get('size') ?? 0)
    switch (pathname) {
      case '/whole':
        return new Response(pattern(size) as Uint8Array<ArrayBuffer>)
      case '/stream':
        return new Response(this.#stream(size))
      case '/endless':
        return new Response(this.#stream(Infinity))
      case '/echo':
        return new Response(request.body)
      case '/gather':
        return new Response(await request.bytes())
      case '/unread':
        await this.#wait(this.#dice.below(100))
        return new Response('unread')
      case '/some': {
        const reader = request.body!.getReader()
        await reader.read()
        await reader.cancel('enough')
        await reader.cancel('twice')
        return new Response('some')
      }
      case '/slow':
        await this.#wait(this.#dice.below(15_000))
        return new Response('slow')
      case '/throws':
        throw new Error('as it should')
      case '/fails':
        return new Response(
          new ReadableStream({
            pull: async controller => {
              await this.#wait(5)
              controller.enqueue(new Uint8Array(100))
              if (this.#dice.chance(3)) throw new Error('as it should')
            },
          }),
        )
      case '/self':
        return side.web.fetch(`http://${this.#dice.one(['127.0.0.1', '[::1]', 'localhost'])}/stream?size=${size}`, {
          signal: request.signal,
        })
      case '/redirect':
        return Response.redirect(`http://${request.headers.get('host')}/whole?size=${size}`, 307)
      case '/ws': {
        const { socket, response } = upgradeWebSocket(request)
        socket.onmessage = event => socket.send(event.data)
        if (this.#dice.chance(4)) socket.onopen = () => socket.close(4000, 'no')
        if (this.#dice.chance(4)) {
          socket.onclose = async () => {
            throw new Error('as it should')
          }
        }
        return response
      }
    }
    return new Response('not there', { status: 404 })
  }

  #stream(size: number): ReadableStream<Uint8Array> {
    let at = 0
    return new ReadableStream({
      pull: async controller => {
        await this.#wait(this.#dice.below(20))
        const piece = Math.min(size - at, 1 + this.#dice.below(5000))
        if (piece > 0) controller.enqueue(pattern(piece, at))
        at += piece
        if (at >= size) controller.close()
      },
    })
  }

  #wait(milliseconds: number): Promise<void> {
    return new Promise(resolve => void this.#world.at(milliseconds, resolve))
  }

  // ---- what a program does

  readonly #kinds: Readonly<Record<string, (side: Side, host: string, signal: AbortSignal) => Promise<unknown>>> = {
    get: async ({ web }, host, signal) => {
      const size = this.#dice.one([0, 10, 5000, 100_000])
      const path = this.#dice.one(['whole', 'stream', 'redirect', 'self'])
      const response = await web.fetch(`http://${host}/${path}?size=${size}`, { signal })
      const body = new Uint8Array(await response.arrayBuffer())
      if (response.status === 200 && !isSame(body, pattern(size))) this.#fault(`GET ${path}: ${body.length} bytes, not ${size}`)
    },
    odd: async ({ web }, host, signal) => {
      const path = this.#dice.one(['slow', 'throws', 'fails', 'unread'])
      await (await web.fetch(`http://${host}/${path}`, { signal })).text()
    },
    leave: async ({ web }, host, signal) => {
      const response = await web.fetch(`http://${host}/${this.#dice.one(['endless', 'stream?size=90000'])}`, { signal })
      const reader = response.body!.getReader()
      for (let i = this.#dice.below(4); i > 0; i--) await reader.read()
      await Promise.all([reader.cancel('enough'), reader.cancel('twice')])
    },
    twice: async ({ web }, host, signal) => {
      const response = await web.fetch(`http://${host}/stream?size=20000`, { signal })
      const copy = response.clone()
      const both = await Promise.allSettled([response.text(), response.text(), copy.text()])
      if (both[1].status === 'fulfilled') this.#fault('a body was read twice')
    },
    post: async ({ web }, host, signal) => {
      const size = this.#dice.one([0, 10, 5000, 100_000])
      const path = this.#dice.one(['echo', 'gather'])
      const body = this.#dice.chance(2) ? this.#stream(size) : (pattern(size) as Uint8Array<ArrayBuffer>)
      const response = await web.fetch(`http://${host}/${path}`, { method: 'POST', body, signal, duplex: 'half' } as RequestInit)
      const back = new Uint8Array(await response.arrayBuffer())
      if (response.status === 200 && !isSame(back, pattern(size))) this.#fault(`POST ${path}: ${back.length} bytes, not ${size}`)
    },
    upload: async ({ web }, host, signal) => {
      const path = this.#dice.one(['unread', 'some', 'throws', 'nowhere', 'slow'])
      const body = this.#stream(this.#dice.one([100, 50_000, 2_000_000, Infinity]))
      await (await web.fetch(`http://${host}/${path}`, { method: 'POST', body, signal, duplex: 'half' } as RequestInit)).text()
    },
    raw: async ({ stack }, host, signal) => {
      const connection = await stack.tcp.connect({ host: host.replace(/[[\]]/g, ''), port: 80, signal })
      const parts = [
        'GET /whole?size=9000 HTTP/1.1\r\nHost: a\r\n\r\n',
        'POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n',
        'hello',
        'POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: 9000\r\n\r\nhello',
        'POST /gather HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel',
        'lo\r\n0\r\n\r\n',
        '\r\n',
        handshake(),
      ]
      try {
        for (let i = 1 + this.#dice.below(5); i > 0; i--) {
          await connection.write(latin1(this.#dice.one(parts)), { timeout: 5_000, signal })
          if (this.#dice.chance(2)) await connection.read({ timeout: 200 }).catch(() => {})
        }
      } finally {
        this.#leave(connection)
      }
    },
    socket: async ({ stack }, host, signal) => {
      const connection = await stack.tcp.connect({ host: host.replace(/[[\]]/g, ''), port: 80, signal })
      try {
        await connection.write(latin1(handshake()), { signal })
        for (let i = this.#dice.below(6); i > 0; i--) {
          const frame = this.#dice.one([text('hello'), text('x'.repeat(70_000)), closing(1000), '\x89\x80key!', '\xff\xff', '\x81\xfe'])
          await connection.write(latin1(frame), { timeout: 5_000, signal })
          if (this.#dice.chance(2)) await connection.read({ timeout: 200 }).catch(() => {})
        }
      } finally {
        this.#leave(connection)
      }
    },
    datagrams: async ({ stack }, host, signal) => {
      const socket = await stack.udp.connect({ host: host.replace(/[[\]]/g, ''), port: this.#dice.one([7, 9]), signal })
      const reading = Promise.allSettled([socket.receive(), socket.receive()])
      for (let i = this.#dice.below(8); i > 0; i--)
        await socket.send(new Uint8Array(this.#dice.one([0, 100, 3000, 60_000]))).catch(() => {})
      await this.#wait(this.#dice.below(50))
      socket.close()
      socket.close()
      await reading
    },
    names: ({ stack }, _host, signal) => stack.resolve(this.#dice.one(['localhost', 'www.example.org', 'x.invalid']), { signal }),
  }

  #leave(connection: { end(): void; close(): void; abort(): void }): void {
    this.#dice.one([() => connection.end(), () => connection.close(), () => connection.abort()])()
    connection.close()
  }

  // ---- what happens to it

  readonly #events: Readonly<Record<string, (side: Side) => unknown>> = {
    move: side => side.stack.configure({ ...addresses(side.number), dns: this.#dice.one([['10.0.0.9'], []]) }),
    away: side => {
      side.stack.configure(this.#dice.one([undefined, addresses(side.number + 4), { address: `10.0.0.${side.number}`, prefix: 24 }]))
      this.#world.at(this.#dice.below(3_000), () => side.stack.configure(addresses(side.number)))
    },
    wire: side => side.device.onConnected?.(),
    silence: () => {
      this.#wire.filter = () => false
      this.#world.at(this.#dice.below(20_000), () => {
        this.#wire.filter = undefined
      })
    },
    stop: async side => {
      if (side.stop.signal.aborted) return
      side.stop.abort(new Error('the server stops'))
      await side.serving
      if (!this.#isOver) this.#serve(side)
    },
  }
  #isOver = false

  #fault(what: string): void {
    this.#wrong ??= what
  }

  #begin(id: number): void {
    const dice = this.#dice
    const side = dice.one(this.#sides)
    const other = side === this.#sides[0] ? this.#sides[1] : this.#sides[0]
    const hosts = [
      `10.0.0.${other.number}`,
      `[fd00::${other.number}]`,
      '127.0.0.1',
      '[::1]',
      'localhost',
      `10.0.0.${side.number}`,
      `[fd00::${side.number}]`,
    ]
    const kind = dice.one(Object.keys(this.#kinds))
    const host = dice.one([...hosts, hosts[0], hosts[1]])
    const controller = new AbortController()
    if (dice.chance(2)) this.#abort(controller, dice.one([0, 0, 1, 5, 50, 1_000, 5_000]))
    this.#running.set(id, `${kind} of ${side.name} to ${host}`)
    const count = (outcome: string): void => {
      this.#running.delete(id)
      this.outcomes[outcome] = (this.outcomes[outcome] ?? 0) + 1
    }
    this.#kinds[kind](side, host, controller.signal).then(
      () => count(`${kind} is done`),
      (error: { code?: string; cause?: { code?: string }; name: string }) =>
        count(`${kind}: ${error.cause?.code ?? error.code ?? error.name}`),
    )
  }

  /** Between any two steps: so many promise jobs later, or milliseconds. */
  #abort(controller: AbortController, delay: number): void {
    const abort = (jobs: number): void => {
      if (jobs === 0) controller.abort(Object.assign(new Error('enough'), { code: 'enough' }))
      else void Promise.resolve().then(() => abort(jobs - 1))
    }
    const jobs = this.#dice.below(30)
    if (delay === 0) abort(jobs)
    else this.#world.at(delay * Math.max(this.#dice.below(100), 1) * 0.01, () => abort(jobs))
  }

  async run(count: number): Promise<void> {
    const world = this.#world
    const unhandled = (reason: unknown): void => this.#fault(`a rejection that nobody handles: ${(reason as Error)?.stack ?? reason}`)
    process.on('unhandledRejection', unhandled)
    try {
      for (let i = 0; i < count; i++) {
        this.#begin(i)
        if (this.#dice.chance(15)) this.#events[this.#dice.one(Object.keys(this.#events))](this.#dice.one(this.#sides))
        await world.run(this.#dice.one([0, 0, 1, 10, 100, 1_000]))
        this.#check()
      }
      // One time out of three the stacks are closed in the middle of it.
      const isAbrupt = this.#dice.chance(3)
      for (const { web, stack } of isAbrupt ? this.#sides : []) {
        this.#dice.one([() => web.close(), () => {}])()
        stack.close()
      }
      await world.run(300_000, () => this.#running.size === 0 || this.#wrong !== undefined)
      this.#check()
      if (this.#running.size > 0) throw new Error(`it does not end: ${[...this.#running.values()].join(', ')}`)
      await this.#end()
    } finally {
      process.off('unhandledRejection', unhandled)
    }
  }

  /** Lets go of all, one after the other: each gives back what it had. */
  async #end(): Promise<void> {
    const world = this.#world
    this.#isOver = true
    for (const side of this.#sides) side.stop.abort()
    let isStopped = false
    void Promise.all(this.#sides.map(({ serving }) => serving)).then(() => (isStopped = true))
    await world.run(30_000, () => isStopped)
    if (!isStopped) throw new Error('a server does not stop')
    await world.run(400_000)
    this.#check()
    for (const { name, stack, device, web } of this.#sides) {
      const left: Record<string, number> = {
        connections: stack.tcp.connections,
        'bytes of receive memory': stack.tcp.memory.used,
        'frames of the device': device.reserved,
        'connections of the client': web.connections,
        'fetches that wait': web.waiting,
        'bytes of fragments': stack.link.ipv4.reassembling + stack.link.ipv6.reassembling,
      }
      for (const [what, number] of Object.entries(left)) if (number !== 0) throw new Error(`${name}: at the end ${number} ${what} are left`)
    }
    for (const { stack, web } of this.#sides) {
      web.close()
      stack.close()
    }
    await world.run(10_000)
    this.#check()
    if (world.pending !== 0) throw new Error(`at the end ${world.pending} timers are left`)
  }

  #check(): void {
    if (this.#wrong !== undefined) throw new Error(this.#wrong)
    const error = this.#world.logLines.find(line => line.includes(': ERR ') && !expected.test(line))
    if (error !== undefined) throw new Error(`an error in the log: ${error}`)
  }
}

const addresses = (number: number) => ({
  address: `10.0.0.${number}`,
  prefix: 24,
  ipv6: { address: `fd00::${number}`, prefix: 64 },
  dns: ['10.0.0.9'],
})
