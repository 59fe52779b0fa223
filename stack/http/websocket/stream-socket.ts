/** A connection with promises as a session has it. Writes are not acknowledged there: what waits is what the stream has not taken yet. */
import type { SocketHandler } from '../../socket.ts'
import type { ByteStream } from '../client/connection.ts'
import type { SessionSocket } from './session.ts'

export class StreamSocket implements SessionSocket {
  readonly #stream: ByteStream
  readonly #handler: SocketHandler
  #pending = 0
  #isOver = false

  constructor(stream: ByteStream, handler: SocketHandler) {
    this.#stream = stream
    this.#handler = handler
  }

  /** Below zero by what waits. */
  get room(): number {
    return -this.#pending
  }

  queue(bytes: Uint8Array, offset: number, length: number): void {
    if (this.#isOver) return
    this.#pending += length
    this.#stream.write(bytes.subarray(offset, offset + length)).then(
      () => {
        this.#pending -= length
      },
      error => this.#over(error),
    )
  }

  flush(): void {}

  end(): void {
    this.#stream.close()
    this.#over(undefined)
  }

  abort(): void {
    this.#stream.abort()
    this.#over(undefined)
  }

  /** Reads to the end. @param rest what has come already. Never rejects */
  async run(rest: Uint8Array): Promise<void> {
    if (rest.length > 0) this.#handler.onData(rest, 0, rest.length)
    try {
      while (!this.#isOver) {
        const bytes = await this.#stream.read()
        if (this.#isOver) return
        if (bytes === undefined) return this.#handler.onEnd()
        this.#handler.onData(bytes, 0, bytes.length)
      }
    } catch (error) {
      this.#over(error as Error)
    }
  }

  /** The session hears of it later: it may be in the middle of something. */
  #over(error: Error | undefined): void {
    if (this.#isOver) return
    this.#isOver = true
    void Promise.resolve().then(() => this.#handler.onClosed(error))
  }
}
