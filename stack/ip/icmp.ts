/**
 * ICMP (RFC 792, RFC 1122 section 3.2.2): answers echo requests, and tells TCP and UDP that a packet of theirs could not be
 * delivered. Everything else is counted and ignored; we never redirect, quench or tell the time.
 */
import type { Frame } from '@xen-ts/runtime/machine'
import type { Ipv4 } from '../address.ts'
import { swap16 } from '../wire/ethernet.ts'
import { DESTINATION_UNREACHABLE, ECHO_REPLY, ECHO_REQUEST, FRAGMENTATION_NEEDED, ICMP_BYTES, ICMP_CHECKSUM } from '../wire/icmp.ts'
import { IP_BYTES, IP_PAYLOAD, PROTOCOL_ICMP, PROTOCOL_TCP } from '../wire/ipv4.ts'
import type { Interface } from './interface.ts'

/** What a router or host says about a TCP segment that we sent. All of it is hearsay until TCP has compared `sequence`. */
export interface Unreachable {
  readonly remoteIp: Ipv4
  readonly remotePort: number
  readonly localPort: number
  /** int32, as in the segment. */
  readonly sequence: number
  readonly code: number
  /** For code 4 (fragmentation needed): largest IP packet in bytes of the next hop; 0 when an old router does not say. */
  readonly mtu: number
}

export class Icmp {
  readonly #ip: Interface
  /** Told about TCP segments that did not arrive; set by the stack. */
  onUnreachable: ((message: Unreachable) => void) | undefined = undefined

  constructor(ip: Interface) {
    this.#ip = ip
  }

  receive(frame: Frame, at: number, length: number, source: Ipv4): void {
    const ip = this.#ip
    if (length < ICMP_BYTES) {
      ip.counters.malformed++
      return
    }
    if (ip.abi.checksum(frame.u8, at, length, 0) !== 0xffff) {
      ip.counters.badChecksum++
      return
    }
    const type = frame.u8[at]
    if (type === ECHO_REQUEST && frame.u8[at + 1] === 0) this.#echo(frame, at, length, source)
    else if (type === DESTINATION_UNREACHABLE) this.#unreachable(frame, at, length)
    else ip.counters.icmpIgnored++
  }

  #echo(request: Frame, at: number, length: number, source: Ipv4): void {
    const ip = this.#ip
    if (IP_BYTES + length > ip.device.mtu) {
      ip.counters.malformed++
      return
    }
    const reply = ip.reserve()
    if (reply === undefined) return
    const { u8, u16 } = reply
    ip.abi.copy(u8, IP_PAYLOAD, request.u8, at, length)
    const word = IP_PAYLOAD >>> 1
    u16[word] = ECHO_REPLY
    u16[word + ICMP_CHECKSUM] = 0
    u16[word + ICMP_CHECKSUM] = ~ip.abi.checksum(u8, IP_PAYLOAD, length, 0)
    ip.counters.echoReplies++
    ip.send(reply, source, PROTOCOL_ICMP, length)
  }

  /** The message quotes the IP header and at least 8 bytes of what we sent: enough for ports and sequence number. */
  #unreachable({ u8, u16 }: Frame, at: number, length: number): void {
    const counters = this.#ip.counters
    const quoted = at + ICMP_BYTES
    const header = length > ICMP_BYTES ? (u8[quoted] & 0xf) * 4 : 0
    if (header < IP_BYTES || length < ICMP_BYTES + header + 8) {
      counters.malformed++
      return
    }
    const word = quoted >>> 1
    const tcp = word + (header >>> 1)
    const ours = u16[word + 6] === (this.#ip.address & 0xffff) && u16[word + 7] === this.#ip.address >>> 16
    if (!ours || u8[quoted + 9] !== PROTOCOL_TCP || this.onUnreachable === undefined) {
      counters.icmpIgnored++
      return
    }
    const code = u8[at + 1]
    this.onUnreachable({
      remoteIp: u16[word + 8] | (u16[word + 9] << 16),
      localPort: swap16(u16[tcp]),
      remotePort: swap16(u16[tcp + 1]),
      sequence: (swap16(u16[tcp + 2]) << 16) | swap16(u16[tcp + 3]),
      code,
      mtu: code === FRAGMENTATION_NEEDED ? swap16(u16[(at >>> 1) + 3]) : 0,
    })
  }
}
