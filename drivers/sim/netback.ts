/**
 * A network backend for tests, after Linux netback: connects the way it does, answers the way it does, and punishes what it
 * punishes (`fatal` says what the guest did). Plays the toolstack for its vif as well.
 */
import type { EventChannel } from '../event-channel.ts'
import type { NetfrontParts } from '../netfront/options.ts'
import { XenbusState } from '../xenbus/handshake.ts'
import type { Watch } from '../xenstore/watches.ts'
import type { SimulatedDomain } from './domain.ts'
import { grantCopy } from './grants.ts'
import { PAGE } from './memory.ts'
import { isIpv6, putPacket, slotsOf, takePacket } from './netback-packets.ts'
import { BackRing, FIRST_SLOT, SLOTS } from './netback-ring.ts'
import { Access } from './store.ts'

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
    const ours = [
      { domid: domain.domid, access: Access.none },
      { domid: frontend, access: Access.read },
    ]
    const theirs = [
      { domid: frontend, access: Access.none },
      { domid: domain.domid, access: Access.read },
    ]
    store.write(this.path, '', ours)
    store.write(this.frontendPath, '', theirs)
    for (const [key, value] of [
      ['frontend', this.frontendPath],
      ['frontend-id', frontend],
      ['online', 1],
      ['state', 1],
      ['mac', mac],
      ['handle', index],
    ])
      store.write(`${this.path}/${key}`, String(value), ours)
    for (const [key, value] of [
      ['backend-id', domain.domid],
      ['state', 1],
      ['mac', mac],
      ['handle', index],
      ['backend', this.path],
    ])
      store.write(`${this.frontendPath}/${key}`, String(value), theirs)
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
    if ((segment > 0 && !this.takes(isIpv6(packet) ? 'gso-tcpv6' : 'gso-tcpv4')) || (packet.length > PAGE && !this.takes('sg')))
      throw new Error('netback sends no packets that the guest does not take')
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
    const bind = (name: string, onEvent: () => void): EventChannel =>
      this.#parts.events.bindInterdomain(this.#frontend, key(name), 'netback', onEvent)
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
    const taken = takePacket(tx, (ref, offset, bytes) => grantCopy(this.#domain, this.#frontend, ref, offset, bytes, 'read'))
    if (typeof taken === 'string') return this.#die(taken)
    const { bytes, segment, blank, ids, extras, good } = taken
    ids.forEach((id, i) => {
      this.#finish(id, good ? 0 : 0xffff)
      for (let extra = 0; i === 0 && extra < extras; extra++) this.#finish(NO_ID, STATUS_NULL)
    })
    if (!good) {
      this.errors++
      return
    }
    this.received.push(bytes)
    this.receivedAs.push({ segment, blank, slots: ids.length })
    this.onReceive?.(bytes)
  }

  #finish(id: number, status: number): void {
    if (this.holdResponses) this.#held.push([id, status])
    else this.#respond(id, status)
  }

  #respond(id: number, status: number): void {
    if (this.tx === undefined) return
    this.tx.words[FIRST_SLOT + (this.tx.produced++ % SLOTS) * 3] = id | (status << 16)
  }

  #pushTx(): void {
    if (this.tx?.push()) this.#notify(this.txChannel ?? this.channel)
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
    return slotsOf(packet, segment)
  }

  #deliverOne(rx: BackRing): void {
    const { packet, flags, segment } = this.#queue.shift() as { packet: Uint8Array; flags: number; segment: number }
    putPacket(rx, packet, flags, segment, (ref, offset, bytes) => grantCopy(this.#domain, this.#frontend, ref, offset, bytes, 'write'))
  }
}
