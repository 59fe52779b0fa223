/**
 * The body of a request whose handler runs before all of it has come. What the program does not read stays with the client: TCP's window
 * closes. What nobody reads in the end is dropped, within a limit, for the sake of the connection's next request.
 */
import { IncomingBody } from '@xen-ts/runtime/web/incoming'
import { BadMessage } from '../message/bad-message.ts'
import type { BodyReader } from './body.ts'
import type { Gathering } from './gathering.ts'

/** Who feeds it: the connection. */
export interface BodyOwner {
  /** Somebody reads for the first time: a client that waits for 100 Continue is told to go on. */
  bodyWanted(): void
  /** What is held has become less, or does not count any more. */
  bodyTaken(): void
  /** The body cannot be read by the program: what to answer. */
  bodyRefused(refusal: BadMessage): void
}

type Piece = Uint8Array<ArrayBuffer> | undefined

export class RequestBody extends IncomingBody {
  readonly reader: BodyReader
  /** Why reads fail. */
  error: unknown = undefined
  readonly #owner: BodyOwner
  readonly #gatherLimit: number
  readonly #gathering: Gathering
  /** Its part of those. */
  #counted = 0
  #isWanted = false
  /** All of it is read as one. */
  isGathered = false
  #waiting: PromiseWithResolvers<Piece> | undefined = undefined

  /** `gatherLimit` in bytes: for programs that want all of it at once; `gathering` counts what all such bodies hold. */
  constructor(reader: BodyReader, owner: BodyOwner, gatherLimit: number, gathering: Gathering) {
    super()
    this.reader = reader
    this.#owner = owner
    this.#gatherLimit = gatherLimit
    this.#gathering = gathering
  }

  /** Bytes for which the client is to wait. */
  get held(): number {
    return this.isGathered ? 0 : this.reader.held
  }

  async gather(): Promise<Uint8Array<ArrayBuffer>> {
    this.gatherAll()
    return (await this.#next()) ?? new Uint8Array(0)
  }

  /** All of it will be read as one, so it may be no longer than the limit for that. */
  gatherAll(): void {
    this.isGathered = true
    this.reader.limitTo(this.#gatherLimit)
    this.count()
    if (this.error === undefined && this.reader.error !== undefined) this.#owner.bodyRefused(this.reader.error)
    this.#owner.bodyTaken()
  }

  /** After more of it has come: what all that are gathered hold now, without what is complete. */
  count(): void {
    const held = this.isGathered && !this.reader.isDone ? this.reader.held : 0
    this.#gathering.bytes += held - this.#counted
    this.#counted = held
  }

  read(): Promise<Piece> {
    return this.#next()
  }

  cancel(): void {
    this.reader.drop(Infinity)
    this.count()
    this.#waiting?.resolve(undefined)
    this.#waiting = undefined
    this.#owner.bodyTaken()
  }

  /** The reader was fed. */
  moved(): void {
    const waiting = this.#waiting
    if (waiting === undefined || !this.#isReady) return
    this.#waiting = undefined
    waiting.resolve(this.#piece())
  }

  /** No more of it will come. */
  fail(error: unknown): void {
    if ((this.reader.isDone && this.reader.error === undefined) || this.error !== undefined) return
    this.error = error
    this.reader.drop(Infinity)
    this.count()
    this.#waiting?.reject(error)
    this.#waiting = undefined
  }

  async #next(): Promise<Piece> {
    if (this.#waiting !== undefined) throw new TypeError('the body is being read already')
    if (!this.#isWanted) {
      this.#isWanted = true
      this.#owner.bodyWanted()
    }
    if (this.error !== undefined) throw this.error
    if (!this.#isReady) return (this.#waiting = Promise.withResolvers<Piece>()).promise
    const piece = this.#piece()
    this.#owner.bodyTaken()
    return piece
  }

  get #isReady(): boolean {
    return this.reader.isDone || (!this.isGathered && this.reader.held > 0)
  }

  #piece(): Piece {
    return this.reader.held > 0 ? this.reader.take() : undefined
  }
}

/** What a program's read fails with when the body is refused. */
export const bodyError = ({ status, reason }: BadMessage): TypeError =>
  new TypeError(`the body of the request was refused: ${status}, ${reason}`)

/** The end of the connection before that of the body (RFC 9112 section 8). */
export const incomplete = (): BadMessage => new BadMessage(400, 'the connection ended before the body was complete')
