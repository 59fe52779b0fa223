/** A call that came in: this qube is the executor, the caller serves the data channel. */
import { ChannelClosedError, type ByteChannel } from '@xen-ts/drivers/channel.ts'
import type { Log } from '@xen-ts/runtime/log.ts'
import type { Timer, Timers } from '@xen-ts/runtime/machine.ts'
import { describe, ProtocolError } from '../supervise.ts'
import type { Text } from '../text.ts'
import type { Command } from './command.ts'
import { DataChannel, greet } from './data.ts'
import { ByteReader, ByteWriter } from './streams.ts'
import { DATA_EXIT_CODE, DATA_STDERR, DATA_STDIN, DATA_STDOUT, encodeNumbers, EXIT_PROBLEM } from './wire.ts'

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

/** How long (ms) a service may go on after its caller has gone, before its port is freed. */
const GRACE = 10_000
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
  /** Ends the call: this qube shuts down. */
  readonly signal: AbortSignal
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
    const stdin = new ByteReader(text, async () => undefined)
    // The caller waits for nothing, and its port is to be freed: the handler goes on alone.
    void run(incoming, { service, argument, source, user, stdin, stdout: sink(text), stderr: sink(text), signal: incoming.signal })
    return
  }
  const stdin = new ByteReader(text, stdinOf(data, incoming.log))
  const stdout = new ByteWriter(text, (bytes) => data.send(DATA_STDOUT, bytes))
  const stderr = new ByteWriter(text, (bytes) => data.send(DATA_STDERR, bytes))
  const desertion = new Desertion(channel, incoming)
  try {
    const finished = run(incoming, { service, argument, source, user, stdin, stdout, stderr, signal: desertion.signal })
    await end(channel, stdout, stderr, await Promise.race([finished, desertion.final]))
    await linger(stdin, incoming.timers)
  } finally {
    desertion.dispose()
  }
}

/** Notices that the caller has gone, or that this qube shuts down: tells the handler at once, gives it up a while later. */
class Desertion {
  /** Rejects when the handler has had its time. */
  readonly final: Promise<never>
  readonly #abort = new AbortController()
  readonly #incoming: Incoming
  readonly #leave = (): void => this.#begin()
  #reject!: (error: Error) => void
  #timer: Timer | undefined
  #over = false

  constructor(channel: ByteChannel, incoming: Incoming) {
    this.#incoming = incoming
    this.final = new Promise((_, reject) => { this.#reject = reject })
    incoming.signal.addEventListener('abort', this.#leave)
    void channel.closed.then(this.#leave)
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  dispose(): void {
    this.#over = true
    this.#timer?.cancel()
    this.#incoming.signal.removeEventListener('abort', this.#leave)
  }

  #begin(): void {
    if (this.#over || this.#timer !== undefined) return
    this.#timer = this.#incoming.timers.set(GRACE, () => this.#reject(new ChannelClosedError('the caller has gone')))
    this.#abort.abort()
  }
}

/** What is still to be said, in the order dom0's client needs: the ends of both streams, then the exit code. */
async function end(channel: ByteChannel, stdout: ByteWriter, stderr: ByteWriter, code: number): Promise<void> {
  await Promise.all([stdout.finish(), stderr.finish()])
  await channel.write(encodeNumbers(DATA_EXIT_CODE, code))
}

/**
 * Takes the rest of the caller's input. A caller that is writing reads the exit code afterwards, then ends its input; closing on it
 * meanwhile would make Linux's qrexec-client report an error instead of the exit code.
 */
async function linger(stdin: ByteReader, timers: Timers): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = timers.set(LINGER, resolve)
  // It may have gone as well, or the handler has left a read behind: all the same now.
  await Promise.race([stdin.rest().catch(() => {}), promise])
  timer.cancel()
}

async function run({ handler, log, command }: Incoming, call: ServiceCall): Promise<number> {
  const name = `service ${command.service} for ${command.source}`
  try {
    const code = await handler(call) ?? 0
    if (Number.isInteger(code) && code >= 0 && code <= 255) return code
    log.error(`${name} returned ${code}: an exit code is a number from 0 to 255`)
    return EXIT_PROBLEM
  } catch (error) {
    if (call.signal.aborted) log.debug(`${name} ended with its caller: ${describe(error)}`)
    else log.error(`${name} failed: ${describe(error)}`)
    return 1
  }
}

function stdinOf(data: DataChannel, log: Log): () => Promise<Uint8Array | undefined> {
  let warned = false
  const warn = (text: string): void => {
    if (!warned) log.warn(text)
    warned = true
  }
  return async () => {
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
          while (await data.body() !== undefined);
          break
        default:
          data.channel.close()
          throw new ProtocolError(`the caller sent a message of unknown type 0x${header.type.toString(16)}`)
      }
    }
  }
}

function sink(text: Text): ByteWriter {
  return new ByteWriter(text, async () => {})
}
