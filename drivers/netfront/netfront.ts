/**
 * netfront: the network device of a guest (xen/include/public/io/netif.h). The device lives as long as the program; backends come
 * and go under it (a netvm that restarts, a vif that is detached and attached again), each with a link of its own.
 *
 * Sent, when the backend can: TCP packets of up to 64 KiB that it cuts, and blank checksums. Offered to it: see NetfrontOptions.
 */
import { COMPLETE, type EthernetDevice, type Frame } from '@xen-ts/runtime/machine'
import { Frontend } from '../xenbus/frontend.ts'
import { type Backend, readBackend } from '../xenbus/handshake.ts'
import { type Address, readAddress } from './address.ts'
import { NetfrontCounters } from './counters.ts'
import { TxFrame } from './frames.ts'
import type { Link } from './link.ts'
import type { NetfrontOptions, NetfrontParts } from './options.ts'
import { Vif } from './vif.ts'

/**
 * Connects the network device; resolves when the backend is connected too.
 * @throws Error when the domain has no such device or its MAC address is not one; XenError when resources are short; what `signal`
 * was aborted with
 */
export async function connectNetfront(parts: NetfrontParts, options: NetfrontOptions = {}): Promise<Netfront> {
  const { index = 0, signal } = options
  signal?.throwIfAborted()
  const frontend = `device/vif/${index}`
  const [backend, address] = await Promise.all([readBackend(parts.xenstore, frontend), readAddress(parts.xenstore, frontend)])
  if (backend === undefined && options.later !== true)
    throw new Error(
      `net-xen: this domain has no network device ${index} (${frontend}/backend in xenstore). Give the qube a netvm, or the domain a vif=[...].`,
    )
  if (backend !== undefined && address.mac === undefined)
    throw new Error(`net-xen: ${address.complaint}. The toolstack must write one, such as 00:16:3e:5e:6c:00.`)
  const device = new Netfront(parts, options, frontend, address, backend)
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
  readonly counters = new NetfrontCounters()
  /** Resolves when the first backend is connected. */
  readonly connected: Promise<void>
  readonly #life: Frontend<Link>
  /** Somebody could not send while there was no backend. */
  #starved = false

  /** @internal */
  constructor(parts: NetfrontParts, options: NetfrontOptions, frontend: string, { mac, mtu }: Address, backend: Backend | undefined) {
    if (mac !== undefined) this.mac.set(mac)
    this.mtu = mtu
    const vif = new Vif(this, parts, options, frontend, () => this.#onUp())
    const { later, signal, ready } = options
    this.#life = new Frontend(vif, parts, frontend, { later, signal, ready, isNew: mac === undefined, backend })
    this.connected = this.#life.connected
  }

  /** Whether a backend is connected now. */
  get isUp(): boolean {
    return this.#life.link?.up === true
  }

  reserve(length = 0): Frame | undefined {
    const { link } = this.#life
    const frame = link?.up === true ? link.reserve(length) : undefined
    if (frame === undefined) this.#starved = true
    return frame
  }

  send(frame: Frame, length: number, offload = COMPLETE): void {
    if (!(frame instanceof TxFrame)) throw new TypeError('net-xen: this frame is of another device. Send what reserve() gave.')
    frame.sender.send(frame, length, offload)
  }

  largest(ipv6 = false): number {
    const { link } = this.#life
    return link?.up === true ? link.largest(ipv6) : 0
  }

  discard(frame: Frame): void {
    if (!(frame instanceof TxFrame)) throw new TypeError('net-xen: this frame is of another device. Discard what reserve() gave.')
    frame.sender.discard(frame)
  }

  /** Tells the backend, and waits half a second at most until it has let go. */
  close(): Promise<void> {
    return this.#life.close()
  }

  #onUp(): void {
    this.onConnected?.()
    if (!this.#starved) return
    this.#starved = false
    this.onWritable?.()
  }
}
