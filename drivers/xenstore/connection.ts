/**
 * One connection to the xenstore daemon: sends requests, many of them in flight, and matches the replies by their id. Knows
 * nothing of what requests mean, except that watch events come without having been asked for.
 */
import type { XenMachine } from '@xen-ts/runtime/machine'
import { PeerWarnings } from '../peer-warnings.ts'
import { XenstoreError } from './error.ts'
import { CORRUPT, XenstoreRing } from './ring.ts'
import { decodeStrings, MessageAssembler, MessageType, RequestWriter } from './wire.ts'

/**
 * What came of a request: the name of an errno, or undefined and the payload, `length` bytes from `offset` on, which are there during the
 * call only. `EAGAIN` when the transaction was lost with the world it was of.
 */
export type Answer = (code: string | undefined, bytes: Uint8Array, offset: number, length: number) => void

interface Pending {
  readonly type: number
  readonly path: string
  readonly answer: Answer
}

/** A transaction that the daemon opened: its number means something only in the world in which it was given. */
export interface Transaction {
  readonly id: number
  readonly world: number
}

const resolved = Promise.resolve()
const NOTHING = new Uint8Array(0)
const operationNames = new Map<number, string>(Object.entries(MessageType).map(([name, type]) => [type, name]))

/** Messages taken in one turn of the event loop: others get their turn whatever the daemon sends meanwhile. */
const BUDGET = 256

export class XenstoreConnection {
  readonly machine: XenMachine
  #ring: XenstoreRing
  #port: number
  readonly #warnings: PeerWarnings
  #assembler = new MessageAssembler()
  readonly #writer = new RequestWriter()
  readonly #read = (into: Uint8Array, offset: number, length: number): number => this.#readRing(into, offset, length)
  readonly #pending = new Map<number, Pending>()
  /** What found no room in the ring. */
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

  /** Sends one request. `answer` is called once: when the reply is here, or at once when there will be none. */
  ask(
    type: number,
    transaction: Transaction | undefined,
    path: string,
    strings: readonly string[],
    tail: string | undefined,
    answer: Answer,
  ): void {
    if (this.#held !== undefined) {
      this.#held.push(() => this.ask(type, transaction, path, strings, tail, answer))
      return
    }
    if (this.#broken) return answer('EIO', NOTHING, 0, 0)
    if (transaction !== undefined && transaction.world !== this.machine.suspension.world) return answer('EAGAIN', NOTHING, 0, 0)
    const id = this.#newId()
    const length = this.#writer.write(this.machine.abi, type, id, transaction === undefined ? 0 : transaction.id, strings, tail)
    if (length === 0) return answer('E2BIG', NOTHING, 0, 0)
    this.#pending.set(id, { type, path, answer })
    if (this.#put(length)) this.#kick()
  }

  /**
   * The same; resolves with the payload of its reply.
   * @throws XenstoreError with the errno name the store answered
   */
  request(
    type: number,
    transaction: Transaction | undefined,
    path: string,
    strings: readonly string[],
    tail?: string,
  ): Promise<Uint8Array> {
    return new Promise((resolve, reject) =>
      this.ask(type, transaction, path, strings, tail, (code, bytes, offset, length) => {
        if (code === undefined) resolve(bytes.slice(offset, offset + length))
        else reject(this.error(type, path, code))
      }),
    )
  }

  /** What a refused request is told as. */
  error(type: number, path: string, code: string): XenstoreError {
    return new XenstoreError(operationNames.get(type) ?? `request ${type}`, path, code)
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

  /** Puts the request that was just written into the ring, or where it waits for room; true when the daemon must be told. */
  #put(length: number): boolean {
    const { bytes } = this.#writer
    let count = 0
    if (this.#outgoing.length === 0) {
      count = this.#ring.write(bytes, 0, length)
      if (count === CORRUPT) return this.#fail('its request index is further away than the ring is long')
    }
    if (count < length) this.#outgoing.push(bytes.slice(count, length))
    return count > 0
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
      const isThere = this.#assembler.next(this.#read)
      if (this.#broken || !isThere) return
      if (isThere === 'corrupt') {
        this.#fail('a message is longer than 4096 bytes')
        return
      }
      if (this.#assembler.type === MessageType.watchEvent) this.#deliverEvent()
      else this.#deliverReply()
    }
  }

  #deliverEvent(): void {
    const [path, token] = this.#strings()
    if (path === undefined || token === undefined) this.#warnings.warn('the store sent a watch event without path and token: ignored')
    else this.onWatchEvent(path, token)
  }

  #deliverReply(): void {
    const { type, requestId } = this.#assembler
    const pending = this.#pending.get(requestId)
    if (pending === undefined) return this.#warnings.warn(`the store answered request ${requestId}, which is not in flight: ignored`)
    this.#pending.delete(requestId)
    if (this.#pending.size === 0) this.#onAnswered?.()
    const { bytes, offset, length } = this.#assembler
    if (type === pending.type) return pending.answer(undefined, bytes, offset, length)
    pending.answer(this.#codeOf(pending), NOTHING, 0, 0)
  }

  #codeOf({ type, path }: Pending): string {
    if (this.#assembler.type !== MessageType.error) {
      const operation = operationNames.get(type) ?? `request ${type}`
      this.#warnings.warn(
        `the store answered ${operation} ${path.slice(0, 100)} with a message of type ${this.#assembler.type}: taken as EIO`,
      )
      return 'EIO'
    }
    const [code = 'EIO'] = this.#strings()
    return /^[A-Z0-9]{1,20}$/.test(code) ? code : 'EIO'
  }

  #strings(): string[] {
    const { bytes, offset, length } = this.#assembler
    return decodeStrings(this.machine.abi, bytes, offset, offset + length)
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
    for (const { answer } of pending) answer(code, NOTHING, 0, 0)
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
