/**
 * dom0's side of qrexec for one domain: the daemon on the control channel, and the client of each call. As strict as the real
 * daemon, and stricter where that one forgives (see `Frames`). Written from the protocol, not from the guest's code.
 */
import type { ByteChannel } from '@xen-ts/drivers/channel'
import { Frames, hello, message } from './qrexec-frames.ts'
import { DaemonDied } from './qubesdb.ts'

export interface CallOptions {
  readonly input?: string | Uint8Array | AsyncIterable<Uint8Array>
  /** `user` unless told otherwise. */
  readonly user?: string
  /** The calling qube; `dom0` unless told otherwise. */
  readonly source?: string
  /** JUST_EXEC: no streams, exit code 0 at once. */
  readonly justExec?: boolean
  /** Called with output as it comes. */
  readonly onStdout?: (bytes: Buffer) => void
  readonly onStderr?: (bytes: Buffer) => void
  /** Closes the data channel: the caller goes away. */
  readonly signal?: AbortSignal
}

export interface CallResult {
  readonly code: number
  readonly stdout: Buffer
  readonly stderr: Buffer
}

/** A call the domain makes to dom0. */
export interface Request {
  readonly target: string
  /** Without the argument. */
  readonly service: string
  readonly argument: string
}

/** The work of a service: from its whole input to its output. */
export type Answer = (input: Buffer) => string | Partial<CallResult> | Promise<string | Partial<CallResult>>

/** Answers a call of the domain, or refuses it: with undefined, or with the reason. */
export type Decision = undefined | string | Answer

/** Decides at once, or after a while: then a user is asked. */
export type Policy = (request: Request) => Decision | Promise<Decision>

/** How long (ms) an executor in dom0 waits for the domain's server (qrexec-daemon.c). */
const EXECUTOR_PATIENCE = 5_000

export interface QrexecDaemonOptions {
  readonly domid: number
  /** vchan client of the domain's server on a port. */
  connect(port: number, signal?: AbortSignal): Promise<ByteChannel>
  /** vchan server for the domain on a port, 65536 bytes each way. */
  serve(port: number): Promise<ByteChannel>
  readonly policy?: Policy
  /** How long (ms) the executor of a call waits for the domain's server: 5,000 unless told otherwise. */
  readonly executorPatience?: number
  /** What the daemon speaks at most: 2 is R4.0, 3 is R4.1 and R4.2, 4 is R4.3, which repeats what the agent said. */
  readonly version?: 2 | 3 | 4
  readonly log?: (line: string) => void
}

const died = (why: string): DaemonDied => new DaemonDied('qrexec-daemon', why)

export class QrexecDaemon {
  readonly #options: QrexecDaemonOptions
  readonly #ports = new Set<number>()
  #channel: ByteChannel | undefined
  #version = 0
  #stopped = false
  #waiting: (() => void)[] = []
  #died: unknown
  /** Aborts with the connection: calls whose data channel is not open by then will have none. */
  #over = new AbortController()

  constructor(options: QrexecDaemonOptions) {
    this.#options = options
  }

  /** Ports of calls for which CONNECTION_TERMINATED has not come. */
  get portsInUse(): number[] {
    return [...this.#ports].sort((a, b) => a - b)
  }

  /** Serves the agent, over its reconnects, until `stop`. Rejects with DaemonDied when the real daemon would exit. */
  async run(): Promise<void> {
    try {
      while (!this.#stopped) await this.#converse()
    } catch (error) {
      this.#died = error
      throw error
    } finally {
      this.#wake()
    }
  }

  stop(): void {
    this.#stopped = true
    this.#channel?.close()
  }

  /** Closes the control channel, as when the daemon is restarted. */
  disconnect(): void {
    this.#channel?.close()
  }

  /** Resolves when the agent has greeted. */
  async connected(): Promise<void> {
    await this.until(() => this.#version > 0)
  }

  /** Resolves when `condition` holds, looked at after each message of the agent; rejects when the daemon dies first. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.#died !== undefined) throw this.#died
      await new Promise<void>(resolve => {
        this.#waiting.push(resolve)
      })
    }
  }

  /** qvm-run, or another qube's call of `service` (with `+argument`), which policy allowed. */
  call(service: string, options: CallOptions = {}): Promise<CallResult> {
    return this.command(`QUBESRPC ${service} ${options.source ?? 'dom0'}`, options)
  }

  /** Any command line after `user:`. */
  async command(command: string, options: CallOptions = {}): Promise<CallResult> {
    await this.connected()
    const port = this.#allocate()
    const body = Buffer.concat([numbers(0, port), Buffer.from(`${options.user ?? 'user'}:${command}\0`)])
    const served = this.#options.serve(port)
    served.catch(() => {})
    await this.#channel!.write(message(options.justExec ? 0x201 : 0x200, body))
    const channel = await served
    options.signal?.addEventListener('abort', () => channel.close())
    try {
      return await this.#client(new Frames(channel, await hello(channel, this.#dataVersion)), options)
    } finally {
      channel.close()
    }
  }

  /** Resolves when the agent has given all ports back. */
  async idle(): Promise<void> {
    await this.until(() => this.#ports.size === 0)
  }

  /** Sends a control message as it is; `port`, if it is about one, is in use from now on. */
  async sendRaw(bytes: Uint8Array, port?: number): Promise<void> {
    await this.connected()
    if (port !== undefined) this.#ports.add(port)
    await this.#channel!.write(bytes)
  }

  /** Data channels negotiate on their own, by the same releases' programs. */
  get #dataVersion(): number {
    return this.#options.version ?? 3
  }

  async #client(frames: Frames, { input = '', justExec, onStdout, onStderr }: CallOptions): Promise<CallResult> {
    // Before R4.3 a client that cannot write its input exits without the exit code: the executor must take it all, read or not.
    const [result] = await Promise.all([frames.result({ onStdout, onStderr, justExec }), justExec ? undefined : frames.feed(0x190, input)])
    return result
  }

  async #converse(): Promise<void> {
    const channel = (this.#channel = await this.#options.connect(512).catch((cause: unknown) => {
      throw new Error('the qrexec agent cannot be reached: the qube has ended, or was never there', { cause })
    }))
    const over = (this.#over = new AbortController())
    try {
      if (this.#stopped) return
      const first = await read(channel)
      if (first === undefined) return
      if (first.type !== 0x300 || first.body.length !== 4) {
        throw died(`the first message is 0x${first.type.toString(16)}, not HELLO`)
      }
      const theirs = first.body.readUInt32LE(0)
      if (theirs < 2) throw died(`the agent speaks version ${theirs}`)
      const own = this.#options.version ?? 3
      await channel.write(message(0x300, numbers(own === 4 ? theirs : own)))
      this.#version = Math.min(own, theirs)
      this.#options.log?.(`qrexec: agent connected, protocol ${this.#version}`)
      this.#wake()
      for (let next; (next = await read(channel)) !== undefined; this.#wake()) this.#handle(next.type, next.body)
    } finally {
      channel.close()
      over.abort(new Error('the agent has gone'))
      this.#version = 0
      this.#ports.clear()
      this.#wake()
    }
  }

  #handle(type: number, body: Buffer): void {
    switch (type) {
      case 0x211: {
        if (body.length !== 8) throw died(`CONNECTION_TERMINATED of ${body.length} bytes`)
        const port = body.readUInt32LE(4)
        if (port < 513 || port > 768) throw died(`CONNECTION_TERMINATED for port ${port}`)
        // The real daemon takes it in silence; here it is a slip of the agent: the port might belong to another call by now.
        if (!this.#ports.delete(port)) throw died(`CONNECTION_TERMINATED for port ${port}, which no call has`)
        return
      }
      case 0x210:
        if (this.#version >= 3) throw died('TRIGGER_SERVICE in protocol 3')
        if (body.length !== 128) throw died(`TRIGGER_SERVICE of ${body.length} bytes`)
        return void this.#trigger(field(body, 64, 32), field(body, 0, 64), body.subarray(96, 128))
      case 0x212:
        if (this.#version < 3) throw died('TRIGGER_SERVICE3 in protocol 2')
        if (body.length <= 96 || body.length > 96 + 65001) throw died(`TRIGGER_SERVICE3 of ${body.length} bytes`)
        if (body.at(-1) !== 0) throw died('TRIGGER_SERVICE3 with a service that has no end')
        return void this.#trigger(field(body, 0, 64), body.toString('utf8', 96, body.length - 1), body.subarray(64, 96))
      default:
        throw died(`message of type 0x${type.toString(16)}`)
    }
  }

  async #trigger(target: string, name: string, ident: Buffer): Promise<void> {
    const channel = this.#channel!
    const end = ident.indexOf(0)
    const legal = end >= 0 && /^[0-9A-Za-z _.-]+$/.test(ident.toString('latin1', 0, end)) && ident.subarray(end).every(byte => byte === 0)
    const [service, ...argument] = name.split('+')
    const answer =
      !legal || !/^[a-zA-Z0-9@:._-]*$/.test(target) || !/^[a-zA-Z0-9_.-]+(\+[a-zA-Z0-9_.+-]*)?$/.test(name)
        ? 'forbidden characters'
        : ((await this.#options.policy?.({ target, service, argument: argument.join('+') })) ?? 'no policy')
    if (this.#channel !== channel) return
    this.#options.log?.(`qrexec: ${name} to ${target}: ${typeof answer === 'string' ? `denied, ${answer}` : 'allowed'}`)
    if (typeof answer === 'string') return void channel.write(message(0x203, ident))
    const port = this.#allocate()
    void channel.write(message(0x202, Buffer.concat([numbers(0, port), ident])))
    void this.#execute(port, answer).catch(error => this.#options.log?.(`qrexec: ${name} failed: ${String(error)}`))
  }

  async #execute(port: number, answer: Answer): Promise<void> {
    const patience = AbortSignal.timeout(this.#options.executorPatience ?? EXECUTOR_PATIENCE)
    const channel = await this.#options.connect(port, AbortSignal.any([this.#over.signal, patience]))
    try {
      const frames = new Frames(channel, await hello(channel, this.#dataVersion))
      const output = await answer(await frames.input())
      const {
        code = 0,
        stdout = Buffer.alloc(0),
        stderr = Buffer.alloc(0),
      } = typeof output === 'string' ? { stdout: Buffer.from(output) } : output
      await frames.feed(0x192, stderr)
      await frames.feed(0x191, stdout)
      await channel.write(message(0x193, numbers(code)))
    } finally {
      channel.close()
    }
  }

  #allocate(): number {
    for (let port = 513; port <= 768; port++) {
      if (this.#ports.has(port)) continue
      this.#ports.add(port)
      return port
    }
    throw new Error('all 256 ports are in use: the agent does not give them back, or too many calls are under way')
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }
}

/** A message of the control channel. The real daemon takes a body with one recv: it must fit the ring. */
async function read(channel: ByteChannel): Promise<{ type: number; body: Buffer } | undefined> {
  const header = await channel.readExactly(8)
  if (header === undefined) return undefined
  const [type, length] = [Buffer.from(header).readUInt32LE(0), Buffer.from(header).readUInt32LE(4)]
  if (length > 65536) throw died(`message 0x${type.toString(16)} of ${length} bytes`)
  const body = length === 0 ? new Uint8Array(0) : await channel.readExactly(length)
  return body === undefined ? undefined : { type, body: Buffer.from(body) }
}

function field(body: Buffer, offset: number, length: number): string {
  const bytes = body.subarray(offset, offset + length)
  const end = bytes.indexOf(0)
  if (end < 0) throw died('a name that has no end')
  return bytes.toString('utf8', 0, end)
}

function numbers(...values: number[]): Buffer {
  const body = Buffer.alloc(values.length * 4)
  values.forEach((value, index) => body.writeUInt32LE(value, index * 4))
  return body
}
