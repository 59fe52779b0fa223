/** What is behind a ReadableStream and its reader: https://streams.spec.whatwg.org/#rs-model */

export interface ReadableController<R> {
  readonly desiredSize: number | null
  enqueue(chunk: R): void
  close(): void
  error(reason?: unknown): void
}

export interface Source<R> {
  type?: 'bytes'
  start?(controller: ReadableController<R>): unknown
  pull?(controller: ReadableController<R>): unknown
  cancel?(reason?: unknown): unknown
}

export interface Strategy<T> {
  highWaterMark?: number
  size?(chunk: T): number
}
export type ReadResult<R> = { done: false; value: R } | { done: true; value: undefined }

/** State and algorithms; stream and reader are two views of it. */
export class Core<R> {
  state: 'readable' | 'closed' | 'errored' = 'readable'
  error: unknown
  disturbed = false
  /** Who has it locked. */
  reader: object | undefined
  readonly requests: PromiseWithResolvers<ReadResult<R>>[] = []
  /** Of the current reader. */
  closed: PromiseWithResolvers<undefined> | undefined
  readonly #source: Source<R>
  readonly #highWaterMark: number
  readonly #size: (chunk: R) => number
  #queue: { chunk: R; size: number }[] = []
  #queued = 0
  #started = false
  #pulling = false
  #pullAgain = false
  #closing = false

  constructor(source: Source<R>, { highWaterMark, size }: Strategy<R>) {
    this.#source = source
    this.#highWaterMark = highWaterMark === undefined ? (source.type === 'bytes' ? 0 : 1) : Number(highWaterMark)
    if (!(this.#highWaterMark >= 0)) throw new RangeError(`ReadableStream: highWaterMark ${highWaterMark} is not a size`)
    this.#size = size ?? (() => 1)
    const started = source.start?.(this.controller)
    void Promise.resolve(started).then(
      () => {
        this.#started = true
        this.pull()
      },
      error => this.fail(error),
    )
  }

  readonly controller: ReadableController<R> = (core => ({
    get desiredSize() {
      return core.state === 'errored' ? null : core.state === 'closed' ? 0 : core.#highWaterMark - core.#queued
    },
    enqueue: (chunk: R) => core.#enqueue(chunk),
    close: () => core.#close(),
    error: (reason?: unknown) => core.fail(reason),
  }))(this)

  #enqueue(chunk: R): void {
    if (this.#closing || this.state !== 'readable') throw new TypeError('Invalid state: the stream is closed')
    const request = this.requests.shift()
    if (request !== undefined) {
      request.resolve({ done: false, value: chunk })
    } else {
      let size
      try {
        size = this.#size(chunk)
      } catch (error) {
        this.fail(error)
        throw error
      }
      this.#queue.push({ chunk, size })
      this.#queued += size
    }
    this.pull()
  }

  #close(): void {
    if (this.#closing || this.state !== 'readable') throw new TypeError('Invalid state: the stream is closed')
    this.#closing = true
    if (this.#queue.length === 0) this.#finish()
  }

  #finish(): void {
    this.state = 'closed'
    for (const request of this.requests.splice(0)) request.resolve({ done: true, value: undefined })
    this.closed?.resolve(undefined)
  }

  fail(error: unknown): void {
    if (this.state !== 'readable') return
    this.state = 'errored'
    this.error = error
    this.#queue = []
    for (const request of this.requests.splice(0)) request.reject(error)
    this.closed?.reject(error)
  }

  pull(): void {
    if (!this.#started || this.#closing || this.state !== 'readable' || this.#source.pull === undefined) return
    if (this.requests.length === 0 && !(this.#highWaterMark - this.#queued > 0)) return
    if (this.#pulling) {
      this.#pullAgain = true
      return
    }
    this.#pulling = true
    void Promise.try(() => this.#source.pull?.(this.controller)).then(
      () => {
        this.#pulling = false
        if (!this.#pullAgain) return
        this.#pullAgain = false
        this.pull()
      },
      error => this.fail(error),
    )
  }

  read(): Promise<ReadResult<R>> {
    this.disturbed = true
    const entry = this.#queue.shift()
    if (entry !== undefined) {
      this.#queued -= entry.size
      if (this.#closing && this.#queue.length === 0) this.#finish()
      else this.pull()
      return Promise.resolve({ done: false, value: entry.chunk })
    }
    if (this.state === 'closed') return Promise.resolve({ done: true, value: undefined })
    if (this.state === 'errored') return Promise.reject(this.error)
    const request = Promise.withResolvers<ReadResult<R>>()
    this.requests.push(request)
    this.pull()
    return request.promise
  }

  async cancel(reason: unknown): Promise<void> {
    this.disturbed = true
    if (this.state === 'closed') return
    if (this.state === 'errored') throw this.error
    this.#queue = []
    this.#finish()
    await this.#source.cancel?.(reason)
  }
}
