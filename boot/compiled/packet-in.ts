/**
 * A frame arrived: is it the usual packet, a segment of TCP or a datagram of UDP? From its Ethernet header to its checksum in one go, into a record of int32 that the
 * stack reads. What is not usual (options of IP, fragments, extension headers, a SYN, other TCP options than timestamps), not ours, or
 * wrong in any way is left to the stack, which looks at all of it again: only there is decided what becomes of it and what is counted.
 */
import { type Bytes, get8, get16, get32, type i32, set32, sum } from './memory.ts'

/** Bytes of the record. */
export const ARRIVAL_BYTES: i32 = 128

// What the stack says about itself beforehand. In bytes from the start of the record: our MAC address; whether we have an address of
// IPv4, and it, as it stands in a header; whether the packet before last was one of IPv6, and both of its addresses; bytes of
// the longest frame of the link.
export const OWN_MAC: i32 = 0
export const HAS_IPV4: i32 = 8
export const OWN_IPV4: i32 = 12
export const HAS_PATH6: i32 = 16
export const PATH6: i32 = 20
export const LONGEST: i32 = 52

// What is found out. In words of 32 bits from the start of the record.
/** Word of IPv4's source as it stands in the header; 0, which is no host, for a packet of the path of IPv6. */
export const SOURCE: i32 = 16
/** Both ports: the local one in the upper half. Of a datagram there are only these, and its payload. */
export const PORTS: i32 = 17
export const SEQUENCE: i32 = 18
export const ACKNOWLEDGMENT: i32 = 19
export const FLAGS: i32 = 20
export const WINDOW: i32 = 21
/** Of the payload: where in the frame, and its bytes. */
export const OFFSET: i32 = 22
export const LENGTH: i32 = 23
/** TSval as two words as they stand in the frame, the second -1 without; and where TSecr is. */
export const STAMP_HIGH: i32 = 24
export const STAMP_LOW: i32 = 25
export const ECHO_AT: i32 = 26

const TYPE_IPV4: i32 = 0x0008
const TYPE_IPV6: i32 = 0xdd86
const TCP: i32 = 6
const UDP: i32 = 17
const SYN: i32 = 2

function swap(value: i32): i32 {
  return ((value & 0xff) << 8) | (value >>> 8)
}

function big16(bytes: Bytes, at: i32): i32 {
  return (get8(bytes, at) << 8) | get8(bytes, at + 1)
}

function big32(bytes: Bytes, at: i32): i32 {
  return (big16(bytes, at) << 16) | big16(bytes, at + 2)
}

function word(record: Bytes, index: i32, value: i32): void {
  set32(record, index << 2, value)
}

/**
 * TCP (6) or UDP (17) when the `length` bytes of `frame` are the usual packet, 0 when the stack has to look. `checked`: not 0 when its
 * transport's checksum is known to be good.
 */
export function packetIn(frame: Bytes, length: i32, checked: i32, record: Bytes): i32 {
  if (length < 42 || get32(frame, 0) !== get32(record, OWN_MAC) || get16(frame, 4) !== get16(record, OWN_MAC + 4)) return 0
  const kind: i32 = get16(frame, 12)
  if (kind === TYPE_IPV4) {
    if (get8(frame, 14) !== 0x45 || (get16(frame, 20) & 0xff3f) !== 0) return 0
    const total: i32 = big16(frame, 16)
    if (total < 28 || total > length - 14) return 0
    if (get32(record, HAS_IPV4) === 0 || get32(frame, 30) !== get32(record, OWN_IPV4)) return 0
    if (sum(frame, 14, 20, 0) !== 0xffff) return 0
    word(record, SOURCE, get32(frame, 26))
    const protocol: i32 = get8(frame, 23)
    if (protocol === TCP) return segment(frame, 34, total - 20, 26, 8, checked, record)
    if (protocol === UDP && length <= get32(record, LONGEST)) return datagram(frame, 34, total - 20, 26, 8, checked, record)
    return 0
  }
  if (kind === TYPE_IPV6) {
    if (length < 62 || (get8(frame, 14) & 0xf0) !== 0x60 || get32(record, HAS_PATH6) === 0) return 0
    const size: i32 = big16(frame, 18)
    if (size < 8 || size > length - 54) return 0
    for (let i: i32 = 0; i < 32; i += 4) if (get32(frame, 22 + i) !== get32(record, PATH6 + i)) return 0
    word(record, SOURCE, 0)
    const protocol: i32 = get8(frame, 20)
    if (protocol === TCP) return segment(frame, 54, size, 22, 32, checked, record)
    if (protocol === UDP && length <= get32(record, LONGEST)) return datagram(frame, 54, size, 22, 32, checked, record)
  }
  return 0
}

/** Sum of `size` bytes from `at` on and of the pseudo header: its addresses are `both` bytes from `addresses` on. */
function whole(frame: Bytes, at: i32, size: i32, addresses: i32, both: i32, protocol: i32): i32 {
  return sum(frame, at, size, sum(frame, addresses, both, (protocol << 8) + swap(size)))
}

function segment(frame: Bytes, at: i32, size: i32, addresses: i32, both: i32, checked: i32, record: Bytes): i32 {
  if (size < 20) return 0
  const header: i32 = (get8(frame, at + 12) & 0xf0) >>> 2
  const flags: i32 = get8(frame, at + 13)
  if ((header !== 20 && header !== 32) || header > size || (flags & SYN) !== 0) return 0
  let low: i32 = -1
  if (header === 32) {
    // Two no-operations and the option, which is ten bytes.
    if (get32(frame, at + 20) !== 0x0a080101) return 0
    word(record, STAMP_HIGH, get16(frame, at + 24))
    low = get16(frame, at + 26)
    word(record, ECHO_AT, at + 28)
  }
  if (checked === 0 && whole(frame, at, size, addresses, both, TCP) !== 0xffff) return 0
  word(record, STAMP_LOW, low)
  word(record, PORTS, (big16(frame, at + 2) << 16) | big16(frame, at))
  word(record, SEQUENCE, big32(frame, at + 4))
  word(record, ACKNOWLEDGMENT, big32(frame, at + 8))
  word(record, FLAGS, flags)
  word(record, WINDOW, big16(frame, at + 14))
  word(record, OFFSET, at + header)
  word(record, LENGTH, size - header)
  return TCP
}

/** Only IPv4 has datagrams without a checksum; nobody answers to port 0. */
function datagram(frame: Bytes, at: i32, size: i32, addresses: i32, both: i32, checked: i32, record: Bytes): i32 {
  const bytes: i32 = big16(frame, at + 4)
  if (bytes < 8 || bytes > size || get16(frame, at) === 0) return 0
  const isSummed: i32 = get16(frame, at + 6) !== 0 || both !== 8 ? 1 : 0
  if (checked === 0 && isSummed !== 0 && whole(frame, at, bytes, addresses, both, UDP) !== 0xffff) return 0
  word(record, PORTS, (big16(frame, at + 2) << 16) | big16(frame, at))
  word(record, OFFSET, at + 8)
  word(record, LENGTH, bytes - 8)
  return UDP
}
