/** The qrexec agent: dom0 and other qubes call services here, and the program calls theirs. */
import { type ByteChannel, ChannelClosedError, type Channels } from '@xen-ts/drivers/channel'
import { describeBriefly, type Log, type Machine, type Timers } from '@xen-ts/runtime/machine'
import { supervise } from '../supervise.ts'
import { Text } from '../text.ts'
import { type BuiltinHooks, builtins, noShell, notFound } from './builtin.ts'
import { parseCommand } from './command.ts'
import { DataChannel, greet } from './data.ts'
import { type ServiceHandler, serveCall } from './incoming.ts'
import type { Input } from './input.ts'
import { OutgoingCall, QrexecError, QrexecRefusedError } from './outgoing.ts'
import { Turnstile } from './turnstile.ts'
import {
  CONNECTION_TERMINATED,
  CONTROL_PORT,
  type ControlMessage,
  checkControlLength,
  complaint,
  decodeControl,
  decodeHeader,
  EXIT_PROBLEM,
  encodeNumbers,
  encodeTrigger,
  FIRST_DATA_PORT,
  HEADER_BYTES,
  LAST_DATA_PORT,
  RING_BYTES,
} from './wire.ts'

/** How long (ms) either side of a data channel has to appear; the Linux agent waits as long. */
const DATA_TIMEOUT = 120_000
/** Calls under way. One daemon gives out 256 ports, a few may belong to its predecessor. */
const MAX_CALLS = 512
/** How long (ms) an outgoing call waits for dom0's daemon, which starts after the domain; `qrexec_timeout` of a qube is the same. */
const DAEMON_TIMEOUT = 60_000

/** One connection with dom0's daemon. Ports belong to it: they are given back to the daemon that gave them out, or to none. */
interface Session {
  readonly channel: ByteChannel
  readonly version: number
  /** Calls under way, as `domain:port`. */
  readonly calls: Set<string>
  /** Aborts with the connection: who has not opened a data channel by then will not do so. */
  readonly over: AbortController
}

interface Place {
  readonly session: Session
  readonly domain: number
  readonly port: number
}

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
  readonly #text: Text
  readonly #services = new Map<string, ServiceHandler>()
  readonly #builtin: ReadonlyMap<string, ServiceHandler>
  readonly #started: Promise<void>
  readonly #abort = new AbortController()
  /** Incoming calls under way. */
  #active = 0
  /** Outgoing calls dom0 has not decided on, by ident. */
  readonly #pending = new Map<string, { resolve(place: Place): void; reject(error: Error): void }>()
  readonly #turnstile: Turnstile
  /** The control channel, from before the greeting on. */
  #channel: ByteChannel | undefined
  #session: Session | undefined
  #waiting: (() => void)[] = []
  #idents = 0

  constructor({ machine, channels, hooks = {}, started = Promise.resolve() }: QrexecOptions) {
    this.#started = started
    this.#builtin = builtins(hooks)
    this.#channels = channels
    this.#timers = machine.timers
    this.#log = machine.log('qrexec')
    this.#text = new Text(machine.abi)
    this.#turnstile = new Turnstile(machine.timers)
  }

  /** Serves dom0, and again after its daemon's restart. Resolves after `close`, never rejects. */
  run(): Promise<void> {
    return supervise({ timers: this.#timers, log: this.#log, signal: this.#abort.signal, run: () => this.#converse() })
  }

  /** Ends all calls and the connection. */
  close(): void {
    this.#abort.abort()
    this.#channel?.close()
  }

  /** Whether dom0's daemon is connected. */
  get connected(): boolean {
    return this.#session !== undefined
  }

  /**
   * Offers a service to whom dom0's policy allows. It takes the place of a built-in one with the same name.
   * From then on a promise that is rejected without a handler is logged and ends nothing, unless the domain was started with --strict.
   * @param name without a `+`; the handler finds the argument in `call.argument`
   */
  service(name: string, handler: ServiceHandler): void {
    if (!/^[a-zA-Z0-9_.-]+$/.test(name)) {
      throw new TypeError(`'${name}' cannot be the name of a service: use letters, digits and _ . -`)
    }
    this.#services.set(name, handler)
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
    const abort = new AbortController()
    const quit = (): void => abort.abort(new QrexecError(`${name} was given up`))
    if (this.#abort.signal.aborted) quit()
    this.#abort.signal.addEventListener('abort', quit)
    /** Set when no key of ours leads to the port any more: dom0 may give it to the next call as soon as it has it back. */
    let served: { place: Place; channel?: ByteChannel } | undefined
    const open = async (): Promise<ByteChannel> => {
      const place = await this.#ask(name, target, service, abort.signal)
      const {
        session: { over },
        domain,
        port,
      } = place
      // A new daemon may give the port to another call.
      const lost = (): void => abort.abort(new QrexecError(`the connection with dom0 was lost before ${name} had begun: call again`))
      if (over.signal.aborted) lost()
      over.signal.addEventListener('abort', lost)
      const channel = await this.#timed(abort.signal, DATA_TIMEOUT, `${name}: the other qube did not connect`, signal =>
        this.#channels.serve(domain, port, { readSize: RING_BYTES, writeSize: RING_BYTES, signal }),
      ).finally(() => {
        over.signal.removeEventListener('abort', lost)
        served = { place }
      })
      // Given up at this very moment: nobody else knows of the channel.
      if (abort.signal.aborted) channel.close()
      abort.signal.throwIfAborted()
      served = { place, channel }
      abort.signal.addEventListener('abort', () => channel.close())
      return channel
    }
    const connect = async (): Promise<DataChannel> => {
      await this.#daemon(name, abort.signal)
      const channel = await this.#turnstile.pass(abort.signal, open)
      return new DataChannel(channel, await greet(channel))
    }
    const release = (): void => {
      quit()
      this.#abort.signal.removeEventListener('abort', quit)
      served?.channel?.close()
      if (served !== undefined) this.#terminated(served.place)
      served = undefined
    }
    const data = connect()
    data.catch(release)
    return new OutgoingCall(name, this.#text, input, data, release)
  }

  async #converse(): Promise<void> {
    const { signal } = this.#abort
    const channel = (this.#channel = await this.#channels.serve(0, CONTROL_PORT, { readSize: RING_BYTES, writeSize: RING_BYTES, signal }))
    const over = new AbortController()
    try {
      signal.throwIfAborted() // close() did not see the channel
      // The agent speaks first (qrexec-agent.c), although it served the channel.
      const session: Session = { channel, version: await greet(channel), calls: new Set(), over }
      this.#session = session
      this.#log.info(`connected to dom0, protocol ${session.version}`)
      for (const resume of this.#waiting.splice(0)) resume()
      for (;;) {
        const bytes = await channel.readExactly(HEADER_BYTES)
        if (bytes === undefined) break
        const header = decodeHeader(bytes)
        checkControlLength(header)
        const body = header.length === 0 ? new Uint8Array(0) : await channel.readExactly(header.length)
        if (body === undefined) break
        this.#handle(session, decodeControl(this.#text, header.type, body))
      }
      if (!this.#abort.signal.aborted) this.#log.warn('the daemon in dom0 closed the connection')
    } finally {
      channel.close()
      this.#channel = this.#session = undefined
      over.abort(new ChannelClosedError('the connection with dom0 was lost'))
      const lost = new QrexecError('the connection with dom0 was lost before it had decided: call again')
      for (const { reject } of this.#pending.values()) reject(lost)
      this.#pending.clear()
    }
  }

  #handle(session: Session, message: ControlMessage): void {
    switch (message.kind) {
      case 'exec':
        return this.#execute({ session, domain: message.domain, port: message.port }, message.command, message.detached)
      case 'connect':
        return this.#connect({ session, domain: message.domain, port: message.port }, message.ident)
      case 'refused': {
        // The text of the error is made where the call was.
        this.#pending.get(message.ident)?.reject(new QrexecRefusedError('refused'))
        this.#pending.delete(message.ident)
        return
      }
      case 'unknown':
        return this.#log.debug(`dom0 sent a message of unknown type 0x${message.type.toString(16)}, ignored`)
    }
  }

  #execute(place: Place, line: string | undefined, detached: boolean): void {
    const wrong = this.#unusable(place)
    if (wrong !== undefined) return this.#log.error(`a call from domain ${place.domain} was ignored: ${wrong}`)
    if (this.#active >= MAX_CALLS) {
      this.#log.error(`a call from domain ${place.domain} was dropped: ${MAX_CALLS} are under way`)
      return this.#terminated(place)
    }
    this.#active++
    place.session.calls.add(`${place.domain}:${place.port}`)
    void this.#answer(place, line, detached)
      .catch(error => {
        // Callers go when they like; only what breaks the protocol is worth a line.
        const line = `a call from domain ${place.domain} was lost: ${describeBriefly(error)}`
        if (error instanceof ChannelClosedError || this.#abort.signal.aborted) this.#log.debug(line)
        else this.#log.warn(line)
      })
      .finally(() => {
        this.#active--
        this.#terminated(place)
      })
  }

  async #answer(place: Place, line: string | undefined, detached: boolean): Promise<void> {
    const command = line === undefined ? undefined : parseCommand(line)
    const service = command?.service ?? ''
    const handler =
      command === undefined
        ? malformed
        : command.service === undefined
          ? noShell
          : (this.#services.get(service) ?? this.#builtin.get(service) ?? this.#late)
    const channel = await this.#timed(place.session.over.signal, DATA_TIMEOUT, 'the caller did not open its data channel', signal =>
      this.#channels.connect(place.domain, place.port, { signal }),
    )
    try {
      const { user, argument, source } = command ?? { user: '', argument: '', source: `domain ${place.domain}` }
      this.#log.debug(`${service === '' ? 'a command' : service} for ${source === '' ? 'dom0' : source}`)
      await serveCall(channel, {
        command: { user, service, argument, source },
        handler,
        detached,
        text: this.#text,
        log: this.#log,
        timers: this.#timers,
        signal: this.#abort.signal,
      })
    } finally {
      channel.close()
    }
  }

  /** dom0 may call as soon as it sees the agent, and the program begins a moment later. */
  readonly #late: ServiceHandler = async call => {
    await this.#started
    return (this.#services.get(call.service) ?? notFound)(call)
  }

  /** dom0 allowed an outgoing call. */
  #connect(place: Place, ident: string): void {
    const wrong = this.#unusable(place)
    if (wrong !== undefined) return this.#log.error(`an answer for domain ${place.domain} was ignored: ${wrong}`)
    const pending = this.#pending.get(ident)
    this.#pending.delete(ident)
    // Nobody waits for it any more: the port must go back all the same.
    if (pending === undefined) return this.#terminated(place)
    place.session.calls.add(`${place.domain}:${place.port}`)
    pending.resolve(place)
  }

  #unusable({ session, domain, port }: Place): string | undefined {
    if (port < FIRST_DATA_PORT || port > LAST_DATA_PORT) {
      return `port ${port} is not one of ${FIRST_DATA_PORT} to ${LAST_DATA_PORT}`
    }
    // DOMID_FIRST_RESERVED (xen.h)
    if (domain >= 0x7ff0) return `domain ${domain} does not exist`
    if (session.calls.has(`${domain}:${port}`)) return `port ${port} is in use by a call`
    return undefined
  }

  /** The connection with dom0, once there is one. */
  async #daemon(name: string, signal: AbortSignal): Promise<Session> {
    const late = `${name} cannot be called: dom0's daemon did not connect`
    while (this.#session === undefined) {
      await this.#timed(
        signal,
        DAEMON_TIMEOUT,
        late,
        signal =>
          new Promise<void>((resolve, reject) => {
            this.#waiting.push(resolve)
            signal.addEventListener('abort', () => reject(signal.reason))
          }),
      )
    }
    return this.#session
  }

  /** Asks dom0 for a call and waits for its decision, which may be the user's. */
  async #ask(name: string, target: string, service: string, signal: AbortSignal): Promise<Place> {
    const session = await this.#daemon(name, signal)
    const wrong = complaint(session.version, target, service)
    if (wrong !== undefined) throw new QrexecError(`${name} cannot be called: ${wrong}`)
    const ident = `xen-ts ${++this.#idents}`
    try {
      return await new Promise<Place>((resolve, reject) => {
        this.#pending.set(ident, { resolve, reject })
        signal.addEventListener('abort', () => {
          // At once: an answer that comes now is for nobody, and its port goes back.
          this.#pending.delete(ident)
          reject(signal.reason)
        })
        session.channel.write(encodeTrigger(this.#text, session.version, target, service, ident)).catch(reject)
      })
    } catch (error) {
      this.#pending.delete(ident)
      if (!(error instanceof QrexecRefusedError)) throw error
      throw new QrexecRefusedError(`dom0 refused ${name}: look at its policy (/etc/qubes/policy.d) and whether the target exists`)
    }
  }

  /** Runs something that heeds its signal, with a deadline in ms. */
  async #timed<T>(signal: AbortSignal, deadline: number, late: string, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    signal.throwIfAborted()
    const limited = new AbortController()
    const abort = (): void => limited.abort(signal.reason)
    signal.addEventListener('abort', abort)
    const timer = this.#timers.set(deadline, () => limited.abort(new QrexecError(`${late} within ${deadline / 1000} s`)))
    try {
      return await run(limited.signal)
    } finally {
      timer.cancel()
      signal.removeEventListener('abort', abort)
    }
  }

  /** Gives a port back: dom0 has 256 for this qube, and never takes one by itself. */
  #terminated({ session, domain, port }: Place): void {
    session.calls.delete(`${domain}:${port}`)
    if (this.#session === session) session.channel.write(encodeNumbers(CONNECTION_TERMINATED, domain, port)).catch(() => {})
  }
}

const malformed: ServiceHandler = async ({ stderr }) => {
  await stderr.write('the command line is not of the form user:command\n')
  return EXIT_PROBLEM
}
