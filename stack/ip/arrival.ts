/**
 * The record that the ABI's packetIn fills from the usual packet of TCP or UDP, and reads: which frames are ours. The layout is
 * boot/compiled/packet-in.ts; a frame that it does not take goes the way of all others (interface.ts).
 */
import { ARRIVAL_BYTES, HAS_IPV4, HAS_PATH6, LONGEST, OWN_IPV4, OWN_MAC, PATH6 } from '@xen-ts/runtime/machine'
import type { MacWords } from '../wire/ethernet.ts'
import { ANY, type Ipv4 } from '../wire/ipv4-address.ts'
import type { Ipv6 } from '../wire/ipv6-address.ts'

export class Arrival {
  readonly words = new Int32Array(ARRIVAL_BYTES >> 2)
  readonly bytes = new Uint8Array(this.words.buffer)
  readonly #halves = new Uint16Array(this.words.buffer)

  set mac(mac: MacWords) {
    this.#halves.set(mac, OWN_MAC >> 1)
  }

  /** Bytes of the longest frame of the link: of TCP there may be longer ones. */
  set longest(bytes: number) {
    this.words[LONGEST >> 2] = bytes
  }

  /** ANY: none. */
  set ipv4(address: Ipv4) {
    this.words[HAS_IPV4 >> 2] = address === ANY ? 0 : 1
    this.words[OWN_IPV4 >> 2] = address
  }

  /** The only two addresses of IPv6 that packets are taken from and to; undefined: none. */
  set path6(path: { readonly peerIp: Ipv6; readonly own: { readonly address: Ipv6 } } | undefined) {
    this.words[HAS_PATH6 >> 2] = path === undefined ? 0 : 1
    if (path === undefined) return
    this.#halves.set(path.peerIp, PATH6 >> 1)
    this.#halves.set(path.own.address, (PATH6 >> 1) + 8)
  }
}
