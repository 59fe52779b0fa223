/** https://html.spec.whatwg.org/#messageevent */
import { byPrototype, transferable } from '../clonable.ts'
import { Event, type EventInit } from '../events.ts'

export interface MessageEventInit<T = unknown> extends EventInit {
  data?: T
  origin?: string
  lastEventId?: string
  source?: object | null
  ports?: Iterable<object>
}

export class MessageEvent<T = any> extends Event {
  #data: T
  #origin: string
  #lastEventId: string
  #source: object | null
  #ports: readonly object[]

  constructor(type: string, init: MessageEventInit<T> | null = {}) {
    if (arguments.length === 0) throw new TypeError('MessageEvent: the type is missing; give it as text')
    super(type, init)
    const { data = null, origin = '', lastEventId = '', source = null, ports = [] } = init ?? {}
    this.#data = data as T
    this.#origin = String(origin)
    this.#lastEventId = String(lastEventId)
    this.#source = sourceOf(source)
    this.#ports = portsOf(ports)
  }

  get data(): T {
    return this.#data
  }
  get origin(): string {
    return this.#origin
  }
  get lastEventId(): string {
    return this.#lastEventId
  }
  get source(): object | null {
    return this.#source
  }
  get ports(): readonly object[] {
    return this.#ports
  }

  /** Of old programs. */
  initMessageEvent(
    type: string,
    bubbles = false,
    cancelable = false,
    data: T | null = null,
    origin = '',
    lastEventId = '',
    source: object | null = null,
    ports: Iterable<object> = [],
  ): void {
    if (arguments.length === 0) throw new TypeError('initMessageEvent: the type is missing')
    if (this.eventPhase !== Event.NONE) return
    super.initEvent(type, bubbles, cancelable)
    this.#data = data as T
    this.#origin = String(origin)
    this.#lastEventId = String(lastEventId)
    this.#source = sourceOf(source)
    this.#ports = portsOf(ports)
  }
}

/** Without the module of ports there are none. */
const isPort = (value: unknown): boolean => typeof value === 'object' && value !== null && byPrototype(transferable, value) !== undefined

function sourceOf(source: unknown): object | null {
  if (source === null || source === undefined) return null
  if (!isPort(source)) throw new TypeError('MessageEvent: source must be a MessagePort')
  return source as object
}

function portsOf(ports: Iterable<object>): readonly object[] {
  const list = [...ports]
  if (!list.every(isPort)) throw new TypeError('MessageEvent: ports must be MessagePorts')
  return Object.freeze(list)
}
