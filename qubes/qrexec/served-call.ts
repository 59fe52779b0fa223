/** What a service is given, and its streams: each is made when the service asks for it, for few use all three. */
import { type ByteChannel, ChannelClosedError } from '@xen-ts/drivers/channel'
import type { Text } from '../text.ts'
import { drain, type Pull } from './byte-reader.ts'
import type { Command } from './command.ts'
import type { DataChannel } from './data.ts'
import { type ByteReader, type ByteWriter, byteReader, byteWriter } from './streams.ts'
import { DATA_EXIT_CODE, DATA_STDERR, DATA_STDOUT } from './wire.ts'

/** What a service is given. */
export interface ServiceCall {
  readonly service: string
  /** What follows the `+` of the call; empty when there is none. */
  readonly argument: string
  /** The calling qube, as dom0 vouches for it. */
  readonly source: string
  /** The user a Linux qube would run the service as. */
  readonly user: string
  readonly stdin: ByteReader
  readonly stdout: ByteWriter
  readonly stderr: ByteWriter
  /** Aborts when the caller has gone, or this qube shuts down. */
  readonly signal: AbortSignal
}

/** The command of a call, a service's. */
export type ServiceCommand = Command & { readonly service: string }

export class ServedCall implements ServiceCall {
  readonly service: string
  readonly argument: string
  readonly source: string
  readonly user: string
  readonly #text: Text
  readonly #data: DataChannel
  readonly #pull: Pull
  readonly #desertion: { readonly signal: AbortSignal }
  #stdin: ByteReader | undefined
  #stdout: ByteWriter | undefined
  #stderr: ByteWriter | undefined
  #over = false
  #muted = false

  constructor(command: ServiceCommand, text: Text, data: DataChannel, pull: Pull, desertion: { readonly signal: AbortSignal }) {
    this.service = command.service
    this.argument = command.argument
    this.source = command.source
    this.user = command.user
    this.#text = text
    this.#data = data
    this.#pull = pull
    this.#desertion = desertion
  }

  /** After the end the rest of the input is being thrown away: there is none for a service that comes late. */
  get stdin(): ByteReader {
    return (this.#stdin ??= byteReader(this.#text, this.#over ? noInput : this.#pull))
  }
  get stdout(): ByteWriter {
    return (this.#stdout ??= this.#writer(DATA_STDOUT))
  }
  get stderr(): ByteWriter {
    return (this.#stderr ??= this.#writer(DATA_STDERR))
  }
  get signal(): AbortSignal {
    return this.#desertion.signal
  }

  /** @internal the service was given up: what it still writes goes nowhere */
  mute(): void {
    this.#muted = true
  }

  /** @internal what is still to be said, in the order dom0's client needs: the ends of both streams, then the exit code. undefined when that is done already */
  end(code: number): Promise<void> | undefined {
    const stdout = this.#stdout?.finish()
    const stderr = this.#stderr?.finish()
    if (stdout === undefined && stderr === undefined) return this.#exit(code)
    return Promise.all([stdout, stderr]).then(() => this.#exit(code))
  }

  /** @internal the caller is gone */
  fail(error: Error): void {
    this.#stdout?.fail(error)
    this.#stderr?.fail(error)
  }

  /** @internal takes what is left of the input, and calls `done` once */
  rest(done: () => void): void {
    if (this.#stdin !== undefined) this.#stdin.rest(done)
    else drain(this.#pull, done)
  }

  #exit(code: number): Promise<void> | undefined {
    this.#over = true
    const words = new Uint32Array(7)
    let count = 0
    if (this.#stdout === undefined) {
      words[0] = DATA_STDOUT
      count = 2
    }
    if (this.#stderr === undefined) {
      words[count] = DATA_STDERR
      count += 2
    }
    words[count] = DATA_EXIT_CODE
    words[count + 1] = 4
    words[count + 2] = code
    return sent(this.#data.channel, new Uint8Array(words.buffer, 0, 4 * count + 12))
  }

  #writer(type: number): ByteWriter {
    return byteWriter(this.#text, bytes => {
      if ((this.#over || this.#muted) && bytes.length > 0)
        return Promise.reject(new ChannelClosedError('the call is over, its exit code was sent'))
      return this.#over ? undefined : this.#data.send(type, bytes)
    })
  }
}

export const noInput: Pull = { next: async () => undefined }

const sent = (channel: ByteChannel, bytes: Uint8Array): Promise<void> | undefined =>
  channel.tryWrite(bytes) ? undefined : channel.write(bytes)
