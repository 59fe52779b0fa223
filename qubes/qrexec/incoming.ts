/** A call that came in: this qube is the executor, the caller serves the data channel. */
import { type ByteChannel, ChannelClosedError } from '@xen-ts/drivers/channel'
import { describeBriefly, describeError, type Log, type Timers } from '@xen-ts/runtime/machine'
import { ProtocolError } from '../supervise.ts'
import { concat, type Text } from '../text.ts'
import type { Pull } from './byte-reader.ts'
import type { Command } from './command.ts'
import { DataChannel, greet } from './data.ts'
import { Desertion, type Ending } from './desertion.ts'
import { type ByteReader, type ByteWriter, byteReader, byteWriter } from './streams.ts'
import { DATA_EXIT_CODE, DATA_STDERR, DATA_STDIN, DATA_STDOUT, EXIT_PROBLEM, encode, encodeNumbers } from './wire.ts'

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

/** Returns the exit code, 0 when it returns nothing. What it throws is logged, and the caller gets exit code 1. */
export type ServiceHandler = (call: ServiceCall) => number | void | Promise<number | void>

/** How long (ms) a caller may take to end its input after it was told the exit code. */
const LINGER = 5_000

export interface Incoming {
  readonly command: Command & { readonly service: string }
  readonly handler: ServiceHandler
  /** JUST_EXEC: the caller wants no streams and no result. */
  readonly detached: boolean
  readonly text: Text
  readonly log: Log
  readonly timers: Timers
  /** This qube shuts down. */
  readonly ending: Ending
}

/**
 * Greets, runs the handler, tells the caller how it ended. The channel is the agent's to close afterwards.
 * @throws ChannelClosedError when the caller went away, ProtocolError when it does not follow the protocol
 */
export async function serveCall(channel: ByteChannel, incoming: Incoming): Promise<void> {
  const { command, text } = incoming
  const data = new DataChannel(channel, await greet(channel))
  const { service, argument, source, user } = command
  if (incoming.detached) {
    await channel.write(encodeNumbers(DATA_EXIT_CODE, 0))
    const stdin = byteReader(text, async () => undefined)
    // The caller waits for nothing, and its port is to be freed: the handler goes on alone.
    const { begun: signal } = incoming.ending
    void run(incoming, { service, argument, source, user, stdin, stdout: sink(text), stderr: sink(text), signal })
    return
  }
  const desertion = new Desertion(channel, incoming.ending, incoming.timers)
  const input = desertion.input(stdinOf(data, incoming.log))
  const streams = new Streams(text, data, input)
  desertion.onLeave = error => streams.fail(error)
  try {
    const finished = run(incoming, {
      service,
      argument,
      source,
      user,
      signal: desertion.signal,
      get stdin() {
        return streams.stdin
      },
      get stdout() {
        return streams.stdout
      },
      get stderr() {
        return streams.stderr
      },
    })
    const farewell = async (): Promise<void> => {
      const code = await Promise.race([finished, desertion.final])
      if (incoming.ending.over.aborted) streams.mute()
      await streams.end(code)
      await linger(desertion.isSilenced ? drain(input) : streams.rest(), incoming.timers)
    }
    await Promise.race([farewell(), desertion.closed])
  } finally {
    desertion.dispose()
  }
}

/** The streams of a call, each made when the service asks for it: few use all three, and a web stream is much for a short call. */
class Streams {
  readonly #text: Text
  readonly #data: DataChannel
  readonly #pull: Pull
  #stdin: ByteReader | undefined
  #stdout: ByteWriter | undefined
  #stderr: ByteWriter | undefined
  #over = false
  #muted = false

  constructor(text: Text, data: DataChannel, pull: Pull) {
    this.#text = text
    this.#data = data
    this.#pull = pull
  }

  /** After the end the rest of the input is being thrown away: there is none for a service that comes late. */
  get stdin(): ByteReader {
    return (this.#stdin ??= byteReader(this.#text, this.#over ? async () => undefined : this.#pull))
  }
  get stdout(): ByteWriter {
    return (this.#stdout ??= this.#writer(DATA_STDOUT))
  }
  get stderr(): ByteWriter {
    return (this.#stderr ??= this.#writer(DATA_STDERR))
  }

  /** The service was given up: what it still writes goes nowhere. */
  mute(): void {
    this.#muted = true
  }

  /** What is still to be said, in the order dom0's client needs: the ends of both streams, then the exit code. */
  async end(code: number): Promise<void> {
    await Promise.all([this.#stdout?.finish(), this.#stderr?.finish()])
    this.#over = true
    const ends = [this.#stdout === undefined ? DATA_STDOUT : 0, this.#stderr === undefined ? DATA_STDERR : 0]
    const rest = ends.filter(type => type !== 0).map(type => encode(type, new Uint8Array(0)))
    await this.#data.channel.write(concat([...rest, encodeNumbers(DATA_EXIT_CODE, code)]))
  }

  /** The caller is gone. */
  fail(error: Error): void {
    this.#stdout?.fail(error)
    this.#stderr?.fail(error)
  }

  /** Takes what is left of the input. */
  async rest(): Promise<void> {
    if (this.#stdin !== undefined) return this.#stdin.rest()
    return drain(this.#pull)
  }

  #writer(type: number): ByteWriter {
    return byteWriter(this.#text, bytes => {
      if ((this.#over || this.#muted) && bytes.length > 0)
        return Promise.reject(new ChannelClosedError('the call is over, its exit code was sent'))
      return this.#over ? undefined : this.#data.send(type, bytes)
    })
  }
}

/**
 * Takes the rest of the caller's input. A caller that is writing reads the exit code afterwards, then ends its input; closing on it
 * meanwhile would make Linux's qrexec-client report an error instead of the exit code.
 */
async function linger(rest: Promise<void>, timers: Timers): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = timers.set(LINGER, resolve)
  // It may have gone as well, or the handler has left a read behind: all the same now.
  await Promise.race([rest.catch(() => {}), promise])
  timer.cancel()
}

async function drain(pull: () => Promise<unknown>): Promise<void> {
  while ((await pull()) !== undefined);
}

async function run({ handler, log, command }: Incoming, call: ServiceCall): Promise<number> {
  const name = `service ${command.service} for ${command.source}`
  try {
    const code = (await handler(call)) ?? 0
    if (Number.isInteger(code) && code >= 0 && code <= 255) return code
    log.error(`${name} returned ${code}: an exit code is a number from 0 to 255`)
    return EXIT_PROBLEM
  } catch (error) {
    if (call.signal.aborted) log.debug(`${name} ended with its caller: ${describeBriefly(error)}`)
    else log.error(`${name} failed: ${describeError(error)}`)
    return 1
  }
}

function stdinOf(data: DataChannel, log: Log): Pull {
  let warned = false
  const warn = (text: string): void => {
    if (!warned) log.warn(text)
    warned = true
  }
  const next = async (): Promise<Uint8Array | undefined> => {
    for (;;) {
      const more = await data.body()
      if (more !== undefined) return more
      const header = await data.next()
      // No end of input was sent: a service must not take half an input for a whole one.
      if (header === undefined) throw new ChannelClosedError('the caller closed the connection in the middle of its input')
      switch (header.type) {
        case DATA_STDIN:
        case DATA_STDOUT:
          // The Linux agent is as lenient: the direction decides, not the number.
          if (header.type === DATA_STDOUT) warn('the caller sent its input as output')
          if (header.length === 0) return undefined
          break
        case DATA_STDERR:
        case DATA_EXIT_CODE:
          warn(`the caller sent a message only a service sends: 0x${header.type.toString(16)}`)
          while ((await data.body()) !== undefined);
          break
        default:
          data.channel.close()
          throw new ProtocolError(`the caller sent a message of unknown type 0x${header.type.toString(16)}`)
      }
    }
  }
  return Object.assign(next, {
    take: () => data.take(DATA_STDIN),
    ready: () => (data.isOther ? undefined : data.channel.readable()),
  })
}

function sink(text: Text): ByteWriter {
  return byteWriter(text, () => undefined)
}
