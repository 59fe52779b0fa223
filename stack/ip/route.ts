/**
 * The way to one peer, from one of our addresses: all that TCP, UDP and echo need to know of IP. What stands on it does not know
 * which family it serves: a family is a subclass of Route (ipv4-route.ts), a class that receives packets and finds routes
 * (ipv4.ts), and its headers (wire/ipv4.ts).
 */
import type { Frame } from '@xen-ts/runtime/machine'
import type { Connection } from '../tcp/connection.ts'
import { ETH_BYTES } from '../wire/ethernet.ts'
import type { Interface } from './interface.ts'
import type { Neighbour } from './neighbour.ts'

export abstract class Route {
  readonly link: Interface
  /** Bytes of a frame before the transport's header, an even number. */
  readonly overhead: number
  /** Sum of both addresses, folded to 16 bits: their part of the pseudo header of checksums. */
  readonly sum: number
  /** The next hop that was resolved last. While its version is 0, `resolve` must be asked again. */
  hop: Neighbour | undefined = undefined
  /** TCP's connections on this route by their ports (tcp/table.ts); while there are any, the family gives this route for its peer. */
  connections: Map<number, Connection> | undefined = undefined

  constructor(link: Interface, overhead: number, sum: number) {
    this.link = link
    this.overhead = overhead
    this.sum = sum
  }

  abstract readonly family: 4 | 6
  /** The peer's address and our own, as text. */
  abstract readonly peer: string
  abstract readonly local: string
  /** Both addresses, for hashes. */
  abstract readonly words: readonly number[]
  /** Whether there is an address of our own to send from. */
  abstract readonly hasLocal: boolean
  /** Largest packet of the link in bytes, with its IP header. */
  abstract readonly mtu: number
  /** The least MTU that a link or router of this family can have in good faith. */
  abstract readonly leastMtu: number
  /** Whether the device completes the transport's checksums. */
  abstract readonly checksums: boolean
  /** Bytes of the largest TCP segment, with its header, that the device has room for now and cuts; 0 or less when it does not. */
  abstract largest(): number
  /** Finds the next hop, and asks for its MAC address when that is not known. undefined when there is no way to the peer. */
  abstract resolve(): Neighbour | undefined
  /** Writes all headers before the transport's but for their length. `hop` must have been resolved. */
  abstract writeHeaders(u16: Uint16Array, protocol: number): void
  /** Completes headers that were just written, or copied from such, for `length` bytes of the transport. */
  abstract setLength(u16: Uint16Array, length: number): void
  /** `10.0.0.1:80`, for error texts and logs. */
  abstract endpoint(port: number): string
  /** The first connection stands on the route, or the last one is gone. */
  abstract keep(): void
  abstract forget(): void

  /** Bytes of the IP header. */
  get headerBytes(): number {
    return this.overhead - ETH_BYTES
  }

  /** Sends `length` bytes that stand in `frame` behind `overhead` bytes for the headers. */
  send(frame: Frame, protocol: number, length: number): void {
    let { hop } = this
    if (hop === undefined || hop.version === 0) hop = this.resolve()
    if (hop === undefined) {
      this.link.counters.noRoute++
      this.link.device.discard(frame)
      return
    }
    this.writeHeaders(frame.u16, protocol)
    this.setLength(frame.u16, length)
    this.link.transmit(hop, frame, this.overhead + length)
  }
}
