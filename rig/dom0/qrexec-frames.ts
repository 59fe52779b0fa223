/** Frames of a qrexec data channel, seen from dom0. */
import type { ByteChannel } from '@xen-ts/drivers/channel'
import type { CallResult } from './qrexec.ts'

export function message(type: number, body: Uint8Array): Buffer {
  const header = Buffer.alloc(8)
  header.writeUInt32LE(type, 0)
  header.writeUInt32LE(body.length, 4)
  return Buffer.concat([header, body])
}

/** Greets on a data channel, first as qrexec-client does; returns the version. */
export async function hello(channel: ByteChannel, version: number): Promise<number> {
  const number = Buffer.alloc(4)
  number.writeUInt32LE(version)
  await channel.write(message(0x300, number))
  const answer = await channel.readExactly(12)
  if (answer === undefined) throw new Error('the agent closed the data channel during the greeting')
  const bytes = Buffer.from(answer)
  if (bytes.readUInt32LE(0) !== 0x300 || bytes.readUInt32LE(4) !== 4) {
    throw new Error(`the agent greeted with ${bytes.toString('hex')}`)
  }
  const theirs = bytes.readUInt32LE(8)
  if (theirs < 2) throw new Error(`the agent speaks version ${theirs} on a data channel`)
  return Math.min(version, theirs)
}

export interface ResultOptions {
  /** Called with output as it comes. */
  readonly onStdout?: (bytes: Buffer) => void
  readonly onStderr?: (bytes: Buffer) => void
  /** The executor sends its exit code at once, and no streams. */
  readonly justExec?: boolean
}

export class Frames {
  readonly #channel: ByteChannel
  readonly #limit: number
  /** Resolves when the exit code has come: no more input is sent then. */
  readonly #exited = Promise.withResolvers<undefined>()

  constructor(channel: ByteChannel, version: number) {
    this.#channel = channel
    this.#limit = version >= 3 ? 65536 : 4096
  }

  /** Sends everything as frames of one type, then the end of the stream. */
  async feed(type: number, input: string | Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
    const pieces = typeof input === 'string' ? [Buffer.from(input)] : input instanceof Uint8Array ? [input] : input
    const iterator = Symbol.asyncIterator in pieces ? pieces[Symbol.asyncIterator]() : pieces[Symbol.iterator]()
    for (let next; (next = await Promise.race([iterator.next(), this.#exited.promise])) !== undefined && !next.done; ) {
      const piece = next.value
      for (let offset = 0; offset < piece.length; offset += this.#limit) {
        await this.#channel.write(message(type, piece.subarray(offset, offset + this.#limit)))
      }
    }
    await this.#channel.write(message(type, Buffer.alloc(0)))
  }

  /** As executor: everything the caller sends, up to the end of its input. */
  async input(): Promise<Buffer> {
    const parts: Buffer[] = []
    for (;;) {
      const frame = await this.#next()
      if (frame === undefined) throw new Error('the caller went away in the middle of its input')
      if (frame.type !== 0x190) throw new Error(`the caller sent 0x${frame.type.toString(16)}`)
      if (frame.body.length === 0) return Buffer.concat(parts)
      parts.push(frame.body)
    }
  }

  /**
   * As caller: output up to the exit code and the close. Linux's client forgives an executor that leaves out the ends of its streams;
   * here both must come, once, before the exit code, and nothing after it.
   */
  async result({ onStdout, onStderr, justExec = false }: ResultOptions = {}): Promise<CallResult> {
    const streams: Record<number, Buffer[]> = { 0x191: [], 0x192: [] }
    const ended = new Set<number>()
    for (;;) {
      const frame = await this.#next()
      if (frame === undefined) throw new Error('the service went away without an exit code')
      const { type, body } = frame
      if (type === 0x193) {
        this.#exited.resolve(undefined)
        if (body.length !== 4) throw new Error(`exit code of ${body.length} bytes`)
        if (!justExec && ended.size < 2) throw new Error('exit code before the end of stdout and stderr')
        if ((await this.#channel.read(1)) !== undefined) throw new Error('data after the exit code')
        return { code: body.readInt32LE(0), stdout: Buffer.concat(streams[0x191]), stderr: Buffer.concat(streams[0x192]) }
      }
      if (justExec || streams[type] === undefined) throw new Error(`the service sent 0x${type.toString(16)}`)
      if (ended.has(type)) throw new Error(`0x${type.toString(16)} after its end`)
      if (body.length === 0) ended.add(type)
      else streams[type].push(body)
      if (body.length > 0) (type === 0x191 ? onStdout : onStderr)?.(body)
    }
  }

  async #next(): Promise<{ type: number; body: Buffer } | undefined> {
    const header = await this.#channel.readExactly(8)
    if (header === undefined) return undefined
    const [type, length] = [Buffer.from(header).readUInt32LE(0), Buffer.from(header).readUInt32LE(4)]
    if (length > this.#limit) throw new Error(`too big data chunk: ${length}`)
    const body = length === 0 ? new Uint8Array(0) : await this.#channel.readExactly(length)
    return body === undefined ? undefined : { type, body: Buffer.from(body) }
  }
}
