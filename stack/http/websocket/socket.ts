/**
 * The server's end of a WebSocket, as https://websockets.spec.whatwg.org has the client's. Binary messages are ArrayBuffers: there is no
 * Blob.
 */
import { describeError } from '@xen-ts/runtime/machine'
import { DOMException, Event, EventTarget } from '@xen-ts/runtime/web'
import type { LimitedLog } from '../../limited.ts'
import type { ByteSocket } from '../../socket.ts'
import type { Upgraded, UpgradeMachine } from '../server/upgrade.ts'
import { CloseEvent, MessageEvent, WebSocketErrorEvent } from './events.ts'
import { INTERNAL_ERROR, isSendable } from './frame.ts'
import { closeOf, type Events, Session, type WebSocketData, type WebSocketLimits } from './session.ts'

type Handler<E extends Event> = ((this: ServerWebSocket, event: E) => unknown) | null

export class ServerWebSocket extends EventTarget {
  static readonly CONNECTING = 0
  static readonly OPEN = 1
  static readonly CLOSING = 2
  static readonly CLOSED = 3
  readonly url: string
  /** The subprotocol that was agreed on; empty when there is none. */
  readonly protocol: string
  readonly extensions = ''
  readonly binaryType = 'arraybuffer'
  onopen: Handler<Event> = null
  onmessage: Handler<MessageEvent> = null
  onerror: Handler<WebSocketErrorEvent> = null
  onclose: Handler<CloseEvent> = null
  readonly #session: Session
  #log: LimitedLog | undefined = undefined

  constructor(url: string, protocol: string, limits: WebSocketLimits) {
    super()
    this.url = url
    this.protocol = protocol
    const events: Events = {
      opened: () => this.dispatchEvent(new Event('open')),
      message: data => this.dispatchEvent(new MessageEvent(data)),
      failed: reason => this.dispatchEvent(new WebSocketErrorEvent(reason)),
      closed: (code, reason, wasClean) => this.dispatchEvent(new CloseEvent(code, reason, wasClean)),
    }
    this.#session = new Session(events, url, 'client', limits)
    for (const type of ['open', 'message', 'error', 'close'] as const)
      super.addEventListener(type, event => this.#call(this[`on${type}`] as Handler<Event>, event))
  }

  get readyState(): 0 | 1 | 2 | 3 {
    return this.#session.readyState
  }

  /** Bytes that were sent and that the client has not acknowledged: who sends much should wait while there are many. */
  get bufferedAmount(): number {
    return this.#session.bufferedAmount
  }

  /**
   * Sends a message: text, or bytes, which are copied. Ignored when the connection is closing or closed.
   * @throws DOMException InvalidStateError before the connection is open
   */
  send(data: WebSocketData): void {
    this.#session.send(data)
  }

  /**
   * Begins the closing handshake; what was sent before is sent.
   * @param code one that RFC 6455 section 7.4 lets an endpoint send, or 3000 to 4999
   * @param reason at most 123 bytes of UTF-8
   * @throws DOMException InvalidAccessError for another code, SyntaxError for a longer reason
   */
  close(code?: number, reason = ''): void {
    if (code !== undefined && !isSendable(code))
      throw new DOMException(`close: ${code} is not a code to send; use 1000, or 3000 to 4999`, 'InvalidAccessError')
    const close = closeOf(code, reason)
    if (this.readyState === 0) this.fail('it was closed before it was open')
    this.#session.close(close)
  }

  /** @internal The handshake is queued. */
  begin(socket: ByteSocket, machine: UpgradeMachine): Upgraded {
    this.#log = machine.log
    return this.#session.begin(socket, machine)
  }

  /** @internal There is no connection to have. */
  fail(reason: string): void {
    this.#session.fail(reason)
  }

  /** What a handler throws, or rejects with, is logged, and its connection closed with 1011: no other one has to do with it. */
  #call(handler: Handler<Event>, event: Event): void {
    if (typeof handler !== 'function') return
    try {
      const result = handler.call(this, event)
      if (typeof (result as Promise<unknown> | undefined)?.then === 'function')
        (result as Promise<unknown>).then(undefined, error => this.#failed(event, error))
    } catch (error) {
      this.#failed(event, error)
    }
  }

  #failed(event: Event, error: unknown): void {
    this.#log?.write('error', () => `WebSocket ${this.url}: its handler of ${event.type} failed: ${describeError(error)}`)
    this.close(INTERNAL_ERROR, 'the program failed; its log says why')
  }
}
