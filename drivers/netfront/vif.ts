/** What a network device adds to the life of a frontend: its addresses, what it asks of a backend, and its two rings. */

import type { FrontendDriver } from '../xenbus/driver.ts'
import type { Backend } from '../xenbus/handshake.ts'
import { formatMac, readAddress } from './address.ts'
import { type Offer, readOffer } from './features.ts'
import { Link } from './link.ts'
import type { Netfront } from './netfront.ts'
import type { NetfrontOptions, NetfrontParts } from './options.ts'

export class Vif implements FrontendDriver<Link, Offer> {
  readonly name: string
  readonly source = 'net-xen'
  readonly up: () => void
  readonly #device: Netfront
  readonly #parts: NetfrontParts
  readonly #options: NetfrontOptions
  readonly #frontend: string

  /** @param up called when a backend is connected */
  constructor(device: Netfront, parts: NetfrontParts, options: NetfrontOptions, frontend: string, up: () => void) {
    this.name = `vif ${options.index ?? 0}`
    this.up = up
    this.#device = device
    this.#parts = parts
    this.#options = options
    this.#frontend = frontend
  }

  /** A vif that was attached later may have another address; what is none is not taken. */
  async renew(): Promise<void> {
    const { mac, mtu, complaint } = await readAddress(this.#parts.xenstore, this.#frontend)
    const device = this.#device
    if (mac === undefined) this.#parts.machine.log(this.source).warn(`${complaint}; going on with ${formatMac(device.mac)}`)
    else device.mac.set(mac)
    device.mtu = mtu
  }

  read(backend: Backend): Promise<Offer> {
    return readOffer(this.#parts.xenstore, backend)
  }

  connect(backend: Backend, offer: Offer, onBroken: () => void): Link {
    return new Link(this.#device, this.#parts, backend, this.#options, offer, this.name, onBroken)
  }

  connected({ backend, offer }: Link): string {
    const device = this.#device
    device.checksums = offer.checksums
    device.checksums6 = offer.checksums6
    return `backend domain ${backend.domid}, MAC ${formatMac(device.mac)}, MTU ${device.mtu}`
  }
}
