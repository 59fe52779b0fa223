/** What a client says: the same of itself in every message, and what RFC 2131 table 5 has for each kind. */

import { type DhcpRequest, options, writeDhcp } from '../wire/dhcp.ts'
import { ANY } from '../wire/ipv4-address.ts'
import type { DhcpOptions } from './environment.ts'

/** An option has so many bytes. */
const LONGEST_HOST_NAME = 255

/** With 121 before 3, as RFC 3442 asks for. */
const WANTED = Uint8Array.of(
  options.mask,
  options.routes,
  options.routers,
  options.nameServers,
  options.domain,
  options.mtu,
  options.leaseTime,
  options.renewTime,
  options.rebindTime,
)

export class Composer {
  readonly #mac: Uint8Array
  readonly #mtu: number
  readonly #hostName: Uint8Array

  /** Throws a RangeError for a host name that cannot be one. */
  constructor({ mac, mtu, hostName = '' }: DhcpOptions) {
    if (hostName !== '' && (hostName.length > LONGEST_HOST_NAME || !/^[a-z\d-]{1,63}(\.[a-z\d-]{1,63})*$/i.test(hostName))) {
      const advice = `use letters, digits, hyphens and dots, ${LONGEST_HOST_NAME} at most`
      throw new RangeError(`DHCP cannot carry the host name ${JSON.stringify(hostName)}: ${advice}`)
    }
    this.#mac = mac
    this.#mtu = mtu
    this.#hostName = Uint8Array.from(hostName, character => character.charCodeAt(0))
  }

  /** While the client has no address, answers shall go to all. */
  compose({ options: given, ...request }: Omit<DhcpRequest, 'broadcast' | 'mac'>): Uint8Array {
    const asks = request.type === 'discover' || request.type === 'request'
    const own: DhcpRequest['options'] = [[options.client, Uint8Array.of(1, ...this.#mac)]]
    const name: DhcpRequest['options'] = asks && this.#hostName.length > 0 ? [[options.hostName, this.#hostName]] : []
    const wishes: DhcpRequest['options'] = asks
      ? [
          [options.largest, Uint8Array.of(this.#mtu >>> 8, this.#mtu)],
          [options.wanted, WANTED],
        ]
      : []
    const broadcast = asks && request.clientAddress === ANY
    return writeDhcp({ ...request, broadcast, mac: this.#mac, options: [...own, ...given, ...name, ...wishes] })
  }
}
