/** A connection with promises, for programs, over any byte stream (TCP, later TLS). HTTP uses the callbacks of socket.ts instead. */

import type { Deadline, TcpConnection } from '@xen-ts/runtime'
import type { HostFunctions, Timers } from '@xen-ts/runtime/machine'
import { type ByteSocket, type Endpoint, SocketError, type SocketHandler } from '../socket.ts'

/** How long a connection may take to close in good order once its user let go of it, in milliseconds. */
const LINGER = 60_000

/** The largest array that what arrives is gathered in; what comes in one piece may be larger. */
const GATHER = 32 * 1024

interface Waiting<T> {
  resolve(value: T): void
  reject(error: Error): void
}

export class TcpStream implements TcpConnection {
  /** Dotted decimal. */
  readonly remoteAddress: string
  readonly remotePort: number
  readonly local: Endpoint
  /** Resolves when both sides have closed; rejects with a SocketError when the connection failed. Need not be watched. */
  readonly closed: Promise<void>
  /** What the connection calls; not for programs. */
  readonly handler: SocketHandler
  readonly #socket: ByteSocket
  readonly #abi: HostFunctions
  readonly #timers: Timers
  /** What nobody has read yet. Behind the `#filled` bytes of the last one there may be room for more. */
  readonly #received: Uint8Array[] = []
  #filled = 0
  /** Bytes in all of them. */
  #unread = 0
  readonly #readers: Waiting<Uint8Array | undefined>[] = []
  readonly #writers: Waiting<void>[] = []
  #state: 'open' | 'ended' | 'closed' = 'open'
  #error: Error | undefined = undefined
  /** The user let go: what still comes is thrown away. */
  #released = false

  constructor(socket: ByteSocket, abi: HostFunctions, timers: Timers) {
    this.#socket = socket
    this.#abi = abi
    this.#timers = timers
    const { remote } = socket
    this.remoteAddress = remote.address
    this.remotePort = remote.port
    this.local = socket.local
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

  /**
   * The next bytes, at least one; undefined after the peer's end. Rejects with a SocketError when the connection failed. When the deadline
   * passes, nothing is lost: the next read gets what comes later.
   */
  read(deadline?: Deadline): Promise<Uint8Array | undefined> {
    const problem = deadline && problemOf(deadline)
    if (problem !== undefined) return Promise.reject(problem)
    let bytes = this.#received.shift()
    if (bytes !== undefined) {
      if (this.#received.length === 0 && this.#filled < bytes.length) bytes = bytes.subarray(0, this.#filled)
      this.#unread -= bytes.length
      this.#socket.consumed(bytes.length)
      return Promise.resolve(bytes)
    }
    if (this.#error !== undefined) return Promise.reject(this.#error)
    if (this.#state !== 'open' || this.#released) return Promise.resolve(undefined)
    return this.#wait(this.#readers, deadline, 'nothing came')
  }

  /**
   * Queues `bytes` for sending and resolves when more may be written: at once while the send buffer has room, else when the peer has
   * taken some. The array is not copied: it must not be changed any more. Rejects with a SocketError when the connection failed. When
   * the deadline passes while it waits, the bytes are queued nevertheless: who does not want them to arrive any more aborts.
   */
  async write(bytes: Uint8Array, deadline?: Deadline): Promise<void> {
    const problem = deadline && problemOf(deadline)
    if (problem !== undefined) throw problem
    if (this.#error !== undefined) throw this.#error
    if (this.#isClosed) throw new SocketError('EPIPE', `the connection to ${this.remoteAddress}:${this.remotePort} is closed`)
    const socket = this.#socket
    socket.queue(bytes, 0, bytes.length)
    socket.flush()
    if (socket.room > 0 || this.#isClosed) return
    await this.#wait(this.#writers, deadline, 'the peer took nothing')
  }

  /** Asks a silent peer for a sign of life, so that one that is gone is noticed: see ByteSocket. */
  keepAlive(milliseconds: number | undefined): void {
    this.#socket.keepAlive(milliseconds)
  }

  /** No more bytes will be written; the peer sees the end once it has read all. Reading goes on. */
  end(): void {
    this.#socket.end()
  }

  /** Lets go of the connection: sends what is queued, then the end; what the peer still sends is dropped, and reads end. */
  close(): void {
    if (this.#released) return
    this.#released = true
    this.#received.length = 0
    if (this.#unread > 0) this.#socket.consumed(this.#unread)
    this.#unread = 0
    for (const reader of this.#readers.splice(0)) reader.resolve(undefined)
    this.#socket.end()
    this.#socket.abortAfter(LINGER)
  }

  /** Ends both directions at once (RST). */
  abort(): void {
    this.#socket.abort()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #wait<T>(waiting: Waiting<T>[], deadline: Deadline | undefined, what: string): Promise<T> {
    return new Promise((resolve, reject) => {
      if (deadline === undefined) {
        waiting.push({ resolve, reject })
        return
      }
      const { timeout = Infinity, signal } = deadline
      const over = (): void => {
        timer?.cancel()
        signal?.removeEventListener('abort', aborted)
      }
      const waiter: Waiting<T> = {
        resolve(value) {
          over()
          resolve(value)
        },
        reject(error) {
          over()
          reject(error)
        },
      }
      const leave = (error: Error): void => {
        waiting.splice(waiting.indexOf(waiter), 1)
        waiter.reject(error)
      }
      const late = `connection to ${this.remoteAddress}:${this.remotePort}: ${what} within ${timeout / 1000} s`
      const timer = timeout === Infinity ? undefined : this.#timers.set(timeout, () => leave(new SocketError('ETIMEDOUT', late)))
      const aborted = (): void => leave(signal!.reason)
      signal?.addEventListener('abort', aborted, { once: true })
      waiting.push(waiter)
    })
  }

  get #isClosed(): boolean {
    return this.#state === 'closed'
  }

  #onData(bytes: Uint8Array, offset: number, length: number): number {
    if (this.#released) return 0
    const reader = this.#readers.shift()
    if (reader !== undefined) {
      const copy = new Uint8Array(length)
      this.#abi.copy(copy, 0, bytes, offset, length)
      reader.resolve(copy)
      return 0
    }
    this.#gather(bytes, offset, length)
    return length
  }

  /**
   * Each read costs a promise, and each array more than the copy of a segment: what comes while nobody reads is put together, in arrays of twice
   * what waits already, so that never more than that is taken in advance.
   */
  #gather(bytes: Uint8Array, offset: number, length: number): void {
    const received = this.#received
    const count = received.length
    if (count > 0) {
      const last = received[count - 1]
      const filled = this.#filled
      if (length <= last.length - filled) {
        this.#abi.copy(last, filled, bytes, offset, length)
        this.#filled = filled + length
        this.#unread += length
        return
      }
      if (filled < last.length) received[count - 1] = last.subarray(0, filled)
    }
    const room = 2 * this.#unread < GATHER ? 2 * this.#unread : GATHER
    const array = new Uint8Array(length > room ? length : room)
    this.#abi.copy(array, 0, bytes, offset, length)
    received.push(array)
    this.#filled = length
    this.#unread += length
  }

  #onEnd(state: 'ended' | 'closed'): void {
    this.#state = state
    for (const reader of this.#readers.splice(0)) {
      if (this.#error !== undefined) reader.reject(this.#error)
      else reader.resolve(undefined)
    }
  }
}

/** Why a call with this deadline fails before it has begun. */
function problemOf({ timeout, signal }: Deadline): Error | undefined {
  if (timeout !== undefined && !(timeout >= 0)) return new RangeError(`timeout ${timeout}: it must be a number of milliseconds, 0 or more`)
  return signal?.aborted ? signal.reason : undefined
}
