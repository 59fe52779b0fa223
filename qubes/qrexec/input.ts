/** What the service of an outgoing call reads: pulled piece by piece, and told when nobody wants more, which may be while it waits. */

/** Streams and other iterables are read as far as the service takes it, and cancelled (an iterator's `return`) when it takes no more. */
export type Input = string | Uint8Array | AsyncIterable<Uint8Array>

export class InputSource {
  readonly #input: AsyncIterable<Uint8Array>
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  #iterator: AsyncIterator<Uint8Array> | undefined
  #cancelled = false

  constructor(input: AsyncIterable<Uint8Array>) {
    this.#input = input
  }

  /** The next piece; undefined at the end, and after `cancel`. Rejects with what the input fails with. */
  async next(): Promise<Uint8Array | undefined> {
    if (this.#cancelled) return undefined
    if (this.#reader === undefined && this.#iterator === undefined) this.#open()
    const { done, value } = await (this.#reader?.read() ?? this.#iterator!.next())
    return done || this.#cancelled ? undefined : value
  }

  /** Nobody wants the rest. Never throws. */
  cancel(reason: unknown): void {
    if (this.#cancelled) return
    this.#cancelled = true
    // Not through the iterator of a stream: that waits for the read that is under way.
    const told =
      this.#reader?.cancel(reason) ?? this.#iterator?.return?.() ?? (isStream(this.#input) ? this.#input.cancel(reason) : undefined)
    void Promise.resolve(told).catch(() => {})
  }

  #open(): void {
    const input = this.#input as AsyncIterable<Uint8Array> & Iterable<Uint8Array>
    if (isStream(input)) this.#reader = input.getReader()
    else this.#iterator = input[Symbol.asyncIterator]?.() ?? (input[Symbol.iterator]() as unknown as AsyncIterator<Uint8Array>)
  }
}

const isStream = (input: object): input is ReadableStream<Uint8Array> =>
  typeof (input as { getReader?: unknown }).getReader === 'function' && typeof (input as { cancel?: unknown }).cancel === 'function'
