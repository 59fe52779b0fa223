/**
 * A network backend for tests, after Linux netback: connects the way it does, answers the way it does, and punishes what it
 * punishes (`fatal` says what the guest did). Plays the toolstack for its vif as well.
 */
import type { EventChannel } from '../event-channel.ts'
import type { NetfrontParts } from '../netfront-options.ts'
import { ForeignPages } from '../shared-pages.ts'
import { XenbusState } from '../xenbus.ts'
import type { Watch } from '../xenstore-watches.ts'
import type { SimulatedDomain } from './domain.ts'
import { grantCopy } from './grants.ts'
import { PAGE } from './memory.ts'
import { Access } from './store.ts'

const REQ_PROD = 0
const REQ_EVENT = 1
const RSP_PROD = 2
const RSP_EVENT = 3
const FIRST_SLOT = 16
const SLOTS = 256
const BLANK_CHECKSUM = 1
const DATA_VALIDATED = 2
const MORE_DATA = 4
const EXTRA_INFO = 8
const MAX_SLOTS_FATAL = 20
const MAX_SLOTS = 18
const EXTRA_GSO = 1
const GSO_TCPV4 = 1
const GSO_TCPV6 = 2
/** Status of the response to extra info, and the id such a response happens to have. */
const STATUS_NULL = 1
const NO_ID = 0xdead

const allFeatures = ['sg', 'gso-tcpv4', 'gso-tcpv6', 'ipv6-csum-offload', 'rx-copy', 'split-event-channels']

export interface NetbackOptions {
  readonly index?: number
  readonly mac?: string
  readonly mtu?: string
  /** Milliseconds the vif script takes before the backend says that it is connected. */
  readonly hotplugDelay?: number
  /** What it offers, names without `feature-`; by default what Linux does. */
  readonly features?: readonly string[]
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
  /** Of each of them: size of the segments to be made of it (0: none), whether its checksum is blank, and its slots without extra info. */
  readonly receivedAs: { segment: number; blank: boolean; slots: number }[] = []
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
  /** Of both rings; when each has its own, of the receive ring. */
  channel: EventChannel | undefined
  txChannel: EventChannel | undefined
  readonly path: string
  readonly frontendPath: string
  readonly #parts: NetfrontParts
  readonly #domain: SimulatedDomain
  readonly #frontend: number
  readonly #options: NetbackOptions
  readonly #queue: { packet: Uint8Array; flags: number; segment: number }[] = []
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
    for (const feature of options.features ?? allFeatures) store.write(`${this.path}/feature-${feature}`, '1', ours)
    this.#watch = parts.xenstore.watch(`${this.frontendPath}/state`, () => this.#onFrontend())
  }

  get state(): number {
    return this.#state
  }

  /**
   * Sends a packet to the guest, as soon as it has the buffers. `flags`: 1 data_validated, 2 csum_blank. `segment`: the size of the
   * segments that the packet was not cut into, 0 for a usual one.
   */
  send(packet: Uint8Array, flags = 0, segment = 0): void {
    if ((segment > 0 && !this.takes(isIpv6(packet) ? 'gso-tcpv6' : 'gso-tcpv4')) || (packet.length > PAGE && !this.takes('sg'))) throw new Error('netback sends no packets that the guest does not take')
    this.#queue.push({ packet, flags, segment })
    this.#domain.order('netback')
    this.#deliver()
  }

  /** Whether the guest has offered a feature. */
  takes(feature: string): boolean {
    return this.#domain.xen.store.read(`${this.frontendPath}/feature-${feature}`) === '1'
  }

  /**
   * @param failed with errors
   * @param count the oldest so many, and those to come stay under way; all without it
   */
  releaseResponses(failed = false, count?: number): void {
    if (count === undefined) this.holdResponses = false
    this.#domain.order('netback')
    for (const [id, status] of this.#held.splice(0, count ?? this.#held.length)) this.#respond(id, failed ? 0xffff : status)
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
    const bind = (name: string, onEvent: () => void): EventChannel => this.#parts.events.bindInterdomain(this.#frontend, key(name), 'netback', onEvent)
    if (key('event-channel-tx') > 0) {
      this.txChannel = bind('event-channel-tx', () => this.#onTx())
      this.channel = bind('event-channel-rx', () => this.#onRx())
    } else {
      this.channel = bind('event-channel', () => this.#onEvent())
    }
    this.#state = XenbusState.connected
    this.#parts.machine.timers.set(this.#options.hotplugDelay ?? 0, () => {
      if (this.#state === XenbusState.connected) this.setState(XenbusState.connected)
    })
  }

  #disconnect(): void {
    this.channel?.close()
    this.txChannel?.close()
    this.tx?.pages.release()
    this.rx?.pages.release()
    this.channel = this.txChannel = this.tx = this.rx = undefined
    this.#held.length = 0
  }

  #onEvent(): void {
    this.#onTx()
    this.#onRx()
  }

  #onTx(): void {
    if (this.fatal === undefined) this.#transmit() // a disabled vif is silent
  }

  #onRx(): void {
    if (this.fatal === undefined) this.#deliver()
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
    let segment = 0
    let protocol = 0
    let extras = 0
    for (let extra = (first.flags & EXTRA_INFO) !== 0; extra;) {
      if (tx.requests === 0) return this.#die('extra info announced but not there')
      const slot = FIRST_SLOT + (tx.consumed % SLOTS) * 3
      const [type, flags] = new Uint8Array(tx.words.buffer, slot * 4, 2)
      if (type < 1 || type > 5) return this.#die(`extra info of type ${type}`)
      if (type === EXTRA_GSO) {
        segment = tx.words[slot] >>> 16
        if (segment === 0) return this.#die('segments of size 0')
        protocol = tx.words[slot + 1] & 0xff
        if (protocol !== GSO_TCPV4 && protocol !== GSO_TCPV6) return this.#die(`segments of type ${protocol}`)
      }
      extra = (flags & 1) !== 0
      extras++
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
    let good = slots.length <= MAX_SLOTS + 1 && lengths[0] >= 0 && first.size >= 14 && lengths.every((length) => length <= first.size)
    if ((first.flags & BLANK_CHECKSUM) !== 0 && (first.flags & DATA_VALIDATED) === 0) good = false
    slots.forEach(({ ref, offset }, i) => {
      good = good && grantCopy(this.#domain, this.#frontend, ref, offset, packet.subarray(at, at + lengths[i]), 'read') === 0
      at += lengths[i]
    })
    if (protocol > 0 && (protocol === GSO_TCPV6) !== isIpv6(packet)) good = false
    slots.forEach(({ id }, i) => {
      this.#finish(id, good ? 0 : 0xffff)
      for (let extra = 0; i === 0 && extra < extras; extra++) this.#finish(NO_ID, STATUS_NULL)
    })
    if (!good) {
      this.errors++
      return
    }
    this.received.push(packet)
    this.receivedAs.push({ segment, blank: (first.flags & BLANK_CHECKSUM) !== 0, slots: slots.length })
    this.onReceive?.(packet)
  }

  #finish(id: number, status: number): void {
    if (this.holdResponses) this.#held.push([id, status])
    else this.#respond(id, status)
  }

  #respond(id: number, status: number): void {
    if (this.tx === undefined) return
    this.tx.words[FIRST_SLOT + (this.tx.produced++ % SLOTS) * 3] = id | status << 16
  }

  #pushTx(): void {
    if (this.tx !== undefined && this.tx.push()) this.#notify(this.txChannel ?? this.channel)
  }

  #notify(channel: EventChannel | undefined): void {
    this.notifications++
    channel?.notify()
  }

  /** Gives the guest what waits for it. */
  #deliver(): void {
    const { rx } = this
    if (rx === undefined || this.fatal !== undefined) return
    do {
      while (this.#queue.length > 0 && rx.requests >= this.#slotsOfNext()) {
        if (rx.requests > SLOTS) return this.#die(`${rx.requests} receive requests in a ring of ${SLOTS}`)
        this.#deliverOne(rx)
      }
    } while (this.#queue.length > 0 && rx.sleep(this.#slotsOfNext()))
    if (rx.push()) this.#notify(this.channel)
  }

  #slotsOfNext(): number {
    const [{ packet, segment }] = this.#queue
    return Math.max(1, Math.ceil(packet.length / PAGE)) + (segment > 0 ? 1 : 0)
  }

  #deliverOne(rx: BackRing): void {
    const { packet, flags, segment } = this.#queue.shift() as { packet: Uint8Array; flags: number; segment: number }
    for (let at = 0; at === 0 || at < packet.length; at += PAGE) {
      const slot = FIRST_SLOT + (rx.consumed++ % SLOTS) * 2
      const id = rx.words[slot] & 0xffff
      const part = packet.subarray(at, at + PAGE)
      const status = grantCopy(this.#domain, this.#frontend, rx.words[slot + 1], 0, part, 'write')
      rx.words[slot] = id
      const more = at + PAGE < packet.length ? MORE_DATA : 0
      rx.words[slot + 1] = (at === 0 ? flags | (segment > 0 ? EXTRA_INFO : 0) : 0) | more | (status === 0 ? part.length : status) << 16
      rx.produced++
      if (at > 0 || segment === 0) continue
      const extra = FIRST_SLOT + (rx.consumed++ % SLOTS) * 2 // over the request, whose id is lost with it
      rx.words[extra] = EXTRA_GSO | segment << 16
      rx.words[extra + 1] = isIpv6(packet) ? GSO_TCPV6 : GSO_TCPV4
      rx.produced++
    }
  }
}

const isIpv6 = (packet: Uint8Array): boolean => packet[12] === 0x86 && packet[13] === 0xdd

function takeRequest(tx: BackRing): TxRequest {
  const slot = FIRST_SLOT + (tx.consumed++ % SLOTS) * 3
  const [ref, second, third] = tx.words.subarray(slot, slot + 3)
  return { ref, offset: second & 0xffff, flags: second >>> 16, id: third & 0xffff, size: third >>> 16 }
}
