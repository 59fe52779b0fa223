/** A TCP connection of the host as a ByteSocket: what the HTTP server and streams stand on. */
import type { Socket } from 'node:net'
import { type ByteSocket, type Endpoint, SocketError, type SocketHandler, type Timer, type Timers } from '@xen-ts/runtime/machine'
import { endpoint, hostError, plainAddress } from './errors.ts'

/** Bytes that a program may leave lying before the host's window is let fill up, as in our stack. */
const RECEIVE_WINDOW = 256 * 1024
/** Bytes queued before a writer is told to wait. */
export const SEND_BUFFER = 128 * 1024
/** The least that hosts can count. */
const LEAST_KEEP_ALIVE = 1_000

export class HostByteSocket implements ByteSocket {
  readonly remote: Endpoint
  readonly local: Endpoint
  readonly #socket: Socket
  readonly #timers: Timers
  #handler: SocketHandler | undefined
  #retained = 0
  #isCorked = false
  #isEnded = false
  #isClosed = false
  #error: SocketError | undefined
  #deadline: Timer | undefined

  /** @param socket connected, made with allowHalfOpen and a high water mark of SEND_BUFFER */
  constructor(socket: Socket, timers: Timers) {
    this.#socket = socket
    this.#timers = timers
    this.remote = { address: plainAddress(socket.remoteAddress ?? ''), port: socket.remotePort ?? 0 }
    this.local = { address: plainAddress(socket.localAddress ?? ''), port: socket.localPort ?? 0 }
  }

  /** From now on `handler` hears of all that happens. */
  serve(handler: SocketHandler): void {
    this.#handler = handler
    const socket = this.#socket
    socket.on('data', data => {
      this.#retained += handler.onData(data, 0, data.length)
      if (this.#retained >= RECEIVE_WINDOW) socket.pause()
    })
    socket.on('end', () => {
      if (!this.#isClosed) handler.onEnd()
    })
    socket.on('drain', () => {
      if (!this.#isClosed) handler.onWritable()
    })
    socket.on('error', error => {
      this.#error ??= hostError(error, this.#name)
    })
    socket.on('close', () => this.#close(this.#error))
  }

  queue(bytes: Uint8Array, offset: number, length: number): void {
    if (this.#isClosed) return
    if (this.#isEnded) throw new SocketError('EPIPE', `write to ${this.#name} after its end: write before calling end()`)
    if (!this.#isCorked) this.#socket.cork()
    this.#isCorked = true
    this.#socket.write(bytes.subarray(offset, offset + length))
  }

  flush(): void {
    if (this.#isCorked) this.#socket.uncork()
    this.#isCorked = false
  }

  get room(): number {
    return SEND_BUFFER - this.#socket.writableLength
  }

  consumed(length: number): void {
    this.#retained -= length
    if (this.#retained < RECEIVE_WINDOW / 2 && this.#socket.isPaused()) this.#socket.resume()
  }

  end(): void {
    if (this.#isEnded || this.#isClosed) return
    this.#isEnded = true
    this.#socket.end()
  }

  abort(error?: Error): void {
    if (this.#isClosed) return
    this.#socket.resetAndDestroy()
    this.#close(error ?? new SocketError('ECONNABORTED', `${this.#name} was aborted`))
  }

  abortAfter(milliseconds: number): void {
    this.#deadline?.cancel()
    this.#deadline = undefined
    if (this.#isClosed || milliseconds === Infinity) return
    this.#deadline = this.#timers.set(milliseconds, () =>
      this.abort(new SocketError('ETIMEDOUT', `${this.#name} did not end within ${milliseconds / 1000} s`)),
    )
  }

  keepAlive(milliseconds: number | undefined): void {
    if (milliseconds !== undefined && !(milliseconds > 0))
      throw new RangeError(`keepAlive(${milliseconds}): the time must be a number of milliseconds above 0, or undefined for never`)
    const isOn = milliseconds !== undefined && milliseconds !== Infinity
    this.#socket.setKeepAlive(isOn, isOn ? Math.max(milliseconds, LEAST_KEEP_ALIVE) : 0)
  }

  /** For error texts. */
  get #name(): string {
    return `connection to ${endpoint(this.remote.address, this.remote.port)}`
  }

  #close(error: Error | undefined): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#deadline?.cancel()
    this.#handler?.onClosed(error)
  }
}
