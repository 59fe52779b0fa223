/**
 * The way to one peer, from one of our addresses: all that TCP, UDP and echo need to know of IP. What stands on it does not know
 * which family it serves: a family is a subclass of Route (ipv4-route.ts), a class that receives packets and finds routes
 * (ipv4.ts), and its headers (wire/ipv4.ts).
 */
import type { Frame } from '@xen-ts/runtime/machine'
import type { Connection } from '../tcp/connection.ts'
import { ETH_BYTES } from '../wire/ethernet.ts'
import { sendFragments } from './fragmentation.ts'
import { newFrame } from './frame.ts'
import type { Link } from './link.ts'
import type { Neighbour } from './neighbour.ts'

/** Why a packet was for nobody: no receiver on its port, no such transport, or its fragments did not all come in time. */
export type Refusal = 'port' | 'protocol' | 'reassembly'

/** What the field of the length in a header of IP can say. */
const MOST_BYTES = 0xffff

export abstract class Route {
  readonly link: Link
  /** Bytes of a frame before the transport's header, an even number. */
  readonly overhead: number
  /** Sum of both addresses, folded to 16 bits: their part of the pseudo header of checksums. */
  readonly sum: number
  /** The next hop that was resolved last. While its version is 0, `resolve` must be asked again. */
  hop: Neighbour | undefined = undefined
  /** TCP's connections on this route by their ports (tcp/table.ts); while there are any, the family gives this route for its peer. */
  connections: Map<number, Connection> | undefined = undefined

  constructor(link: Link, overhead: number, sum: number) {
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
  /** Largest packet of the link in bytes, with its IP header; `pathMtu` may be less. */
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
  /** Writes all headers before the transport's for a fragment, but for their length: `overhead` and `fragmentBytes`. `hop` must have been resolved. */
  writeFragment(_u16: Uint16Array, _protocol: number, _fragment: { id: number; offset: number; more: boolean }): void {
    throw new Error(`no fragments are sent to ${this.peer}: its family has none`)
  }

  /**
   * Tells the sender of a packet that came by this route, by ICMP, that there was nobody to take it, where a host must, and not too often
   * (RFC 1122 section 3.2.2.1, RFC 4443 section 2.4).
   */
  unreachable(_frame: Frame, _what: Refusal): void {}

  /** `10.0.0.1:80`, for error texts and logs. */
  abstract endpoint(port: number): string
  /** The first connection stands on the route, or the last one is gone. */
  abstract keep(): void
  abstract forget(): void

  /** Bytes of the header of a fragment between `overhead` and its piece. */
  get fragmentBytes(): number {
    return 0
  }

  /** Bytes of the largest packet, with its IP header, that the path to the peer takes as far as we know; `mtu` is the link's. */
  get pathMtu(): number {
    const mtu = this.mtu
    const link = this.link
    if (link.paths.size === 0) return mtu
    const known = link.paths.get(this.peer)
    return known < mtu ? known : mtu
  }

  /** A router says, and the packet that it quotes was ours, that the path takes no more than `mtu` bytes. What it is from now on. */
  tooBig(mtu: number): number {
    if (mtu < this.leastMtu) mtu = this.leastMtu // nobody shall make us send crumbs
    if (mtu < this.mtu) this.link.paths.set(this.peer, mtu)
    return this.pathMtu
  }

  /** Bytes of the IP header. */
  get headerBytes(): number {
    return this.overhead - ETH_BYTES
  }

  /** The most bytes that IP can carry in one packet, fragmented or not: the length in IPv4's header counts the header (RFC 791 section 3.1). */
  get mostBytes(): number {
    return MOST_BYTES - this.headerBytes
  }

  /** A frame for `length` bytes of a transport that may be fragmented, which `send` takes; undefined (counted) when none is free. */
  reserve(length: number): Frame | undefined {
    return this.#fits(length) ? this.link.reserve() : newFrame(this.overhead + length)
  }

  #fits(length: number): boolean {
    const size = this.overhead - ETH_BYTES + length
    return size <= this.mtu && (this.link.paths.size === 0 || size <= this.pathMtu)
  }

  /**
   * Sends `length` bytes that stand in `frame`, given by `reserve`, behind `overhead` bytes for the headers: as fragments when the path takes
   * no packet so large. False when it is lost already, because there is no way or no frame (counted).
   */
  send(frame: Frame, protocol: number, length: number): boolean {
    const isWhole = this.#fits(length)
    let hop = this.hop
    if (hop === undefined || hop.version === 0) hop = this.resolve()
    if (hop === undefined) {
      this.link.counters.noRoute++
      if (isWhole) this.link.device.discard(frame)
      return false
    }
    if (!isWhole) return sendFragments(this, hop, frame, protocol, length)
    this.writeHeaders(frame.u16, protocol)
    this.setLength(frame.u16, length)
    this.link.transmit(hop, frame, this.overhead + length)
    return true
  }
}
