/**
 * A network backend for tests, after Linux netback: connects the way it does, answers the way it does, and punishes what it
 * punishes (`fatal` says what the guest did). Plays the toolstack for its vif as well.
 */
import type { EventChannel } from '../event-channel.ts'
import type { NetfrontParts } from '../netfront.ts'
import { ForeignPages } from '../shared-pages.ts'
import { XenbusState } from '../xenbus.ts'
import type { Watch } from '../xenstore-watches.ts'
import type { SimulatedDomain } from './domain.ts'
import { grantCopy } from './grants.ts'
import { Access } from './store.ts'

const REQ_PROD = 0
const REQ_EVENT = 1
const RSP_PROD = 2
const RSP_EVENT = 3
const FIRST_SLOT = 16
const SLOTS = 256
const MORE_DATA = 4
const EXTRA_INFO = 8
const MAX_SLOTS_FATAL = 20
const MAX_SLOTS = 18

export interface NetbackOptions {
  readonly index?: number
  readonly mac?: string
  readonly mtu?: string
  /** Milliseconds the vif script takes before the backend says that it is connected. */
  readonly hotplugDelay?: number
}

/** The backend's end of one ring. */
class BackRing {
  readonly pages: ForeignPages
  readonly words: Uint32Array
  consumed = 0
  produced = 0
  readonly #fence: () => void

  constructor({ machine }: NetfrontParts, frontend: number, ref: number) {
    this.pages = new ForeignPages(machine, frontend, [ref], false, 'netback')
    this.words = new Uint32Array(this.pages.bytes.buffer)
    this.#fence = () => machine.abi.fence()
  }

  get requests(): number {
    return (this.words[REQ_PROD] - this.consumed) >>> 0
  }

  /** Publishes responses; true when the frontend asked for an event. */
  push(): boolean {
    const old = this.words[RSP_PROD]
    const next = this.produced >>> 0
    this.words[RSP_PROD] = next
    this.#fence()
    return ((next - this.words[RSP_EVENT]) >>> 0) < ((next - old) >>> 0)
  }

  /** Asks for an event with the next request; true when there is one already. */
  sleep(ahead = 1): boolean {
    this.words[REQ_EVENT] = this.consumed + ahead
    this.#fence()
    return this.requests >= ahead
  }
}

interface TxRequest {
  readonly ref: number
  readonly offset: number
  readonly flags: number
  readonly id: number
  readonly size: number
}

export class SimulatedNetback {
  /** Packets the guest sent. */
  readonly received: Uint8Array[] = []
  onReceive: ((packet: Uint8Array) => void) | undefined
  /** Why the vif was disabled: what the guest did that netback does not forgive. */
  fatal: string | undefined
  /** Packets of the guest that were answered with an error. */
  errors = 0
  /** Packets that waited in vain for a buffer of the guest. */
  dropped = 0
  /** Events sent to the guest. */
  notifications = 0
  /** Keep what the guest sends under way: no responses until `releaseResponses`. */
  holdResponses = false
  /** For hostile tests: the rings as they are, once connected. */
  tx: BackRing | undefined
  rx: BackRing | undefined
  channel: EventChannel | undefined
  readonly path: string
  readonly frontendPath: string
  readonly #parts: NetfrontParts
  readonly #domain: SimulatedDomain
  readonly #frontend: number
  readonly #options: NetbackOptions
  readonly #queue: { packet: Uint8Array; flags: number }[] = []
  readonly #held: [id: number, status: number][] = []
  #watch: Watch | undefined
  #state = 0
  #online = true

  /** Attaches a vif to domain `frontend`, with this backend in `domain`, whose drivers `parts` are. */
  constructor(domain: SimulatedDomain, parts: NetfrontParts, frontend: number, options: NetbackOptions = {}) {
    this.#parts = parts
    this.#domain = domain
    this.#frontend = frontend
    this.#options = options
    const { index = 0, mac = '00:16:3e:5e:6c:00', mtu } = options
    this.path = `/local/domain/${domain.domid}/backend/vif/${frontend}/${index}`
    this.frontendPath = `/local/domain/${frontend}/device/vif/${index}`
    const { store } = domain.xen
    const ours = [{ domid: domain.domid, access: Access.none }, { domid: frontend, access: Access.read }]
    const theirs = [{ domid: frontend, access: Access.none }, { domid: domain.domid, access: Access.read }]
    store.write(this.path, '', ours)
    store.write(this.frontendPath, '', theirs)
    for (const [key, value] of [['frontend', this.frontendPath], ['frontend-id', frontend], ['online', 1], ['state', 1], ['mac', mac], ['handle', index]]) store.write(`${this.path}/${key}`, String(value), ours)
    for (const [key, value] of [['backend-id', domain.domid], ['state', 1], ['mac', mac], ['handle', index], ['backend', this.path]]) store.write(`${this.frontendPath}/${key}`, String(value), theirs)
    if (mtu !== undefined) store.write(`${this.frontendPath}/mtu`, mtu, theirs)
    for (const feature of ['sg', 'gso-tcpv4', 'gso-tcpv6', 'ipv6-csum-offload', 'rx-copy', 'split-event-channels']) store.write(`${this.path}/feature-${feature}`, '1', ours)
    this.#watch = parts.xenstore.watch(`${this.frontendPath}/state`, () => this.#onFrontend())
  }

  get state(): number {
    return this.#state
  }

  /** Sends a packet to the guest, as soon as it has a buffer. `flags`: 1 data_validated, 2 csum_blank. */
  send(packet: Uint8Array, flags = 0): void {
    this.#queue.push({ packet, flags })
    this.#domain.order('netback')
    this.#deliver()
  }

  releaseResponses(): void {
    this.holdResponses = false
    this.#domain.order('netback')
    for (const [id, status] of this.#held.splice(0)) this.#respond(id, status)
    this.#pushTx()
  }

  /** What libxl does for a detach; resolves by the guest's closing. */
  detach(): void {
    this.#online = false
    this.#domain.xen.store.write(`${this.path}/online`, '0')
    this.#domain.xen.store.write(`${this.path}/state`, String(XenbusState.closing))
  }

  /** The backend's domain died: its directory goes, and what libxl then does, the guest's too. */
  vanish(): void {
    this.#watch?.close()
    this.#disconnect()
    this.#domain.xen.store.remove(this.path)
    this.#domain.xen.store.remove(this.frontendPath)
  }

  setState(state: number): void {
    this.#state = state
    this.#domain.xen.store.write(`${this.path}/state`, String(state))
  }

  #onFrontend(): void {
    const { store } = this.#domain.xen
    switch (Number(store.read(`${this.frontendPath}/state`))) {
      case XenbusState.initialising:
        if (this.#state !== XenbusState.initWait) this.setState(XenbusState.initWait)
        break
      case XenbusState.connected:
        if (this.#state === XenbusState.initWait) this.#connect()
        break
      case XenbusState.closing:
        this.#disconnect()
        this.setState(XenbusState.closing)
        break
      case XenbusState.closed:
        this.#disconnect()
        this.setState(XenbusState.closed)
        if (this.#online) break
        this.#watch?.close()
        store.remove(this.path)
        store.remove(this.frontendPath)
    }
  }

  #connect(): void {
    const key = (name: string): number => Number(this.#domain.xen.store.read(`${this.frontendPath}/${name}`))
    if (key('request-rx-copy') !== 1) {
      this.fatal = 'no request-rx-copy'
      return
    }
    this.tx = new BackRing(this.#parts, this.#frontend, key('tx-ring-ref'))
    this.rx = new BackRing(this.#parts, this.#frontend, key('rx-ring-ref'))
    this.channel = this.#parts.events.bindInterdomain(this.#frontend, key('event-channel'), 'netback', () => this.#onEvent())
    this.#state = XenbusState.connected
    this.#parts.machine.timers.set(this.#options.hotplugDelay ?? 0, () => {
      if (this.#state === XenbusState.connected) this.setState(XenbusState.connected)
    })
  }

  #disconnect(): void {
    this.channel?.close()
    this.tx?.pages.release()
    this.rx?.pages.release()
    this.channel = this.tx = this.rx = undefined
    this.#held.length = 0
  }

  #onEvent(): void {
    if (this.fatal !== undefined) return // a disabled vif is silent
    this.#transmit()
    this.#deliver()
  }

  #die(why: string): void {
    this.fatal ??= why
  }

  /** Takes the guest's packets. */
  #transmit(): void {
    const { tx } = this
    if (tx === undefined) return
    do {
      if (tx.requests > SLOTS) return this.#die(`${tx.requests} requests in a ring of ${SLOTS}`)
      while (tx.requests > 0 && this.fatal === undefined) this.#takePacket(tx)
    } while (this.fatal === undefined && tx.sleep())
    this.#pushTx()
  }

  #takePacket(tx: BackRing): void {
    const first = takeRequest(tx)
    for (let extra = (first.flags & EXTRA_INFO) !== 0; extra;) {
      if (tx.requests === 0) return this.#die('extra info announced but not there')
      const [type, flags] = new Uint8Array(tx.words.buffer, (FIRST_SLOT + (tx.consumed % SLOTS) * 3) * 4, 2)
      if (type < 1 || type > 5) return this.#die(`extra info of type ${type}`)
      extra = (flags & 1) !== 0
      tx.consumed++
    }
    const slots = [first]
    while ((slots[slots.length - 1].flags & MORE_DATA) !== 0) {
      if (tx.requests === 0) return this.#die('a packet whose continuation is not published')
      if (slots.length > MAX_SLOTS_FATAL) return this.#die('too many slots in a packet')
      slots.push(takeRequest(tx))
    }
    const rest = slots.slice(1).reduce((sum, { size }) => sum + size, 0)
    const lengths = slots.map(({ size }, i) => i === 0 ? first.size - rest : size)
    if (slots.some(({ offset }, i) => offset + lengths[i] > 4096)) return this.#die('a slot that goes beyond its page')
    const packet = new Uint8Array(Math.max(0, first.size))
    let at = 0
    let good = slots.length <= MAX_SLOTS + 1 && lengths[0] >= 0 && first.size >= 14
    slots.forEach(({ ref, offset }, i) => {
      good = good && grantCopy(this.#domain, this.#frontend, ref, offset, packet.subarray(at, at + lengths[i]), 'read') === 0
      at += lengths[i]
    })
    for (const { id } of slots) {
      if (this.holdResponses) this.#held.push([id, good ? 0 : 0xffff])
      else this.#respond(id, good ? 0 : 0xffff)
    }
    if (!good) {
      this.errors++
      return
    }
    this.received.push(packet)
    this.onReceive?.(packet)
  }

  #respond(id: number, status: number): void {
    if (this.tx === undefined) return
    this.tx.words[FIRST_SLOT + (this.tx.produced++ % SLOTS) * 3] = id | status << 16
  }

  #pushTx(): void {
    if (this.tx !== undefined && this.tx.push()) this.#notify()
  }

  #notify(): void {
    this.notifications++
    this.channel?.notify()
  }

  /** Gives the guest what waits for it. */
  #deliver(): void {
    const { rx } = this
    if (rx === undefined || this.fatal !== undefined) return
    do {
      while (this.#queue.length > 0 && rx.requests > 0) {
        if (rx.requests > SLOTS) return this.#die(`${rx.requests} receive requests in a ring of ${SLOTS}`)
        const { packet, flags } = this.#queue.shift() as { packet: Uint8Array; flags: number }
        const slot = FIRST_SLOT + (rx.consumed++ % SLOTS) * 2
        const id = rx.words[slot] & 0xffff
        const status = grantCopy(this.#domain, this.#frontend, rx.words[slot + 1], 0, packet, 'write')
        rx.words[slot] = id
        rx.words[slot + 1] = flags | (status === 0 ? packet.length : status) << 16
        rx.produced++
      }
    } while (this.#queue.length > 0 && rx.sleep())
    if (rx.push()) this.#notify()
  }
}

function takeRequest(tx: BackRing): TxRequest {
  const slot = FIRST_SLOT + (tx.consumed++ % SLOTS) * 3
  const [ref, second, third] = tx.words.subarray(slot, slot + 3)
  return { ref, offset: second & 0xffff, flags: second >>> 16, id: third & 0xffff, size: third >>> 16 }
}
