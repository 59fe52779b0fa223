/**
 * One connection of the client: a request goes out, its response comes in, again and again. What fails, fails the connection: nobody
 * knows where the next response would begin.
 */
import type { HostFunctions } from '@xen-ts/runtime/machine'
import { MAX_HEAD, whyIncomplete } from '../message/head.ts'
import { HttpError } from './error.ts'
import { parseResponseHead, type ResponseHead } from './head.ts'
import { Incoming, type Source } from './incoming.ts'
import type { HttpClientLimits } from './options.ts'
import type { Outgoing } from './request.ts'
import { Sending, type SendingEvents } from './sending.ts'

/** What the client needs of a connection: the stack's TcpStream has it. */
export interface ByteStream {
  read(): Promise<Uint8Array | undefined>
  write(bytes: Uint8Array): Promise<void>
  /** Sends what is queued, then the end; what still comes is dropped. */
  close(): void
  /** Ends both directions at once. */
  abort(): void
}

/** What the connections of a client share. */
export interface Owner {
  readonly abi: HostFunctions
  readonly limits: HttpClientLimits
  /** It may be used again. */
  free(connection: ClientConnection): void
  gone(connection: ClientConnection): void
}

/** Informational responses (RFC 9110 section 15.2) to one request; more are no information. */
const MAX_INFORMATIONAL = 16
const NAME = 'HTTP/1.'
const LF = 10
const EMPTY: Uint8Array = new Uint8Array(0)

export class ClientConnection implements Source, SendingEvents {
  /** `host:port` of whom it leads to. */
  readonly authority: string
  /** It has rested, or had a request before: the server may have closed it meanwhile. */
  isReused = false
  /** Something has come since the request was begun. */
  hasReceived = false
  readonly #owner: Owner
  readonly #stream: ByteStream
  /** A reading of an idle connection, which notices so that it is closed. */
  #next: Promise<Uint8Array | undefined> | undefined = undefined
  #isIdle = true
  #isOver = false
  #failure: unknown = undefined
  /** Seconds of the present wait, how many it may take, and what the server does not do meanwhile. */
  #seconds = 0
  #limit = Infinity
  #omission = ''
  #sending: Sending | undefined = undefined
  #incoming: Incoming | undefined = undefined
  /** The present request does not listen to its signal any more. */
  #quiet: (() => void) | undefined = undefined

  constructor(owner: Owner, stream: ByteStream, authority: string) {
    this.#owner = owner
    this.#stream = stream
    this.authority = authority
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** Called once a second. */
  tick(): void {
    if (++this.#seconds <= this.#limit) return
    if (this.#isIdle) this.close()
    else this.fail(new HttpError('ETIMEDOUT', `${this.authority} ${this.#omission} within ${this.#limit} s`))
  }

  /** Waits for the next request, `seconds` long. */
  rest(seconds: number): void {
    this.#isIdle = this.isReused = true
    this.#expect('', seconds)
    if (this.#next !== undefined) return // it was taken, and given back unused
    const next = this.#stream.read()
    this.#next = next
    next.then(
      bytes => {
        if (!this.#isIdle || this.#isOver) return
        if (bytes === undefined) this.close()
        else this.#break() // nobody has asked
      },
      () => {
        if (this.#isIdle) this.#over()
      },
    )
  }

  close(): void {
    this.#stream.close()
    this.#over()
  }

  fail(error: unknown): void {
    if (this.#isOver) return
    this.#failure = error
    this.#break()
  }

  #break(): void {
    this.#stream.abort()
    this.#over()
  }

  #over(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#quiet?.()
    this.#sending?.stop(this.#failure)
    if (this.#incoming?.isWhole === false) this.#incoming.failed(this.#failure)
    this.#owner.gone(this)
  }

  #expect(omission: string, limit: number): void {
    this.#seconds = 0
    this.#omission = omission
    this.#limit = limit
  }

  // ---- the request

  /**
   * Sends a request, and resolves with the head of its response. After a rejection the connection is over. `signal` breaks it as long as the
   * response is not whole: then it is another request's, even before this one's promise has told anybody.
   */
  async ask(request: Outgoing, signal?: AbortSignal): Promise<Incoming> {
    const { abi, limits } = this.#owner
    this.#isIdle = this.hasReceived = false
    this.#incoming = undefined
    const sending = new Sending(abi, bytes => this.#stream.write(bytes), this)
    this.#sending = sending
    if (signal !== undefined) this.#listen(signal)
    void sending.run(request)
    try {
      const { head, bytes, at } = await this.#response(request.method)
      if (this.#isOver) throw this.#failure // meanwhile
      const incoming = new Incoming(this, abi, head, limits.body)
      this.#incoming = incoming
      this.#limit = Infinity
      // Who refuses a request and then closes does not want the rest of it (RFC 9112 section 9.6).
      if (!sending.isWhole && head.status >= 400 && !head.keepAlive)
        sending.stop(new HttpError('ECONNRESET', 'the server refused the request'))
      incoming.feed(bytes, at)
      return incoming
    } catch (error) {
      this.fail(error)
      throw this.#failure ?? error
    }
  }

  #listen(signal: AbortSignal): void {
    const abort = (): void => this.fail(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    this.#quiet = () => {
      this.#quiet = undefined
      signal.removeEventListener('abort', abort)
    }
  }

  waitsForServer(): void {
    if (this.#incoming === undefined) this.#expect('takes nothing of the request', this.#owner.limits.writeTimeout)
  }

  waitsForProgram(): void {
    if (this.#incoming === undefined) this.#limit = Infinity
  }

  sent(sending: Sending): void {
    // It may say so late, when the connection has another request.
    if (this.#incoming === undefined && sending === this.#sending) this.#expect('does not answer', this.#owner.limits.headTimeout)
  }

  failed(error: unknown): void {
    this.fail(error)
  }

  // ---- the response

  /** The head that counts, and the bytes behind it. */
  async #response(method: string): Promise<{ head: ResponseHead; bytes: Uint8Array; at: number }> {
    let bytes: Uint8Array = EMPTY
    let at = 0
    for (let informational = 0; ; informational++) {
      const found = await this.#headText(bytes, at)
      const head = parseResponseHead(found.text, method)
      if (typeof head === 'string') throw refused(head)
      bytes = found.bytes
      at = found.at
      if (head.status >= 200) return { head, bytes, at }
      if (head.status === 101) throw refused('it switches protocols, which nobody asked for')
      if (informational >= MAX_INFORMATIONAL) throw refused('there are too many before it')
    }
  }

  /** Up to the next empty line. */
  async #headText(bytes: Uint8Array, at: number): Promise<{ text: string; bytes: Uint8Array; at: number }> {
    const { abi } = this.#owner
    for (let from = at; ; ) {
      const size = Math.min(bytes.length - at, MAX_HEAD)
      // A head that comes in drops is looked at again when a line has ended, or can be none (NUL), not for each drop.
      if (
        size > 0 &&
        (size < NAME.length || size === MAX_HEAD || from === at || bytes.indexOf(LF, from) >= 0 || bytes.indexOf(0, from) >= 0)
      ) {
        const text = abi.latin1Decode(bytes, at, size)
        // Who speaks another protocol waits for an answer: it would take the whole time-out to see that nothing more comes.
        if (!(text.startsWith(NAME) || NAME.startsWith(text))) throw refused('it does not begin with HTTP/1.')
        const length = text.indexOf('\r\n\r\n') + 4
        if (length >= 4) return { text: text.slice(0, length - 4), bytes, at: at + length }
        const wrong = whyIncomplete(text, size)
        if (wrong !== undefined) throw refused(wrong.reason)
      }
      const more = await this.#read()
      if (more === undefined) throw new HttpError('ECONNRESET', closedWhere(bytes.length > at, this.authority))
      from = bytes.length - at
      bytes = from === 0 ? more : joined(abi, bytes, at, more)
      at = 0
    }
  }

  async receive(): Promise<Uint8Array | undefined> {
    this.#expect('sends nothing more of the body', this.#owner.limits.bodyTimeout)
    const bytes = await this.#read()
    this.#limit = Infinity
    return bytes
  }

  async #read(): Promise<Uint8Array | undefined> {
    if (this.#isOver) throw this.#failure ?? new HttpError('ECONNRESET', closedWhere(false, this.authority))
    const next = this.#next ?? this.#stream.read()
    this.#next = undefined
    let bytes: Uint8Array | undefined
    try {
      bytes = await next
    } catch (error) {
      this.fail(error)
    }
    if (this.#isOver) throw this.#failure
    if (bytes !== undefined) this.hasReceived = true
    return bytes
  }

  finished(isClean: boolean): void {
    if (this.#isOver) return
    this.#quiet?.()
    const { head } = this.#incoming!
    this.isReused = true
    if (!isClean) this.#break()
    else if (head.keepAlive && this.#sending!.isWhole && this.idleLimit >= 1) this.#owner.free(this)
    else this.close()
  }

  /** Seconds that it may wait for the next request: a second less than the server waits, lest both act at once. */
  get idleLimit(): number {
    return Math.min(this.#owner.limits.idleTimeout, (this.#incoming?.head.idle ?? Infinity) - 1)
  }
}

const refused = (why: string): HttpError => new HttpError('EPROTO', `the response is refused: ${why}`)

const closedWhere = (hasBegun: boolean, authority: string): string =>
  hasBegun
    ? `${authority} closed the connection in the middle of the head of its response`
    : `${authority} closed the connection without a response`

function joined(abi: HostFunctions, bytes: Uint8Array, at: number, more: Uint8Array): Uint8Array {
  const left = bytes.length - at
  const all = new Uint8Array(left + more.length)
  abi.copy(all, 0, bytes, at, left)
  abi.copy(all, left, more, 0, more.length)
  return all
}
