/**
 * The streams of a call: web streams of bytes, with what services mostly do as methods. Pulled, not pushed: what nobody reads stays in
 * the ring, and the peer waits. From one of them to another of them bytes go straight.
 */
import { ByteCollector } from '@xen-ts/runtime/machine'
import * as readable from '@xen-ts/runtime/web'
import * as writable from '@xen-ts/runtime/web'
import type { Text } from '../text.ts'

/** Bytes kept by `bytes` and `text` unless the caller says otherwise. */
const DEFAULT_LIMIT = 1 << 20
const EMPTY = new Uint8Array(0)

/** The guest's own, under the types that programs know. */
const ReadableStream = readable.ReadableStream as unknown as typeof globalThis.ReadableStream
const WritableStream = writable.WritableStream as unknown as typeof globalThis.WritableStream
type Reader = ReadableStreamDefaultReader<Uint8Array>
type Writer = WritableStreamDefaultWriter<Uint8Array | string>

type Pull = () => Promise<Uint8Array | undefined>

/** Where a reader's bytes come from; as the source of a web stream, and past it. */
class Source {
  /** The web stream has asked for bytes, and may hold some: nobody may pass it any more. */
  isStreamed = false
  #controller!: readable.ReadableController<Uint8Array>
  /** Called when somebody cancels the stream. */
  readonly cancel: () => void
  readonly #pull: Pull
  /** One pull at a time. */
  #last: Promise<unknown> = Promise.resolve()
  #ended = false

  constructor(pull: Pull, cancel: () => void) {
    this.#pull = pull
    this.cancel = cancel
  }

  start(controller: readable.ReadableController<Uint8Array>): void {
    this.#controller = controller
  }

  async pull(): Promise<void> {
    this.isStreamed = true
    const bytes = await this.next()
    if (bytes === undefined) this.#close()
    else this.#controller.enqueue(bytes)
  }

  next(): Promise<Uint8Array | undefined> {
    const next = this.#last.then(async () => {
      if (this.#ended) return undefined
      const bytes = await this.#pull()
      this.#ended = bytes === undefined
      return bytes
    })
    this.#last = next.catch(() => {
      this.#ended = true
    })
    return next
  }

  /** The same for who passes the stream, which learns of the end. */
  async direct(): Promise<Uint8Array | undefined> {
    try {
      const bytes = await this.next()
      if (bytes === undefined) this.#close()
      return bytes
    } catch (error) {
      this.#controller.error(error)
      throw error
    }
  }

  #close(): void {
    try {
      this.#controller.close()
    } catch {
      /* it is closed already, or was cancelled */
    }
  }
}

/** A ReadableStream of bytes. Errors: ChannelClosedError when the peer went away before the end. */
export class ByteReader extends ReadableStream<Uint8Array> {
  readonly #text: Text
  readonly #source: Source

  /**
   * @param pull the next bytes, at least one; undefined at the end
   * @param cancel called when the rest is not wanted; default: it waits for the peer's end
   */
  constructor(text: Text, pull: Pull, cancel: () => void = () => {}) {
    const source = new Source(pull, cancel)
    super(source as ConstructorParameters<typeof ReadableStream<Uint8Array>>[0], { highWaterMark: 0 })
    this.#text = text
    this.#source = source
  }

  /** The next bytes, at least one, without a reader; undefined at the end. @throws TypeError when somebody else reads */
  async read(): Promise<Uint8Array | undefined> {
    const reader = this.getReader()
    try {
      return await this.#next(reader)
    } finally {
      reader.releaseLock()
    }
  }

  /** Everything up to the end. @throws RangeError when it is more than `limit` bytes */
  async bytes(limit = DEFAULT_LIMIT): Promise<Uint8Array> {
    const all = new ByteCollector()
    await this.#each(part => {
      if (all.length + part.length > limit)
        throw new RangeError(`the peer sent more than ${limit} bytes: read the stream piece by piece, or give a larger limit`)
      all.push(part)
    })
    return all.take()
  }

  /** Everything up to the end, as text. @throws RangeError when it is more than `limit` bytes */
  async text(limit = DEFAULT_LIMIT): Promise<string> {
    return this.#text.decode(await this.bytes(limit))
  }

  /** Reads to the end and keeps nothing. */
  drain(): Promise<void> {
    return this.#each(() => {})
  }

  /** Copies everything up to the end, then closes the destination unless told otherwise. */
  override async pipeTo(...[destination, options]: Parameters<globalThis.ReadableStream<Uint8Array>['pipeTo']>): Promise<void> {
    if (!(destination instanceof ByteWriter) || options !== undefined || destination.locked) return super.pipeTo(destination, options)
    const unlock = destination.lock()
    try {
      await this.#each(bytes => destination.push(bytes), destination)
    } finally {
      unlock()
    }
    await destination.close()
  }

  /** @internal reads what is left, whoever has the stream */
  async rest(): Promise<void> {
    while ((await this.#source.next()) !== undefined);
  }

  async #next(reader: Reader): Promise<Uint8Array | undefined> {
    return this.#source.isStreamed ? (await reader.read()).value : this.#source.direct()
  }

  /** @param destination whose end, while this waits for bytes, is the end of this */
  async #each(use: (bytes: Uint8Array) => void | Promise<void>, destination?: ByteWriter): Promise<void> {
    const reader = this.getReader()
    destination?.whenFailed(error => void reader.cancel(error).catch(() => {}))
    try {
      for (;;) {
        const bytes = await this.#next(reader)
        if (bytes === undefined) return
        const used = use(bytes)
        if (used !== undefined) await used
      }
    } catch (error) {
      await reader.cancel(error).catch(() => {})
      throw error
    } finally {
      destination?.whenFailed(undefined)
      reader.releaseLock()
    }
  }
}

/** A WritableStream of bytes, or text that is sent as UTF-8. Errors: ChannelClosedError when the peer is gone. */
export class ByteWriter extends WritableStream<Uint8Array | string> {
  readonly #text: Text
  readonly #push: (bytes: Uint8Array) => Promise<void>
  readonly #controller: WritableStreamDefaultController
  #writer: Writer | undefined
  #failed: ((error: Error) => void) | undefined
  /** The end has been told to the peer, or is about to be. */
  #ended = false

  /** @param push sends bytes; an empty array is the end of the stream */
  constructor(text: Text, push: (bytes: Uint8Array) => Promise<void>) {
    let controller!: WritableStreamDefaultController
    super({
      start: value => {
        controller = value
      },
      write: chunk => this.push(chunk),
      close: () => this.#end(),
    })
    this.#controller = controller
    this.#text = text
    this.#push = push
  }

  /**
   * Sends bytes, or text as UTF-8, without a writer; resolves when they are in the ring.
   * @throws ChannelClosedError when the peer is gone, TypeError after `close`, or when the stream has a writer
   */
  write(data: Uint8Array | string): Promise<void> {
    if (this.#ended) return Promise.reject(new TypeError('this stream is closed'))
    if (this.locked) return Promise.reject(new TypeError('this stream has a writer: write through that, or release it'))
    return unowned(this.push(data))
  }

  override getWriter(): Writer {
    return (this.#writer = super.getWriter())
  }

  /** Tells the peer that nothing follows, after all that was written. May be called twice. */
  override close(): Promise<void> {
    return this.#ended ? Promise.resolve() : unowned(super.close())
  }

  /** @internal for who does not use the queue of the web stream */
  lock(): () => void {
    const writer = super.getWriter()
    return () => writer.releaseLock()
  }

  /** @internal the peer is gone: who waits for something to write learns it at once, not with the next piece */
  fail(error: Error): void {
    this.#controller.error(error)
    this.#failed?.(error)
  }

  /** @internal who is told by `fail` besides the users of the web stream */
  whenFailed(failed: ((error: Error) => void) | undefined): void {
    this.#failed = failed
  }

  /** @internal past the queue of the web stream */
  push(data: Uint8Array | string): Promise<void> {
    const bytes = typeof data === 'string' ? this.#text.encode(data) : data
    if (!(bytes instanceof Uint8Array))
      return Promise.reject(new TypeError(`a call's streams take bytes (Uint8Array) and text, not ${typeof bytes}`))
    return bytes.length === 0 ? Promise.resolve() : this.#push(bytes)
  }

  /** @internal the end of the stream, after all that was written, whoever has it; unless the peer knows already. Never rejects */
  async finish(): Promise<void> {
    // Without a writer there never was a queue; with one, something may be in it.
    if (this.#writer !== undefined && !this.#ended) await (this.locked ? this.#writer.close() : super.close()).catch(() => {})
    await this.#end().catch(() => {})
  }

  #end(): Promise<void> {
    if (this.#ended) return Promise.resolve()
    this.#ended = true
    return this.#push(EMPTY)
  }
}

/** A program need not await a write, nor a close; that the peer went away meanwhile must not end the domain as a lost error. */
export function unowned<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}
