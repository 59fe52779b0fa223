/**
 * The EventSource of programs: https://html.spec.whatwg.org/#the-eventsource-interface , over `fetch`. The event `error` says in `message` what was
 * wrong.
 */
import type { Timer, Timers } from '@xen-ts/runtime/machine'
import { addHandlers, DOMException, Event, EventTarget, fire, type Handler, MessageEvent } from '@xen-ts/runtime/web'
import { WebSocketErrorEvent as ErrorEvent } from '../websocket/events.ts'
import { EventStreamReader } from './event-stream.ts'

export interface EventSourceHost {
  readonly timers: Timers
  fetch(url: string, init: RequestInit): Promise<Response>
}

/** Characters of an event. */
const MAX_EVENT = 1024 * 1024
/** Milliseconds before it is connected again, until the server says another time, and the longest that it may say or that tries make of it. */
const RETRY = 3_000
const MAX_RETRY = 60_000
const STATES = { CONNECTING: 0, OPEN: 1, CLOSED: 2 } as const

/** The server wants no client, or does not speak of events: it is not asked again. */
class Refused extends Error {}

export abstract class ClientEventSource extends EventTarget {
  declare static readonly CONNECTING: 0
  declare static readonly OPEN: 1
  declare static readonly CLOSED: 2
  declare readonly CONNECTING: 0
  declare readonly OPEN: 1
  declare readonly CLOSED: 2
  declare onopen: Handler
  declare onmessage: Handler<MessageEvent>
  declare onerror: Handler
  readonly #host: EventSourceHost
  readonly #url: string
  readonly #withCredentials: boolean
  readonly #over: () => void
  readonly #controller = new AbortController()
  #readyState: 0 | 1 | 2 = STATES.CONNECTING
  #lastEventId = ''
  #retry = RETRY
  /** Tries in a row that came to nothing. */
  #failures = 0
  #timer: Timer | undefined = undefined

  /** @throws DOMException SyntaxError for what is no absolute URL */
  constructor(host: EventSourceHost, url: string | URL, withCredentials: boolean, over: () => void) {
    super()
    const parsed = URL.parse(String(url))
    if (parsed === null) throw new DOMException(`EventSource: '${String(url)}' is no absolute URL`, 'SyntaxError')
    this.#host = host
    this.#url = parsed.href
    this.#withCredentials = withCredentials
    this.#over = over
    void Promise.resolve().then(() => this.#run())
  }

  get url(): string {
    return this.#url
  }
  get withCredentials(): boolean {
    return this.#withCredentials
  }
  get readyState(): 0 | 1 | 2 {
    return this.#readyState
  }

  close(): void {
    if (this.#readyState === STATES.CLOSED) return
    this.#readyState = STATES.CLOSED
    this.#timer?.cancel()
    this.#controller.abort()
    this.#over()
  }

  async #run(): Promise<void> {
    if (this.#readyState === STATES.CLOSED) return
    let reason = 'the server has ended the stream'
    let isRefused = false
    try {
      await this.#read(await this.#connect())
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error)
      isRefused = error instanceof Refused || error instanceof RangeError
    }
    // Closed meanwhile, perhaps by a listener.
    if ((this.#readyState as number) === STATES.CLOSED) return
    if (isRefused) {
      this.close()
    } else {
      this.#readyState = STATES.CONNECTING
      const delay = Math.min(this.#retry * 2 ** Math.min(this.#failures++, 10), Math.max(MAX_RETRY, this.#retry))
      this.#timer = this.#host.timers.set(delay, () => void this.#run())
    }
    fire(this, new ErrorEvent(reason))
  }

  async #connect(): Promise<ReadableStream<Uint8Array>> {
    const headers = new Headers({ accept: 'text/event-stream', 'cache-control': 'no-store' })
    if (this.#lastEventId !== '') headers.set('last-event-id', this.#lastEventId)
    const response = await this.#host.fetch(this.#url, { headers, signal: this.#controller.signal })
    const type = (response.headers.get('content-type') ?? '').split(';')[0].trim().toLowerCase()
    const { status, body } = response
    if (status !== 200 || type !== 'text/event-stream' || body === null) {
      body?.cancel().catch(() => {})
      throw new Refused(status === 200 ? `the server answers with '${type}', not text/event-stream` : `the server answers ${status}`)
    }
    this.#failures = 0
    this.#readyState = STATES.OPEN
    fire(this, new Event('open'))
    return body
  }

  async #read(body: ReadableStream<Uint8Array>): Promise<void> {
    const { origin } = new URL(this.#url)
    const reader = new EventStreamReader(
      {
        event: ({ type, data, lastEventId }) => {
          if (this.#readyState === STATES.OPEN) fire(this, new MessageEvent(type, { data, origin, lastEventId }))
        },
        retry: milliseconds => {
          this.#retry = Math.min(milliseconds, MAX_RETRY)
        },
      },
      MAX_EVENT,
      this.#lastEventId,
    )
    const source = body.getReader()
    try {
      for (;;) {
        const { done, value } = await source.read()
        if (done) return
        reader.push(value)
        this.#lastEventId = reader.lastEventId
        if (this.#readyState === STATES.CLOSED) return
      }
    } catch (error) {
      source.cancel(error).catch(() => {})
      throw error
    }
  }
}
addHandlers(ClientEventSource, 'open', 'message', 'error')
for (const holder of [ClientEventSource, ClientEventSource.prototype])
  for (const [name, value] of Object.entries(STATES)) Object.defineProperty(holder, name, { value, enumerable: true })

interface EventSourceClass {
  new (url: string | URL, options?: { withCredentials?: boolean } | null): ClientEventSource
  readonly CONNECTING: 0
  readonly OPEN: 1
  readonly CLOSED: 2
}

/** A class for the global object. @param open has those that are not closed */
export function eventSourceClass(host: EventSourceHost, open: Set<ClientEventSource>): EventSourceClass {
  return class EventSource extends ClientEventSource {
    constructor(url: string | URL, options: { withCredentials?: boolean } | null = {}) {
      if (arguments.length === 0) throw new TypeError('EventSource: the URL is missing')
      super(host, url, Boolean(options?.withCredentials), () => open.delete(this))
      open.add(this)
    }
  }
}
