/** A call this qube makes, from the moment it is made: its input goes to the service, its output is pulled. */
import { ChannelClosedError } from '@xen-ts/drivers/channel'
import { ByteCollector, describeBriefly } from '@xen-ts/runtime/machine'
import { ProtocolError } from '../supervise.ts'
import { readU32, type Text } from '../text.ts'
import type { DataChannel } from './data.ts'
import { QrexecError } from './errors.ts'
import { type Input, InputSource } from './input.ts'
import { type ByteReader, byteReader } from './streams.ts'
import { unowned } from './unowned.ts'
import { DATA_EXIT_CODE, DATA_STDERR, DATA_STDIN, DATA_STDOUT } from './wire.ts'

/** How a call ended. */
export interface Result {
  readonly code: number
  /** The first 64 KiB of what the service wrote to stderr. */
  readonly stderr: string
}

const STDERR_LIMIT = 65536

/** A call under way. Its output is pulled: read it, or `wait`, or `close` the call. */
export class OutgoingCall {
  readonly stdout: ByteReader
  readonly #name: string
  readonly #text: Text
  readonly #data: Promise<DataChannel>
  readonly #release: () => void
  /** The input, when it comes piece by piece. */
  readonly #source: InputSource | undefined
  readonly #stderr = new ByteCollector()
  #code: number | undefined
  #inputError: unknown
  #released = false

  /**
   * @param name for errors, such as `qubes.GetDate in @default`
   * @param data the greeted channel; rejects when the call was refused
   * @param release closes the channel and frees its port; called once
   */
  constructor(name: string, text: Text, input: Input, data: Promise<DataChannel>, release: () => void) {
    this.#name = name
    this.#text = text
    this.#data = unowned(data)
    this.#release = release
    // Who cancels it, or leaves a loop over it, wants nothing more of the call.
    this.stdout = byteReader(text, { next: () => this.#pull() }, () => this.close())
    this.#source = typeof input === 'string' || input instanceof Uint8Array ? undefined : new InputSource(input)
    data.then(channel => this.#feed(channel, input)).catch(error => this.#inputFailed(error))
  }

  /**
   * Waits for the end, all output read; what nobody read of it is lost.
   * @throws QrexecRefusedError, or QrexecError when the service's qube went away, the input failed, or the call was given up
   */
  async wait(): Promise<Result> {
    await this.stdout.drain()
    if (this.#code === undefined) throw this.#lost()
    return { code: this.#code, stderr: this.#text.decode(this.#stderr.take()) }
  }

  /** All output, as text. @throws QrexecError when the exit code is not 0; as `wait` */
  async text(limit?: number): Promise<string> {
    return this.#text.decode(await this.bytes(limit))
  }

  /** All output. @throws QrexecError when the exit code is not 0; as `wait` */
  async bytes(limit?: number): Promise<Uint8Array> {
    const output = await this.stdout.bytes(limit)
    const { code, stderr } = await this.wait()
    if (code !== 0) {
      throw new QrexecError(`${this.#name} ended with exit code ${code}${stderr === '' ? '' : `: ${stderr.trim()}`}`)
    }
    return output
  }

  /** Gives the call up. */
  close(): void {
    if (this.#released) return
    this.#released = true
    this.#release()
    this.#source?.cancel(this.#inputError ?? new QrexecError(`${this.#name} is over`))
  }

  async #feed(data: DataChannel, input: Input): Promise<void> {
    let gone = false
    // A service may end before it has read everything: what it said is still to be read.
    const send = (bytes: Uint8Array): Promise<void> | undefined =>
      data.send(DATA_STDIN, bytes)?.catch(() => {
        gone = true
      })
    if (this.#source === undefined) {
      const bytes = typeof input === 'string' ? this.#text.encode(input) : (input as Uint8Array)
      if (bytes.length > 0) await send(bytes)
    } else {
      for (let bytes; (bytes = await this.#source.next()) !== undefined; ) {
        if (!(bytes instanceof Uint8Array)) throw new TypeError(`the input of a call is bytes (Uint8Array), not ${typeof bytes}`)
        if (bytes.length > 0) await send(bytes)
        if (gone) return this.#source.cancel(new QrexecError(`${this.#name} reads no more`))
      }
    }
    if (!this.#released && !gone) await send(new Uint8Array(0))
  }

  /** Half an input must not pass for a whole one, and the service would wait for the rest for ever. */
  #inputFailed(error: unknown): void {
    this.#inputError = error
    this.close()
  }

  async #pull(): Promise<Uint8Array | undefined> {
    if (this.#code !== undefined) return undefined
    try {
      const bytes = await this.#output(await this.#data)
      if (bytes === undefined) this.close()
      return bytes
    } catch (error) {
      const lost = error instanceof ChannelClosedError ? this.#lost() : error
      this.close()
      throw lost
    }
  }

  /** Next bytes of stdout. The end is the exit code, not the end of stdout: only then is everything here. */
  async #output(data: DataChannel): Promise<Uint8Array | undefined> {
    for (;;) {
      const more = await data.body()
      if (more !== undefined) return more
      const header = await data.next()
      if (header === undefined) throw this.#lost()
      switch (header.type) {
        case DATA_STDOUT:
        case DATA_STDIN:
          break
        case DATA_STDERR:
          await this.#keep(data)
          break
        case DATA_EXIT_CODE: {
          if (header.length !== 4) throw new ProtocolError(`${this.#name} sent an exit code of ${header.length} bytes`)
          this.#code = readU32(await data.whole(), 0) | 0
          return undefined
        }
        default:
          throw new ProtocolError(`${this.#name} sent a message of unknown type 0x${header.type.toString(16)}`)
      }
    }
  }

  async #keep(data: DataChannel): Promise<void> {
    for (let bytes; (bytes = await data.body()) !== undefined; ) {
      const kept = bytes.subarray(0, STDERR_LIMIT - this.#stderr.length)
      if (kept.length > 0) this.#stderr.push(kept)
    }
  }

  #lost(): Error {
    const why =
      this.#inputError !== undefined
        ? `ended because its input failed: ${describeBriefly(this.#inputError)}`
        : this.#released
          ? 'was given up'
          : 'went away without an exit code'
    return new QrexecError(`${this.#name} ${why}`)
  }
}
