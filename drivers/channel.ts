/** A reliable byte stream between two domains, such as a vchan. Agents are written against this; tests use a pair in memory. */
export interface ByteChannel {
  /**
   * What arrived: at least one byte, at most `max`; the array is the caller's own copy. undefined once the peer closed and all was
   * read.
   */
  read(max?: number): Promise<Uint8Array | undefined>
  /** Exactly `length` bytes; undefined when the channel ended before the first; throws ChannelClosedError when it ended among them. */
  readExactly(length: number): Promise<Uint8Array | undefined>
  /**
   * Resolves when all bytes are in the ring; any length. Calls are kept in order. Throws ChannelClosedError when the peer is gone.
   * Small writes are cheap: the peer is woken for those of a turn of the event loop together, at its end at the latest.
   */
  write(bytes: Uint8Array): Promise<void>
  /**
   * What is there now, at least `least` bytes and at most `max`; undefined when there is less, when others wait for it, or when it is
   * not known: `read` tells. A promise costs the guest's engine more than a read does, so who moves much asks here first.
   */
  tryRead(max?: number, least?: number): Uint8Array | undefined
  /** Writes all of it now, or nothing of it: false when there is no room now, when others wait to write, or when the peer is gone: `write` tells. */
  tryWrite(bytes: Uint8Array): boolean
  /** Resolves when `read` would not wait: there is something, or an end. Throws what `read` would throw. */
  readable(): Promise<void>
  /**
   * The same without a promise: true when `read` would not wait; otherwise `callback` is called once when it would not any more, never in this
   * call. One at a time.
   */
  whenReadable(callback: () => void): boolean
  /** Closes this end and gives everything back. Never throws, may be called twice. */
  close(): void
  /** Resolves when either end closed. */
  readonly closed: Promise<void>
  /** The same without a promise, unless it happens: `callback` is called when either end closed, never in this call. undefined: no more. One at a time. */
  whenClosed(callback: (() => void) | undefined): void
}

/** Gives up a wait: what an AbortSignal is for, without events, which cost a small guest more than many a wait. */
export class Cancel {
  /** Set by `cancel`. */
  reason: Error | undefined = undefined
  /** Who waits: it is woken by `cancel`. */
  waiting: { wake(): void } | undefined = undefined

  cancel(reason: Error): void {
    if (this.reason !== undefined) return
    this.reason = reason
    this.waiting?.wake()
  }
}

/** The vchan service of a domain, with the path scheme of Qubes (`data/vchan/<peer>/<port>`). */
export interface Channels {
  /**
   * As client: waits for the server's keys to appear, then connects. Keys of a server that is dead may be followed by those of another:
   * it is waited for, with `deadServer` so many milliseconds from then on, and ChannelClosedError is thrown afterwards. `signal` and `cancel` give
   * it up.
   */
  connect(domid: number, port: number, options?: { signal?: AbortSignal; cancel?: Cancel; deadServer?: number }): Promise<ByteChannel>
  /**
   * As server: publishes the keys, and resolves when a client has connected and the keys are gone again. One client, then it is over.
   * Sizes in bytes. After an abort it rejects, also when the client was just coming, and then too the keys are gone: the port may
   * be another
   * channel's from now on.
   */
  serve(domid: number, port: number, options: { readSize: number; writeSize: number; signal?: AbortSignal }): Promise<ByteChannel>
}

export class ChannelClosedError extends Error {
  override name = 'ChannelClosedError'
}
