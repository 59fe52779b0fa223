/**
 * The way to ourselves (RFC 1122 section 3.2.1.3 (g)): what is sent to an address of our own, to 127.0.0.0/8 or to ::1, comes in again without the
 * device having seen it. It waits its turn first, as on a wire: whoever sends is done with that before anybody receives.
 */
import { COMPLETE, type EthernetDevice, type Frame, type Machine, type Timer, type Timers } from '@xen-ts/runtime/machine'
import type { Counters } from '../counters.ts'
import { ETH_TYPE, TYPE_IPV4 } from '../wire/ethernet.ts'
import type { Ipv4 } from '../wire/ipv4-address.ts'
import { newFrame } from './frame.ts'
import type { Ipv4Host } from './ipv4.ts'
import { Ipv4Route } from './ipv4-route.ts'
import type { Ipv6Host } from './ipv6.ts'
import type { OwnAddress } from './ipv6-own.ts'
import { Ipv6Route } from './ipv6-route.ts'
import { Link } from './link.ts'
import { Neighbour } from './neighbour.ts'

/** Bytes of the largest packet: a frame is a page. */
const MTU = 4096 - 14
/** Frames that are built or wait; then there is none, and TCP waits until there is. Those kept for the next. */
const FRAMES = 128
const SPARE = 16

export class Loopback extends Link {
  readonly #host: Ipv4Host
  readonly #host6: Ipv6Host
  /** Routes on which connections stand. */
  readonly #routes = new Map<Ipv4, LoopbackRoute>()
  readonly #device: LoopbackDevice
  readonly hop = new Neighbour()

  constructor(machine: Machine, host: Ipv4Host, host6: Ipv6Host, counters: Counters) {
    const device = new LoopbackDevice(machine.timers)
    super(machine, device, counters)
    this.#host = host
    this.#host6 = host6
    this.#device = device
    this.hop.mac = this.mac
    this.hop.version = 1
    device.onReceive = (frame, length) => this.#receive(frame, length)
  }

  /** To an address of our own, and back. */
  route(address: Ipv4): LoopbackRoute {
    return this.#routes.get(address) ?? new LoopbackRoute(this.#host, this, address)
  }

  /** The same of IPv6; there the address knows its route. */
  route6(own: OwnAddress): Ipv6Route {
    return own.loopback ?? new LoopbackRoute6(this.#host6, this, own)
  }

  keep(route: LoopbackRoute): void {
    this.#routes.set(route.peerIp, route)
  }

  forget(route: LoopbackRoute): void {
    this.#routes.delete(route.peerIp)
  }

  #receive(frame: Frame, length: number): void {
    this.counters.framesIn++
    if (frame.u16[ETH_TYPE] === TYPE_IPV4) this.#host.receiveOwn(frame, length)
    else this.#host6.receiveOwn(frame, length)
  }

  close(): void {
    this.#device.stop()
  }
}

/** From an address of ours to the same: so it is the way there and the way back, and connections have both their ends on it. */
class LoopbackRoute extends Ipv4Route {
  readonly #loopback: Loopback

  constructor(host: Ipv4Host, loopback: Loopback, address: Ipv4) {
    super(host, address, address, loopback)
    this.#loopback = loopback
  }

  /** Another address may be ours now. */
  override get hasLocal(): boolean {
    return this.host.isOwn(this.peerIp)
  }

  override get mtu(): number {
    return MTU
  }

  override resolve(): Neighbour | undefined {
    return (this.hop = this.hasLocal ? this.#loopback.hop : undefined)
  }

  override keep(): void {
    this.#loopback.keep(this)
  }

  override forget(): void {
    this.#loopback.forget(this)
  }
}

class LoopbackRoute6 extends Ipv6Route {
  readonly #loopback: Loopback

  constructor(host: Ipv6Host, loopback: Loopback, own: OwnAddress) {
    super(host, own, own.address, loopback)
    this.#loopback = loopback
  }

  override get mtu(): number {
    return MTU
  }

  override resolve(): Neighbour | undefined {
    return (this.hop = this.own.isGone ? undefined : this.#loopback.hop)
  }

  override keep(): void {
    this.own.loopback = this
  }

  override forget(): void {
    this.own.loopback = undefined
  }
}

class LoopbackDevice implements EthernetDevice {
  readonly mac = new Uint8Array(6)
  readonly mtu = MTU
  readonly checksums = true
  readonly checksums6 = true
  onReceive: EthernetDevice['onReceive'] = undefined
  onWritable: EthernetDevice['onWritable'] = undefined
  onIdle: EthernetDevice['onIdle'] = undefined
  readonly #timers: Timers
  #timer: Timer | undefined = undefined
  #out = 0
  #isStarved = false
  readonly #spare: Frame[] = []
  readonly #queue: { frame: Frame; length: number }[] = []

  constructor(timers: Timers) {
    this.#timers = timers
  }

  reserve(): Frame | undefined {
    if (this.#out === FRAMES) {
      this.#isStarved = true
      return undefined
    }
    this.#out++
    return this.#spare.pop() ?? newFrame(MTU + 14)
  }

  send(frame: Frame, length: number, offload = COMPLETE): void {
    frame.checked = offload !== COMPLETE // nothing on this way can change it
    this.#queue.push({ frame, length })
    this.#timer ??= this.#timers.set(0, () => this.#deliver())
  }

  discard(frame: Frame): void {
    this.#out--
    if (this.#spare.length < SPARE) this.#spare.push(frame)
    if (!this.#isStarved) return
    this.#isStarved = false
    this.onWritable?.()
  }

  /** What is sent meanwhile has its turn later, after all else that is due. */
  #deliver(): void {
    this.#timer = undefined
    try {
      for (let left = this.#queue.length; left > 0; left--) {
        const { frame, length } = this.#queue.shift()!
        try {
          this.onReceive?.(frame, length)
        } finally {
          this.discard(frame)
        }
      }
    } finally {
      if (this.#queue.length > 0) this.#timer ??= this.#timers.set(0, () => this.#deliver())
    }
    this.onIdle?.()
  }

  stop(): void {
    this.#timer?.cancel()
    this.#queue.length = 0
    this.onReceive = this.onWritable = this.onIdle = undefined
  }

  async close(): Promise<void> {
    this.stop()
  }
}
