/**
 * Tells switches which groups we listen to (MLDv2, RFC 3810): one that looks at such reports would not let neighbours' questions pass to us
 * otherwise. These are the solicited-node groups of our addresses; all hosts are in ff02::1, nobody reports that.
 */
import type { Frame, HostFunctions, Timer, Timers } from '@xen-ts/runtime/machine'
import { swap16, TYPE_IPV6, writeEthernet } from '../wire/ethernet.ts'
import { ICMP6_CHECKSUM, ICMP6_VALUE, LISTENER_REPORT, PROTOCOL_ICMPV6 } from '../wire/icmpv6.ts'
import { HOP_BY_HOP, IP6_LENGTH, IP6_PAYLOAD, IP6_SOURCE, ip6HopLimit, writeIpv6 } from '../wire/ipv6.ts'
import { groupMac, type Ipv6, ipv6At, isLinkLocal, MLD_ROUTERS } from '../wire/ipv6-address.ts'
import type { Ipv6Host } from './ipv6.ts'

/** Records of a report (section 5.2.12): the group is listened to, whoever sends. One tells a change, the other answers a query. */
const IS_EXCLUDE = 2
const TO_EXCLUDE = 4
/** Words of a record without sources. */
const RECORD = 10
/** Bytes of the report before its records; of a query of the first version. */
const REPORT_BYTES = 8
const QUERY_BYTES = 24
/** Bytes of the hop-by-hop header before it: a router alert (RFC 2711) and padding. */
const ALERT = [PROTOCOL_ICMPV6, 0x0205, 0x0000, 0x0001]
/** As many as fit into a frame; there are never so many. */
const MOST_GROUPS = 60
/** Of a query's delay in milliseconds: above it the code is a number with an exponent (section 5.1.3), and we take the least of those. */
const LONGEST_DELAY = 0x8000
/** Milliseconds until a report is repeated: the first may be lost (section 9.11). */
const REPEAT = 1_000

export class Mld {
  readonly #host: Ipv6Host
  readonly #abi: HostFunctions
  readonly #timers: Timers
  #timer: Timer | undefined

  constructor(host: Ipv6Host, abi: HostFunctions, timers: Timers) {
    this.#host = host
    this.#abi = abi
    this.#timers = timers
  }

  /** Our addresses have changed, or the wire. */
  announce(): void {
    this.#report(TO_EXCLUDE)
    this.#later(REPEAT, TO_EXCLUDE)
  }

  /** A query arrived whose checksum is right: `length` bytes at byte `at` of the frame. Each is answered after a while, all within it at once. */
  receive({ u16 }: Frame, at: number, length: number): void {
    if (length < QUERY_BYTES || ip6HopLimit(u16) !== 1 || !isLinkLocal(ipv6At(u16, IP6_SOURCE))) {
      this.#host.link.counters.malformed++
      return
    }
    if (this.#timer !== undefined) return
    const random = new Uint16Array(1)
    this.#abi.random(new Uint8Array(random.buffer))
    const most = Math.min(swap16(u16[(at >>> 1) + ICMP6_VALUE]), LONGEST_DELAY)
    this.#later((random[0] / 0x10000) * most, IS_EXCLUDE)
  }

  close(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #later(delay: number, type: number): void {
    this.close()
    this.#timer = this.#timers.set(delay, () => {
      this.#timer = undefined
      this.#report(type)
    })
  }

  #report(type: number): void {
    const { link, own, linkLocal } = this.#host
    const groups = new Map<string, Ipv6>(own.slice(0, MOST_GROUPS).map(({ group }) => [String(group), group]))
    const frame = linkLocal === undefined ? undefined : link.reserve()
    if (frame === undefined) return // as on a wire that loses it
    const { u8, u16 } = frame
    writeEthernet(u16, groupMac(MLD_ROUTERS), link.mac, TYPE_IPV6)
    writeIpv6(u16, linkLocal!.address, MLD_ROUTERS, HOP_BY_HOP, 1)
    u16.set(ALERT, IP6_PAYLOAD >>> 1)
    const at = IP6_PAYLOAD + ALERT.length * 2
    const word = at >>> 1
    const length = REPORT_BYTES + groups.size * RECORD * 2
    u16[word] = LISTENER_REPORT
    u16[word + ICMP6_CHECKSUM] = 0
    u16[word + ICMP6_VALUE] = 0
    u16[word + ICMP6_VALUE + 1] = swap16(groups.size)
    let record = word + REPORT_BYTES / 2
    for (const group of groups.values()) {
      u16[record] = type
      u16[record + 1] = 0
      u16.set(group, record + 2)
      record += RECORD
    }
    u16[IP6_LENGTH] = swap16(ALERT.length * 2 + length)
    const addresses = this.#abi.checksum(u8, IP6_SOURCE * 2, 32, 0)
    u16[word + ICMP6_CHECKSUM] = ~this.#abi.checksum(u8, at, length, addresses + (PROTOCOL_ICMPV6 << 8) + swap16(length))
    link.counters.framesOut++
    link.device.send(frame, at + length)
  }
}
