/**
 * The body of a Request or Response: https://fetch.spec.whatwg.org/#bodies . Text and bytes are kept as they came, so that a server writes
 * them without a stream in between; a stream is made when `body` is asked for. Bytes are not copied: do not change them afterwards.
 */
import { ByteCollector } from '../../byte-collector.ts'
import { isDisturbed, ReadableStream } from '../streams/readable-stream.ts'
import { URLSearchParams } from '../url/url-search-params.ts'

export type BodyInit =
  | string
  | ArrayBuffer
  | ArrayBufferView
  | URLSearchParams
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>
  | null
  | undefined
/** What a body is made of. */
export type BodySource = string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | null

export class Body {
  #source: BodySource
  #used = false
  /** The content type that goes with what was given. */
  protected readonly defaultType: string | undefined

  protected constructor(init: BodyInit) {
    this.#source = sourceOf(init)
    if (typeof this.#source === 'string') {
      this.defaultType = init instanceof URLSearchParams ? 'application/x-www-form-urlencoded;charset=UTF-8' : 'text/plain;charset=UTF-8'
    }
  }

  get bodyUsed(): boolean {
    return this.#used || (this.#source instanceof ReadableStream && isDisturbed(this.#source))
  }

  get body(): ReadableStream<Uint8Array> | null {
    const source = this.#source
    if (source === null || source instanceof ReadableStream) return source
    const bytes = toBytes(source)
    const used = this.#used
    const stream = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          if (bytes.length > 0 && !used) controller.enqueue(bytes)
          controller.close()
        },
      },
      { highWaterMark: 0 },
    )
    if (used) void stream.cancel()
    this.#source = stream
    return stream
  }

  async text(): Promise<string> {
    const source = this.#take()
    if (typeof source === 'string') return source.toWellFormed().replace(/^\ufeff/, '')
    return source === null ? '' : new TextDecoder().decode(await collect(source))
  }

  async json(): Promise<any> {
    return JSON.parse(await this.text())
  }

  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    const source = this.#take()
    if (source === null) return new Uint8Array(0)
    return typeof source === 'string' ? toBytes(source) : source instanceof Uint8Array ? source.slice() : collect(source)
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return (await this.bytes()).buffer
  }

  /** For clone(): the same once more. */
  protected split(): BodySource {
    if (this.#unusable) throw new TypeError('clone: Body has already been consumed.')
    if (!(this.#source instanceof ReadableStream)) return this.#source
    const [own, other] = this.#source.tee()
    this.#source = own
    return other
  }

  /** What a body is made of, for one more that is made from it. It counts as used. */
  static take(body: Body): BodySource {
    return body.#take()
  }

  get #unusable(): boolean {
    return this.bodyUsed || (this.#source instanceof ReadableStream && this.#source.locked)
  }

  #take(): BodySource {
    if (this.#unusable) throw new TypeError('Body is unusable: Body has already been read')
    this.#used = this.#source !== null
    return this.#source
  }

  /**
   * For servers: the whole body when it is known without waiting (text as UTF-8), which counts as used then. undefined for a stream, and
   * for a body that was used before.
   */
  bodyBytes(): Uint8Array | undefined {
    const source = this.#source
    if (this.#used || source instanceof ReadableStream) return undefined
    this.#used = source !== null
    return source === null ? EMPTY : toBytes(source)
  }
}

const EMPTY = new Uint8Array(0)

const toBytes = (source: string | Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> =>
  typeof source === 'string' ? (new TextEncoder().encode(source) as Uint8Array<ArrayBuffer>) : source

function sourceOf(init: BodyInit): BodySource {
  if (init === null || init === undefined) return null
  if (typeof init === 'string' || init instanceof Uint8Array) return init as BodySource
  if (init instanceof ArrayBuffer) return new Uint8Array(init)
  if (ArrayBuffer.isView(init)) return new Uint8Array(init.buffer as ArrayBuffer, init.byteOffset, init.byteLength)
  if (init instanceof ReadableStream) {
    if (init.locked || isDisturbed(init)) throw new TypeError('the body is a stream that is being read already; give a fresh one')
    return init
  }
  if (typeof init === 'object' && Symbol.asyncIterator in init) return ReadableStream.from(init as AsyncIterable<Uint8Array>)
  return String(init)
}

async function collect(source: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  if (source instanceof Uint8Array) return source
  const all = new ByteCollector()
  for await (const chunk of source) {
    if (!(chunk instanceof Uint8Array)) throw new TypeError('the body is a stream of something else than Uint8Array')
    all.push(chunk)
  }
  return all.take()
}
