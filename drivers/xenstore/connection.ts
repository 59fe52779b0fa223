/**
 * One connection to the xenstore daemon: sends requests, many of them in flight, and matches the replies by their id. Knows
 * nothing of what requests mean, except that watch events come without having been asked for.
 */
import type { XenMachine } from '@xen-ts/runtime/machine'
import { PeerWarnings } from '../peer-warnings.ts'
import { XenstoreError } from './error.ts'
import { CORRUPT, XenstoreRing } from './ring.ts'
import type { Message } from './wire.ts'
import { decodeStrings, encodeRequest, MessageAssembler, MessageType } from './wire.ts'

interface Pending {
  readonly type: number
  readonly operation: string
  readonly path: string
  resolve(payload: Uint8Array): void
  reject(error: XenstoreError): void
}

/** A transaction that the daemon opened: its number means something only in the world in which it was given. */
export interface Transaction {
  readonly id: number
  readonly world: number
}

const resolved = Promise.resolve()
const operationNames = new Map<number, string>(Object.entries(MessageType).map(([name, type]) => [type, name]))

/** Messages taken in one turn of the event loop: others get their turn whatever the daemon sends meanwhile. */
const BUDGET = 256

export class XenstoreConnection {
  readonly machine: XenMachine
  #ring: XenstoreRing
  #port: number
  readonly #warnings: PeerWarnings
  #assembler = new MessageAssembler()
  readonly #read = (into: Uint8Array, offset: number, length: number): number => this.#readRing(into, offset, length)
  readonly #pending = new Map<number, Pending>()
  readonly #outgoing: Uint8Array[] = []
  #outgoingOffset = 0
  #nextId = 1
  #broken = false
  #closed = false
  #isKicking = false
  /** While the domain gets ready to be suspended: what was asked for meanwhile. */
  #held: (() => void)[] | undefined
  #onAnswered: (() => void) | undefined

  /** Called for each watch event, with the path that changed and the token of the watch. */
  onWatchEvent: (path: string, token: string) => void = () => {}
  /** Called once when the connection broke; every request fails with EIO from then on. */
  onBroken: () => void = () => {}
  /** Called after a resume in a new world, where the daemon knows nothing of us, before any request. */
  onReconnected: () => void = () => {}

  /** @throws Error when the domain was built without xenstore */
  constructor(machine: XenMachine) {
    this.machine = machine
    this.#warnings = new PeerWarnings(machine.log('xenstore'), machine.timers)
    this.#ring = ringOf(machine)
    this.#port = machine.abi.xenstorePort()
    machine.ports.on(this.#port, () => this.#onEvent())
  }

  /**
   * Sends one request; resolves with the payload of its reply.
   * @throws XenstoreError with the errno name the store answered; EAGAIN when the transaction was lost with the world it was of
   */
  request(
    type: number,
    transaction: Transaction | undefined,
    path: string,
    strings: readonly string[],
    tail?: string,
  ): Promise<Uint8Array> {
    const operation = operationNames.get(type) ?? `request ${type}`
    return new Promise((resolve, reject) => {
      const start = (): void => {
        if (this.#broken) return reject(new XenstoreError(operation, path, 'EIO'))
        if (transaction !== undefined && transaction.world !== this.machine.suspension.world)
          return reject(new XenstoreError(operation, path, 'EAGAIN'))
        const id = this.#newId()
        const bytes = encodeRequest(this.machine.abi, type, id, transaction?.id ?? 0, strings, tail)
        if (bytes === undefined) return reject(new XenstoreError(operation, path, 'E2BIG'))
        this.#pending.set(id, { type, operation, path, resolve, reject })
        this.#outgoing.push(bytes)
        if (this.#send()) this.#kick()
      }
      if (this.#held === undefined) start()
      else this.#held.push(start)
    })
  }

  /** Requests without a reply so far. */
  get inFlight(): number {
    return this.#pending.size
  }

  /** Stops listening; every request in flight is rejected. For tests and for the end of a domain's life. */
  close(): void {
    this.#closed = true
    if (!this.#broken) this.#break()
  }

  /** Keeps new requests back until `resume`; resolves when those in flight are answered. */
  async suspend(): Promise<void> {
    this.#held ??= []
    if (this.#pending.size > 0)
      await new Promise<void>(resolve => {
        this.#onAnswered = resolve
      })
  }

  /** The ring of a new world is another one, on another port; what was kept back goes out there. */
  resume(cancelled: boolean): void {
    const held = this.#held ?? []
    this.#held = undefined
    if (!cancelled && !this.#closed) this.#reconnect()
    for (const start of held) start()
  }

  #reconnect(): void {
    const { machine } = this
    machine.ports.off(this.#port)
    this.#rejectPending('EAGAIN') // as a rule there is none
    this.#outgoingOffset = 0
    this.#assembler = new MessageAssembler()
    this.#ring = ringOf(machine)
    this.#port = machine.abi.xenstorePort()
    this.#broken = false
    machine.ports.on(this.#port, () => this.#onEvent())
    this.onReconnected()
  }

  #onEvent(): void {
    if (this.#broken) return
    this.#receive()
    if (this.#broken) return
    const isRelieved = this.#ring.wasFull
    this.#ring.wasFull = false
    if (this.#send() || isRelieved) this.machine.abi.evtchnSend(this.#port)
  }

  /** Tells the daemon once of all that is asked for in a turn: what is asked for together it finds together. */
  #kick(): void {
    if (this.#isKicking) return
    this.#isKicking = true
    void resolved.then(() => {
      this.#isKicking = false
      if (!this.#broken) this.machine.abi.evtchnSend(this.#port)
    })
  }

  /** Moves waiting requests into the ring; true when the daemon must be told. */
  #send(): boolean {
    let moved = false
    while (this.#outgoing.length > 0) {
      const bytes = this.#outgoing[0]
      const count = this.#ring.write(bytes, this.#outgoingOffset, bytes.length - this.#outgoingOffset)
      if (count === CORRUPT) return this.#fail('its request index is further away than the ring is long')
      if (count === 0) break
      moved = true
      this.#outgoingOffset += count
      if (this.#outgoingOffset < bytes.length) break
      this.#outgoing.shift()
      this.#outgoingOffset = 0
    }
    return moved
  }

  #readRing(into: Uint8Array, offset: number, length: number): number {
    const count = this.#ring.read(into, offset, length)
    if (count === CORRUPT) this.#fail('its response index is further away than the ring is long')
    return count
  }

  /** Takes what the daemon sent. */
  #receive(): void {
    for (let budget = BUDGET; ; budget--) {
      if (budget === 0) {
        this.machine.timers.set(0, () => this.#onEvent())
        return
      }
      const message = this.#assembler.next(this.#read)
      if (message === undefined) return
      if (message === 'corrupt') {
        this.#fail('a message is longer than 4096 bytes')
        return
      }
      if (message.type === MessageType.watchEvent) this.#deliverEvent(message)
      else this.#deliverReply(message)
    }
  }

  #deliverEvent(message: Message): void {
    const [path, token] = decodeStrings(this.machine.abi, message.payload)
    if (path === undefined || token === undefined) this.#warnings.warn('the store sent a watch event without path and token: ignored')
    else this.onWatchEvent(path, token)
  }

  #deliverReply({ type, requestId, payload }: Message): void {
    const pending = this.#pending.get(requestId)
    if (pending === undefined) return this.#warnings.warn(`the store answered request ${requestId}, which is not in flight: ignored`)
    this.#pending.delete(requestId)
    if (this.#pending.size === 0) this.#onAnswered?.()
    if (type === pending.type) return pending.resolve(payload)
    if (type !== MessageType.error)
      this.#warnings.warn(
        `the store answered ${pending.operation} ${pending.path.slice(0, 100)} with a message of type ${type}: taken as EIO`,
      )
    const code = type === MessageType.error ? (decodeStrings(this.machine.abi, payload)[0] ?? 'EIO') : 'EIO'
    pending.reject(new XenstoreError(pending.operation, pending.path, /^[A-Z0-9]{1,20}$/.test(code) ? code : 'EIO'))
  }

  #fail(why: string): false {
    this.machine.log('xenstore').error(`the connection is broken: ${why}. Everything that needs xenstore stops working.`)
    this.#break()
    return false
  }

  #break(): void {
    this.#broken = true
    this.machine.ports.off(this.#port)
    this.#rejectPending('EIO')
    this.onBroken()
  }

  #rejectPending(code: string): void {
    const pending = [...this.#pending.values()]
    this.#pending.clear()
    this.#outgoing.length = 0
    this.#onAnswered?.()
    for (const { operation, path, reject } of pending) reject(new XenstoreError(operation, path, code))
  }

  /** Ids wrap at 2^32; one still in flight is skipped. */
  #newId(): number {
    do this.#nextId = (this.#nextId + 1) >>> 0
    while (this.#pending.has(this.#nextId))
    return this.#nextId
  }
}

function ringOf({ abi }: XenMachine): XenstoreRing {
  const page = abi.xenstorePage()
  if (page === undefined)
    throw new Error(
      'xenstore: this domain has no xenstore ring (HVM_PARAM_STORE_PFN is 0). It must be created by a toolstack that makes one, such as xl.',
    )
  return new XenstoreRing(page, abi)
}
