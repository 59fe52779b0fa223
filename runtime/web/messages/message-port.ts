/** MessageChannel and MessagePort within the program: https://html.spec.whatwg.org/#message-channels . Each message is a task of its own. */
import { transferable } from '../clonable.ts'
import { DOMException } from '../dom-exception.ts'
import { Event, EventTarget, fire } from '../events.ts'
import { addHandlers, getHandler, type Handler, setHandler } from '../handlers.ts'
import { cloneAndMove, objectsOf, type TransferOptions, transferOf } from '../structured-clone.ts'
import { MessageEvent } from './message-event.ts'

const key = Symbol('only MessageChannel makes ports')

export class MessagePort extends EventTarget {
  #other: MessagePort | undefined
  #queue: (() => Event)[] = []
  #isEnabled = false
  #isDetached = false
  #isScheduled = false
  declare onmessageerror: Handler<MessageEvent>
  declare onclose: Handler

  static {
    transferable.set(MessagePort.prototype, {
      isDetached: (port: MessagePort) => port.#isDetached,
      move: (port: MessagePort) => port.#move(),
    })
  }

  constructor(given?: symbol) {
    super()
    if (given !== key) throw new TypeError('MessagePort is not constructed; use new MessageChannel()')
  }

  static [key](): [MessagePort, MessagePort] {
    const ports: [MessagePort, MessagePort] = [new MessagePort(key), new MessagePort(key)]
    ports[0].#other = ports[1]
    ports[1].#other = ports[0]
    return ports
  }

  /** Setting it starts the port. */
  get onmessage(): Handler<MessageEvent> {
    return getHandler(this, 'message')
  }
  set onmessage(handler: Handler<MessageEvent>) {
    setHandler(this, 'message', handler)
    this.start()
  }

  /** @throws DOMException DataCloneError for what cannot be cloned or transferred */
  postMessage(message: unknown, transfer?: Iterable<object> | TransferOptions | null): void {
    if (arguments.length === 0) throw new TypeError('postMessage: the message is missing')
    const list = isIterable(transfer) ? objectsOf(transfer) : transferOf(transfer)
    if (list.includes(this)) throw new DOMException('A MessagePort cannot be sent through itself.', 'DataCloneError')
    const other = this.#other
    const isLost = other === undefined || list.includes(other)
    const { value: data, moved } = cloneAndMove(message, list)
    if (isLost) return
    const ports = moved.filter(one => one instanceof MessagePort)
    other.#add(() => new MessageEvent('message', { data, ports }))
  }

  start(): void {
    this.#isEnabled = true
    this.#schedule()
  }

  /** The other port gets what was sent before, and an event `close`. */
  close(): void {
    this.#isDetached = true
    const other = this.#other
    this.#other = undefined
    if (other === undefined) return
    other.#other = undefined
    // It waits for nobody to start the port.
    setTimeout(() => fire(other, new Event('close')), 0)
  }

  #add(message: () => Event): void {
    this.#queue.push(message)
    this.#schedule()
  }

  #schedule(): void {
    if (!this.#isEnabled || this.#isScheduled || this.#queue.length === 0) return
    this.#isScheduled = true
    setTimeout(() => {
      this.#isScheduled = false
      const message = this.#queue.shift()
      this.#schedule()
      if (message !== undefined) fire(this, message())
    }, 0)
  }

  /** What comes, and what waits to be read, is the new one's. */
  #move(): MessagePort {
    const port = new MessagePort(key)
    const other = this.#other
    port.#other = other
    if (other !== undefined) other.#other = port
    port.#queue = this.#queue
    this.#other = undefined
    this.#queue = []
    this.#isDetached = true
    return port
  }
}
addHandlers(MessagePort, 'messageerror', 'close')

const isIterable = (value: unknown): value is Iterable<object> => typeof value === 'object' && value !== null && Symbol.iterator in value

export class MessageChannel {
  readonly #ports = MessagePort[key]()

  get port1(): MessagePort {
    return this.#ports[0]
  }
  get port2(): MessagePort {
    return this.#ports[1]
  }
}
