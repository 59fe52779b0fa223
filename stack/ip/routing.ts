/** Where packets go next: the networks that a host knows, the longest prefix first (RFC 1122 section 3.3.1). */
import type { Addresses, Ipv4Network } from '../config.ts'
import { type Ipv4, prefixMask } from '../wire/ipv4-address.ts'

interface Entry {
  readonly network: Ipv4
  readonly mask: Ipv4
  readonly via: Ipv4 | undefined
}

export class RoutingTable {
  readonly #entries: readonly Entry[]

  constructor({ address, mask, bits, gateway, routes }: Addresses) {
    const networks: Ipv4Network[] = [...routes]
    if (bits < 32) networks.unshift({ network: address & mask, bits, via: undefined })
    if (gateway !== undefined) networks.push({ network: 0, bits: 0, via: gateway })
    networks.sort((a, b) => b.bits - a.bits) // stable: of two that are equally long, our own network, and the gateway last
    this.#entries = networks.map(each => ({ network: each.network, mask: prefixMask(each.bits), via: each.via }))
  }

  /** The next hop to an address, which is that itself on the link; undefined when there is no way. */
  nextHop(destination: Ipv4): Ipv4 | undefined {
    for (const { network, mask, via } of this.#entries) if (((destination ^ network) & mask) === 0) return via ?? destination
    return undefined
  }
}
