/** IPv6 (RFC 8200). Word offsets in the frame, see ethernet.ts; the header stands right behind the Ethernet header. */
import { ETH_BYTES, swap16 } from './ethernet.ts'
import type { Ipv6 } from './ipv6-address.ts'

/** With the traffic class and the flow label. */
export const IP6_VERSION = 7
/** Bytes behind the header. */
export const IP6_LENGTH = 9
/** The number of the next header in the low byte, the hop limit in the high one. */
export const IP6_NEXT = 10
export const IP6_SOURCE = 11
export const IP6_DESTINATION = 19
/** Bytes of the header, and where the next one stands in the frame. */
export const IP6_BYTES = 40
export const IP6_PAYLOAD = ETH_BYTES + IP6_BYTES
/** Where its number stands in the frame. */
const NEXT_BYTE = ETH_BYTES + 6

/** What every link carries (section 5). */
export const LEAST_MTU6 = 1280

const HOP_LIMIT = 64

/** Extension headers, by their numbers. */
export const HOP_BY_HOP = 0
export const ROUTING = 43
export const FRAGMENT = 44
export const NO_NEXT_HEADER = 59
export const DESTINATION_OPTIONS = 60

/** What the headers of a packet come to. */
export const HEADERS_GOOD = 0
export const HEADERS_MALFORMED = -1
/** An option asks not to be taken by who does not know it. */
export const HEADERS_UNWANTED = -2
export const HEADERS_SOURCE_ROUTED = -3
/** A piece of a packet: `at` is its fragment header. */
export const HEADERS_FRAGMENT = -4
/** What the sender is to be told about: `problem` and `pointer`. */
export const HEADERS_PROBLEM = -5

/** Codes of ICMPv6's parameter problem (RFC 4443 section 3.4). */
export const ERRONEOUS_FIELD = 0
export const UNKNOWN_HEADER = 1
export const UNKNOWN_OPTION = 2

/**
 * Extension headers, and options in each of them, that are looked at. The longest that senders have reasons for are four and two; RFC 8504
 * section 5.3 lets a host have such limits, for they are good for attacks only.
 */
const MOST_HEADERS = 8
const MOST_OPTIONS = 8

/** What `walkHeaders` found. There is one for a host, filled again for each packet. */
export class Walk {
  /** Number of the header that is no extension, and the byte of the frame where it stands. */
  protocol = 0
  at = 0
  /** The byte of the frame that has this number. */
  field = 0
  /** With HEADERS_PROBLEM, HEADERS_SOURCE_ROUTED: a code of the three above, and the byte of the packet. */
  problem = 0
  pointer = 0
  /** There is a fragment header, of a packet that is whole. */
  isFragment = false
  /** The sender is told even if the packet was to a group. */
  tellGroup = false
}

/**
 * Walks over the extension headers of a packet: the first stands at byte `at` (even) of the frame and has the number `protocol`, the packet
 * ends at byte `end`. Nothing behind that is read.
 */
export function walkHeaders(u8: Uint8Array, at: number, end: number, protocol: number, walk: Walk): number {
  let field = NEXT_BYTE
  walk.isFragment = false
  const problem = (code: number, where: number): number => {
    walk.problem = code
    walk.pointer = where - ETH_BYTES
    walk.tellGroup = false
    return HEADERS_PROBLEM
  }
  for (let headers = 0; ; headers++) {
    if (protocol === FRAGMENT) {
      if (at + 8 > end) return HEADERS_MALFORMED
      // A packet that is its only piece is no fragment (RFC 6946).
      if (u8[at + 2] !== 0 || (u8[at + 3] & 0xf9) !== 0) {
        walk.at = at
        walk.field = field
        return HEADERS_FRAGMENT
      }
      walk.isFragment = true
    } else if (protocol === HOP_BY_HOP || protocol === DESTINATION_OPTIONS) {
      // What routers look at comes first, or it is none (RFC 8200 section 4).
      if (protocol === HOP_BY_HOP && headers > 0) return problem(UNKNOWN_HEADER, field)
      const size = headerBytes(u8, at, end)
      if (size === 0) return HEADERS_MALFORMED
      const verdict = checkOptions(u8, at + 2, at + size, walk)
      if (verdict !== HEADERS_GOOD) return verdict
    } else if (protocol === ROUTING) {
      if (headerBytes(u8, at, end) === 0) return HEADERS_MALFORMED
      // We route for nobody: a route that has not come to its end is refused, of whatever type it is (RFC 5095, RFC 8200 section 4.4).
      if (u8[at + 3] !== 0) {
        problem(ERRONEOUS_FIELD, at + 2)
        return HEADERS_SOURCE_ROUTED
      }
    } else {
      walk.protocol = protocol
      walk.at = at
      walk.field = field
      return HEADERS_GOOD
    }
    if (headers === MOST_HEADERS) return HEADERS_MALFORMED
    field = at
    at += protocol === FRAGMENT ? 8 : headerBytes(u8, at, end)
    protocol = u8[field]
  }
}

/** Bytes of the extension header at `at`; 0 when it runs over the end of the packet. */
function headerBytes(u8: Uint8Array, at: number, end: number): number {
  const size = at + 8 <= end ? 8 + 8 * u8[at + 1] : 0
  return at + size <= end ? size : 0
}

/** Options up to `end`: we know none but padding, and each says itself what to do then (RFC 8200 section 4.2). */
function checkOptions(u8: Uint8Array, at: number, end: number, walk: Walk): number {
  let options = 0
  while (at < end) {
    const type = u8[at]
    if (type === 0) {
      at++
      continue
    }
    if (at + 2 > end || at + 2 + u8[at + 1] > end || ++options > MOST_OPTIONS) return HEADERS_MALFORMED
    const action = type >>> 6
    if (action === 1) return HEADERS_UNWANTED
    if (action > 1) {
      walk.problem = UNKNOWN_OPTION
      walk.pointer = at - ETH_BYTES
      walk.tellGroup = action === 2
      return HEADERS_PROBLEM
    }
    at += 2 + u8[at + 1]
  }
  return HEADERS_GOOD
}

/** Where the piece of a fragment belongs, in bytes, and whether others come behind it; `at`: byte of the frame where the fragment header is. */
export const fragmentOffset6 = (u16: Uint16Array, at: number): number => swap16(u16[(at >>> 1) + 1]) & 0xfff8
export const moreFragments6 = (u16: Uint16Array, at: number): boolean => (u16[(at >>> 1) + 1] & 0x0100) !== 0
/** Bytes of that header. */
export const FRAGMENT_BYTES = 8

/** Writes a fragment header (section 4.5) at byte `at` of a frame. */
export function writeFragment6(u16: Uint16Array, at: number, next: number, id: number, offset: number, more: boolean): void {
  const word = at >>> 1
  u16[word] = next
  u16[word + 1] = swap16(offset | (more ? 1 : 0))
  u16[word + 2] = swap16(id >>> 16)
  u16[word + 3] = swap16(id & 0xffff)
}

/** Bytes of a packet behind its header. */
export const ip6Length = (u16: Uint16Array): number => swap16(u16[IP6_LENGTH])
export const ip6HopLimit = (u16: Uint16Array): number => u16[IP6_NEXT] >>> 8

/**
 * Writes a header but for its length. Traffic class and flow label are 0. `hopLimit`: 255 for what must come from the link itself.
 */
export function writeIpv6(u16: Uint16Array, source: Ipv6, destination: Ipv6, next: number, hopLimit = HOP_LIMIT): void {
  u16[IP6_VERSION] = 0x0060
  u16[IP6_VERSION + 1] = 0
  u16[IP6_LENGTH] = 0
  u16[IP6_NEXT] = next | (hopLimit << 8)
  u16.set(source, IP6_SOURCE)
  u16.set(destination, IP6_DESTINATION)
}
