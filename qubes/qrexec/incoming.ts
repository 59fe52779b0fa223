/**
 * A call that came in: this qube is the executor, the caller serves the data channel. From the announcement to the end of the channel by
 * callbacks: a promise for each step would cost more than the steps.
 */
import { type ByteChannel, Cancel, type ChannelClosedError, type Channels } from '@xen-ts/drivers/channel'
import { describeBriefly, describeError, type Log, type Timer, type Timers } from '@xen-ts/runtime/machine'
import type { Text } from '../text.ts'
import { drain } from './byte-reader.ts'
import { CallInput } from './call-input.ts'
import { DataChannel, decodeGreeting, GREETING, GREETING_BYTES, readHello } from './data.ts'
import { type Deserted, Desertion, type Ending } from './desertion.ts'
import { QrexecError } from './errors.ts'
import { noInput, ServedCall, type ServiceCall, type ServiceCommand } from './served-call.ts'
import type { Place } from './session.ts'
import { type ByteWriter, byteReader, byteWriter } from './streams.ts'
import { DATA_EXIT_CODE, DATA_TIMEOUT, EXIT_PROBLEM, encodeNumbers } from './wire.ts'

export type { ServiceCall } from './served-call.ts'

/** Returns the exit code, 0 when it returns nothing. What it throws is logged, and the caller gets exit code 1. */
export type ServiceHandler = (call: ServiceCall) => number | void | Promise<number | void>

/** How long (ms) a caller that was killed keeps its port: what it left in xenstore may also be of a caller before, and this one about to come. */
const DEAD_CALLER = 8_000
/** How long (ms) a caller may take to end its input after it was told the exit code. */
const LINGER = 5_000

/** What all calls share. */
export interface IncomingParts {
  readonly channels: Channels
  readonly text: Text
  readonly log: Log
  readonly timers: Timers
  /** This qube shuts down. */
  readonly ending: Ending
  /** Which handler a call gets, asked when its channel is there. */
  handler(command: ServiceCommand): ServiceHandler
  /** A service is at work, and no more. */
  working(call: IncomingCall): void
  rests(call: IncomingCall): void
  /** Nothing is left of the call. */
  over(call: IncomingCall, error: unknown): void
}

export class IncomingCall implements Deserted {
  readonly place: Place
  /** By when its caller has to have come to the connection. */
  readonly deadline: number
  readonly #parts: IncomingParts
  readonly #command: ServiceCommand
  /** JUST_EXEC: the caller wants no streams and no result. */
  readonly #detached: boolean
  readonly #cancel = new Cancel()
  #timer: Timer | undefined
  #channel: ByteChannel | undefined
  #hasWaited = false
  #served: ServedCall | undefined
  #desertion: Desertion | undefined
  #input: CallInput | undefined
  /** The exit code is told, or about to be. */
  #isEnded = false
  #isOver = false

  /** @param command its service is empty for what is none */
  constructor(parts: IncomingParts, place: Place, command: ServiceCommand, detached: boolean) {
    this.#parts = parts
    this.place = place
    this.deadline = parts.timers.now() + DATA_TIMEOUT
    this.#command = command
    this.#detached = detached
  }

  /** For a log. */
  get name(): string {
    return `service ${this.#command.service} for ${this.#command.source}`
  }

  start(): void {
    this.#parts.channels.connect(this.place.domain, this.place.port, { cancel: this.#cancel, deadServer: DEAD_CALLER }).then(
      channel => this.#connected(channel),
      error => this.over(error),
    )
  }

  /** Whether its caller has not come to the connection. */
  get isAwaited(): boolean {
    return this.#channel === undefined
  }

  /** It has had its time to. */
  late(): void {
    this.lose(new QrexecError(`the caller did not open its data channel within ${DATA_TIMEOUT / 1000} s`))
  }

  /** Who has not come to the connection by now is not waited for. */
  lose(reason: Error): void {
    if (this.#channel === undefined) this.#cancel.cancel(reason)
  }

  /** The same for who has come, but is not greeted yet: there is no service that could end. */
  shut(reason: Error): void {
    this.lose(reason)
    if (this.#served === undefined) this.#channel?.close()
  }

  /** This qube ends: the service is told. */
  end(): void {
    if (this.#served !== undefined) this.#deserted().end()
  }

  /** And is given up. */
  cut(): void {
    if (this.#served !== undefined) this.#deserted().cut()
  }

  /** Aborts when the caller has gone, or this qube shuts down. */
  get signal(): AbortSignal {
    return this.#deserted().signal
  }

  /** @internal */
  left(error: ChannelClosedError): void {
    this.#served?.fail(error)
  }

  /** @internal */
  final(code: number): void {
    if (this.#isEnded) return
    this.#isEnded = true
    const served = this.#served!
    if (this.#parts.ending.isOver) served.mute()
    const ended = served.end(code)
    if (ended === undefined) this.#linger()
    else
      ended.then(
        () => this.#linger(),
        error => this.over(error),
      )
  }

  /** @internal */
  over(error?: unknown): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#timer?.cancel()
    this.#desertion?.dispose()
    this.#input?.dispose()
    this.#channel?.whenClosed(undefined)
    this.#channel?.close()
    this.#parts.over(this, error)
  }

  #connected(channel: ByteChannel): void {
    this.#channel = channel
    if (this.#cancel.reason !== undefined) return this.over(this.#cancel.reason)
    const { service, source } = this.#command
    this.#parts.log.debug(`${service === '' ? 'a command' : service} for ${source === '' ? 'dom0' : source}`)
    // Sending first is what both the Linux agent and dom0's client do.
    if (!channel.tryWrite(GREETING)) channel.write(GREETING).catch(error => this.over(error))
    this.#greet()
  }

  #greet(): void {
    const channel = this.#channel!
    const bytes = channel.tryRead(GREETING_BYTES, GREETING_BYTES)
    if (bytes === undefined) {
      // What comes in pieces, or never, has time.
      if (this.#hasWaited || channel.whenReadable(() => this.#greet()))
        readHello(channel).then(
          version => this.#serve(version),
          error => this.over(error),
        )
      this.#hasWaited = true
      return
    }
    let version: number
    try {
      version = decodeGreeting(bytes)
    } catch (error) {
      return this.over(error)
    }
    this.#serve(version)
  }

  #serve(version: number): void {
    if (this.#isOver) return
    const { text, log, timers, ending } = this.#parts
    const channel = this.#channel!
    if (this.#detached) return this.#leaveAlone(channel)
    const data = new DataChannel(channel, version)
    const input = (this.#input = new CallInput(data, log, timers))
    this.#served = new ServedCall(this.#command, text, data, input, this)
    channel.whenClosed(() => {
      if (!this.#isOver) this.#deserted().leave()
    })
    if (ending.begun.aborted) this.end()
    if (ending.isOver) this.cut()
    this.#run(this.#served, code => this.final(code))
  }

  /** Made when it is needed: for who watches the signal, and when something ends beside the service. */
  #deserted(): Desertion {
    return (this.#desertion ??= new Desertion(this.#parts.ending, this.#parts.timers, this.#input!, this))
  }

  /** The caller waits for nothing, and its port is to be freed: the handler goes on alone. */
  #leaveAlone(channel: ByteChannel): void {
    const { text, ending } = this.#parts
    channel
      .write(encodeNumbers(DATA_EXIT_CODE, 0))
      .then(() => {
        const [stdin, stdout, stderr] = [byteReader(text, noInput), sink(text), sink(text)]
        this.#run({ ...this.#command, stdin, stdout, stderr, signal: ending.begun }, () => {})
        this.over()
      })
      .catch(error => this.over(error))
  }

  #run(call: ServiceCall, done: (code: number) => void): void {
    const { working, rests, handler } = this.#parts
    const ended = (code: number | void): void => {
      rests(this)
      done(this.#codeOf(code))
    }
    const failed = (error: unknown): void => {
      rests(this)
      const { log, ending } = this.#parts
      if (this.#desertion?.isAborted || (this.#detached && ending.begun.aborted))
        log.debug(`${this.name} ended with its caller: ${describeBriefly(error)}`)
      else log.error(`${this.name} failed: ${describeError(error)}`)
      done(1)
    }
    working(this)
    let result: number | void | Promise<number | void>
    try {
      result = handler(this.#command)(call)
    } catch (error) {
      return failed(error)
    }
    if (typeof result === 'object' && result !== null) Promise.resolve(result).then(ended, failed)
    else ended(result)
  }

  #codeOf(code: number | void): number {
    if (code === undefined) return 0
    if (Number.isInteger(code) && (code as number) >= 0 && (code as number) <= 255) return code as number
    this.#parts.log.error(`${this.name} returned ${code}: an exit code is a number from 0 to 255`)
    return EXIT_PROBLEM
  }

  /**
   * Takes the rest of the caller's input. A caller that is writing reads the exit code afterwards, then ends its input; closing on it
   * meanwhile would make Linux's qrexec-client report an error instead of the exit code.
   */
  #linger(): void {
    if (this.#isOver) return
    // It may have gone as well, or the handler has left a read behind: all the same now.
    const rested = (): void => this.over()
    // A read that was given up is not waited for once more.
    if (this.#input!.isSilenced) drain(this.#input!, rested)
    else this.#served!.rest(rested)
    if (!this.#isOver) this.#timer = this.#parts.timers.set(LINGER, rested)
  }
}

function sink(text: Text): ByteWriter {
  return byteWriter(text, () => undefined)
}
