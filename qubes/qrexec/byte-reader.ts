/** What a call's streams are read by. */
import { ByteCollector } from '@xen-ts/runtime/machine'
import type { Text } from '../text.ts'
import { type ByteWriter, isByteWriter } from './byte-writer.ts'

/** Bytes kept by `bytes` and `text` unless the caller says otherwise. */
const DEFAULT_LIMIT = 1 << 20

type Reader = ReadableStreamDefaultReader<Uint8Array>
/** Where bytes are pulled from. */
export interface Pull {
  /** The next bytes, at least one; undefined at the end. */
  next(): Promise<Uint8Array | undefined>
  /** The same if they are there now, null when that is the end. undefined says nothing. */
  take?(): Uint8Array | null | undefined
  /**
   * True when it is not worth while to wait: `take` has something now, or never will, and the bytes are to be pulled. Otherwise `callback` is called
   * when that is so, never in this call.
   */
  wait?(callback: () => void): boolean
}

/** Takes all that is left, and calls `done` once, also when it fails. */
export function drain(pull: Pull, done: () => void): void {
  for (;;) {
    let bytes: Uint8Array | null | undefined
    try {
      bytes = pull.take?.()
    } catch {
      return done()
    }
    if (bytes === null) return done()
    if (bytes !== undefined) continue
    if (pull.wait === undefined || pull.wait(() => drainNext(pull, done))) return void drainSlowly(pull).then(done, done)
    return
  }
}

/** When there may be something, and once more nothing when it is something else. */
function drainNext(pull: Pull, done: () => void): void {
  let bytes: Uint8Array | null | undefined
  try {
    bytes = pull.take?.()
  } catch {
    return done()
  }
  if (bytes === null) return done()
  if (bytes === undefined) return void drainSlowly(pull).then(done, done)
  drain(pull, done)
}

async function drainSlowly(pull: Pull): Promise<void> {
  while ((await pull.next()) !== undefined);
}

/** Where a reader's bytes come from; as the source of a web stream, and past it. */
class Source implements Pull {
  /** The web stream has asked for bytes, and may hold some: nobody may pass it any more. */
  isStreamed = false
  #controller!: ReadableStreamDefaultController<Uint8Array>
  /** Called when somebody cancels the stream. */
  readonly cancel: () => void
  readonly #pull: Pull
  /** One pull at a time. */
  #last: Promise<unknown> = Promise.resolve()
  #pulling = 0
  #ended = false

  constructor(pull: Pull, cancel: () => void) {
    this.#pull = pull
    this.cancel = cancel
  }

  start(controller: ReadableStreamDefaultController<Uint8Array>): void {
    this.#controller = controller
  }

  async pull(): Promise<void> {
    this.isStreamed = true
    const bytes = await this.next()
    if (bytes === undefined) this.#close()
    else this.#controller.enqueue(bytes)
  }

  next(): Promise<Uint8Array | undefined> {
    this.#pulling++
    const next = this.#last.then(async () => {
      if (this.#ended) return undefined
      const bytes = await this.#pull.next()
      this.#ended = bytes === undefined
      return bytes
    })
    this.#last = next.then(
      () => {
        this.#pulling--
      },
      () => {
        this.#pulling--
        this.#ended = true
      },
    )
    return next
  }

  /** For who passes the stream: bytes that are there now, without a promise; null at the end. */
  take(): Uint8Array | null | undefined {
    if (this.isStreamed || this.#pulling > 0) return undefined
    if (this.#ended) return null
    try {
      const bytes = this.#pull.take?.()
      if (bytes === null) {
        this.#ended = true
        this.#close()
      }
      return bytes
    } catch (error) {
      this.#ended = true
      this.#controller.error(error)
      throw error
    }
  }

  /** For who passes the stream, and found nothing. */
  wait(callback: () => void): boolean {
    return this.isStreamed || this.#ended || this.#pulling > 0 || this.#pull.wait === undefined || this.#pull.wait(callback)
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
export interface ByteReader extends ReadableStream<Uint8Array> {
  /** The next bytes, at least one, without a reader; undefined at the end. @throws TypeError when somebody else reads */
  read(): Promise<Uint8Array | undefined>
  /** Everything up to the end. @throws RangeError when it is more than `limit` bytes */
  bytes(limit?: number): Promise<Uint8Array>
  /** Everything up to the end, as text. @throws RangeError when it is more than `limit` bytes */
  text(limit?: number): Promise<string>
  /** Reads to the end and keeps nothing. */
  drain(): Promise<void>
  /** Copies everything up to the end, then closes the destination unless told otherwise. */
  pipeTo(...parameters: Parameters<globalThis.ReadableStream<Uint8Array>['pipeTo']>): Promise<void>
  /** @internal reads what is left, whoever has the stream, and calls `done` once */
  rest(done: () => void): void
}

/**
 * @param pull the next bytes, at least one; undefined at the end
 * @param cancel called when the rest is not wanted; default: it waits for the peer's end
 */
export type ByteReaderClass = new (text: Text, pull: Pull, cancel?: () => void) => ByteReader

/** The class, on what streams are in this image. */
export function byteReaderClass(ReadableStream: typeof globalThis.ReadableStream): ByteReaderClass {
  return class ByteReader extends ReadableStream<Uint8Array> {
    readonly #text: Text
    readonly #source: Source

    constructor(text: Text, pull: Pull, cancel: () => void = () => {}) {
      const source = new Source(pull, cancel)
      super(source as ConstructorParameters<typeof ReadableStream<Uint8Array>>[0], { highWaterMark: 0 })
      this.#text = text
      this.#source = source
    }

    async read(): Promise<Uint8Array | undefined> {
      const reader = this.getReader()
      try {
        return await this.#next(reader)
      } finally {
        reader.releaseLock()
      }
    }

    bytes(limit = DEFAULT_LIMIT): Promise<Uint8Array> {
      return this.#all(limit, bytes => bytes)
    }

    text(limit = DEFAULT_LIMIT): Promise<string> {
      return this.#all(limit, bytes => this.#text.decode(bytes))
    }

    drain(): Promise<void> {
      return this.#each(
        () => {},
        () => {},
      )
    }

    override async pipeTo(...[destination, options]: Parameters<globalThis.ReadableStream<Uint8Array>['pipeTo']>): Promise<void> {
      if (!isByteWriter(destination) || options !== undefined || destination.locked) return super.pipeTo(destination, options)
      const unlock = destination.lock()
      try {
        await this.#each(
          bytes => destination.push(bytes),
          () => {},
          destination,
        )
      } finally {
        unlock()
      }
      await destination.close()
    }

    rest(done: () => void): void {
      drain(this.#source, done)
    }

    async #next(reader: Reader): Promise<Uint8Array | undefined> {
      return this.#source.isStreamed ? (await reader.read()).value : this.#source.direct()
    }

    #all<T>(limit: number, result: (bytes: Uint8Array) => T): Promise<T> {
      const all = new ByteCollector()
      return this.#each(
        part => {
          if (all.length + part.length > limit)
            throw new RangeError(`the peer sent more than ${limit} bytes: read the stream piece by piece, or give a larger limit`)
          all.push(part)
        },
        () => result(all.take()),
      )
    }

    /**
     * Resolves with what `result` gives at the end.
     * @param destination whose end, while this waits for bytes, is the end of this
     */
    async #each<T>(use: (bytes: Uint8Array) => Promise<void> | undefined | void, result: () => T, destination?: ByteWriter): Promise<T> {
      const reader = this.getReader()
      destination?.whenFailed(error => void reader.cancel(error).catch(() => {}))
      try {
        for (let hasWaited = false; ; ) {
          let bytes: Uint8Array | null | undefined = this.#source.take()
          if (bytes === undefined) {
            if (!hasWaited) {
              hasWaited = true
              await new Promise<void>(resolve => {
                if (this.#source.wait(resolve)) resolve()
              })
              continue
            }
            bytes = (await this.#next(reader)) ?? null
          }
          if (bytes === null) return result()
          hasWaited = false
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
}
