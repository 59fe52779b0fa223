/** The services of this qube, and the calls of them that are under way. */
import { ChannelClosedError, type Channels } from '@xen-ts/drivers/channel'
import { describeBriefly, type Log, type Timer, type Timers } from '@xen-ts/runtime/machine'
import type { Text } from '../text.ts'
import { noShell, notFound } from './builtin.ts'
import { type Command, parseCommand } from './command.ts'
import type { Ending } from './desertion.ts'
import { QrexecError } from './errors.ts'
import { IncomingCall, type IncomingParts, type ServiceHandler } from './incoming.ts'
import type { ServiceCommand } from './served-call.ts'
import type { Place, Session } from './session.ts'
import { DATA_TIMEOUT, EXIT_PROBLEM } from './wire.ts'

/** How long (ms) a caller that was announced may take to open its data channel when this qube shuts down: it is told, and goes. */
const ARRIVAL = 1_000
/** Calls under way. One daemon gives out 256 ports, a few may belong to its predecessor. */
const MAX_CALLS = 512

export interface ServicesParts {
  readonly channels: Channels
  readonly timers: Timers
  readonly log: Log
  readonly text: Text
  /** What every qube has; a service of the program with the same name comes first. */
  readonly builtin: ReadonlyMap<string, ServiceHandler>
  /** Until it resolves, a call of a service that is not there waits: the program has not begun. */
  readonly started: Promise<void>
}

export class Services {
  readonly #parts: ServicesParts
  readonly #handlers = new Map<string, ServiceHandler>()
  /** Calls from their announcement to the end of their channel. */
  readonly #calls = new Set<IncomingCall>()
  /** Of them, and of those that have no channel (JUST_EXEC): whose services are at work. */
  readonly #working = new Set<IncomingCall>()
  readonly #begun = new AbortController()
  readonly #ending: Ending & { isOver: boolean } = { begun: this.#begun.signal, isOver: false }
  readonly #callParts: IncomingParts
  #arrival: Timer | undefined
  #lookout: Timer | undefined
  /** Set when who has not come to the connection by now is not waited for. */
  #shut: Error | undefined
  #drained: (() => void)[] = []
  #emptied: (() => void)[] = []

  constructor(parts: ServicesParts) {
    this.#parts = parts
    const { channels, timers, log, text } = parts
    this.#callParts = {
      channels,
      timers,
      log,
      text,
      ending: this.#ending,
      handler: command => this.#handler(command),
      working: call => this.#working.add(call),
      rests: call => {
        this.#working.delete(call)
        this.#settle()
      },
      over: (call, error) => this.#over(call, error),
    }
  }

  /** @throws TypeError for a name that no call could have */
  add(name: string, handler: ServiceHandler): void {
    if (!/^[a-zA-Z0-9_.-]+$/.test(name)) {
      throw new TypeError(`'${name}' cannot be the name of a service: use letters, digits and _ . -`)
    }
    this.#handlers.set(name, handler)
  }

  /** This qube ends: services are told, and no further call is served. */
  end(): void {
    if (this.#begun.signal.aborted) return
    const reason = new ChannelClosedError('this qube shuts down')
    this.#begun.abort(reason)
    for (const call of [...this.#calls]) call.end()
    this.#arrival = this.#parts.timers.set(ARRIVAL, () => this.#shutOut(reason))
  }

  /** The connection over which calls were announced is over: who has not opened a data channel by then will not do so. */
  lost(session: Session, reason: Error): void {
    for (const call of [...this.#calls]) if (call.place.session === session) call.lose(reason)
  }

  /** Resolves when no call is under way, and no service at work. */
  async drained(): Promise<void> {
    while (this.#calls.size + this.#working.size > 0) {
      await new Promise<void>(resolve => {
        this.#drained.push(resolve)
      })
    }
  }

  /** Ends all calls: who is there is told an exit code. Resolves when their channels are closed. */
  async close(): Promise<void> {
    this.end()
    this.#arrival?.cancel()
    this.#lookout?.cancel()
    this.#lookout = undefined
    if (!this.#ending.isOver) {
      for (const { name } of this.#working)
        this.#parts.log.warn(`${name} did not end with this qube; it is left behind, let it watch 'signal'`)
      this.#ending.isOver = true
      for (const call of [...this.#calls]) call.cut()
    }
    this.#shutOut(new ChannelClosedError('this qube shuts down'))
    if (this.#calls.size > 0)
      await new Promise<void>(resolve => {
        this.#emptied.push(resolve)
      })
  }

  #shutOut(reason: Error): void {
    this.#shut ??= reason
    for (const call of [...this.#calls]) call.shut(reason)
  }

  /**
   * Answers a call, and gives its place back.
   * @param line the command, undefined when it has no end
   */
  execute(place: Place, line: string | undefined, detached: boolean): void {
    const { log } = this.#parts
    if (this.#calls.size >= MAX_CALLS) {
      log.error(`a call from domain ${place.domain} was dropped: ${MAX_CALLS} are under way`)
      return place.session.giveBack(place)
    }
    const command = line === undefined ? undefined : parseCommand(line)
    const call =
      command?.service !== undefined
        ? new IncomingCall(this.#callParts, place, command as ServiceCommand, detached)
        : this.#strange(place, command, detached)
    this.#calls.add(call)
    call.start()
    this.#lookout ??= this.#parts.timers.set(DATA_TIMEOUT, () => this.#look())
    if (this.#shut !== undefined) call.shut(this.#shut)
  }

  /** What calls no service: a handler says so. */
  #strange(place: Place, command: Command | undefined, detached: boolean): IncomingCall {
    const handler = command === undefined ? malformed : noShell
    const { user, argument, source } = command ?? { user: '', argument: '', source: `domain ${place.domain}` }
    return new IncomingCall({ ...this.#callParts, handler: () => handler }, place, { user, service: '', argument, source }, detached)
  }

  /** One timer for all that come: each has the same time. */
  #look(): void {
    const { timers } = this.#parts
    const now = timers.now()
    let next = Infinity
    for (const call of [...this.#calls]) {
      if (!call.isAwaited) continue
      if (call.deadline <= now) call.late()
      else if (call.deadline < next) next = call.deadline
    }
    this.#lookout = next === Infinity ? undefined : timers.set(next - now, () => this.#look())
  }

  #over(call: IncomingCall, error: unknown): void {
    const { log } = this.#parts
    if (error !== undefined) {
      // Callers go when they like; only what breaks the protocol is worth a line.
      const line = `a call from domain ${call.place.domain} was lost: ${describeBriefly(error)}`
      if (error instanceof ChannelClosedError || error instanceof QrexecError || this.#ending.isOver) log.debug(line)
      else log.warn(line)
    }
    this.#calls.delete(call)
    this.#settle()
    call.place.session.giveBack(call.place)
    if (this.#calls.size === 0) for (const resolve of this.#emptied.splice(0)) resolve()
  }

  #settle(): void {
    if (this.#calls.size + this.#working.size === 0) for (const resolve of this.#drained.splice(0)) resolve()
  }

  #handler({ service }: ServiceCommand): ServiceHandler {
    if (this.#begun.signal.aborted) return this.#parts.builtin.get(service) ?? ending
    return this.#handlers.get(service) ?? this.#parts.builtin.get(service) ?? this.#late
  }

  /** dom0 may call as soon as it sees the agent, and the program begins a moment later. */
  readonly #late: ServiceHandler = async call => {
    await this.#parts.started
    return (this.#handlers.get(call.service) ?? notFound)(call)
  }
}

const malformed: ServiceHandler = async ({ stderr }) => {
  await stderr.write('the command line is not of the form user:command\n')
  return EXIT_PROBLEM
}

const ending: ServiceHandler = async ({ stderr }) => {
  await stderr.write('this qube is shutting down\n')
  return EXIT_PROBLEM
}
