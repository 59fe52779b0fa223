/** Text in streams: https://encoding.spec.whatwg.org/#interface-textdecoderstream and #interface-textencoderstream */
import { TransformStream } from './streams.ts'

export class TextDecoderStream {
  readonly #decoder: InstanceType<typeof TextDecoder>
  readonly #stream: TransformStream<ArrayBuffer | ArrayBufferView, string>

  /** @throws RangeError for a label that TextDecoder does not know */
  constructor(label = 'utf-8', options: { fatal?: boolean; ignoreBOM?: boolean } = {}) {
    const decoder = new TextDecoder(label, options)
    this.#decoder = decoder
    this.#stream = new TransformStream({
      transform(chunk, controller) {
        if (!(chunk instanceof ArrayBuffer) && !ArrayBuffer.isView(chunk))
          throw new TypeError(`TextDecoderStream: a chunk must be an ArrayBuffer or a view, not ${typeof chunk}`)
        const text = decoder.decode(chunk as ArrayBuffer, { stream: true })
        if (text !== '') controller.enqueue(text)
      },
      flush(controller) {
        const text = decoder.decode()
        if (text !== '') controller.enqueue(text)
      },
    })
  }

  get encoding(): string {
    return this.#decoder.encoding
  }
  get fatal(): boolean {
    return this.#decoder.fatal
  }
  get ignoreBOM(): boolean {
    return this.#decoder.ignoreBOM
  }
  get readable() {
    return this.#stream.readable
  }
  get writable() {
    return this.#stream.writable
  }
}

export class TextEncoderStream {
  readonly #stream: TransformStream<unknown, Uint8Array>

  constructor() {
    const encoder = new TextEncoder()
    /** The first half of a pair whose second half is to come. */
    let lead = ''
    this.#stream = new TransformStream({
      transform(chunk, controller) {
        let text = lead + String(chunk)
        lead = /[\ud800-\udbff]$/.exec(text)?.[0] ?? ''
        if (lead !== '') text = text.slice(0, -1)
        if (text !== '') controller.enqueue(encoder.encode(text))
      },
      flush(controller) {
        // Half a pair becomes U+FFFD.
        if (lead !== '') controller.enqueue(encoder.encode(lead))
      },
    })
  }

  get encoding(): string {
    return 'utf-8'
  }
  get readable() {
    return this.#stream.readable
  }
  get writable() {
    return this.#stream.writable
  }
}
