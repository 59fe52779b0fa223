/** Takes events out of the bytes of a stream: https://html.spec.whatwg.org/#event-stream-interpretation . It does no I/O. */

export interface StreamEvent {
  readonly type: string
  readonly data: string
  readonly lastEventId: string
}

export interface EventSink {
  event(event: StreamEvent): void
  /** Milliseconds to wait before it is connected again. */
  retry(milliseconds: number): void
}

export class EventStreamReader {
  readonly #sink: EventSink
  readonly #limit: number
  readonly #decoder = new TextDecoder()
  #rest = ''
  /** The last character was CR: a LF behind it belongs to the same line end. */
  #wasReturn = false
  #type = ''
  #data = ''
  #hasData = false
  /** Of the last event that was whole; and of the one that comes in. */
  lastEventId: string
  #id: string

  /** @param limit longest line, and longest event, in characters @param lastEventId of an earlier connection */
  constructor(sink: EventSink, limit: number, lastEventId: string) {
    this.#sink = sink
    this.#limit = limit
    this.lastEventId = this.#id = lastEventId
  }

  /** @throws RangeError for a line, or an event, that is too long */
  push(bytes: Uint8Array): void {
    let text = this.#decoder.decode(bytes, { stream: true })
    if (text === '') return
    if (this.#wasReturn && text[0] === '\n') text = text.slice(1)
    this.#wasReturn = text.endsWith('\r')
    const lines = text.split(/\r\n|\r|\n/)
    lines[0] = this.#rest + lines[0]
    this.#rest = lines.pop()!
    for (const line of lines) this.#line(line)
    if (this.#rest.length > this.#limit) throw this.#tooLong()
  }

  #line(line: string): void {
    if (line === '') return this.#dispatch()
    const colon = line.indexOf(':')
    if (colon === 0) return
    const field = colon < 0 ? line : line.slice(0, colon)
    let value = colon < 0 ? '' : line.slice(colon + 1)
    if (value[0] === ' ') value = value.slice(1)
    switch (field) {
      case 'event':
        this.#type = value
        break
      case 'data':
        this.#data += this.#hasData ? `\n${value}` : value
        this.#hasData = true
        if (this.#data.length > this.#limit) throw this.#tooLong()
        break
      case 'id':
        if (!value.includes('\0')) this.#id = value
        break
      case 'retry':
        if (/^\d+$/.test(value)) this.#sink.retry(Number(value))
        break
    }
  }

  #dispatch(): void {
    const [type, data, hasData] = [this.#type, this.#data, this.#hasData]
    this.#type = this.#data = ''
    this.#hasData = false
    this.lastEventId = this.#id
    // Without data it is no event; with an empty line of it, it is one.
    if (hasData) this.#sink.event({ type: type || 'message', data, lastEventId: this.#id })
  }

  #tooLong(): RangeError {
    return new RangeError(`an event is longer than ${this.#limit} characters`)
  }
}
