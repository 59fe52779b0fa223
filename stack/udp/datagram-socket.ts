/**
 * A UDP socket as programs see it, on anything that sends and receives datagrams: this stack (socket.ts), or the host's sockets on target
 * unix. What arrives waits in a bounded queue, and whoever reads is woken once for all that came together.
 */
import type { Datagram, Endpoint, UdpOptions, UdpSocket } from '@xen-ts/runtime'
import { SocketError } from '@xen-ts/runtime/machine'

/** What carries the datagrams. */
export interface DatagramDriver {
  readonly port: number
  readonly remote: Endpoint | undefined
  /** Throws, or rejects with, a SocketError; `to` is there when there is no `remote`. */
  send(data: Uint8Array, to: Endpoint | undefined): void | Promise<void>
  close(): void
}

export interface DatagramSocketOptions extends Pick<UdpOptions, 'signal' | 'queueBytes' | 'onDatagrams' | 'onError'> {
  readonly counters: { udpQueueFull: number }
  /** Calls `run` soon, when what arrives together has arrived. Default: with the promise jobs, before anything else happens. */
  readonly later?: (run: () => void) => void
}

const QUEUE_BYTES = 128 * 1024
/** What a datagram costs in the queue beside its data: empty ones have an end too. */
const DATAGRAM_BYTES = 64

const withJobs = (run: () => void): void => void Promise.resolve().then(run)
const done: Promise<void> = Promise.resolve()

export class DatagramSocket implements UdpSocket {
  readonly #driver: DatagramDriver
  readonly #options: DatagramSocketOptions
  readonly #later: (run: () => void) => void
  readonly #most: number
  #arrived: Datagram[] = []
  /** What is being read, from `#at` on: nothing moves when one is taken. */
  #taken: Datagram[] = []
  #at = 0
  #bytes = 0
  #dropped = 0
  #error: Error | undefined = undefined
  #closed = false
  #isWaking = false
  #readers: { resolve(): void }[] = []
  readonly #onAbort = (): void => this.close()

  constructor(driver: DatagramDriver, options: DatagramSocketOptions) {
    this.#driver = driver
    this.#options = options
    this.#later = options.later ?? withJobs
    this.#most = options.queueBytes ?? QUEUE_BYTES
    options.signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  get port(): number {
    return this.#driver.port
  }

  get remote(): Endpoint | undefined {
    return this.#driver.remote
  }

  get dropped(): number {
    return this.#dropped
  }

  // ---- for the driver

  get isClosed(): boolean {
    return this.#closed
  }

  /** Whether a datagram of so many bytes would be kept; when not, it is counted. Asked before the data is copied. */
  hasRoom(length: number): boolean {
    if (this.#closed) return false
    if (this.#bytes + length + DATAGRAM_BYTES <= this.#most) return true
    this.#dropped++
    this.#options.counters.udpQueueFull++
    return false
  }

  /** After `hasRoom`. */
  arrived(datagram: Datagram): void {
    this.#bytes += datagram.data.length + DATAGRAM_BYTES
    this.#arrived.push(datagram)
    this.#wakeLater()
  }

  /** Told to whoever reads or sends next; the last one counts. */
  failed(error: Error): void {
    if (this.#closed) return
    const { onError } = this.#options
    if (onError !== undefined) {
      this.#later(() => onError(error)) // what it throws is not for who has found it out
      return
    }
    this.#error = error
    this.#wakeLater()
  }

  // ---- for the program

  async receive(): Promise<Datagram | undefined> {
    for (;;) {
      const datagram = this.#next()
      if (datagram !== undefined) return datagram
      this.#throwError()
      if (this.#closed) return undefined
      await this.#something()
    }
  }

  [Symbol.asyncIterator](): AsyncIterator<Datagram> {
    return iterator(() => this.receive())
  }

  batches(): AsyncIterable<readonly Datagram[]> {
    return { [Symbol.asyncIterator]: () => iterator(() => this.#batch()) }
  }

  send(data: Uint8Array, to?: Endpoint): Promise<void> {
    try {
      const { remote } = this.#driver
      if (this.#closed) throw new SocketError('EBADF', `cannot send from UDP port ${this.port}: the socket is closed`)
      if (remote === undefined && to === undefined) throw new TypeError('send(data, to): this socket is not connected, say to whom')
      if (remote !== undefined && to !== undefined)
        throw new TypeError(`send(data): this socket is connected to ${remote.address} port ${remote.port}, leave the address out`)
      this.#throwError()
      return this.#driver.send(data, to) ?? done
    } catch (error) {
      return Promise.reject(error)
    }
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#options.signal?.removeEventListener('abort', this.#onAbort)
    this.#arrived = this.#taken = []
    this.#at = this.#bytes = 0
    this.#error = undefined
    this.#driver.close()
    this.#wakeReaders()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
  }

  async #batch(): Promise<readonly Datagram[] | undefined> {
    for (;;) {
      const all = this.#all()
      if (all.length > 0) return all
      this.#throwError()
      if (this.#closed) return undefined
      await this.#something()
    }
  }

  #next(): Datagram | undefined {
    if (this.#at === this.#taken.length) {
      if (this.#arrived.length === 0) return undefined
      this.#taken = this.#arrived
      this.#arrived = []
      this.#at = 0
    }
    const datagram = this.#taken[this.#at++]
    this.#bytes -= datagram.data.length + DATAGRAM_BYTES
    return datagram
  }

  #all(): readonly Datagram[] {
    const all = this.#at === this.#taken.length ? this.#arrived : [...this.#taken.slice(this.#at), ...this.#arrived]
    this.#arrived = []
    this.#taken = []
    this.#at = this.#bytes = 0
    return all
  }

  #throwError(): void {
    const error = this.#error
    this.#error = undefined
    if (error !== undefined) throw error
  }

  #something(): Promise<void> {
    if (this.#options.onDatagrams !== undefined)
      return Promise.reject(new TypeError('the datagrams of this socket go to onDatagrams: leave that out to read them'))
    return new Promise(resolve => this.#readers.push({ resolve }))
  }

  #wakeLater(): void {
    if (this.#isWaking) return
    this.#isWaking = true
    this.#later(() => {
      this.#isWaking = false
      const { onDatagrams } = this.#options
      if (onDatagrams === undefined) this.#wakeReaders()
      else if (this.#arrived.length > 0) onDatagrams(this.#all())
    })
  }

  #wakeReaders(): void {
    const readers = this.#readers
    this.#readers = []
    for (const { resolve } of readers) resolve()
  }
}

function iterator<T>(read: () => Promise<T | undefined>): AsyncIterator<T> {
  return {
    async next() {
      const value = await read()
      return value === undefined ? { done: true, value } : { done: false, value }
    },
  }
}

export const notAddress = (text: string): RangeError =>
  new RangeError(`cannot send a datagram to ${JSON.stringify(text)}: it is not an address; resolve names first`)
