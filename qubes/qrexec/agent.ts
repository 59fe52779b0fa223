/** The qrexec agent: dom0 and other qubes call services here, and the program calls theirs. */
import { type ByteChannel, ChannelClosedError, type Channels } from '@xen-ts/drivers/channel'
import { type Log, limitedLog, type Machine, type Timers } from '@xen-ts/runtime/machine'
import { type Attempt, supervise } from '../supervise.ts'
import { Text } from '../text.ts'
import { type BuiltinHooks, builtins } from './builtin.ts'
import { greet } from './data.ts'
import type { ServiceHandler } from './incoming.ts'
import type { Input } from './input.ts'
import { Opening } from './opening.ts'
import { OutgoingCall } from './outgoing.ts'
import { Requests } from './requests.ts'
import { Services } from './services.ts'
import { Session } from './session.ts'
import { Turnstile } from './turnstile.ts'
import { CONTROL_PORT, type ControlMessage, checkControlLength, decodeControl, decodeHeader, HEADER_BYTES, RING_BYTES } from './wire.ts'

export interface QrexecOptions {
  readonly machine: Pick<Machine, 'abi' | 'timers' | 'log'>
  readonly channels: Channels
  /** What some of the services that dom0 calls have to do. */
  readonly hooks?: BuiltinHooks
  /** Until it resolves, a call of a service that is not there waits: the program has not begun. Default: it has. */
  readonly started?: Promise<void>
}

export class Qrexec {
  /** Called when the program offers a service. */
  onService: () => void = () => {}
  readonly #channels: Channels
  readonly #timers: Timers
  readonly #log: Log
  /** For what callers can cause. */
  readonly #limited: Log
  readonly #text: Text
  readonly #abort = new AbortController()
  readonly #services: Services
  readonly #requests: Requests
  readonly #turnstile: Turnstile
  /** The control channel, from before the greeting on. */
  #channel: ByteChannel | undefined

  constructor({ machine, channels, hooks = {}, started = Promise.resolve() }: QrexecOptions) {
    const { timers } = machine
    this.#channels = channels
    this.#timers = timers
    this.#log = machine.log('qrexec')
    this.#limited = limitedLog(this.#log, () => timers.now())
    this.#text = new Text(machine.abi)
    this.#services = new Services({
      channels,
      timers,
      log: this.#limited,
      text: this.#text,
      builtin: builtins(hooks),
      started,
    })
    this.#requests = new Requests(timers, this.#text)
    this.#turnstile = new Turnstile(timers)
  }

  /** Serves dom0, and again after its daemon's restart. Resolves after `close`, when no channel is open any more; never rejects. */
  async run(): Promise<void> {
    const { signal } = this.#abort
    await supervise({ timers: this.#timers, log: this.#log, signal, run: attempt => this.#converse(attempt) })
    await this.#services.close()
  }

  /** This qube ends: the signal of each call of a service aborts, and further calls are refused. The program still calls others. */
  end(): void {
    this.#services.end()
  }

  /** Resolves when no service of this qube is at work. */
  drained(): Promise<void> {
    return this.#services.drained()
  }

  /** Ends all calls, services with an exit code for their callers, then the connection. */
  close(): void {
    this.#abort.abort()
    void this.#services.close().then(() => this.#channel?.close())
  }

  /** Whether dom0's daemon is connected. */
  get connected(): boolean {
    return this.#requests.session !== undefined
  }

  /**
   * Offers a service to whom dom0's policy allows. It takes the place of a built-in one with the same name.
   * From then on a promise that is rejected without a handler is logged and ends nothing, unless the domain was started with --strict.
   * @param name without a `+`; the handler finds the argument in `call.argument`
   */
  service(name: string, handler: ServiceHandler): void {
    this.#services.add(name, handler)
    this.onService()
  }

  /**
   * Calls a service of another qube.
   * @param target name of a qube, `@default`, `@dispvm`, or `dom0`
   * @param service with its argument, such as `qubes.GetDate+nanoseconds`
   * @param input what the service reads from its stdin
   * @returns at once. Whether it was allowed shows when its output is read: QrexecRefusedError
   */
  call(target: string, service: string, input: Input = ''): OutgoingCall {
    const name = `${service} in ${target}`
    const parts = {
      channels: this.#channels,
      timers: this.#timers,
      requests: this.#requests,
      turnstile: this.#turnstile,
      signal: this.#abort.signal,
    }
    const opening = new Opening(parts, name, target, service)
    return new OutgoingCall(name, this.#text, input, opening.data, () => opening.release())
  }

  async #converse({ connected, log }: Attempt): Promise<void> {
    const { signal } = this.#abort
    const channel = (this.#channel = await this.#channels.serve(0, CONTROL_PORT, { readSize: RING_BYTES, writeSize: RING_BYTES, signal }))
    let session: Session | undefined
    connected()
    try {
      signal.throwIfAborted() // close() did not see the channel
      // The agent speaks first (qrexec-agent.c), although it served the channel.
      session = new Session(channel, await greet(channel))
      log.info(`connected to dom0, protocol ${session.version}`)
      this.#requests.connected(session)
      for (;;) {
        const bytes = channel.tryRead(HEADER_BYTES, HEADER_BYTES) ?? (await channel.readExactly(HEADER_BYTES))
        if (bytes === undefined) break
        const header = decodeHeader(bytes)
        checkControlLength(header)
        const { length } = header
        const body = length === 0 ? new Uint8Array(0) : (channel.tryRead(length, length) ?? (await channel.readExactly(length)))
        if (body === undefined) break
        this.#handle(session, decodeControl(this.#text, header.type, body))
      }
      if (!signal.aborted) log.warn('the daemon in dom0 closed the connection')
    } finally {
      channel.close()
      this.#channel = undefined
      if (session !== undefined) {
        const reason = new ChannelClosedError('the connection with dom0 was lost')
        session.end(reason)
        this.#services.lost(session, reason)
      }
      this.#requests.disconnected()
    }
  }

  #handle(session: Session, message: ControlMessage): void {
    switch (message.kind) {
      case 'exec': {
        const place = session.take(message.domain, message.port)
        if (typeof place === 'string') return this.#limited.error(`a call from domain ${message.domain} was ignored: ${place}`)
        return this.#services.execute(place, message.command, message.detached)
      }
      case 'connect': {
        const place = session.take(message.domain, message.port)
        if (typeof place === 'string') return this.#limited.error(`an answer for domain ${message.domain} was ignored: ${place}`)
        return this.#requests.allowed(message.ident, place)
      }
      case 'refused':
        return this.#requests.refused(message.ident)
      case 'unknown':
        return this.#limited.debug(`dom0 sent a message of unknown type 0x${message.type.toString(16)}, ignored`)
    }
  }
}
