/**
 * Takes requests out of a stream of bytes: bytes in, a complete request or a refusal out. It does no I/O and keeps no bytes of heads:
 * an incomplete head is left where it is, and read again when there is more.
 */
import type { HostFunctions } from '@xen-ts/runtime/machine'
import { BadMessage } from '../message/bad-message.ts'
import { MAX_HEAD, whyIncomplete } from '../message/head.ts'
import { BodyReader } from './body.ts'
import type { Local, RequestHead } from './head.ts'
import type { HeadCache, KnownHead } from './head-cache.ts'
import type { HttpLimits } from './options.ts'
import { mayHaveBody } from './request.ts'

/** Empty lines before a request that are forgiven: some clients send them behind a body (RFC 9112 section 2.2). */
const MAX_EMPTY_LINES = 8
const CR = 13
const LF = 10
const NOTHING = new Uint8Array(0)

/** Of the server, for all its readers: each member of an object costs a connection as much as ten reads. */
interface Its {
  readonly abi: HostFunctions
  readonly heads: HeadCache
  readonly limits: HttpLimits
}

export class RequestReader {
  /** The request that was read last, or is being read. Its body is undefined when there is none. */
  declare head: RequestHead | undefined
  declare body: Uint8Array | undefined
  /** The body that comes in, behind `head`. Who takes it away reads it himself, and then the reader the next head. */
  declare bodyReader: BodyReader | undefined
  /** `head` and `body` are a whole request that nobody has taken yet; the owner sets it to false. */
  declare isComplete: boolean
  /** The bytes are no request; nothing behind them can be read. */
  declare refusal: BadMessage | undefined
  /** The client waits for 100 Continue; the owner sets it to false. */
  declare wantsContinue: boolean
  declare private readonly its: Its
  declare private readonly socket: Local
  declare private emptyLines: number
  /** What came last on this connection, if it came before. */
  declare private known: KnownHead | undefined

  constructor(its: Its, socket: Local) {
    this.head = undefined
    this.its = its
    this.socket = socket
  }

  static {
    // What few change is none's own until then.
    Object.assign(RequestReader.prototype, {
      body: undefined,
      bodyReader: undefined,
      isComplete: false,
      refusal: undefined,
      wantsContinue: false,
      emptyLines: 0,
      known: undefined,
    })
  }

  get isInBody(): boolean {
    return this.bodyReader !== undefined
  }

  /** Reads from `at` on, not beyond `end`; returns where it stopped: behind a request, or at what must be read again with more. */
  read(bytes: Uint8Array, at: number, end: number): number {
    if (this.bodyReader !== undefined) return this.readBody(this.bodyReader, bytes, at, end)
    if (bytes[at] === CR) at = this.skipEmptyLines(bytes, at, end)
    const size = end - at < MAX_HEAD ? end - at : MAX_HEAD
    const its = this.its
    const abi = its.abi
    const known = this.known ?? its.heads.recent
    const found = abi.httpHead(known === undefined ? NOTHING : known.bytes, bytes, at, size)
    const length = found >>> 1
    if ((found & 1) !== 0) this.begin(known!.head)
    else if (length > 0) this.parse(bytes, at, length)
    else this.refusal = whyIncomplete(abi.latin1Decode(bytes, at, size), size)
    return at + length
  }

  private parse(bytes: Uint8Array, at: number, length: number): void {
    const { abi, heads } = this.its
    const text = abi.latin1Decode(bytes, at, length)
    if (text.length !== length) {
      this.refusal = whyIncomplete(text, length) // a NUL
      return
    }
    const known = (this.known = heads.find(text, bytes, at))
    const head = known?.head ?? heads.parse(text, this.socket)
    if (head instanceof BadMessage) this.refusal = head
    else this.begin(head)
  }

  /** Returns where they end: at the begin of a request, of half a line end, or at one empty line too many. */
  private skipEmptyLines(bytes: Uint8Array, at: number, end: number): number {
    while (at + 1 < end && bytes[at] === CR && bytes[at + 1] === LF && this.emptyLines < MAX_EMPTY_LINES) {
      this.emptyLines++
      at += 2
    }
    return at
  }

  private begin(head: RequestHead): void {
    if (this.emptyLines > 0) this.emptyLines = 0
    this.head = head
    if (this.body !== undefined) this.body = undefined
    if (head.length === 0) {
      this.isComplete = true
      return
    }
    const limit = mayHaveBody(head.method) ? this.its.limits.streamedBody : this.its.limits.body
    this.bodyReader = new BodyReader(this.its.abi, head.length, limit)
    this.refusal = this.bodyReader.error
    this.wantsContinue = head.expectsContinue
  }

  private readBody(body: BodyReader, bytes: Uint8Array, at: number, end: number): number {
    const stop = body.feed(bytes, at, end)
    this.refusal = body.error
    // What is longer than may be read at once is for the connection to hand on.
    if (body.isDone && (body.held <= this.its.limits.body || !mayHaveBody(this.head!.method))) {
      this.wantsContinue = false
      this.bodyReader = undefined
      this.body = body.take()
      this.isComplete = true
    }
    return stop
  }
}
