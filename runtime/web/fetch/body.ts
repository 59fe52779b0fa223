/**
 * The body of a Request or Response: https://fetch.spec.whatwg.org/#bodies . Text and bytes are kept as they came, so that a server writes
 * them without a stream in between; a stream is made when `body` is asked for. Bytes are copied: what the caller does with them afterwards
 * changes no body. Those that the runtime gives for good (given.ts) are not.
 */
import type { ReadableStream } from 'web-streams-polyfill'
import { ByteCollector } from '../../byte-collector.ts'
import type { Blob } from '../file/blob.ts'
import { blobs, forms, piecesOf } from '../file/linked.ts'
import { Pieces } from '../file/pieces.ts'
import type { FormData } from '../form/form-data.ts'
import { hasStreams, isDisturbed, isReadableStream, readableStreams } from '../streams/linked.ts'
import { URLSearchParams } from '../url/url-search-params.ts'
import { isGiven } from './given.ts'
import type { Headers } from './headers.ts'
import { IncomingBody, SharedBody } from './incoming.ts'
import { SOURCE, USED, Used } from './slots.ts'

export type BodyInit =
  | string
  | ArrayBuffer
  | ArrayBufferView
  | URLSearchParams
  | Blob
  | FormData
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>
  | IncomingBody
  | Pieces
  | null
  | undefined
/** What a body is made of. */
export type BodySource = string | Uint8Array<ArrayBuffer> | Pieces | ReadableStream<Uint8Array> | IncomingBody | null

/** What is a mixin in the standard: `mixBody` gives its members to a class. */
export abstract class Body {
  declare readonly headers: Headers
  /** Absent is null. */
  declare [SOURCE]?: BodySource | Used

  get bodyUsed(): boolean {
    const source = this[SOURCE]
    return source instanceof Used || (isReadableStream(source) && isDisturbed(source))
  }

  get body(): ReadableStream<Uint8Array> | null {
    const source = this[SOURCE] ?? null
    if (source === null || isReadableStream(source)) return source
    if (source instanceof Used) {
      if (source.stream !== undefined) return source.stream
      const stream = streamOfBytes('')
      void stream.cancel()
      stream.getReader() // whoever read it has it
      this[SOURCE] = new Used(stream)
      return stream
    }
    const stream = source instanceof IncomingBody ? streamOf(source) : streamOfBytes(source)
    this[SOURCE] = stream
    return stream
  }

  async text(): Promise<string> {
    const source = takeBody(this)
    if (typeof source === 'string') return source.toWellFormed().replace(/^\ufeff/, '')
    return source === null ? '' : new TextDecoder().decode(await collect(source))
  }

  async json(): Promise<any> {
    return JSON.parse(await this.text())
  }

  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    const source = takeBody(this)
    if (source === null) return new Uint8Array(0)
    if (typeof source === 'string') return toBytes(source)
    return source instanceof Uint8Array ? source.slice() : source instanceof Pieces ? source.copy() : collect(source)
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return (await this.bytes()).buffer
  }

  /** The whole body as a form. Rejects with a TypeError when it is none, by its Content-Type or by what is in it. */
  async formData(): Promise<FormData> {
    const source = takeBody(this)
    const reader = forms().readerFor(this.headers.get('content-type'))
    if (source !== null) await pour(source, (bytes, isOwn) => reader.push(bytes, isOwn))
    return reader.end()
  }

  async blob(): Promise<Blob> {
    const source = takeBody(this)
    const { blobOf } = blobs()
    const pieces = source instanceof Pieces ? source : new Pieces(source === null ? [] : [await wholeOf(source)])
    return blobOf(pieces, this.headers.get('content-type'))
  }

  /**
   * For servers: the whole body when it is known without waiting (text as UTF-8), which counts as used then. undefined for a stream, and
   * for a body that was used before.
   */
  bodyBytes(): Uint8Array | undefined {
    const source = this[SOURCE] ?? null
    if (source === null) return EMPTY
    if (typeof source !== 'string') {
      if (source instanceof Used || isReadableStream(source) || source instanceof IncomingBody) return undefined
    }
    this[SOURCE] = USED
    return typeof source !== 'string' && source instanceof Pieces ? source.joined() : toBytes(source)
  }
}

/** Gives the members of Body to a class: https://fetch.spec.whatwg.org/#body-mixin */
export function mixBody(Class: abstract new (...args: any[]) => object): void {
  const { constructor: _, ...members } = Object.getOwnPropertyDescriptors(Body.prototype)
  Object.defineProperties(Class.prototype, members)
}

/** The content type that goes with what a body was made from. */
export function typeOfBody(source: BodySource, init: BodyInit): string | undefined {
  if (typeof source !== 'string') return source instanceof Pieces && source.type !== '' ? source.type : undefined
  return typeof init !== 'string' && init instanceof URLSearchParams ? 'application/x-www-form-urlencoded;charset=UTF-8' : TEXT
}
export const TEXT = 'text/plain;charset=UTF-8'

/** For clone(): the same once more. */
export function splitBody(body: Body): BodySource {
  const source = body[SOURCE] ?? null
  if (source instanceof Used || (isReadableStream(source) && (source.locked || isDisturbed(source))))
    throw new TypeError('clone: Body has already been consumed.')
  if (source instanceof IncomingBody && !hasStreams()) return (body[SOURCE] = new SharedBody(source))
  const whole = source instanceof IncomingBody ? body.body : source
  if (!isReadableStream(whole)) return whole
  const [own, other] = whole.tee()
  body[SOURCE] = own
  return copying(other)
}

/** What a body is made of, for who reads it, or one more that is made from it. It counts as used. */
export function takeBody(body: Body): BodySource {
  const source = body[SOURCE] ?? null
  if (source === null) return null
  const isStream = isReadableStream(source)
  if (source instanceof Used || (isStream && (source.locked || isDisturbed(source))))
    throw new TypeError('Body is unusable: Body has already been read')
  body[SOURCE] = isStream ? new Used(source) : USED
  return source
}

const EMPTY = new Uint8Array(0)

const toBytes = (source: string | Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> =>
  typeof source === 'string' ? (new TextEncoder().encode(source) as Uint8Array<ArrayBuffer>) : source

export function sourceOf(init: BodyInit): BodySource {
  if (init === null || init === undefined) return null
  if (typeof init === 'string') return init
  if (init instanceof Uint8Array) return isGiven(init) ? (init as Uint8Array<ArrayBuffer>) : init.slice()
  if (init instanceof ArrayBuffer) return new Uint8Array(init.slice(0))
  if (ArrayBuffer.isView(init)) return new Uint8Array(init.buffer as ArrayBuffer, init.byteOffset, init.byteLength).slice()
  if (init instanceof IncomingBody) return init
  if (isReadableStream(init)) {
    if (init.locked || isDisturbed(init)) throw new TypeError('the body is a stream that is being read already; give a fresh one')
    return init
  }
  const pieces = init instanceof Pieces ? init : piecesOf(init)
  if (pieces !== undefined) return pieces
  if (typeof init === 'object' && Symbol.asyncIterator in init) return readableStreams().from(init as AsyncIterable<Uint8Array>)
  return String(init)
}

function streamOfBytes(source: string | Uint8Array<ArrayBuffer> | Pieces): ReadableStream<Uint8Array> {
  if (source instanceof Pieces) return source.stream()
  const isEmpty = source.length === 0
  return new (readableStreams())<Uint8Array>({
    type: 'bytes',
    pull(controller) {
      // A copy: the bytes may be those of a clone as well, or of a file of the program, and who reads gets them for good.
      if (!isEmpty) controller.enqueue(typeof source === 'string' ? toBytes(source) : source.slice())
      controller.close()
      controller.byobRequest?.respond(0)
    },
  })
}

/** Pulled only when somebody reads: what was not asked for stays with the peer. */
const streamOf = (source: IncomingBody): ReadableStream<Uint8Array> =>
  new (readableStreams())<Uint8Array>(
    {
      type: 'bytes',
      async pull(controller) {
        const bytes = await source.read()
        if (bytes !== undefined) return controller.enqueue(bytes)
        controller.close()
        controller.byobRequest?.respond(0)
      },
      cancel: reason => source.cancel(reason),
    },
    { highWaterMark: 0 },
  )

type KnownSource = Exclude<BodySource, null>

/** All of it, not to be changed. */
const wholeOf = (source: KnownSource): Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>> =>
  typeof source === 'string' ? toBytes(source) : collect(source)

async function collect(source: Exclude<KnownSource, string>): Promise<Uint8Array<ArrayBuffer>> {
  if (source instanceof Uint8Array) return source
  if (source instanceof Pieces) return source.joined()
  if (source instanceof IncomingBody) return source.gather()
  const all = new ByteCollector()
  // The collector keeps the first piece as it is, and that belongs to who made the stream.
  await pour(source, bytes => all.push(all.length === 0 ? bytes.slice() : bytes))
  return all.take()
}

/** All of it, as it comes. `isOwn`: nobody changes the bytes any more. */
async function pour(source: KnownSource, take: (bytes: Uint8Array<ArrayBuffer>, isOwn: boolean) => void): Promise<void> {
  if (!isReadableStream(source)) {
    for (const bytes of source instanceof Pieces ? source.list : [await wholeOf(source)]) take(bytes, true)
    return
  }
  // Never released: a body that was read stays locked.
  const reader = source.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    try {
      if (!(value instanceof Uint8Array)) throw new TypeError('the body is a stream of something else than Uint8Array')
      take(value as Uint8Array<ArrayBuffer>, false)
    } catch (error) {
      reader.cancel(error).catch(() => {})
      throw error
    }
  }
}

/** The second branch of a tee has chunks of its own: https://streams.spec.whatwg.org/#abstract-opdef-readablestreamtee , step cloneForBranch2. */
function copying(stream: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  const reader = stream.getReader()
  return new (readableStreams())<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await reader.read()
        if (done) controller.close()
        else controller.enqueue(copy(value))
      },
      cancel: reason => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  )
}

function copy(chunk: any): any {
  if (chunk instanceof ArrayBuffer) return chunk.slice(0)
  if (!ArrayBuffer.isView(chunk)) return chunk
  const { buffer, byteOffset, byteLength } = chunk
  return new (chunk.constructor as any)(buffer.slice(byteOffset, byteOffset + byteLength))
}
