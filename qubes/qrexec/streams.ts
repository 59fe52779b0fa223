/** The streams of a call. Pulled, not pushed: what nobody reads stays in the ring, and the peer waits. */
import { concat, type Text } from '../text.ts'

/** Bytes kept by `bytes` and `text` unless the caller says otherwise. */
const DEFAULT_LIMIT = 1 << 20

export class ByteReader implements AsyncIterable<Uint8Array> {
  readonly #text: Text
  readonly #pull: () => Promise<Uint8Array | undefined>
  #busy = false
  #ended = false

  constructor(text: Text, pull: () => Promise<Uint8Array | undefined>) {
    this.#text = text
    this.#pull = pull
  }

  /**
   * The next bytes, at least one; undefined at the end of the stream.
   * @throws ChannelClosedError when the peer went away before the end; TypeError when another read is under way
   */
  async read(): Promise<Uint8Array | undefined> {
    if (this.#busy) throw new TypeError('this stream is being read already: await one read before the next')
    if (this.#ended) return undefined
    this.#busy = true
    try {
      const bytes = await this.#pull()
      if (bytes === undefined) this.#ended = true
      return bytes
    } finally {
      this.#busy = false
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    for (let bytes; (bytes = await this.read()) !== undefined;) yield bytes
  }

  /** Everything up to the end. @throws RangeError when it is more than `limit` bytes */
  async bytes(limit = DEFAULT_LIMIT): Promise<Uint8Array> {
    const parts: Uint8Array[] = []
    let length = 0
    for (let part; (part = await this.read()) !== undefined;) {
      length += part.length
      if (length > limit) {
        throw new RangeError(`the peer sent more than ${limit} bytes: read the stream piece by piece, or give a larger limit`)
      }
      parts.push(part)
    }
    return concat(parts)
  }

  /** Everything up to the end, as text. @throws RangeError when it is more than `limit` bytes */
  async text(limit = DEFAULT_LIMIT): Promise<string> {
    return this.#text.decode(await this.bytes(limit))
  }

  /** Copies everything up to the end, then closes the writer. */
  async pipeTo(writer: ByteWriter): Promise<void> {
    for (let bytes; (bytes = await this.read()) !== undefined;) await writer.write(bytes)
    await writer.close()
  }

  /** Reads to the end and keeps nothing. */
  async drain(): Promise<void> {
    while (await this.read() !== undefined);
  }
}

export class ByteWriter {
  readonly #text: Text
  readonly #push: (bytes: Uint8Array) => Promise<void>
  /** No more may be written; the end has been told to the peer, or is about to be. */
  ended = false

  /** @param push sends bytes; an empty array is the end of the stream */
  constructor(text: Text, push: (bytes: Uint8Array) => Promise<void>) {
    this.#text = text
    this.#push = push
  }

  /**
   * Sends bytes, or text as UTF-8; resolves when they are in the ring.
   * @throws ChannelClosedError when the peer is gone, TypeError after `close`
   */
  write(data: Uint8Array | string): Promise<void> {
    if (this.ended) return Promise.reject(new TypeError('this stream is closed'))
    const bytes = typeof data === 'string' ? this.#text.encode(data) : data
    return bytes.length === 0 ? Promise.resolve() : unowned(this.#push(bytes))
  }

  /** Tells the peer that nothing follows. May be called twice. */
  close(): Promise<void> {
    if (this.ended) return Promise.resolve()
    this.ended = true
    return unowned(this.#push(new Uint8Array(0)))
  }
}

/** A program need not await a write; that the peer went away meanwhile must not end the domain as a lost error. */
export function unowned<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}
