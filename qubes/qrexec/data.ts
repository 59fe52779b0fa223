/** A data channel: the greeting, and the frames of both directions. */
import { type ByteChannel, ChannelClosedError } from '@xen-ts/drivers/channel'
import { ProtocolError } from '../supervise.ts'
import {
  chunkLimit,
  decodeHeader,
  decodeHello,
  encode,
  encodeHeader,
  encodeNumbers,
  expectHello,
  HEADER_BYTES,
  HELLO,
  type Header,
  VERSION,
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

  constructor(channel: ByteChannel, version: number) {
    this.channel = channel
    this.#limit = chunkLimit(version)
  }

  /**
   * The next frame's header; what was not read of the frame before is skipped. undefined when the peer closed.
   * @throws ProtocolError when the frame is too long
   */
  async next(): Promise<Header | undefined> {
    while ((await this.body()) !== undefined);
    const bytes = await this.channel.readExactly(HEADER_BYTES)
    if (bytes === undefined) return undefined
    const header = decodeHeader(bytes)
    if (header.length > this.#limit) {
      throw new ProtocolError(`qrexec data of ${header.length} bytes in one piece, the most is ${this.#limit}`)
    }
    this.#left = header.length
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

  /** Sends bytes as frames no longer than the peer takes; none at all is the end of that stream. */
  async send(type: number, bytes: Uint8Array): Promise<void> {
    if (bytes.length <= this.#limit) return this.#frame(type, bytes)
    for (let offset = 0; offset < bytes.length; offset += this.#limit) await this.#frame(type, bytes.subarray(offset, offset + this.#limit))
  }

  /** What is long is not copied behind its header: the channel keeps the order of its writes. */
  #frame(type: number, bytes: Uint8Array): Promise<void> {
    if (bytes.length < LONG) return this.channel.write(encode(type, bytes))
    return Promise.all([this.channel.write(encodeHeader(type, bytes.length)), this.channel.write(bytes)]).then(() => {})
  }
}
