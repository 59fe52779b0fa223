/** The side of a vchan that maps the pages of a server. */

import { type EventChannel, ForeignPages, type Watch, XenError, XenstoreError } from '@xen-ts/drivers'
import { type ByteChannel, type Cancel, ChannelClosedError } from '@xen-ts/drivers/channel'
import type { Timer } from '@xen-ts/runtime/machine'
import { Endpoint } from './endpoint.ts'
import type { Vchans } from './index.ts'
import type { Keys } from './keys.ts'
import { eventChannelKey, readKeys } from './keys.ts'
import { areValid, Byte, Live, Notify, Order, ringBytes, ringPages, Word } from './layout.ts'
import { clientSide } from './link.ts'
import { RingReader, RingWriter } from './ring.ts'

/** What a server published does not work (any more). */
class StaleServerError extends Error {}

/** Whether it was for want of something in this domain: no other server will help. */
const isOurs = ({ code }: XenError): boolean => code === 'ENOMEM' || code === 'ENOSPC' || code === 'no_space'

/** Everything mapped from a server. */
class Mapped {
  readonly control: ForeignPages
  readonly reader: RingReader
  readonly writer: RingWriter
  readonly #all: ForeignPages[] = []

  constructor({ machine }: Vchans, domid: number, ringRef: number, name: string) {
    const map = (refs: readonly number[] | Uint32Array, readonly: boolean): ForeignPages => {
      const pages = new ForeignPages(machine, domid, refs, readonly, name)
      this.#all.push(pages)
      return pages
    }
    try {
      this.control = map([ringRef], false)
      const { bytes } = this.control
      const words = new Uint32Array(bytes.buffer)
      const halves = new Uint16Array(bytes.buffer)
      // The server can change its page at any time: orders and references are read once, checked, and never read again.
      const orders = { left: halves[Order.left], right: halves[Order.right] }
      if (!areValid(orders)) throw new StaleServerError(`ring orders ${orders.left} and ${orders.right} are not valid`)
      if (bytes[Byte.serverLive] !== Live.connected) throw new StaleServerError('the server has closed it')
      const leftPages = ringPages(orders.left)
      const refs = words.subarray(Word.grants, Word.grants + leftPages + ringPages(orders.right)).slice()
      const left = leftPages > 0 ? map(refs.subarray(0, leftPages), false) : undefined
      const right = refs.length > leftPages ? map(refs.subarray(leftPages), true) : undefined
      this.writer = new RingWriter(machine.abi, ringBytes(bytes, left?.bytes, orders.left), words, Word.leftProducer, Word.leftConsumer)
      this.reader = new RingReader(machine.abi, ringBytes(bytes, right?.bytes, orders.right), words, Word.rightProducer, Word.rightConsumer)
    } catch (error) {
      this.release()
      throw error
    }
  }

  /** The rings, then what `last` says on the control page, then that. */
  release(last?: () => void): void {
    for (const pages of this.#all) if (pages !== this.control) pages.release()
    last?.()
    this.control?.release()
  }
}

/** @throws StaleServerError, XenError */
function open(vchans: Vchans, domid: number, name: string, { ringRef, eventChannel }: Keys): Endpoint {
  const { machine, events, liveness, warnings } = vchans
  const mapped = new Mapped(vchans, domid, ringRef, name)
  let endpoint: Endpoint | undefined
  let channel: EventChannel
  try {
    channel = events.bindInterdomain(domid, eventChannel, name, () => endpoint?.wake())
  } catch (error) {
    mapped.release()
    throw error
  }
  const control = mapped.control.bytes
  endpoint = new Endpoint(machine, {
    name,
    side: clientSide,
    control,
    reader: mapped.reader,
    writer: mapped.writer,
    channel,
    warnings,
    // A server that hears of the end takes its pages back. Linux keeps those that are mapped still for seconds, in a list that a
    // busy dom0 fills: so the rings go first, and the kick comes last.
    release: tell => {
      vchans.open.delete(endpoint!)
      liveness.delete(endpoint!)
      mapped.release(() => {
        if (tell) control[Byte.clientLive] = Live.gone
      })
      if (tell) channel.notify()
      channel.close()
    },
  })
  vchans.open.add(endpoint)
  liveness.add(endpoint)
  control[Byte.clientLive] = Live.connected
  machine.abi.or8(control, Byte.serverNotify, Notify.write)
  channel.notify()
  return endpoint
}

export interface ConnectOptions {
  readonly signal?: AbortSignal
  readonly cancel?: Cancel
  /** Milliseconds to wait for another server where a dead one was found; without it for ever, with a warning. */
  readonly deadServer?: number
}

export function connect(vchans: Vchans, domid: number, port: number, options: ConnectOptions = {}): Promise<ByteChannel> {
  return new Promise((resolve, reject) => new Connecting(vchans, domid, port, options, resolve, reject).wake())
}

/** A client that waits for its server. Callbacks, not promises: there is one for each call of qrexec. */
class Connecting {
  readonly #vchans: Vchans
  readonly #domid: number
  readonly #port: number
  readonly #options: ConnectOptions
  readonly #resolve: (endpoint: Endpoint) => void
  readonly #reject: (reason: unknown) => void
  readonly #name: string
  /** In which this domain has the number `own`, which is in the server's path. */
  #world: number | undefined
  #own = 0
  #watch: Watch | undefined
  /** The store's first event of the watch has come: others mean that something was written. */
  #isWatching = false
  #refused: Keys | undefined
  #giveUp: Timer | undefined
  /** The time for another server is over. */
  #isLate = false
  /** A domain may have gone since the store was asked. */
  #isUnsure = true
  /** Something is being asked for, and perhaps it is to be looked again then. */
  #isBusy = false
  #isStale = false
  #isDone = false
  #onAbort: (() => void) | undefined

  constructor(
    vchans: Vchans,
    domid: number,
    port: number,
    options: ConnectOptions,
    resolve: (endpoint: Endpoint) => void,
    reject: (reason: unknown) => void,
  ) {
    this.#vchans = vchans
    this.#domid = domid
    this.#port = port
    this.#options = options
    this.#resolve = resolve
    this.#reject = reject
    this.#name = `vchan ${domid}:${port}`
    vchans.waiting.add(this)
    vchans.liveness.add(this)
    const { signal, cancel } = options
    if (signal !== undefined) {
      this.#onAbort = () => this.wake()
      signal.addEventListener('abort', this.#onAbort)
    }
    if (cancel !== undefined) cancel.waiting = this
  }

  /** Something may be different now. */
  wake(): void {
    if (this.#isDone) return
    const { signal, cancel } = this.#options
    if (signal?.aborted) return this.#fail(signal.reason)
    if (cancel?.reason !== undefined) return this.#fail(cancel.reason)
    this.#isStale = true
    if (!this.#isBusy) this.#look()
  }

  /** @internal a domain may have gone */
  check(): void {
    this.#isUnsure = true
    this.wake()
  }

  #look(): void {
    this.#isBusy = true
    this.#isStale = false
    const { xenstore, machine } = this.#vchans
    if (this.#world !== machine.suspension.world) return this.#enter()
    // The first event of a watch says nothing: most likely there are no keys still, and one of them shows that.
    const isLikely = this.#watch === undefined || this.#isWatching
    readKeys(xenstore, this.#domid, this.#own, this.#port, isLikely, (keys, error) => this.#found(keys, error))
  }

  /** Each world gives this domain another number. */
  #enter(): void {
    const { xenstore, machine } = this.#vchans
    const { world } = machine.suspension
    const enter = (own: number): void => {
      if (this.#isDone) return
      if (own === this.#domid)
        return this.#fail(
          new Error(`${this.#name}: a domain cannot connect to itself by vchan (qubes-issues 951). Call the function directly.`),
        )
      this.#world = world
      this.#own = own
      this.#watch?.close()
      this.#watch = this.#refused = undefined
      this.#isWatching = false
      this.#isUnsure = true
      this.#look()
    }
    const own = xenstore.ownDomid
    if (own !== undefined) return enter(own)
    xenstore.domid().then(enter, error => this.#fail(error))
  }

  #found(keys: Keys | undefined, error: XenstoreError | undefined): void {
    if (this.#isDone) return
    if (error !== undefined) return this.#fail(error)
    const { machine, xenstore, warnings } = this.#vchans
    if (this.#world !== machine.suspension.world) return this.#look()
    // Keys that did not work once are waste of a server that died, until somebody writes them again.
    if (keys !== undefined && (keys.ringRef !== this.#refused?.ringRef || keys.eventChannel !== this.#refused.eventChannel)) {
      try {
        const endpoint = open(this.#vchans, this.#domid, this.#name, keys)
        this.#end()
        return this.#resolve(endpoint)
      } catch (error) {
        if (!(error instanceof StaleServerError) && !(error instanceof XenError && !isOurs(error))) return this.#fail(error)
        this.#refused = keys
        this.#isUnsure = true
        const { deadServer } = this.#options
        if (deadServer === undefined)
          warnings.warn(`${this.#name}: what the server published does not work: ${error.message} Waiting for a new server.`)
        else
          this.#giveUp ??= machine.timers.set(deadServer, () => {
            this.#isLate = true
            this.wake()
          })
      }
    }
    if (this.#isLate)
      return this.#fail(
        new ChannelClosedError(`${this.#name}: the server that published its keys is dead, and no other came. Connect again.`),
      )
    // Only who has to wait takes one of the few watches that the store gives a domain. Its first event comes at once, so nothing
    // is missed.
    this.#watch ??= xenstore.watch(eventChannelKey(this.#domid, this.#own, this.#port), () => this.#changed())
    if (!this.#isUnsure) return this.#rest()
    this.#isUnsure = false
    xenstore.askDomain(this.#domid, exists => this.#domainIs(exists))
  }

  /** The next server may well be given the numbers that the dead one had: Xen and Linux hand out first what was freed last. */
  #changed(): void {
    this.#refused = undefined
    this.wake()
    this.#isWatching = true
  }

  #domainIs(exists: boolean | undefined): void {
    if (this.#isDone) return
    if (exists) return this.#rest()
    this.#fail(
      exists === undefined
        ? new XenstoreError('isDomainIntroduced', `domain ${this.#domid}`, 'EIO')
        : new ChannelClosedError(`${this.#name}: domain ${this.#domid} does not exist. Start it first.`),
    )
  }

  #rest(): void {
    this.#isBusy = false
    if (this.#isStale) this.#look()
  }

  #fail(reason: unknown): void {
    this.#end()
    this.#reject(reason)
  }

  #end(): void {
    this.#isDone = true
    const { signal, cancel } = this.#options
    this.#vchans.waiting.delete(this)
    this.#vchans.liveness.delete(this)
    this.#watch?.close()
    this.#giveUp?.cancel()
    if (this.#onAbort !== undefined) signal?.removeEventListener('abort', this.#onAbort)
    if (cancel !== undefined) cancel.waiting = undefined
  }
}
