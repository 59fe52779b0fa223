/**
 * What a stream is in an image without streams (linked.ts): a source and a sink with a lock, pulled when somebody reads. Classes that extend
 * streams, and are most used by methods of their own, extend these there. No queue, no tee, no pipeThrough.
 */
import type { UnderlyingSink, UnderlyingSource, WritableStreamDefaultController } from 'web-streams-polyfill'

type State = 'open' | 'closed' | 'failed'

const lockedError = (): TypeError => new TypeError('the stream is locked: somebody else reads or writes it')

/** https://streams.spec.whatwg.org/#rs-class , with a high water mark of 0 */
export class SmallReadable<T> {
  readonly #source: UnderlyingSource<T>
  readonly #controller: { enqueue(chunk: T): void; close(): void; error(reason: unknown): void }
  #state: State = 'open'
  #error: unknown
  #chunks: T[] = []
  #reader: object | undefined

  constructor(source: UnderlyingSource<T>) {
    this.#source = source
    this.#controller = {
      enqueue: chunk => {
        if (this.#state === 'open') this.#chunks.push(chunk)
      },
      close: () => {
        if (this.#state === 'open') this.#state = 'closed'
      },
      error: reason => this.#fail(reason),
    }
    source.start?.(this.#controller as never)
  }

  get locked(): boolean {
    return this.#reader !== undefined
  }

  async cancel(reason?: unknown): Promise<void> {
    if (this.locked) throw lockedError()
    await this.#cancel(reason)
  }

  getReader() {
    if (this.locked) throw lockedError()
    const reader = {
      read: () => this.#read(),
      cancel: (reason?: unknown) => this.#cancel(reason),
      releaseLock: () => {
        if (this.#reader === reader) this.#reader = undefined
      },
    }
    this.#reader = reader
    return reader
  }

  values({ preventCancel = false } = {}) {
    const reader = this.getReader()
    const iterator = {
      next: async () => {
        try {
          const result = await reader.read()
          if (result.done) reader.releaseLock()
          return result
        } catch (error) {
          reader.releaseLock()
          throw error
        }
      },
      return: async (value?: unknown) => {
        try {
          if (!preventCancel) await reader.cancel(value)
        } finally {
          reader.releaseLock()
        }
        return { done: true as const, value }
      },
      [Symbol.asyncIterator]: () => iterator,
    }
    return iterator
  }

  [Symbol.asyncIterator]() {
    return this.values()
  }

  /** @throws TypeError always: where such a stream goes, it goes by other ways */
  async pipeTo(_destination: unknown, _options?: unknown): Promise<void> {
    throw this.locked ? lockedError() : new TypeError('this image has no streams: name ReadableStream in the program, and build it again')
  }

  async #read(): Promise<{ done: false; value: T } | { done: true; value: undefined }> {
    if (this.#chunks.length === 0 && this.#state === 'open') {
      try {
        await this.#source.pull?.(this.#controller as never)
      } catch (error) {
        this.#fail(error)
      }
    }
    if (this.#state === 'failed') throw this.#error
    if (this.#chunks.length > 0) return { done: false, value: this.#chunks.shift()! }
    return { done: true, value: undefined }
  }

  async #cancel(reason: unknown): Promise<void> {
    if (this.#state === 'failed') throw this.#error
    if (this.#state === 'closed' && this.#chunks.length === 0) return
    this.#state = 'closed'
    this.#chunks = []
    await this.#source.cancel?.(reason)
  }

  #fail(reason: unknown): void {
    if (this.#state !== 'open') return
    this.#state = 'failed'
    this.#error = reason
    this.#chunks = []
  }
}

/** https://streams.spec.whatwg.org/#ws-class */
export class SmallWritable<T> {
  readonly #sink: UnderlyingSink<T>
  readonly #controller: WritableStreamDefaultController
  #state: State = 'open'
  #error: unknown
  #writer: object | undefined

  constructor(sink: UnderlyingSink<T>) {
    this.#sink = sink
    this.#controller = {
      error: (reason: unknown) => {
        if (this.#state !== 'open') return
        this.#state = 'failed'
        this.#error = reason
      },
    } as WritableStreamDefaultController
    sink.start?.(this.#controller)
  }

  get locked(): boolean {
    return this.#writer !== undefined
  }

  async close(): Promise<void> {
    if (this.locked) throw lockedError()
    await this.#close()
  }

  async abort(reason?: unknown): Promise<void> {
    if (this.locked) throw lockedError()
    if (this.#state !== 'open') return
    this.#controller.error(reason)
    await this.#sink.abort?.(reason)
  }

  getWriter() {
    if (this.locked) throw lockedError()
    const writer = {
      write: async (chunk: T) => {
        this.#check()
        await this.#sink.write?.(chunk, this.#controller)
      },
      close: () => this.#close(),
      releaseLock: () => {
        if (this.#writer === writer) this.#writer = undefined
      },
    }
    this.#writer = writer
    return writer
  }

  async #close(): Promise<void> {
    this.#check()
    this.#state = 'closed'
    await this.#sink.close?.()
  }

  #check(): void {
    if (this.#state === 'failed') throw this.#error
    if (this.#state === 'closed') throw new TypeError('this stream is closed')
  }
}
