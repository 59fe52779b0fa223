/** One connection to one backend: two rings, their buffers and their event channels. A new backend gets a new link. */
import type { EthernetDevice, Frame, Timer, XenMachine } from '@xen-ts/runtime/machine'
import { PeerWarnings } from '../peer-warnings.ts'
import type { FrontendLink, Keys } from '../xenbus/driver.ts'
import type { Backend } from '../xenbus/handshake.ts'
import { RingChannels } from './channels.ts'
import type { NetfrontCounters } from './counters.ts'
import { accepted, acceptedKeys, type Offer } from './features.ts'
import type { NetfrontOptions, NetfrontParts } from './options.ts'
import { BROKEN, Receiver } from './rx.ts'
import { Transmitter } from './tx.ts'

/**
 * 128 pages, 512 KiB: with frames of 1,514 bytes that holds a TCP window of 185 KB, and seven packets of 64 KiB, which is more than
 * a whole window of the stack. netback queues as much again on its side, so more would only take memory from a guest of 12 MiB.
 */
const RECEIVE_BUFFERS = 128
/** Two a page, 256 KiB: what two full TCP windows of 64 KiB need, and acknowledgements beside them. */
const SEND_BUFFERS = 128
/** Packets taken in one turn of the event loop. Timers and other devices get their turn under any flood. */
const BUDGET = 256
/** After so many, twice as many, and so on, the backend sees what was sent meanwhile: it and its clients work while we do. */
const BURST = 4

const resolved = Promise.resolve()

type CountingDevice = EthernetDevice & { readonly counters: NetfrontCounters }

export class Link implements FrontendLink {
  readonly backend: Backend
  readonly offer: Offer
  /** The backend has said that it is connected too. */
  up = false
  /** It broke the rules of the rings; the link is closed. */
  broken = false
  readonly #device: CountingDevice
  readonly #options: NetfrontOptions
  readonly #machine: XenMachine
  readonly #channels: RingChannels
  readonly #tx: Transmitter
  readonly #rx: Receiver
  readonly #onBroken: () => void
  readonly #flush = (): void => {
    if (!this.#open) return
    this.#channels.notify(this.#tx.push(), this.#wanted)
    this.#wanted = false
  }
  readonly #again = (): void => this.#onEvent()
  #open = true
  #batch = false
  /** The backend waits for buffers that it can see by now. */
  #wanted = false
  #pending: Timer | undefined
  readonly #warnings: PeerWarnings
  /** Packets dropped until the last warning. */
  #dropped = 0

  /** @throws XenError when there is not enough memory, or no grant or port left */
  constructor(
    device: CountingDevice,
    { machine, grants, events }: NetfrontParts,
    backend: Backend,
    options: NetfrontOptions,
    offer: Offer,
    owner: string,
    onBroken: () => void,
  ) {
    this.#device = device
    this.#options = options
    this.#machine = machine
    this.backend = backend
    this.offer = offer
    this.#onBroken = onBroken
    this.#warnings = new PeerWarnings(machine.log('net-xen'), machine.timers)
    this.#tx = new Transmitter(machine, grants, backend.domid, options.sendBuffers ?? SEND_BUFFERS, offer, owner, device.counters, () => {
      if (!this.#batch) void resolved.then(this.#flush) // with all others of this turn
    })
    try {
      this.#rx = new Receiver(machine, grants, backend.domid, options.receiveBuffers ?? RECEIVE_BUFFERS, accepted(options), owner)
    } catch (error) {
      this.#tx.close()
      throw error
    }
    try {
      this.#channels = new RingChannels(
        events,
        backend.domid,
        offer.split,
        owner,
        () => this.#onAnswer(),
        () => this.#onEvent(),
      )
    } catch (error) {
      this.#tx.close()
      this.#rx.close()
      throw error
    }
    this.#rx.push()
  }

  /** What the backend must know to connect (xen/include/public/io/netif.h). */
  get keys(): Keys {
    return [
      ['tx-ring-ref', this.#tx.ringRef],
      ['rx-ring-ref', this.#rx.ringRef],
      ...this.#channels.keys,
      ['request-rx-copy', 1],
      ['feature-rx-notify', 1],
      ...acceptedKeys(this.#options),
    ]
  }

  /** The backend is connected: whatever happened before that is looked at now. */
  start(): void {
    this.up = true
    this.#channels.notify(true, true)
    // Whoever was waited for hears of it in this turn: packets that came meanwhile are for him.
    if (this.#options.ready !== undefined) this.#pending = this.#machine.timers.set(0, this.#again)
    else this.#onEvent()
  }

  reserve(length: number): Frame | undefined {
    const frame = this.#tx.reserve(length)
    if (this.#tx.broken) this.#fail('it answered a packet that was not under way')
    return frame
  }

  largest(ipv6: boolean): number {
    const bytes = this.#tx.largest(ipv6)
    if (this.#tx.broken) this.#fail('it answered a packet that was not under way')
    return bytes
  }

  /** Whether the backend has not let go of the pages of this connection, which is closed. */
  get isHeld(): boolean {
    return this.#tx.isHeld || this.#rx.isHeld
  }

  close(): void {
    if (!this.#open) return
    this.#open = false
    this.up = false
    this.#pending?.cancel()
    this.#channels.close()
    this.#tx.close()
    this.#rx.close()
  }

  #onEvent(): void {
    if (!this.up) return
    this.#pending?.cancel()
    this.#pending = undefined
    this.#batch = true
    this.#reclaim()
    this.#receive()
    if (this.#open) this.#device.onIdle?.()
    this.#batch = false
    this.#flush()
  }

  /** The event of the ring that we send with, when it has one of its own. */
  #onAnswer(): void {
    if (!this.up) return
    this.#batch = true
    this.#reclaim()
    this.#batch = false
    this.#flush()
  }

  #reclaim(): void {
    if (!this.#tx.starved) return // nobody waits: frames are taken back when they are needed
    const relieved = this.#tx.relieve()
    if (this.#tx.broken) this.#fail('it answered a packet that was not under way')
    else if (relieved) this.#device.onWritable?.()
  }

  #receive(): void {
    for (let budget = BUDGET; this.#open; ) {
      const most = Math.min(budget, Math.max(BURST, BUDGET - budget))
      const taken = this.#rx.receive(this.#device, most)
      if (taken === BROKEN) return this.#fail('it delivered a packet into a buffer it did not have, or beyond its end')
      if (this.#rx.dropped !== this.#dropped) this.#warnOfDropped()
      if (this.#rx.push()) this.#wanted = true
      budget -= taken
      if (budget <= 0) {
        this.#pending = this.#machine.timers.set(0, this.#again)
        return
      }
      if (taken >= most) this.#flush()
      else if (!this.#rx.sleep()) return
    }
  }

  #warnOfDropped(): void {
    const { dropped } = this.#rx
    this.#device.counters.receiveErrors += dropped - this.#dropped
    this.#warnings.warn(
      `the backend in domain ${this.backend.domid} delivered ${dropped - this.#dropped} packets with an error, or of no possible length: dropped`,
    )
    this.#dropped = dropped
  }

  #fail(why: string): void {
    if (!this.#open) return
    this.#machine.log('net-xen').warn(`the backend in domain ${this.backend.domid} broke the ring: ${why}. The connection is closed.`)
    this.#device.counters.broken++
    this.close()
    this.broken = true
    this.#onBroken()
  }
}
