/** A TCP connection with promises, for programs. HTTP uses the callbacks of socket.ts instead. */
import type { TcpConnection } from '@xen-ts/runtime'
import type { Endpoint, SocketHandler } from '../socket.ts'
import type { Connection } from './connection.ts'

/** How long a connection may take to close in good order once its user let go of it, in milliseconds. */
const LINGER = 60_000

export class TcpStream implements TcpConnection {
  /** Dotted decimal. */
  readonly remoteAddress: string
  readonly remotePort: number
  readonly local: Endpoint
  /** Resolves when both sides have closed; rejects with a SocketError when the connection failed. Need not be watched. */
  readonly closed: Promise<void>
  /** What the connection calls; not for programs. */
  readonly handler: SocketHandler
  readonly #connection: Connection
  readonly #received: Uint8Array[] = []
  readonly #readers: { resolve(bytes: Uint8Array | undefined): void; reject(error: Error): void }[] = []
  readonly #writers: { resolve(): void; reject(error: Error): void }[] = []
  #state: 'open' | 'ended' | 'closed' = 'open'
  #error: Error | undefined = undefined
  /** The user let go: what still comes is thrown away. */
  #released = false

  constructor(connection: Connection) {
    this.#connection = connection
    this.remoteAddress = connection.remote.address
    this.remotePort = connection.remotePort
    this.local = connection.local
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.closed = promise
    promise.catch(() => {}) // the same error comes out of read and write
    this.handler = {
      onData: (bytes, offset, length) => this.#onData(bytes, offset, length),
      onEnd: () => this.#onEnd('ended'),
      onWritable: () => {
        for (const writer of this.#writers.splice(0)) writer.resolve()
      },
      onClosed: error => {
        this.#error = error
        this.#onEnd('closed')
        for (const writer of this.#writers.splice(0)) error === undefined ? writer.resolve() : writer.reject(error)
        if (error === undefined) resolve()
        else reject(error)
      },
    }
  }

  /** The next bytes, at least one; undefined after the peer's end. Rejects with a SocketError when the connection failed. */
  read(): Promise<Uint8Array | undefined> {
    const bytes = this.#received.shift()
    if (bytes !== undefined) {
      this.#connection.consumed(bytes.length)
      return Promise.resolve(bytes)
    }
    if (this.#error !== undefined) return Promise.reject(this.#error)
    if (this.#state !== 'open') return Promise.resolve(undefined)
    return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }))
  }

  /**
   * Queues `bytes` for sending and resolves when more may be written: at once while the send buffer has room, else when the peer has
   * taken some. The array is not copied: it must not be changed any more. Rejects with a SocketError when the connection failed.
   */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.#error !== undefined) throw this.#error
    const connection = this.#connection
    connection.queue(bytes, 0, bytes.length)
    connection.flush()
    if (connection.room > 0 || this.#state === 'closed') return
    await new Promise<void>((resolve, reject) => this.#writers.push({ resolve, reject }))
  }

  /** No more bytes will be written; the peer sees the end once it has read all. Reading goes on. */
  end(): void {
    this.#connection.end()
  }

  /** Lets go of the connection: sends what is queued, then the end; what the peer still sends is dropped. */
  close(): void {
    if (this.#released) return
    this.#released = true
    for (const bytes of this.#received.splice(0)) this.#connection.consumed(bytes.length)
    this.#connection.end()
    this.#connection.abortAfter(LINGER)
  }

  /** Ends both directions at once (RST). */
  abort(): void {
    this.#connection.abort()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #onData(bytes: Uint8Array, offset: number, length: number): number {
    if (this.#released) return 0
    const copy = new Uint8Array(length)
    this.#connection.environment.abi.copy(copy, 0, bytes, offset, length)
    const reader = this.#readers.shift()
    if (reader !== undefined) {
      reader.resolve(copy)
      return 0
    }
    this.#received.push(copy)
    return length
  }

  #onEnd(state: 'ended' | 'closed'): void {
    this.#state = state
    for (const reader of this.#readers.splice(0)) {
      if (this.#error !== undefined) reader.reject(this.#error)
      else reader.resolve(undefined)
    }
  }
}
