/** ICMPv6 (RFC 4443), with the messages of neighbour discovery (RFC 4861) and MLDv2 (RFC 3810). Word offsets count from the start of the message. */
import { PORT_UNREACHABLE, PROTOCOL_UNREACHABLE } from './icmp.ts'
import {
  DESTINATION_OPTIONS,
  FRAGMENT,
  FRAGMENT_BYTES,
  fragmentOffset6,
  HOP_BY_HOP,
  IP6_NEXT,
  IP6_PAYLOAD,
  ip6Length,
  ROUTING,
} from './ipv6.ts'

export const PROTOCOL_ICMPV6 = 58

export const ICMP6_CHECKSUM = 1
/** Of errors: MTU of the next hop, or the byte that is wrong; two words. */
export const ICMP6_VALUE = 2
/** Bytes before what an error quotes, of an echo, and of every message that we read. */
export const ICMP6_BYTES = 8

/** Types; errors are those below 128. */
export const UNREACHABLE6 = 1
export const PACKET_TOO_BIG = 2
export const TIME_EXCEEDED6 = 3
export const PARAMETER_PROBLEM = 4
export const FIRST_INFORMATIONAL = 128
export const ECHO_REQUEST6 = 128
export const ECHO_REPLY6 = 129
export const LISTENER_QUERY = 130
export const ROUTER_SOLICITATION = 133
export const ROUTER_ADVERTISEMENT = 134
export const NEIGHBOUR_SOLICITATION = 135
export const NEIGHBOUR_ADVERTISEMENT = 136
export const REDIRECT = 137
export const LISTENER_REPORT = 143

/** Codes of UNREACHABLE6 (section 3.1). */
export const PORT_UNREACHABLE6 = 4

/** Codes of ICMP for IPv4 that nobody else here needs. */
const HOST_UNREACHABLE = 1
const HOST_PROHIBITED = 10

/** Code of TIME_EXCEEDED6. */
export const REASSEMBLY_TIME_EXCEEDED6 = 1

/** Why, as a number of ICMP for IPv4, so that nobody above IP need know of which family it is (RFC 7915 section 5.2). -1: nothing that concerns a peer. */
export function codeOfIpv4(type: number, code: number): number {
  if (type === PARAMETER_PROBLEM) return code === 1 ? PROTOCOL_UNREACHABLE : -1
  if (type !== UNREACHABLE6) return -1
  if (code === PORT_UNREACHABLE6) return PORT_UNREACHABLE
  return code === 1 || code > PORT_UNREACHABLE6 ? HOST_PROHIBITED : HOST_UNREACHABLE
}

/**
 * Whether the packet in a frame is an error of ICMPv6 or a redirect, or may be one: none of these is answered with an error (RFC 4443 section
 * 2.4 (e)). Its extension headers may be what is wrong with it: they are passed by without a look at what is in them.
 */
export function mayBeError6(u8: Uint8Array, u16: Uint16Array): boolean {
  const end = Math.min(IP6_PAYLOAD + ip6Length(u16), u8.length)
  let protocol = u16[IP6_NEXT] & 0xff
  for (let at = IP6_PAYLOAD; ; ) {
    if (protocol === PROTOCOL_ICMPV6) return at >= end || u8[at] < FIRST_INFORMATIONAL || u8[at] === REDIRECT
    const isFragment = protocol === FRAGMENT
    if (!isFragment && protocol !== HOP_BY_HOP && protocol !== DESTINATION_OPTIONS && protocol !== ROUTING) return false
    if (at + 8 > end || (isFragment && fragmentOffset6(u16, at) !== 0)) return true // it cannot be seen
    protocol = u8[at]
    at += isFragment ? FRAGMENT_BYTES : 8 + 8 * u8[at + 1]
  }
}
