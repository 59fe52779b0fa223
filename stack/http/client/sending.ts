/** Sends one request, as fast as the server takes it; it goes on while the response is read, since that may come early. */
import type { HostFunctions } from '@xen-ts/runtime/machine'
import { encodeText } from '../server/answer.ts'
import { encodeRequest, type Outgoing } from './request.ts'

/** A body goes out in pieces of at most so many bytes: after each the server has shown that it takes them. */
const PIECE = 64 * 1024
const LINE_END = Uint8Array.of(13, 10)

export interface SendingEvents {
  /** The server is waited for, to take more; the program is, to give more. Never both. */
  waitsForServer(): void
  waitsForProgram(): void
  /** The server has taken the request, but for what is on its way. */
  sent(sending: Sending): void
  /** The program's stream failed, so that there will be no whole request. */
  failed(error: unknown): void
}

export class Sending {
  /** Nothing of the request is still to be given to the socket. */
  isWhole = false
  readonly #abi: HostFunctions
  readonly #write: (bytes: Uint8Array) => Promise<void>
  readonly #events: SendingEvents
  #isStopped = false
  /** Wakes a stream that says nothing. */
  #cancel: ((reason: unknown) => void) | undefined = undefined

  /** @param write resolves when there is room for more, rejects when the connection is over; bytes are not changed any more */
  constructor(abi: HostFunctions, write: (bytes: Uint8Array) => Promise<void>, events: SendingEvents) {
    this.#abi = abi
    this.#write = write
    this.#events = events
  }

  async run(request: Outgoing): Promise<void> {
    const { body } = request
    const { bytes, isWhole } = encodeRequest(this.#abi, request)
    await this.#give(bytes, isWhole)
    if (isWhole || body === undefined) return
    try {
      await (body instanceof Uint8Array ? this.#bytes(body) : this.#stream(body))
    } catch (error) {
      this.#isStopped = true
      this.#events.failed(error)
    }
  }

  /** Nobody wants the rest: the connection is over, or the response is whole already. */
  stop(reason: unknown): void {
    if (this.#isStopped) return
    this.#isStopped = true
    this.#cancel?.(reason)
  }

  async #bytes(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length && !this.#isStopped; at += PIECE) {
      await this.#give(bytes.subarray(at, at + PIECE), at + PIECE >= bytes.length)
    }
  }

  /** Chunked (RFC 9112 section 7.1). Rejects with what the stream fails with; one that nobody wants any more is cancelled. */
  async #stream(stream: ReadableStream<Uint8Array>): Promise<void> {
    const reader = stream.getReader()
    const cancel = (reason: unknown): void => void reader.cancel(reason).catch(() => {})
    this.#cancel = cancel
    if (this.#isStopped) cancel(undefined)
    for (;;) {
      this.#events.waitsForProgram()
      const { done, value } = await reader.read()
      if (this.#isStopped) return
      if (done) break
      if (!(value instanceof Uint8Array)) {
        const error = new TypeError('the stream of a request body must yield Uint8Arrays')
        cancel(error)
        throw error
      }
      for (let at = 0; at < value.length && !this.#isStopped; at += PIECE) {
        await this.#give(this.#chunk(value, at, Math.min(PIECE, value.length - at)), false)
      }
    }
    this.#cancel = undefined
    await this.#give(encodeText(this.#abi, '0\r\n\r\n'), true)
  }

  /** A copy, since who made the stream may change his bytes, and one piece with the lines around it. */
  #chunk(from: Uint8Array, at: number, size: number): Uint8Array {
    const abi = this.#abi
    const line = encodeText(abi, `${size.toString(16)}\r\n`)
    const bytes = new Uint8Array(line.length + size + 2)
    abi.copy(bytes, 0, line, 0, line.length)
    abi.copy(bytes, line.length, from, at, size)
    abi.copy(bytes, line.length + size, LINE_END, 0, 2)
    return bytes
  }

  /** What the socket fails with is said to the reader as well, behind a response that may stand before it: so not here. */
  async #give(bytes: Uint8Array, isLast: boolean): Promise<void> {
    if (this.#isStopped) return
    this.isWhole = isLast
    this.#events.waitsForServer()
    try {
      await this.#write(bytes)
    } catch (error) {
      this.isWhole = false
      this.stop(error)
      return
    }
    if (isLast && !this.#isStopped) this.#events.sent(this)
  }
}
