/** QubesDB: the settings dom0 gives to this qube, live. */
import type { ByteChannel, Channels } from '@xen-ts/drivers/channel'
import { describeError, type Log, limitedLog, type Machine } from '@xen-ts/runtime/machine'
import { type Attempt, ProtocolError, supervise } from '../supervise.ts'
import { Text } from '../text.ts'
import { QubesDBError, type QubesNetwork, readNetwork } from './network.ts'
import { type Change, type Outcome, Replica } from './replica.ts'
import { bytesOf, textOf } from './value.ts'
import { complaint, decodeHeader, encode, HEADER_BYTES, PORT, RM, WRITE } from './wire.ts'

const EMPTY = new Uint8Array(0)
/** Names of the time zone database: whoever looks one up in a folder must not be led out of it. */
const TIMEZONE = /^(?!.*\.\.)[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_.+-]+)*$/

/** A WRITE or RM of this qube that dom0 has not answered yet. */
interface Request {
  readonly path: string
  readonly message: Uint8Array
  accepted(): Change[]
  resolve(): void
  reject(error: Error): void
}

export interface QubesDBOptions {
  readonly machine: Pick<Machine, 'abi' | 'timers' | 'log'>
  readonly channels: Pick<Channels, 'connect'>
}

export class QubesDB {
  /** Resolves when the keys are there for the first time. Never rejects; waits for as long as dom0 does not answer. */
  readonly synced: Promise<void>
  readonly #options: QubesDBOptions
  readonly #log: Log
  /** For what the daemon can cause. */
  readonly #limited: Log
  readonly #text: Text
  readonly #replica: Replica
  readonly #watches = new Set<{ path: string; handler: (change: Change) => void }>()
  /** In the order they were sent: the first is with dom0, the others wait for its answer. */
  readonly #requests: Request[] = []
  readonly #abort = new AbortController()
  #channel: ByteChannel | undefined
  #live = false
  #warned = false
  #synced!: () => void

  constructor(options: QubesDBOptions) {
    this.#options = options
    this.#log = options.machine.log('qubesdb')
    this.#limited = limitedLog(this.#log, () => options.machine.timers.now())
    this.#text = new Text(options.machine.abi)
    this.#replica = new Replica(this.#text)
    this.synced = new Promise(resolve => {
      this.#synced = resolve
    })
  }

  /** Connects, and again whenever dom0's daemon closed. Resolves after `close`, never rejects. */
  run(): Promise<void> {
    const { timers } = this.#options.machine
    return supervise({ timers, log: this.#log, signal: this.#abort.signal, run: attempt => this.#converse(attempt) })
  }

  close(): void {
    this.#abort.abort()
    this.#channel?.close()
  }

  /**
   * The value of a key, such as `/name`; undefined when there is none. A value is bytes: one that is not UTF-8 stands in the text as one of
   * U+DC80 to U+DCFF, and `write` puts it back.
   */
  get(path: string): string | undefined {
    return this.#replica.copy.keys.get(path)
  }

  /** The same as bytes. */
  bytes(path: string): Uint8Array | undefined {
    const value = this.get(path)
    return value === undefined ? undefined : bytesOf(this.#text, value)
  }

  /** Whether all keys of dom0 are here. More than fit are left out, which is a warning in the log. */
  get isWhole(): boolean {
    return this.#replica.copy.isWhole
  }

  /** Keys and values whose path begins with `prefix`, sorted by path. */
  list(prefix: string): [path: string, value: string][] {
    return [...this.#replica.copy.keys].filter(([path]) => path.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1))
  }

  /**
   * Writes a key, in dom0's copy too. At most 63 characters of path, 3071 bytes of value; text is written as UTF-8.
   * @throws TypeError for a value that is neither text nor bytes, QubesDBError when path or value are not legal, dom0 refused, or the connection ended
   */
  write(path: string, value: string | Uint8Array): Promise<void> {
    if (typeof value !== 'string' && !(value instanceof Uint8Array))
      return Promise.reject(new TypeError(`QubesDB cannot take '${path}': the value must be a string or a Uint8Array`))
    const data = typeof value === 'string' ? bytesOf(this.#text, value) : value
    const wrong = path.endsWith('/') ? 'a key does not end with /' : complaint(path, data)
    if (wrong !== undefined) return Promise.reject(new QubesDBError(`QubesDB cannot take '${path}': ${wrong}`))
    return this.#request(path, encode(this.#text, WRITE, path, data), () => [this.#replica.write(path, textOf(this.#text, data))])
  }

  /**
   * Removes a key, or with a `/` at the end all keys below. A key that is not there is removed already: nothing is sent, because the
   * daemon in dom0 would exit.
   * @throws QubesDBError as `write`
   */
  rm(path: string): Promise<void> {
    // '/' would remove the head of the daemon's list itself.
    const wrong = path === '/' ? 'the root cannot be removed' : complaint(path, EMPTY)
    if (wrong !== undefined) return Promise.reject(new QubesDBError(`QubesDB cannot remove '${path}': ${wrong}`))
    return this.#request(path, encode(this.#text, RM, path), () => this.#replica.remove(path))
  }

  /**
   * Calls `handler` for each change of a key, or with a `/` at the end of all keys below. Writing the same value again is a change:
   * dom0 commits firewall rules that way.
   * @returns ends the watch
   */
  watch(path: string, handler: (change: Change) => void): () => void {
    const watch = { path, handler }
    this.#watches.add(watch)
    return () => {
      this.#watches.delete(watch)
    }
  }

  /** Whether the qube has a netvm. */
  get hasNetwork(): boolean {
    return Boolean(this.get('/qubes-ip'))
  }

  /**
   * Addresses, as dom0 gives them.
   * @throws QubesDBError when the qube has no netvm, or a key is malformed
   */
  get network(): QubesNetwork {
    const network = readNetwork(path => this.get(path))
    if (network === undefined) {
      throw new QubesDBError('QubesDB has no /qubes-ip: this qube has no netvm; in dom0: qvm-prefs NAME netvm sys-firewall')
    }
    return network
  }

  /** Of this qube, as dom0 knows it. */
  get name(): string | undefined {
    return this.get('/name')
  }

  /** Class of the qube: AppVM, StandaloneVM, TemplateVM, DispVM. */
  get type(): string | undefined {
    return this.get('/type')
  }

  /** `qvm-prefs NAME debug`: whether somebody wants to see more. */
  get debug(): boolean {
    return this.get('/qubes-debug-mode') === '1'
  }

  /** Such as Europe/Berlin; undefined when dom0 keeps it to itself, or gives what is no name of one. */
  get timezone(): string | undefined {
    const name = this.get('/qubes-timezone')
    return name !== undefined && TIMEZONE.test(name) ? name : undefined
  }

  /** The settings `qvm-features NAME vm-config.KEY VALUE` made, by KEY. */
  get config(): ReadonlyMap<string, string> {
    const prefix = '/vm-config/'
    return new Map(this.list(prefix).map(([path, value]) => [path.slice(prefix.length), value]))
  }

  async #converse(attempt: Attempt): Promise<void> {
    attempt.log.info('connecting to server')
    const channel = await this.#options.channels.connect(0, PORT, { signal: this.#abort.signal })
    this.#channel = channel
    try {
      // At once: a client that goes without having asked is taken for a dead domain, and the daemon exits.
      await channel.write(this.#replica.connect())
      this.#abort.signal.throwIfAborted() // close() did not see the channel
      for (;;) {
        const bytes = channel.tryRead(HEADER_BYTES, HEADER_BYTES) ?? (await channel.readExactly(HEADER_BYTES))
        if (bytes === undefined) break
        const header = decodeHeader(this.#text, bytes)
        const { length } = header
        const data = length === 0 ? EMPTY : (channel.tryRead(length, length) ?? (await channel.readExactly(length)))
        if (data === undefined) break
        const outcome = this.#replica.receive(header, data)
        const { reply } = outcome
        if (reply !== undefined && !channel.tryWrite(reply)) await channel.write(reply)
        if (outcome.synced) {
          attempt.connected()
          attempt.log.info(`connected, ${this.#replica.copy.keys.size} keys`)
        }
        this.#apply(outcome)
        this.#checkWhole()
      }
      if (!this.#abort.signal.aborted) attempt.log.warn('the server closed the connection')
    } finally {
      this.#live = false
      channel.close()
      this.#channel = undefined
      for (const { path, reject } of this.#requests.splice(0)) {
        reject(
          new QubesDBError(`QubesDB was disconnected before it answered for '${path}': look at the key when it is back, and try again`),
        )
      }
    }
  }

  #apply({ changes, synced, verdict }: Outcome): void {
    if (synced) {
      this.#live = true
      this.#synced()
    }
    for (const change of changes) this.#fire(change)
    if (verdict !== undefined) this.#settle(verdict.path, verdict.ok)
  }

  #fire(change: Change): void {
    for (const { path, handler } of [...this.#watches]) {
      if (path.endsWith('/') ? !change.path.startsWith(path) : change.path !== path) continue
      try {
        handler(change)
      } catch (error) {
        this.#limited.error(`the watch on ${path} failed: ${describeError(error)}`)
      }
    }
  }

  /** One at a time: whether a key can be removed is known only when the answer to what was sent before is here. */
  #request(path: string, message: Uint8Array, accepted: () => Change[]): Promise<void> {
    if (!this.#live) {
      return Promise.reject(new QubesDBError(`QubesDB is not connected now, '${path}' was not sent: try again in a while`))
    }
    return new Promise((resolve, reject) => {
      this.#requests.push({ path, message, accepted, resolve, reject })
      if (this.#requests.length === 1) this.#sendNext()
    })
  }

  #sendNext(): void {
    while (this.#requests.length > 0) {
      const { path, message, resolve, reject } = this.#requests[0]
      const exists = message[0] !== RM || this.#replica.copy.has(path)
      if (exists) {
        // A failed write ends the reading loop as well, which rejects the request.
        const channel = this.#channel
        if (channel !== undefined && !channel.tryWrite(message)) channel.write(message).catch(() => {})
        return
      }
      this.#requests.shift()
      if (exists === false) resolve()
      else
        reject(new QubesDBError(`QubesDB cannot remove '${path}': it has more keys than fit, and it is not known whether '${path}' exists`))
    }
  }

  /** Says once that keys are left out, until all fit again. */
  #checkWhole(): void {
    const { isWhole } = this.#replica.copy
    if (!isWhole && !this.#warned) this.#limited.warn(this.#replica.copy.describe())
    this.#warned = !isWhole
  }

  #settle(path: string, ok: boolean): void {
    const request = this.#requests[0]
    if (request === undefined || request.path !== path) {
      throw new ProtocolError(`QubesDB answered for '${path}', which was not asked`)
    }
    this.#requests.shift()
    if (ok) {
      for (const change of request.accepted()) this.#fire(change)
      request.resolve()
    } else {
      request.reject(new QubesDBError(`QubesDB in dom0 refused '${path}'`))
    }
    this.#sendNext()
  }
}
