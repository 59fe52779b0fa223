/** A server on a listener without a network, for tests: every byte and every second of its connections in the test's hand. */
import type { Lifecycle } from '@xen-ts/runtime'
import type { Timers } from '@xen-ts/runtime/machine'
import { type ByteSocket, type Endpoint, type Listener, SocketError, type SocketHandler } from '../../socket.ts'
import { World } from '../../testing/world.ts'
import type { HttpCounters } from './counters.ts'
import { type HttpHandler, httpServer, type ServeOptions } from './server.ts'

const BUFFER = 64 * 1024

/** One connection as its client sees it. */
export class Client implements ByteSocket {
  readonly remote: Endpoint = { address: '10.0.0.1', port: 40_000 }
  readonly local: Endpoint
  handler!: SocketHandler
  /** What the server said, one character a byte. */
  received = ''
  /** What the server keeps of what was sent. */
  kept = 0
  /** The server's end: 'open', 'ended', 'aborted', and 'closed' after both ends. */
  state: 'open' | 'ended' | 'aborted' | 'closed' = 'open'
  /** What keepAlive was called with. */
  readonly keepAlives: (number | undefined)[] = []
  /** The client takes what the server sends; set to false it takes nothing, and `take` does. */
  reads = true
  #queued = 0
  #ended = false

  constructor(local: Endpoint) {
    this.local = local
  }

  send(text: string): void {
    if (this.state === 'aborted' || this.state === 'closed') return
    const bytes = Uint8Array.from(text, character => character.charCodeAt(0))
    const kept = this.handler.onData(bytes, 0, bytes.length) // which may give back some of it already
    this.kept += kept
  }

  /** Sends the client's end. */
  finish(): void {
    this.#ended = true
    if (this.state === 'aborted' || this.state === 'closed') return
    this.handler.onEnd()
    this.#both()
  }

  /** The connection breaks. */
  reset(): void {
    this.#over('closed', new SocketError('ECONNRESET', 'reset by the client'))
  }

  /** Takes `length` bytes of those that wait. */
  take(length: number): void {
    const wasFull = this.room <= 0
    this.#queued -= Math.min(length, this.#queued)
    if (wasFull && this.room > 0) this.handler.onWritable()
    this.#both()
  }

  get statuses(): number[] {
    return [...this.received.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(match => Number(match[1]))
  }

  // ---- what the server does

  get room(): number {
    return BUFFER - this.#queued
  }
  queue(bytes: Uint8Array, offset: number, length: number): void {
    if (this.state !== 'open') return
    for (let i = 0; i < length; i++) this.received += String.fromCharCode(bytes[offset + i])
    if (!this.reads) this.#queued += length
  }
  flush(): void {}
  consumed(length: number): void {
    this.kept -= length
  }
  end(): void {
    if (this.state === 'open') this.state = 'ended'
    this.#both()
  }
  abort(error = new SocketError('ECONNABORTED', 'aborted by the server')): void {
    this.#over('aborted', error)
  }
  abortAfter(): void {}
  keepAlive(milliseconds: number | undefined): void {
    this.keepAlives.push(milliseconds)
  }

  #both(): void {
    if (this.#ended && this.state === 'ended' && this.#queued === 0) this.#over('closed', undefined)
  }

  #over(state: 'aborted' | 'closed', error: Error | undefined): void {
    if (this.state === 'aborted' || this.state === 'closed') return
    this.state = state
    this.handler.onClosed(error)
  }
}

/** @param lifecycle makes the one that the server tells what it waits for */
export function bareServer(
  handler: HttpHandler,
  options: Partial<ServeOptions> = {},
  lifecycle?: (timers: Timers) => Lifecycle,
  counters?: HttpCounters,
) {
  const world = new World(3)
  const machine = world.machine('http')
  const its = lifecycle?.(machine.timers)
  const controller = new AbortController()
  let accept!: (socket: ByteSocket) => SocketHandler
  const listener: Listener = {
    bind(_port, _options, callback) {
      accept = callback
    },
  }
  const stopped = httpServer(machine, listener, its, counters).serve({ port: 80, signal: controller.signal, ...options }, handler)
  return {
    world,
    stopped,
    lifecycle: its,
    stop: (reason?: unknown) => controller.abort(reason),
    connect(local: Endpoint = { address: '10.0.0.2', port: 80 }): Client {
      const client = new Client(local)
      client.handler = accept(client)
      return client
    },
    seconds: (count: number, done?: () => boolean) => world.run(count * 1000, done),
    log: (level: string) =>
      world.logLines.filter(line => line.includes(`: ${level} [http]`)).map(line => line.replace(/^.*?\[http\] /, '')),
  }
}

/** A response that knows its bytes, as the runtime's does when it was made from a string. */
export const known = (text: string, init?: ResponseInit): Response =>
  Object.assign(new Response(text, init), { bodyBytes: () => Uint8Array.from(text, character => character.charCodeAt(0)) })

export const get = (path = '/', more = ''): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n${more}\r\n`

/** A stream that says nothing by itself; what happens to it. */
export function quietStream() {
  const events: unknown[] = []
  let controller!: ReadableStreamDefaultController<Uint8Array>
  const stream = new ReadableStream<Uint8Array>({
    start(value) {
      controller = value
    },
    cancel: reason => void events.push(reason),
  })
  return { stream, events, say: (text: string) => controller.enqueue(new TextEncoder().encode(text)), end: () => controller.close() }
}
