/** WritableStream and TransformStream: https://streams.spec.whatwg.org/#ws , #ts */
import type { ReadableController, Strategy } from './readable-core.ts'
import { ReadableStream } from './readable-stream.ts'

export interface WritableController {
  readonly signal: AbortSignal
  error(reason?: unknown): void
}

export interface Sink<W> {
  start?(controller: WritableController): unknown
  write?(chunk: W, controller: WritableController): unknown
  close?(): unknown
  abort?(reason?: unknown): unknown
}

/** Writes go to the sink one after the other: each waits for `#tail`. */
class Core<W> {
  state: 'writable' | 'closing' | 'closed' | 'errored' = 'writable'
  error: unknown
  writer: WritableStreamDefaultWriter<W> | undefined
  readonly closed: PromiseWithResolvers<undefined> = Promise.withResolvers()
  ready: PromiseWithResolvers<undefined> = Promise.withResolvers()
  readonly #sink: Sink<W>
  readonly #highWaterMark: number
  readonly #size: (chunk: W) => number
  readonly #abort = new AbortController()
  readonly #controller: WritableController = { signal: this.#abort.signal, error: reason => this.fail(reason) }
  #queued = 0
  #full = false
  #tail: Promise<unknown>

  constructor(sink: Sink<W>, { highWaterMark = 1, size = () => 1 }: Strategy<W>) {
    this.#sink = sink
    this.#highWaterMark = highWaterMark
    this.#size = size
    for (const { promise } of [this.closed, this.ready]) promise.catch(() => {})
    const started = sink.start?.(this.#controller)
    this.#tail = Promise.resolve(started).catch(error => this.fail(error))
    this.#balance(0)
    if (!this.#full) this.ready.resolve(undefined)
  }

  get desiredSize(): number | null {
    return this.state === 'errored' ? null : this.state === 'closed' ? 0 : this.#highWaterMark - this.#queued
  }

  async write(chunk: W): Promise<void> {
    this.#checkOpen()
    const size = this.#size(chunk)
    this.#balance(size)
    await this.#then(async () => {
      await this.#sink.write?.(chunk, this.#controller)
      this.#balance(-size)
    })
  }

  async close(): Promise<void> {
    this.#checkOpen()
    this.state = 'closing'
    await this.#then(() => this.#sink.close?.())
    this.state = 'closed'
    this.ready.resolve(undefined)
    this.closed.resolve(undefined)
  }

  async abort(reason: unknown): Promise<void> {
    if (this.state === 'closed' || this.state === 'errored') return
    this.#abort.abort(reason)
    this.fail(reason)
    await this.#tail
    await this.#sink.abort?.(reason)
  }

  fail(error: unknown): void {
    if (this.state === 'closed' || this.state === 'errored') return
    this.state = 'errored'
    this.error = error
    this.ready.reject(error)
    if (this.#full === false) {
      this.ready = Promise.withResolvers()
      this.ready.promise.catch(() => {})
      this.ready.reject(error)
    }
    this.closed.reject(error)
  }

  #checkOpen(): void {
    if (this.state === 'errored') throw this.error
    if (this.state !== 'writable') throw new TypeError('Invalid state: the stream is closed')
  }

  async #then(work: () => unknown): Promise<void> {
    const done = this.#tail.then(async () => {
      if (this.state === 'errored') throw this.error
      await work()
    })
    this.#tail = done.catch(error => this.fail(error))
    await done
  }

  #balance(size: number): void {
    this.#queued += size
    const full = this.#queued >= this.#highWaterMark
    if (full === this.#full || this.state === 'errored') return
    this.#full = full
    if (!full) this.ready.resolve(undefined)
    else {
      this.ready = Promise.withResolvers()
      this.ready.promise.catch(() => {})
    }
  }
}

let coreOf: <W>(stream: WritableStream<W>) => Core<W>

export class WritableStream<W = any> {
  readonly #core: Core<W>
  static {
    coreOf = stream => stream.#core
  }

  constructor(sink: Sink<W> = {}, strategy: Strategy<W> = {}) {
    this.#core = new Core(sink ?? {}, strategy)
  }

  get locked(): boolean {
    return this.#core.writer !== undefined
  }
  getWriter(): WritableStreamDefaultWriter<W> {
    return new WritableStreamDefaultWriter(this)
  }

  async abort(reason?: unknown): Promise<void> {
    if (this.locked) throw new TypeError('Invalid state: WritableStream is locked')
    return this.#core.abort(reason)
  }

  async close(): Promise<void> {
    if (this.locked) throw new TypeError('Invalid state: WritableStream is locked')
    return this.#core.close()
  }

  get [Symbol.toStringTag](): string {
    return 'WritableStream'
  }
}

export class WritableStreamDefaultWriter<W = any> {
  #core: Core<W> | undefined

  constructor(stream: WritableStream<W>) {
    const core = coreOf(stream)
    if (core.writer !== undefined) throw new TypeError('Invalid state: WritableStream is locked')
    core.writer = this
    this.#core = core
  }

  get closed(): Promise<undefined> {
    return this.#core?.closed.promise ?? Promise.reject(released())
  }
  get ready(): Promise<undefined> {
    return this.#core?.ready.promise ?? Promise.reject(released())
  }
  get desiredSize(): number | null {
    return this.#attached().desiredSize
  }
  async write(chunk?: W): Promise<void> {
    return this.#attached().write(chunk as W)
  }
  async close(): Promise<void> {
    return this.#attached().close()
  }
  async abort(reason?: unknown): Promise<void> {
    return this.#attached().abort(reason)
  }

  releaseLock(): void {
    if (this.#core !== undefined) this.#core.writer = undefined
    this.#core = undefined
  }

  #attached(): Core<W> {
    if (this.#core === undefined) throw released()
    return this.#core
  }
}

const released = () => new TypeError('Invalid state: the writer was released')

export interface TransformController<O> {
  readonly desiredSize: number | null
  enqueue(chunk: O): void
  error(reason?: unknown): void
  terminate(): void
}

export interface Transformer<I, O> {
  start?(controller: TransformController<O>): unknown
  transform?(chunk: I, controller: TransformController<O>): unknown
  flush?(controller: TransformController<O>): unknown
  cancel?(reason?: unknown): unknown
}

export class TransformStream<I = any, O = any> {
  readonly readable: ReadableStream<O>
  readonly writable: WritableStream<I>

  constructor(transformer: Transformer<I, O> = {}, writableStrategy: Strategy<I> = {}, readableStrategy: Strategy<O> = {}) {
    let output!: ReadableController<O>
    let input!: WritableController
    /** Whether the reader wants something, or nothing any more: until something is given to it, however many chunks that takes. */
    let isWanted = false
    let wanted = Promise.withResolvers<void>()
    const want = (): void => {
      isWanted = true
      wanted.resolve()
    }
    /** Why nothing is transformed any more. */
    let ended: { readonly reason: unknown } | undefined
    const end = (reason: unknown): void => {
      ended ??= { reason }
      input.error(reason)
      want()
    }
    this.readable = new ReadableStream<O>(
      {
        start: controller => {
          output = controller
        },
        pull: want,
        cancel: async reason => {
          end(reason)
          await transformer.cancel?.(reason)
        },
      },
      { highWaterMark: 0, ...readableStrategy },
    )
    const controller: TransformController<O> = {
      get desiredSize() {
        return output.desiredSize
      },
      enqueue: chunk => {
        if (isWanted) wanted = Promise.withResolvers()
        isWanted = false
        output.enqueue(chunk) // which may want more at once
      },
      error: reason => {
        output.error(reason)
        end(reason)
      },
      terminate: () => {
        output.close()
        end(new TypeError('Invalid state: the transform stream was terminated'))
      },
    }
    const guard = async (work: () => unknown): Promise<void> => {
      try {
        await work()
      } catch (error) {
        output.error(error)
        throw error
      }
    }
    this.writable = new WritableStream<I>(
      {
        start: own => {
          input = own
          return guard(() => transformer.start?.(controller))
        },
        write: chunk =>
          guard(async () => {
            if (!isWanted) await wanted.promise
            if (ended !== undefined) throw ended.reason
            if (transformer.transform !== undefined) await transformer.transform(chunk, controller)
            else controller.enqueue(chunk as unknown as O)
          }),
        close: () =>
          guard(async () => {
            await transformer.flush?.(controller)
            if (output.desiredSize !== null)
              try {
                output.close()
              } catch {
                /* terminated */
              }
          }),
        abort: async reason => {
          output.error(reason)
          await transformer.cancel?.(reason)
        },
      },
      writableStrategy,
    )
  }

  get [Symbol.toStringTag](): string {
    return 'TransformStream'
  }
}
