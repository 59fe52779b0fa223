/** A data channel: the greeting, and the frames of both directions. */
import { type ByteChannel, ChannelClosedError } from '@xen-ts/drivers/channel'
import { ProtocolError } from '../supervise.ts'
import {
  chunkLimit,
  decodeHeader,
  decodeHello,
  encode,
  encodeNumbers,
  expectHello,
  HEADER_BYTES,
  HELLO,
  type Header,
  VERSION,
  writeHeader,
} from './wire.ts'

/**
 * Sends HELLO and reads the peer's. Sending first is what both the Linux agent and dom0's client do.
 * @returns the version both speak
 * @throws ProtocolError when the peer does not greet, or speaks too old a version
 */
export async function greet(channel: ByteChannel): Promise<number> {
  await channel.write(encodeNumbers(HELLO, VERSION))
  return readHello(channel)
}

/** The same as bytes, for who has no time: a HELLO is written, and one read, at once. */
export const GREETING: Uint8Array = encodeNumbers(HELLO, VERSION)
export const GREETING_BYTES = HEADER_BYTES + 4

/** @throws ProtocolError as `greet` */
export function decodeGreeting(bytes: Uint8Array): number {
  expectHello(decodeHeader(bytes))
  return decodeHello(bytes.subarray(HEADER_BYTES))
}

export async function readHello(channel: ByteChannel): Promise<number> {
  const header = decodeHeader(await exactly(channel, HEADER_BYTES))
  expectHello(header)
  return decodeHello(await exactly(channel, header.length))
}

async function exactly(channel: ByteChannel, length: number): Promise<Uint8Array> {
  const bytes = await channel.readExactly(length)
  if (bytes === undefined) throw new ChannelClosedError('the peer closed the connection during the greeting')
  return bytes
}

/** Bytes from which a second write is cheaper than a copy. */
const LONG = 2048

export class DataChannel {
  readonly channel: ByteChannel
  readonly #limit: number
  /** Bytes of the current frame that have not been read. */
  #left = 0
  /** What `take` has seen, and is for `next`. */
  #header: Header | undefined
  /** Room for a header that is sent at once. */
  #scratch: Uint8Array | undefined

  constructor(channel: ByteChannel, version: number) {
    this.channel = channel
    this.#limit = chunkLimit(version)
  }

  /**
   * The next frame's header; what was not read of the frame before is skipped. undefined when the peer closed.
   * @throws ProtocolError when the frame is too long
   */
  async next(): Promise<Header | undefined> {
    while (this.#left > 0) await this.body()
    let header = this.#header
    if (header === undefined) {
      const bytes = await this.channel.readExactly(HEADER_BYTES)
      if (bytes === undefined) return undefined
      header = this.#checked(bytes)
    }
    this.#header = undefined
    this.#left = header.length
    return header
  }

  /**
   * Some of the body of frames of that type, if it is there now: without a promise, which costs more than all else. null when the stream
   * has ended; undefined when nothing is there, and when the next frame is another one: then `next` says which.
   * @throws ProtocolError when the frame is too long
   */
  take(type: number): Uint8Array | null | undefined {
    if (this.#left === 0) {
      if (this.#header !== undefined) return undefined
      const bytes = this.channel.tryRead(HEADER_BYTES, HEADER_BYTES)
      if (bytes === undefined) return undefined
      const header = this.#checked(bytes)
      if (header.type !== type) {
        this.#header = header
        return undefined
      }
      if (header.length === 0) return null
      this.#left = header.length
    }
    const bytes = this.channel.tryRead(this.#left)
    if (bytes !== undefined) this.#left -= bytes.length
    return bytes
  }

  /** Whether something has been seen that `take` does not give. */
  get isOther(): boolean {
    return this.#header !== undefined
  }

  #checked(bytes: Uint8Array): Header {
    const header = decodeHeader(bytes)
    if (header.length > this.#limit) {
      throw new ProtocolError(`qrexec data of ${header.length} bytes in one piece, the most is ${this.#limit}`)
    }
    return header
  }

  /** Some more of the frame's body; undefined at its end. */
  async body(): Promise<Uint8Array | undefined> {
    if (this.#left === 0) return undefined
    const bytes = await this.channel.read(this.#left)
    if (bytes === undefined) {
      throw new ChannelClosedError(`the peer closed the connection ${this.#left} bytes before the end of a message`)
    }
    this.#left -= bytes.length
    return bytes
  }

  /** The whole body of a short frame. */
  async whole(): Promise<Uint8Array> {
    const length = this.#left
    this.#left = 0
    if (length === 0) return new Uint8Array(0)
    return exactly(this.channel, length)
  }

  /** Sends bytes as frames no longer than the peer takes; none at all is the end of that stream. undefined when all is sent already. */
  send(type: number, bytes: Uint8Array): Promise<void> | undefined {
    return bytes.length <= this.#limit ? this.#frame(type, bytes) : this.#frames(type, bytes)
  }

  async #frames(type: number, bytes: Uint8Array): Promise<void> {
    for (let offset = 0; offset < bytes.length; offset += this.#limit) await this.#frame(type, bytes.subarray(offset, offset + this.#limit))
  }

  /** What is long is not copied behind its header: the channel keeps the order of its writes. */
  #frame(type: number, bytes: Uint8Array): Promise<void> | undefined {
    const { channel } = this
    if (bytes.length < LONG) {
      const message = encode(type, bytes)
      return channel.tryWrite(message) ? undefined : channel.write(message)
    }
    const header = (this.#scratch ??= new Uint8Array(HEADER_BYTES))
    writeHeader(header, type, bytes.length)
    if (channel.tryWrite(header)) return channel.tryWrite(bytes) ? undefined : channel.write(bytes)
    return Promise.all([channel.write(header.slice()), channel.write(bytes)]).then(() => {})
  }
}
