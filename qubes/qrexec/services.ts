/** The services of this qube, and the calls of them that are under way. */
import { ChannelClosedError, type Channels } from '@xen-ts/drivers/channel.ts'
import type { Log } from '@xen-ts/runtime/log.ts'
import type { Timers } from '@xen-ts/runtime/machine.ts'
import { describe } from '../supervise.ts'
import type { Text } from '../text.ts'
import { noShell, notFound } from './builtin.ts'
import { parseCommand } from './command.ts'
import { withDeadline } from './deadline.ts'
import { type ServiceHandler, serveCall } from './incoming.ts'
import type { Place } from './session.ts'
import { DATA_TIMEOUT, EXIT_PROBLEM } from './wire.ts'

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
  /** Ends all calls. */
  readonly signal: AbortSignal
}

export class Services {
  readonly #parts: ServicesParts
  readonly #handlers = new Map<string, ServiceHandler>()
  #active = 0

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

  /**
   * Answers a call, and gives its place back.
   * @param line the command, undefined when it has no end
   */
  execute(place: Place, line: string | undefined, detached: boolean): void {
    const { log, signal } = this.#parts
    if (this.#active >= MAX_CALLS) {
      log.error(`a call from domain ${place.domain} was dropped: ${MAX_CALLS} are under way`)
      return place.session.giveBack(place)
    }
    this.#active++
    void this.#answer(place, line, detached)
      .catch(error => {
        // Callers go when they like; only what breaks the protocol is worth a line.
        const line = `a call from domain ${place.domain} was lost: ${describe(error)}`
        if (error instanceof ChannelClosedError || signal.aborted) log.debug(line)
        else log.warn(line)
      })
      .finally(() => {
        this.#active--
        place.session.giveBack(place)
      })
  }

  async #answer({ session, domain, port }: Place, line: string | undefined, detached: boolean): Promise<void> {
    const { channels, timers, log, text, signal } = this.#parts
    const command = line === undefined ? undefined : parseCommand(line)
    const service = command?.service ?? ''
    const channel = await withDeadline(timers, session.over, DATA_TIMEOUT, 'the caller did not open its data channel', signal =>
      channels.connect(domain, port, { signal }),
    )
    try {
      const { user, argument, source } = command ?? { user: '', argument: '', source: `domain ${domain}` }
      log.debug(`${service === '' ? 'a command' : service} for ${source === '' ? 'dom0' : source}`)
      const handler = command === undefined ? malformed : command.service === undefined ? noShell : this.#handler(service)
      await serveCall(channel, { command: { user, service, argument, source }, handler, detached, text, log, timers, signal })
    } finally {
      channel.close()
    }
  }

  #handler(service: string): ServiceHandler {
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
