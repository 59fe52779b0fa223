/** The services of this qube, and the calls of them that are under way. */
import { ChannelClosedError, type Channels } from '@xen-ts/drivers/channel'
import { describeBriefly, type Log, type Timer, type Timers } from '@xen-ts/runtime/machine'
import type { Text } from '../text.ts'
import { noShell, notFound } from './builtin.ts'
import { parseCommand } from './command.ts'
import { withDeadline } from './deadline.ts'
import { QrexecError } from './errors.ts'
import { type ServiceCall, type ServiceHandler, serveCall } from './incoming.ts'
import type { Place } from './session.ts'
import { DATA_TIMEOUT, EXIT_PROBLEM } from './wire.ts'

/** How long (ms) a caller that was killed keeps its port: what it left in xenstore may also be of a caller before, and this one about to come. */
const DEAD_CALLER = 8_000
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
  readonly #calls = new Set<Promise<void>>()
  /** Services at work, which may have no channel (JUST_EXEC): what they are called in a log. */
  readonly #working = new Set<{ readonly name: string }>()
  readonly #begun = new AbortController()
  readonly #over = new AbortController()
  /** Who has not come to the connection by then is not waited for. */
  readonly #shut = new AbortController()
  #arrival: Timer | undefined
  #drained: (() => void)[] = []

  constructor(parts: ServicesParts) {
    this.#parts = parts
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
    this.#arrival = this.#parts.timers.set(ARRIVAL, () => this.#shut.abort(reason))
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
    if (!this.#over.signal.aborted) {
      for (const { name } of this.#working)
        this.#parts.log.warn(`${name} did not end with this qube; it is left behind, let it watch 'signal'`)
    }
    this.#over.abort()
    this.#shut.abort(new ChannelClosedError('this qube shuts down'))
    await Promise.all(this.#calls)
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
    const call = this.#answer(place, line, detached)
      .catch(error => {
        // Callers go when they like; only what breaks the protocol is worth a line.
        const line = `a call from domain ${place.domain} was lost: ${describeBriefly(error)}`
        if (error instanceof ChannelClosedError || error instanceof QrexecError || this.#over.signal.aborted) log.debug(line)
        else log.warn(line)
      })
      .finally(() => {
        this.#calls.delete(call)
        this.#settle()
        place.session.giveBack(place)
      })
    this.#calls.add(call)
  }

  async #answer({ session, domain, port }: Place, line: string | undefined, detached: boolean): Promise<void> {
    const { channels, timers, log, text } = this.#parts
    const command = line === undefined ? undefined : parseCommand(line)
    const service = command?.service ?? ''
    const signals = [session.over, this.#shut.signal]
    const channel = await withDeadline(timers, signals, DATA_TIMEOUT, 'the caller did not open its data channel', signal =>
      channels.connect(domain, port, { signal, deadServer: DEAD_CALLER }),
    )
    const close = (): void => channel.close()
    // Until it has greeted there is no service that could end.
    this.#shut.signal.addEventListener('abort', close)
    try {
      const { user, argument, source } = command ?? { user: '', argument: '', source: `domain ${domain}` }
      log.debug(`${service === '' ? 'a command' : service} for ${source === '' ? 'dom0' : source}`)
      const handler = command === undefined ? malformed : command.service === undefined ? noShell : this.#handler(service)
      await serveCall(channel, {
        command: { user, service, argument, source },
        handler: call => {
          this.#shut.signal.removeEventListener('abort', close)
          return this.#work(handler, call)
        },
        detached,
        text,
        log,
        timers,
        ending: { begun: this.#begun.signal, over: this.#over.signal },
      })
    } finally {
      this.#shut.signal.removeEventListener('abort', close)
      channel.close()
    }
  }

  async #work(handler: ServiceHandler, call: ServiceCall): Promise<number | void> {
    const work = { name: `service ${call.service} for ${call.source}` }
    this.#working.add(work)
    try {
      return await handler(call)
    } finally {
      this.#working.delete(work)
      this.#settle()
    }
  }

  #settle(): void {
    if (this.#calls.size + this.#working.size === 0) for (const resolve of this.#drained.splice(0)) resolve()
  }

  #handler(service: string): ServiceHandler {
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
