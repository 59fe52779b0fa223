/**
 * What is known of neighbours, whichever way they are asked (ARP: neighbours.ts, neighbour discovery: ndp.ts). Bounded: a few dozen
 * neighbours, a few frames waiting for each, a few tries.
 *
 * The gateway is special. In Qubes it is off the link, its Linux end has the MAC fe:ff:ff:ff:ff:ff, and some network VMs answer no
 * questions at all: after a few tries that address is used, and asking goes on in the background.
 */
import type { EthernetDevice, Log, Timer, Timers } from '@xen-ts/runtime/machine'
import type { Counters } from '../counters.ts'
import { LimitedLog } from '../limited.ts'
import { formatMac, isSame, type MacWords } from '../wire/ethernet.ts'
import { Neighbour, type WaitingFrames } from './neighbour.ts'

/** Milliseconds between tries, their number, and how long an answer is believed. */
const RETRY = 300
const TRIES = 3
const LIFETIME = 60_000

/** Milliseconds that the gateway's is believed without an answer: it may have been about to start, as we are. */
const GUESS_LIFETIME = 5_000

const FALLBACK_MAC: MacWords = new Uint16Array([0xfffe, 0xffff, 0xffff])

/** A neighbour with its address: of IPv4 a number, of IPv6 a key (wire/ipv6-address.ts). */
export class Entry<Key> extends Neighbour {
  readonly key: Key
  /** Questions in a row without an answer. */
  tries = 0
  timer: Timer | undefined = undefined

  constructor(key: Key, all: WaitingFrames) {
    super(all)
    this.key = key
  }
}

/** How a family asks. */
export interface Questions<Key> {
  /** `ARP` */
  readonly protocol: string
  ask(entry: Entry<Key>): void
  format(key: Key): string
}

export class NeighbourCache<Key> {
  /** Never makes room for another, and is reached even if it does not answer. */
  gateway: Key | undefined = undefined
  readonly #device: EthernetDevice
  readonly #timers: Timers
  readonly #log: Log
  /** For what others on the link can cause as often as they like. */
  readonly #limited: LimitedLog
  readonly #counters: Counters
  readonly #limit: number
  readonly #questions: Questions<Key>
  readonly #entries = new Map<Key, Entry<Key>>()
  readonly #waiting: WaitingFrames = { count: 0 }
  #versions = 0
  #closed = false

  constructor(parts: { device: EthernetDevice; timers: Timers; log: Log; counters: Counters; limit: number }, questions: Questions<Key>) {
    this.#device = parts.device
    this.#timers = parts.timers
    this.#log = parts.log
    this.#limited = new LimitedLog(parts.log, parts.timers)
    this.#counters = parts.counters
    this.#limit = parts.limit
    this.#questions = questions
  }

  /** Entries, unanswered ones included. */
  get size(): number {
    return this.#entries.size
  }

  /** The entry for an address on the link, or the gateway's; starts asking when there is no fresh answer. undefined after `close`. */
  get(key: Key): Neighbour | undefined {
    if (this.#closed) return undefined
    let entry = this.#entries.get(key)
    if (entry === undefined) {
      if (this.#entries.size >= this.#limit) this.#evict()
      entry = new Entry(key, this.#waiting)
      this.#entries.set(key, entry)
    }
    if (entry.version === 0 && entry.timer === undefined) this.#ask(entry)
    return entry
  }

  /** What is known of an address, without asking. */
  find(key: Key): Entry<Key> | undefined {
    return this.#entries.get(key)
  }

  /** An entry for a neighbour that asks for us: nobody has to make room for it. undefined when there is none. */
  findOrAdd(key: Key): Entry<Key> | undefined {
    let entry = this.#entries.get(key)
    if (entry === undefined && this.#entries.size < this.#limit && !this.#closed) {
      entry = new Entry(key, this.#waiting)
      this.#entries.set(key, entry)
    }
    return entry
  }

  /**
   * A neighbour has said where it is. When that is elsewhere, and nobody had asked, it is asked: it has the last word, so that who says it in its
   * place has to go on saying it.
   */
  learn(entry: Entry<Key>, mac: MacWords, lifetime = LIFETIME): void {
    if (entry.mac !== undefined && entry.tries === 0 && !isSame(entry.mac, mac)) {
      this.learnUnsure(entry, mac)
      return
    }
    this.#move(entry, mac)
    entry.version = ++this.#versions
    entry.tries = 0
    entry.timer?.cancel()
    entry.timer = this.#timers.set(lifetime, () => {
      entry.timer = undefined
      entry.version = 0 // the next frame asks again, and meanwhile goes to the known address
    })
    this.#release(entry, mac)
  }

  /** Somebody has said it unasked: frames go there, and the next one asks. */
  learnUnsure(entry: Entry<Key>, mac: MacWords): void {
    this.#move(entry, mac)
    this.doubt(entry)
    this.#release(entry, mac)
  }

  /** What is known is not to be relied on any more. */
  doubt(entry: Entry<Key>): void {
    entry.version = 0
    entry.tries = 0
    entry.timer?.cancel()
    entry.timer = undefined
  }

  remove(entry: Entry<Key>): void {
    this.#entries.delete(entry.key)
    this.#forget(entry)
  }

  /** Forgets all: the device is on another wire, or has another address. */
  clear(): void {
    for (const entry of this.#entries.values()) this.#forget(entry)
    this.#entries.clear()
  }

  close(): void {
    this.#closed = true
    this.clear()
  }

  #move(entry: Entry<Key>, mac: MacWords): void {
    if (entry.mac !== undefined && isSame(entry.mac, mac)) return
    entry.mac = mac
    this.#limited.write('debug', () => `${this.#questions.format(entry.key)} is at ${formatMac(mac)}`)
  }

  #release(entry: Entry<Key>, mac: MacWords): void {
    for (const { frame, length, offload } of entry.release()) {
      frame.u16.set(mac, 0)
      this.#device.send(frame, length, offload)
    }
  }

  #ask(entry: Entry<Key>): void {
    if (entry.tries === TRIES) {
      this.#unanswered(entry)
      return
    }
    entry.tries++
    this.#questions.ask(entry)
    entry.timer = this.#timers.set(RETRY, () => {
      entry.timer = undefined
      this.#ask(entry)
    })
  }

  #unanswered(entry: Entry<Key>): void {
    const { protocol, format } = this.#questions
    if (entry.key === this.gateway) {
      if (entry.mac === undefined) this.#log.info(`gateway ${format(entry.key)} answers no ${protocol}, using fe:ff:ff:ff:ff:ff`)
      this.learn(entry, entry.mac ?? FALLBACK_MAC, GUESS_LIFETIME)
      return
    }
    this.#limited.write('debug', () => `${format(entry.key)} answers no ${protocol}`)
    this.#entries.delete(entry.key)
    this.#forget(entry)
  }

  /** Makes room: the oldest entry goes, but never the gateway. */
  #evict(): void {
    for (const entry of this.#entries.values()) {
      if (entry.key === this.gateway) continue
      this.#entries.delete(entry.key)
      this.#forget(entry)
      return
    }
  }

  #forget(entry: Entry<Key>): void {
    entry.version = 0
    entry.mac = undefined
    entry.timer?.cancel()
    entry.timer = undefined
    for (const { frame } of entry.release()) {
      this.#counters.noRoute++
      this.#device.discard(frame)
    }
  }
}
