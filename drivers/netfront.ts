/**
 * netfront: the network device of a guest (xen/include/public/io/netif.h). The device lives as long as the program; backends come
 * and go under it (a netvm that restarts, a vif that is detached and attached again), each with a link of its own.
 *
 * Sent, when the backend can: TCP packets of up to 64 KiB that it cuts, and blank checksums. Offered to it: see NetfrontOptions.
 */
import type { Machine, Timer } from '@xen-ts/runtime/machine.ts'
import { XenError } from './errno.ts'
import { COMPLETE, type EthernetDevice, type Frame } from './ethernet.ts'
import type { EventChannels } from './event-channel.ts'
import type { GrantTable } from './grant-table.ts'
import { Link } from './netfront-link.ts'
import { acceptedKeys, readOffer } from './netfront-features.ts'
import { TxFrame } from './netfront-frames.ts'
import { parseDecimal, parseMac } from './parse.ts'
import { Wakeup } from './wakeup.ts'
import { XenbusState, readBackend, readState, switchState, tryRead } from './xenbus.ts'
import type { Backend } from './xenbus.ts'
import type { Watch } from './xenstore-watches.ts'
import type { Xenstore } from './xenstore.ts'

/** What netfront stands on. */
export interface NetfrontParts {
  readonly machine: Machine
  readonly events: EventChannels
  readonly grants: GrantTable
  readonly xenstore: Xenstore
}

export interface NetfrontOptions {
  /** Number of the vif, the `0` of `device/vif/0`. */
  readonly index?: number
  /** Pages posted for packets to come, at most 256; 128 by default. */
  readonly receiveBuffers?: number
  /** Packets under way to the backend, at most 256; 128 by default. Two take a page. */
  readonly sendBuffers?: number
  /**
   * Lets senders on the same host leave TCP and UDP checksums out: only for a stack that looks at `Frame.checked`. Otherwise the
   * backend completes them for us.
   */
  readonly blankChecksums?: boolean
  /**
   * Takes TCP packets of up to 64 KiB that were not cut into segments: only for a receiver that expects them, and with 20 receive
   * buffers at least.
   */
  readonly largePackets?: boolean
  /** Both of these also for IPv6. */
  readonly ipv6?: boolean
  /** Does not wait: without a vif, or before it works, the device is there all the same and sends nothing; `onConnected` tells. */
  readonly later?: boolean
  /** Gives up waiting for the first backend. Once connected, it has no meaning any more. */
  readonly signal?: AbortSignal
}

const ETHERNET_MTU = 1500
/** RFC 791: every host must take this. */
const SMALLEST_MTU = 68
/** Milliseconds that a backend has to let go when we close. */
const CLOSE_TIMEOUT = 500
/** Milliseconds before we connect again to a backend that broke the rules. */
const PENALTY = 1000

/**
 * Connects the network device; resolves when the backend is connected too.
 * @throws Error when the domain has no such device or its MAC address is not one; XenError when resources are short; what `signal`
 * was aborted with
 */
export async function connectNetfront(parts: NetfrontParts, options: NetfrontOptions = {}): Promise<Netfront> {
  const { index = 0, signal } = options
  signal?.throwIfAborted()
  const frontend = `device/vif/${index}`
  const [backend, untrustedMac, untrustedMtu] = await Promise.all([
    readBackend(parts.xenstore, frontend), tryRead(parts.xenstore, `${frontend}/mac`), tryRead(parts.xenstore, `${frontend}/mtu`),
  ])
  if (backend === undefined && options.later !== true) throw new Error(`net-xen: this domain has no network device ${index} (${frontend}/backend in xenstore). Give the qube a netvm, or the domain a vif=[...].`)
  const mac = parseMac(untrustedMac)
  if (backend !== undefined && mac === undefined) throw new Error(`net-xen: ${frontend}/mac is ${JSON.stringify(untrustedMac?.slice(0, 40))}, not the address of a device. The toolstack must write one, such as 00:16:3e:5e:6c:00.`)
  const device = new Netfront(parts, options, frontend, mac, mtuOf(untrustedMtu))
  if (options.later === true) return device
  const onAbort = (): void => void device.close()
  signal?.addEventListener('abort', onAbort)
  try {
    await device.connected
  } finally {
    signal?.removeEventListener('abort', onAbort)
  }
  return device
}

/** Use connectNetfront. */
export class Netfront implements EthernetDevice {
  readonly mac = new Uint8Array(6)
  mtu: number
  onConnected: (() => void) | undefined
  onReceive: ((frame: Frame, length: number) => void) | undefined
  onWritable: (() => void) | undefined
  onIdle: (() => void) | undefined
  checksums = false
  checksums6 = false
  /** Resolves when the first backend is connected. */
  readonly connected: Promise<void>
  readonly #parts: NetfrontParts
  readonly #options: NetfrontOptions
  readonly #frontend: string
  readonly #name: string
  readonly #wakeup = new Wakeup()
  readonly #life: Promise<void>
  #link: Link | undefined
  #penalty: Timer | undefined
  #backendWatch: Watch | undefined
  #closing = false
  /** Somebody could not send while there was no backend. */
  #starved = false
  /** A backend was there before; what is in its directory is not what an earlier kernel left. */
  #settled = false
  /** Or nobody waits for that: errors are ours from now on. */
  #wasConnected: boolean
  /** The addresses in xenstore are not those that were read: the vif is, or will be, another one. */
  #isNew: boolean
  /** After a backend broke the rules, the next one has to wait until then. */
  #notBefore = 0
  #resolveConnected = (): void => {}

  /** @internal */
  constructor(parts: NetfrontParts, options: NetfrontOptions, frontend: string, mac: Uint8Array | undefined, mtu: number) {
    this.#parts = parts
    this.#options = options
    this.#frontend = frontend
    this.#name = `vif ${options.index ?? 0}`
    this.#isNew = mac === undefined
    this.#wasConnected = options.later === true
    if (mac !== undefined) this.mac.set(mac)
    this.mtu = mtu
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.connected = promise
    this.#resolveConnected = resolve
    // Before the first connection an error is the caller's.
    this.#life = this.#live().catch((error: Error) => {
      if (this.#wasConnected) parts.machine.log('net-xen').error(`${this.#name}: ${error.message} The device is dead.`)
      reject(error)
    })
    promise.catch(() => {}) // with `later`, nobody waits for it
  }

  /** Whether a backend is connected now. */
  get isUp(): boolean {
    return this.#link?.up === true
  }

  reserve(length = 0): Frame | undefined {
    const frame = this.#link?.up === true ? this.#link.reserve(length) : undefined
    if (frame === undefined) this.#starved = true
    return frame
  }

  send(frame: Frame, length: number, offload = COMPLETE): void {
    if (!(frame instanceof TxFrame)) throw new TypeError('net-xen: this frame is of another device. Send what reserve() gave.')
    frame.sender.send(frame, length, offload)
  }

  largest(ipv6 = false): number {
    return this.#link?.up === true ? this.#link.largest(ipv6) : 0
  }

  discard(frame: Frame): void {
    if (!(frame instanceof TxFrame)) throw new TypeError('net-xen: this frame is of another device. Discard what reserve() gave.')
    frame.sender.discard(frame)
  }

  close(): Promise<void> {
    this.#closing = true
    this.#wakeup.wake()
    return this.#life
  }

  /** Looks at both directories after every change of either, and does what is next. What was missed in between does not matter. */
  async #live(): Promise<void> {
    const watch = this.#parts.xenstore.watch(this.#frontend, this.#wakeup.wake)
    const unsubscribe = this.#parts.machine.suspension.subscribe('connections', { resume: (cancelled) => { if (!cancelled) this.#loseLink() } })
    try {
      while (!this.#closing) {
        await this.#wakeup.wait()
        if (!this.#closing) await this.#lookOrComplain()
      }
      await this.#shutDown()
    } finally {
      unsubscribe()
      watch.close()
      this.#backendWatch?.close()
      this.#penalty?.cancel()
      this.#link?.close()
      this.#link = undefined
    }
    if (!this.#wasConnected) this.#options.signal?.throwIfAborted()
  }

  /** Want of memory or grants at a later connection must not end the device: there may be more when the next backend comes. */
  async #lookOrComplain(): Promise<void> {
    try {
      await this.#look()
    } catch (error) {
      if (!this.#wasConnected || !(error instanceof XenError)) throw error
      this.#parts.machine.log('net-xen').error(error.message)
    }
  }

  async #look(): Promise<void> {
    const { xenstore, machine } = this.#parts
    const backend = await readBackend(xenstore, this.#frontend)
    this.#watchBackend(backend)
    const [own, state] = await Promise.all([
      readState(xenstore, this.#frontend), backend === undefined ? XenbusState.unknown : readState(xenstore, backend.path),
    ])
    if (this.#closing) return
    const link = this.#link
    if (link === undefined) {
      if (backend !== undefined && state === XenbusState.initWait) await this.#connectInTime(backend)
      else if (!this.#settled && backend !== undefined && state >= XenbusState.connected) await this.#reset(backend)
      return
    }
    const lost = link.broken ? 'it broke the rules' : backend === undefined || state === XenbusState.unknown ? 'its directory is gone'
      : backend.path !== link.backend.path || own !== XenbusState.connected ? 'another one has taken its place'
        : state === XenbusState.closing || state === XenbusState.closed ? 'it is closing' : undefined
    if (lost !== undefined) {
      machine.log('net-xen').info(`${this.#name}: disconnected from domain ${link.backend.domid}: ${lost}`)
      if (link.broken) this.#notBefore = machine.timers.now() + PENALTY
      await this.#disconnect()
    } else if (!link.up && state === XenbusState.connected) {
      machine.log('net-xen').info(`${this.#name}: backend domain ${link.backend.domid}, MAC ${formatMac(this.mac)}, MTU ${this.mtu}`)
      this.checksums = link.offer.checksums
      this.checksums6 = link.offer.checksums6
      link.start()
      this.#wasConnected = true
      this.#resolveConnected()
      this.onConnected?.()
      if (this.#starved) {
        this.#starved = false
        this.onWritable?.()
      }
    }
  }

  #watchBackend(backend: Backend | undefined): void {
    const path = backend === undefined ? undefined : `${backend.path}/state`
    if (this.#backendWatch?.path === path) return
    this.#backendWatch?.close()
    this.#backendWatch = path === undefined ? undefined : this.#parts.xenstore.watch(path, this.#wakeup.wake)
  }

  async #connectInTime(backend: Backend): Promise<void> {
    const delay = this.#notBefore - this.#parts.machine.timers.now()
    if (delay <= 0) return this.#connect(backend)
    this.#penalty?.cancel()
    this.#penalty = this.#parts.machine.timers.set(delay, this.#wakeup.wake)
  }

  /** Makes the rings and tells the backend where they are. */
  async #connect(backend: Backend): Promise<void> {
    const { xenstore } = this.#parts
    if (this.#isNew) await this.#readAddress()
    const offer = await readOffer(xenstore, backend)
    if (this.#closing) return
    const link = new Link(this, this.#parts, backend, this.#options, offer, this.#name, this.#wakeup.wake)
    this.#link = link
    this.#settled = true
    await xenstore.transaction(async (view) => {
      if (await view.tryRead(`${this.#frontend}/backend`) !== backend.path) return // it has gone meanwhile, the next look will tell
      const keys = [...link.keys, ['request-rx-copy', 1], ['feature-rx-notify', 1], ...acceptedKeys(this.#options), ['state', XenbusState.connected]]
      // All at once: a round trip to the store is the dearest part of a boot.
      await Promise.all(keys.map(([name, value]) => view.write(`${this.#frontend}/${name}`, String(value))))
    })
  }

  /** A vif that was attached later may have another address; what is none is not taken. */
  async #readAddress(): Promise<void> {
    const { xenstore, machine } = this.#parts
    const [untrustedMac, untrustedMtu] = await Promise.all([tryRead(xenstore, `${this.#frontend}/mac`), tryRead(xenstore, `${this.#frontend}/mtu`)])
    const mac = parseMac(untrustedMac)
    if (mac === undefined) machine.log('net-xen').warn(`${this.#frontend}/mac is ${JSON.stringify(untrustedMac?.slice(0, 40))}, not the address of a device; going on with ${formatMac(this.mac)}`)
    else this.mac.set(mac)
    this.mtu = mtuOf(untrustedMtu)
  }

  /** What stands there is of an earlier life (a kernel before us): let the backend begin again. */
  async #reset({ path }: Backend): Promise<void> {
    this.#settled = true
    for (const state of [XenbusState.closing, XenbusState.closed, XenbusState.initialising]) await this.#switch(path, state)
  }

  #switch(backend: string, state: number): Promise<boolean> {
    return switchState(this.#parts.xenstore, this.#frontend, backend, state)
  }

  /** In a new world the backend is another one, which waits for us; the rings and what was in them are lost. */
  #loseLink(): void {
    this.#link?.close()
    this.#link = undefined
    this.#isNew = true
    this.#notBefore = 0
    this.#wakeup.wake()
  }

  async #disconnect(): Promise<void> {
    const link = this.#link
    if (link === undefined) return
    link.close()
    this.#link = undefined
    this.#isNew = true
    const { path } = link.backend
    if (await this.#switch(path, XenbusState.closing) && await this.#switch(path, XenbusState.closed)) return
    this.#wakeup.wake() // nothing that we wrote will make us look at who is there now
  }

  /** Our own wish to end: the backend lets go of the rings first, if it does so soon. */
  async #shutDown(): Promise<void> {
    const { xenstore, machine } = this.#parts
    const backend = this.#link?.backend
    if (backend === undefined) return
    if (await this.#switch(backend.path, XenbusState.closing)) {
      let late = false
      const timer = machine.timers.set(CLOSE_TIMEOUT, () => { late = true; this.#wakeup.wake() })
      for (;;) {
        const state = await readState(xenstore, backend.path)
        if (late || (state !== XenbusState.connected && state !== XenbusState.initWait)) break
        await this.#wakeup.wait()
      }
      timer.cancel()
    }
    await this.#disconnect()
  }
}

/** Send buffers hold no more than Ethernet's. */
function mtuOf(untrusted: string | undefined): number {
  const mtu = parseDecimal(untrusted, 65535) ?? ETHERNET_MTU
  return mtu < SMALLEST_MTU ? ETHERNET_MTU : Math.min(mtu, ETHERNET_MTU)
}

const formatMac = (mac: Uint8Array): string => [...mac].map((byte) => byte.toString(16).padStart(2, '0')).join(':')
