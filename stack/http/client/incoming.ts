/** A response that comes in: its head, and its body as it is asked for. It outlives its use of the connection, which may have another then. */
import type { HostFunctions } from '@xen-ts/runtime/machine'
import type { BadMessage } from '../message/bad-message.ts'
import { BodyDecoder, type BodySink } from '../message/body.ts'
import { HttpError } from './error.ts'
import type { ResponseHead } from './head.ts'

/** What a response needs of its connection. */
export interface Source {
  /** The next bytes; undefined at the server's end. Rejects when the connection has failed. */
  receive(): Promise<Uint8Array | undefined>
  /** The response is whole. @param isClean nothing came behind it */
  finished(isClean: boolean): void
  /** Breaks the connection. */
  fail(error: unknown): void
}

/** Its error may be anything that a program gives as a reason. */
export interface Failure {
  readonly error: unknown
}

export class Incoming implements BodySink {
  readonly head: ResponseHead
  readonly #source: Source
  readonly #decoder: BodyDecoder
  readonly #pieces: Uint8Array[] = []
  #failure: Failure | undefined = undefined
  #listeners: ((failure: Failure | undefined) => void)[] = []

  /** `limit` of the body, in bytes */
  constructor(source: Source, abi: HostFunctions, head: ResponseHead, limit: number) {
    this.#source = source
    this.head = head
    this.#decoder = new BodyDecoder(abi, head.length, limit)
  }

  get isWhole(): boolean {
    return this.#decoder.isDone
  }

  /** Calls `over` when all of it has come, or, with the failure, when its connection has failed. */
  whenOver(over: (failure: Failure | undefined) => void): void {
    if (this.isWhole || this.#failure !== undefined) over(this.#failure)
    else this.#listeners.push(over)
  }

  /** Called by the connection when it fails before this is whole. */
  failed(error: unknown): void {
    this.#failure = { error }
    for (const over of this.#listeners.splice(0)) over(this.#failure)
  }

  /** What has come, from `at` on. */
  feed(bytes: Uint8Array, at: number): void {
    const decoder = this.#decoder
    const stop = decoder.feed(bytes, at, bytes.length, this)
    if (decoder.error !== undefined) this.#source.fail(failure(decoder.error))
    else if (decoder.isDone) this.#whole(stop === bytes.length)
  }

  /** @internal What the decoder finds, without a copy: who receives it leaves the array to us. */
  part(bytes: Uint8Array, at: number, size: number): void {
    this.#pieces.push(at === 0 && size === bytes.length ? bytes : bytes.subarray(at, at + size))
  }

  #whole(isClean: boolean): void {
    this.#source.finished(isClean)
    for (const over of this.#listeners.splice(0)) over(undefined)
  }

  /** The whole body, if it has come already. */
  bytes(abi: HostFunctions): Uint8Array | undefined {
    if (!this.isWhole) return undefined
    const pieces = this.#pieces
    if (pieces.length === 1) return pieces[0]
    const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
    let at = 0
    for (const piece of pieces) {
      abi.copy(whole, at, piece, 0, piece.length)
      at += piece.length
    }
    return whole
  }

  /** The next piece of the body; undefined behind the last. */
  async piece(): Promise<Uint8Array | undefined> {
    const pieces = this.#pieces
    while (pieces.length === 0 && !this.isWhole) {
      const bytes = await this.#source.receive()
      if (this.#failure !== undefined) throw this.#failure.error // meanwhile
      if (bytes !== undefined) this.feed(bytes, 0)
      else if (this.#decoder.end()) this.#whole(true)
      else this.#source.fail(new HttpError('ECONNRESET', 'the server closed the connection in the middle of the body'))
    }
    return pieces.shift()
  }

  /** Nobody wants the rest. */
  cancel(reason: unknown): void {
    if (!this.isWhole) this.#source.fail(reason)
  }
}

const failure = ({ status, reason }: BadMessage): HttpError =>
  status === 413
    ? new HttpError('EMSGSIZE', 'the body is larger than the limit of the client (limits.body)')
    : new HttpError('EPROTO', reason)
