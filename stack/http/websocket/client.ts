/**
 * The WebSocket of programs: https://websockets.spec.whatwg.org/#the-websocket-interface , over any TCP. Not as there: binary messages are
 * ArrayBuffers from the beginning (there `binaryType` begins as 'blob'), and the event `error` says in `message` what was wrong.
 */

import type { Log, Timer } from '@xen-ts/runtime/machine'
import { addHandlers, CloseEvent, DOMException, Event, EventTarget, fire, type Handler, MessageEvent } from '@xen-ts/runtime/web'
import { LimitedLog } from '../../limited.ts'
import { type Place, placeOf } from '../client/request.ts'
import { Gathering } from '../server/gathering.ts'
import { type ClientHost, openWebSocket } from './connect.ts'
import { WebSocketErrorEvent } from './events.ts'
import { closeOf, type ReadyState, Session, type WebSocketData, type WebSocketLimits } from './session.ts'
import { StreamSocket } from './stream-socket.ts'

export interface WebSocketHost extends ClientHost {
  readonly log: Log
}

/** What all WebSockets of a program share. */
interface Shared extends ClientHost {
  readonly log: LimitedLog
  readonly gathering: Gathering
}

/** Of a server nobody knows how long it has nothing to say. */
const limits: WebSocketLimits = { maxMessage: 4 * 1024 * 1024, maxBuffered: 4 * 1024 * 1024, idleTimeout: Infinity }
/** Bytes of messages of all of them that are not whole. */
const MAX_GATHERED = 8 * 1024 * 1024
const SECOND = 1000
/** RFC 9110 section 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const STATES = { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 } as const

export abstract class ClientWebSocket extends EventTarget {
  declare static readonly CONNECTING: 0
  declare static readonly OPEN: 1
  declare static readonly CLOSING: 2
  declare static readonly CLOSED: 3
  declare readonly CONNECTING: 0
  declare readonly OPEN: 1
  declare readonly CLOSING: 2
  declare readonly CLOSED: 3
  declare onopen: Handler
  declare onmessage: Handler<MessageEvent>
  declare onerror: Handler
  declare onclose: Handler<CloseEvent>
  readonly #url: string
  readonly #host: Shared
  readonly #session: Session
  readonly #opening = new AbortController()
  #protocol = ''
  #ticks: Timer | undefined

  /** @throws DOMException SyntaxError for a URL or subprotocols that cannot be */
  constructor(host: Shared, url: string | URL, protocols: string | Iterable<string>) {
    super()
    const { href, host: authority, pathname, search, protocol } = urlOf(url)
    const offered = protocolsOf(protocols)
    this.#url = href
    this.#host = host
    const { origin } = new URL(href)
    this.#session = new Session(
      {
        opened: () => fire(this, new Event('open')),
        message: data => fire(this, new MessageEvent('message', { data, origin })),
        failed: reason => fire(this, new WebSocketErrorEvent(reason)),
        closed: (code, reason, wasClean) => this.#over(new CloseEvent('close', { code, reason, wasClean })),
      },
      href,
      'server',
      limits,
    )
    // Later: nobody listens before the constructor has returned.
    void Promise.resolve().then(() => this.#open(protocol, `http://${authority}${pathname}${search}`, offered))
  }

  get url(): string {
    return this.#url
  }
  get readyState(): ReadyState {
    const { readyState } = this.#session
    return readyState === STATES.CONNECTING && this.#opening.signal.aborted ? STATES.CLOSING : readyState
  }
  /** Bytes that wait to be sent, with the heads of their frames. */
  get bufferedAmount(): number {
    return this.#session.bufferedAmount
  }
  get extensions(): string {
    return ''
  }
  get protocol(): string {
    return this.#protocol
  }
  get binaryType(): string {
    return 'arraybuffer'
  }
  set binaryType(type: string) {
    if (type === 'blob')
      throw new DOMException(
        'binaryType: messages are ArrayBuffers here; make a Blob of event.data where one is needed',
        'NotSupportedError',
      )
  }

  /**
   * Sends a message: text, or bytes, which are copied. Ignored when the connection is closing or closed.
   * @throws DOMException InvalidStateError before the connection is open
   */
  send(data: WebSocketData): void {
    if (arguments.length === 0) throw new TypeError('send: the data is missing')
    if (typeof (data as { arrayBuffer?: unknown } | null)?.arrayBuffer === 'function')
      throw new DOMException('send: read the Blob first: send(await blob.arrayBuffer())', 'NotSupportedError')
    if (this.readyState === STATES.CLOSING) return
    this.#session.send(data)
  }

  /**
   * Begins the closing handshake, or ends the attempt to connect.
   * @param code 1000, or 3000 to 4999
   * @param reason at most 123 bytes of UTF-8
   * @throws DOMException InvalidAccessError for another code, SyntaxError for a longer reason
   */
  close(code?: number, reason = ''): void {
    const number = code === undefined ? undefined : toCode(code)
    if (number !== undefined && number !== 1000 && !(number >= 3000 && number <= 4999))
      throw new DOMException(`close: ${code} is not a code for programs; use 1000, or 3000 to 4999`, 'InvalidAccessError')
    const close = closeOf(number, reason)
    if (this.readyState === STATES.CONNECTING) this.#opening.abort(new Error('it was closed before it was open'))
    this.#session.close(close)
    this.#watch()
  }

  /** The program is to end. For the owner, not for programs. */
  static leave(socket: ClientWebSocket): void {
    if (socket.readyState === STATES.CONNECTING) socket.#opening.abort(new Error('the program is to end'))
    socket.#session.drain()
    socket.#watch()
  }

  async #open(protocol: string, url: string, offered: readonly string[]): Promise<void> {
    const { signal } = this.#opening
    const session = this.#session
    try {
      if (protocol === 'wss:')
        throw new Error('wss is not there yet, since xen-ts has no TLS so far: use ws, or ask a proxy in another qube that speaks TLS')
      const place: Place = placeOf(url)
      const { stream, rest, protocol: agreed } = await openWebSocket(this.#host, place, offered, signal)
      this.#protocol = agreed
      const socket = new StreamSocket(stream, session)
      session.begin(socket, { ...this.#host, room: 0 }).opened()
      await socket.run(rest)
    } catch (error) {
      const reason = signal.aborted ? signal.reason : error
      const text = reason instanceof Error ? reason.message : String(reason)
      if (!signal.aborted) this.#host.log.write('warn', () => `WebSocket ${this.#url}: ${text}`)
      session.fail(text)
    }
  }

  /** As long as the server is expected to close, a second is counted after the other. */
  #watch(): void {
    if (this.#session.readyState !== STATES.CLOSING || this.#ticks !== undefined) return
    this.#ticks = this.#host.timers.set(SECOND, () => {
      this.#ticks = undefined
      this.#session.tick()
      this.#watch()
    })
  }

  #over(event: CloseEvent): void {
    this.#ticks?.cancel()
    fire(this, event)
  }
}
addHandlers(ClientWebSocket, 'open', 'message', 'error', 'close')
for (const holder of [ClientWebSocket, ClientWebSocket.prototype])
  for (const [name, value] of Object.entries(STATES)) Object.defineProperty(holder, name, { value, enumerable: true })

/** [Clamp] unsigned short. */
function toCode(code: unknown): number {
  const number = Number(code)
  return Number.isNaN(number) ? 0 : Math.round(Math.min(Math.max(number, 0), 65_535))
}

function urlOf(input: string | URL): URL {
  const url = URL.parse(String(input))
  if (url === null) throw new DOMException(`WebSocket: '${String(input)}' is no absolute URL`, 'SyntaxError')
  if (url.protocol === 'http:') url.protocol = 'ws:'
  if (url.protocol === 'https:') url.protocol = 'wss:'
  if (url.protocol !== 'ws:' && url.protocol !== 'wss:')
    throw new DOMException(`WebSocket: the URL begins with '${url.protocol}'; it must begin with ws:`, 'SyntaxError')
  if (url.href.includes('#')) throw new DOMException('WebSocket: the URL must have no fragment (#)', 'SyntaxError')
  return url
}

function protocolsOf(given: string | Iterable<string>): string[] {
  const list = typeof given === 'object' && given !== null && Symbol.iterator in given ? [...given].map(String) : [String(given)]
  const seen = new Set<string>()
  for (const protocol of list) {
    if (!TOKEN.test(protocol)) throw new DOMException(`WebSocket: '${protocol}' is no name of a subprotocol`, 'SyntaxError')
    if (seen.has(protocol.toLowerCase()))
      throw new DOMException(`WebSocket: the subprotocol '${protocol}' stands there twice`, 'SyntaxError')
    seen.add(protocol.toLowerCase())
  }
  return list
}

/** A class for the global object, whose connections are made by `host`. @param open has those that are not over */
export function webSocketClass(host: WebSocketHost, open: Set<ClientWebSocket>): typeof globalThis.WebSocket {
  const { abi, timers, log, connect } = host
  const shared: Shared = { abi, timers, connect, log: new LimitedLog(log, timers), gathering: new Gathering(MAX_GATHERED) }
  return class WebSocket extends ClientWebSocket {
    constructor(url: string | URL, protocols: string | Iterable<string> = []) {
      if (arguments.length === 0) throw new TypeError('WebSocket: the URL is missing')
      super(shared, url, protocols)
      open.add(this)
      this.addEventListener('close', () => open.delete(this))
    }
  } as unknown as typeof globalThis.WebSocket
}
