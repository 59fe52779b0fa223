/** What a call's streams are written by. */
import type { Text } from '../text.ts'
import { unowned } from './unowned.ts'

const EMPTY = new Uint8Array(0)
const mark = Symbol('ByteWriter')

type Writer = WritableStreamDefaultWriter<Uint8Array | string>

/** A WritableStream of bytes, or text that is sent as UTF-8. Errors: ChannelClosedError when the peer is gone. */
export interface ByteWriter extends WritableStream<Uint8Array | string> {
  readonly [mark]: true
  /**
   * Sends bytes, or text as UTF-8, without a writer; resolves when they are in the ring.
   * @throws ChannelClosedError when the peer is gone, TypeError after `close`, or when the stream has a writer
   */
  write(data: Uint8Array | string): Promise<void>
  /** Tells the peer that nothing follows, after all that was written. May be called twice. */
  close(): Promise<void>
  /** @internal for who does not use the queue of the web stream */
  lock(): () => void
  /** @internal the peer is gone: who waits for something to write learns it at once, not with the next piece */
  fail(error: Error): void
  /** @internal who is told by `fail` besides the users of the web stream */
  whenFailed(failed: ((error: Error) => void) | undefined): void
  /** @internal past the queue of the web stream; undefined when it is sent already */
  push(data: Uint8Array | string): Promise<void> | undefined
  /** @internal the end of the stream now */
  end(): Promise<void> | undefined
  /** @internal the end of the stream, after all that was written, whoever has it; unless the peer knows already. undefined when that is sent already; never rejects */
  finish(): Promise<void> | undefined
}

/** @param push sends bytes, undefined when that is done already; an empty array is the end of the stream. Never throws, but rejects */
export type ByteWriterClass = new (text: Text, push: Push) => ByteWriter
type Push = (bytes: Uint8Array) => Promise<void> | undefined

export const isByteWriter = (value: unknown): value is ByteWriter => typeof value === 'object' && value !== null && mark in value

/** A web stream's way to its writer. */
class Sink {
  controller!: WritableStreamDefaultController
  writer!: Pick<ByteWriter, 'push' | 'end'>

  start(controller: WritableStreamDefaultController): void {
    this.controller = controller
  }

  write(chunk: Uint8Array | string): Promise<void> | undefined {
    return this.writer.push(chunk)
  }

  close(): Promise<void> | undefined {
    return this.writer.end()
  }
}

/** The class, on what streams are in this image. */
export function byteWriterClass(WritableStream: typeof globalThis.WritableStream): ByteWriterClass {
  return class ByteWriter extends WritableStream<Uint8Array | string> {
    readonly [mark] = true as const
    readonly #text: Text
    readonly #push: Push
    readonly #sink: Sink
    #writer: Writer | undefined
    #failed: ((error: Error) => void) | undefined
    /** The end has been told to the peer, or is about to be. */
    #ended = false

    constructor(text: Text, push: Push) {
      const sink = new Sink()
      super(sink)
      sink.writer = this
      this.#sink = sink
      this.#text = text
      this.#push = push
    }

    write(data: Uint8Array | string): Promise<void> {
      if (this.#ended) return Promise.reject(new TypeError('this stream is closed'))
      if (this.locked) return Promise.reject(new TypeError('this stream has a writer: write through that, or release it'))
      const pushing = this.push(data)
      return pushing === undefined ? Promise.resolve() : unowned(pushing)
    }

    override getWriter(): Writer {
      return (this.#writer = super.getWriter())
    }

    override close(): Promise<void> {
      return this.#ended ? Promise.resolve() : unowned(super.close())
    }

    lock(): () => void {
      const writer = super.getWriter()
      return () => writer.releaseLock()
    }

    fail(error: Error): void {
      this.#sink.controller.error(error)
      this.#failed?.(error)
    }

    whenFailed(failed: ((error: Error) => void) | undefined): void {
      this.#failed = failed
    }

    push(data: Uint8Array | string): Promise<void> | undefined {
      const bytes = typeof data === 'string' ? this.#text.encode(data) : data
      if (!(bytes instanceof Uint8Array))
        return Promise.reject(new TypeError(`a call's streams take bytes (Uint8Array) and text, not ${typeof bytes}`))
      return bytes.length === 0 ? undefined : this.#push(bytes)
    }

    finish(): Promise<void> | undefined {
      // Without a writer there never was a queue; with one, something may be in it.
      if (this.#writer === undefined || this.#ended) return this.end()?.catch(() => {})
      const closing = this.locked ? this.#writer.close() : super.close()
      return closing.catch(() => {}).then(() => this.end()?.catch(() => {}))
    }

    end(): Promise<void> | undefined {
      if (this.#ended) return undefined
      this.#ended = true
      return this.#push(EMPTY)
    }
  }
}
