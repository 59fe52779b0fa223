/** ICMP errors of IPv4 that a host sends (RFC 792, RFC 1122 section 3.2.2). */
import type { Frame } from '@xen-ts/runtime/machine'
import { ETH_BYTES } from '../wire/ethernet.ts'
import {
  DESTINATION_UNREACHABLE,
  ECHO_REQUEST,
  ICMP_BYTES,
  ICMP_CHECKSUM,
  PORT_UNREACHABLE,
  PROTOCOL_ICMP,
  PROTOCOL_UNREACHABLE,
  REASSEMBLY_TIME_EXCEEDED,
  TIME_EXCEEDED,
} from '../wire/icmp.ts'
import { IP_BYTES, ipHeaderBytes, ipLength, ipProtocol } from '../wire/ipv4.ts'
import type { Refusal, Route } from './route.ts'

/** Type and code, as they read in one word. */
const messages: Record<Refusal, number> = {
  port: DESTINATION_UNREACHABLE | (PORT_UNREACHABLE << 8),
  protocol: DESTINATION_UNREACHABLE | (PROTOCOL_UNREACHABLE << 8),
  reassembly: TIME_EXCEEDED | (REASSEMBLY_TIME_EXCEEDED << 8),
}

/** Bytes of the packet that is quoted: as many as 576, which every network carries, leave (RFC 1812 section 4.3.2.3). */
const MOST_QUOTED = 576 - IP_BYTES - ICMP_BYTES

/**
 * Answers the packet in `frame`, which came by `route`: so it is from one host. It is whole, or the first fragment. What came in a frame to
 * many is not answered, nor other ICMP than echo requests, for it may be an error itself (RFC 1122 section 3.2.2).
 */
export function sendError(route: Route, { u8, u16 }: Frame, what: Refusal): void {
  const { link, overhead } = route
  const { abi, counters } = link
  const isToMany = (u16[0] & 1) !== 0
  const mayBeError = ipProtocol(u16) === PROTOCOL_ICMP && u8[ETH_BYTES + ipHeaderBytes(u16)] !== ECHO_REQUEST
  if (isToMany || mayBeError) return
  if (!link.errorLimit.take()) {
    counters.icmpErrorsLimited++
    return
  }
  const quoted = Math.min(ipLength(u16), MOST_QUOTED)
  const length = ICMP_BYTES + quoted
  const frame = route.reserve(length)
  if (frame === undefined) return
  const word = overhead >>> 1
  frame.u16[word] = messages[what]
  frame.u16[word + ICMP_CHECKSUM] = 0
  frame.u16[word + 2] = 0
  frame.u16[word + 3] = 0
  abi.copy(frame.u8, overhead + ICMP_BYTES, u8, ETH_BYTES, quoted)
  frame.u16[word + ICMP_CHECKSUM] = ~abi.checksum(frame.u8, overhead, length, 0)
  counters.icmpErrors++
  route.send(frame, PROTOCOL_ICMP, length)
}
