/**
 * ReadableStream: https://streams.spec.whatwg.org/#rs . Default streams and readers; a source of type 'bytes' is served as a default one,
 * and there are no BYOB readers.
 */
import { Core, type ReadableController, type ReadResult, type Source, type Strategy } from './readable-core.ts'

export type { ReadableController } from './readable-core.ts'

/** What pipeTo needs of a WritableStream, which is in a module of its own: most programs use only one of the two. */
interface Writable<R> {
  readonly locked: boolean
  getWriter(): Writer<R>
}
interface Writer<R> {
  readonly ready: Promise<unknown>
  readonly closed: Promise<unknown>
  write(chunk: R): Promise<void>
  close(): Promise<void>
  abort(reason?: unknown): Promise<void>
  releaseLock(): void
}

interface PipeOptions {
  preventClose?: boolean
  preventAbort?: boolean
  preventCancel?: boolean
  signal?: AbortSignal
}

export class ReadableStreamDefaultReader<R = any> {
  #core: Core<R> | undefined
  readonly #closed: PromiseWithResolvers<undefined> = Promise.withResolvers()

  constructor(stream: ReadableStream<R>) {
    const core = coreOf(stream)
    if (core.reader !== undefined) throw new TypeError('Invalid state: ReadableStream is locked')
    this.#core = core
    core.reader = this
    core.closed = this.#closed
    // Nobody has to look at `closed`: its rejection is not a lost error.
    this.#closed.promise.catch(() => {})
    if (core.state === 'closed') this.#closed.resolve(undefined)
    if (core.state === 'errored') this.#closed.reject(core.error)
  }

  get closed(): Promise<undefined> {
    return this.#closed.promise
  }
  async read(): Promise<ReadResult<R>> {
    return this.#attached().read()
  }
  async cancel(reason?: unknown): Promise<void> {
    return this.#attached().cancel(reason)
  }

  releaseLock(): void {
    const core = this.#core
    if (core === undefined) return
    const error = new TypeError('Invalid state: the reader was released')
    for (const request of core.requests.splice(0)) request.reject(error)
    this.#closed.reject(error)
    core.reader = core.closed = undefined
    this.#core = undefined
  }

  #attached(): Core<R> {
    if (this.#core === undefined) throw new TypeError('Invalid state: the reader was released')
    return this.#core
  }
}

/** Set by ReadableStream's static block: its private state for the reader in this file. */
let coreOf: <R>(stream: ReadableStream<R>) => Core<R>

export class ReadableStream<R = any> {
  readonly #core: Core<R>
  static {
    coreOf = stream => stream.#core
  }

  constructor(source: Source<R> = {}, strategy: Strategy<R> = {}) {
    this.#core = new Core(source ?? {}, strategy)
  }

  /** A stream of the items of an iterable, read as they are asked for. */
  static from<R>(iterable: Iterable<R> | AsyncIterable<R>): ReadableStream<R> {
    const iterator: any = (iterable as any)[Symbol.asyncIterator]?.() ?? (iterable as any)[Symbol.iterator]()
    return new ReadableStream<R>(
      {
        async pull(controller) {
          const { done, value } = await iterator.next()
          if (done) controller.close()
          else controller.enqueue(await value)
        },
        async cancel(reason) {
          await iterator.return?.(reason)
        },
      },
      { highWaterMark: 0 },
    )
  }

  get locked(): boolean {
    return this.#core.reader !== undefined
  }

  async cancel(reason?: unknown): Promise<void> {
    if (this.locked) throw new TypeError('Invalid state: ReadableStream is locked')
    return this.#core.cancel(reason)
  }

  getReader(options?: { mode?: string }): ReadableStreamDefaultReader<R> {
    if (options?.mode !== undefined) throw new TypeError(`ReadableStream.getReader: mode '${options.mode}' is not supported; leave it out`)
    return new ReadableStreamDefaultReader(this)
  }

  async pipeTo(destination: Writable<R>, { preventClose, preventAbort, preventCancel, signal }: PipeOptions = {}): Promise<void> {
    if (this.locked || destination.locked) throw new TypeError('Invalid state: the stream is locked')
    const reader = this.getReader()
    const writer = destination.getWriter()
    let stopped: { readonly reason: unknown } | undefined
    let reject: (reason: unknown) => void = () => {}
    const stop = (reason: unknown): void => {
      stopped ??= { reason }
      reject(reason)
    }
    /** What `promise` gives, unless the pipe is stopped first. Promise.race would leave something behind with each chunk. */
    const unlessStopped = <T>(promise: Promise<T>): Promise<T> =>
      new Promise((resolve, own) => {
        reject = own
        if (stopped !== undefined) own(stopped.reason)
        promise.then(resolve, own)
      })
    const onAbort = (): void => stop(signal?.reason)
    if (signal?.aborted) onAbort()
    signal?.addEventListener('abort', onAbort)
    writer.closed.then(() => stop(new TypeError('Invalid state: the destination is closed')), stop)
    try {
      for (;;) {
        await unlessStopped(writer.ready)
        const { done, value } = await unlessStopped(reader.read())
        if (done) break
        // The next piece is read while this one is written; a failure shows in `ready`.
        writer.write(value as R).catch(() => {})
      }
      if (!preventClose) await writer.close()
    } catch (error) {
      const sourceFailed = this.#core.state === 'errored' && this.#core.error === error
      if (!preventAbort && (sourceFailed || signal?.aborted)) await writer.abort(error).catch(() => {})
      if (!preventCancel && !sourceFailed) await reader.cancel(error).catch(() => {})
      throw error
    } finally {
      signal?.removeEventListener('abort', onAbort)
      reader.releaseLock()
      writer.releaseLock()
    }
  }

  pipeThrough<T>({ writable, readable }: { writable: Writable<R>; readable: ReadableStream<T> }, options?: PipeOptions): ReadableStream<T> {
    this.pipeTo(writable, options).catch(() => {})
    return readable
  }

  /** Two streams that both give all of this one; what one has not read yet is kept for it. */
  tee(): [ReadableStream<R>, ReadableStream<R>] {
    const reader = this.getReader()
    const controllers: ReadableController<R>[] = []
    const cancelled: { reason: unknown }[] = []
    const cancelDone = Promise.withResolvers<void>()
    let reading: Promise<void> | undefined
    const pull = (): Promise<void> =>
      (reading ??= reader.read().then(
        ({ done, value }) => {
          reading = undefined
          for (const [i, controller] of controllers.entries()) {
            if (cancelled[i] !== undefined) continue
            if (done) controller.close()
            else controller.enqueue(value)
          }
        },
        error => {
          for (const controller of controllers) controller.error(error)
        },
      ))
    const branch = (i: number) =>
      new ReadableStream<R>(
        {
          start(controller) {
            controllers[i] = controller
          },
          pull,
          cancel(reason) {
            cancelled[i] = { reason }
            if (cancelled[1 - i] !== undefined) cancelDone.resolve(reader.cancel(cancelled.map(one => one.reason)))
            return cancelDone.promise
          },
        },
        { highWaterMark: 0 },
      )
    return [branch(0), branch(1)]
  }

  /** Not a generator: leaving a loop shall unlock the stream at once, in engines too that do not wait for `return`. */
  values({ preventCancel = false } = {}): AsyncIterableIterator<R> {
    const reader = this.getReader()
    let finished = false
    const finish = (): void => {
      finished = true
      reader.releaseLock()
    }
    return {
      async next() {
        if (finished) return { done: true, value: undefined }
        try {
          const result = await reader.read()
          if (result.done) finish()
          return result
        } catch (error) {
          finish()
          throw error
        }
      },
      async return(value?: unknown) {
        if (!finished) {
          const cancelled = preventCancel ? undefined : reader.cancel(value)
          finish()
          await cancelled
        }
        return { done: true, value: value as undefined }
      },
      [Symbol.asyncIterator]() {
        return this
      },
    }
  }

  [Symbol.asyncIterator](options?: { preventCancel?: boolean }): AsyncIterableIterator<R> {
    return this.values(options)
  }
  get [Symbol.toStringTag](): string {
    return 'ReadableStream'
  }
}

/** Whether anything was read from it, or it was cancelled. */
export const isDisturbed = (stream: ReadableStream): boolean => coreOf(stream).disturbed

export class CountQueuingStrategy {
  readonly highWaterMark: number
  constructor({ highWaterMark }: { highWaterMark: number }) {
    this.highWaterMark = Number(highWaterMark)
  }
  size(): number {
    return 1
  }
}

export class ByteLengthQueuingStrategy {
  readonly highWaterMark: number
  constructor({ highWaterMark }: { highWaterMark: number }) {
    this.highWaterMark = Number(highWaterMark)
  }
  size(chunk: ArrayBufferView): number {
    return chunk.byteLength
  }
}
