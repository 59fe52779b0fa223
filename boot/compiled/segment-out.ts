/**
 * Builds a segment of TCP in a frame in one go: the headers that never change on a connection, the payload, and what is the segment's own.
 */
import { type Bytes, copy, get16, get32, type i32, set8, set16, set32, sum } from './memory.ts'

/** Bytes of the record. In words of 32 bits from its start: */
export const DEPARTURE_BYTES: i32 = 20
export const OUT_SEQUENCE: i32 = 0
export const OUT_ACKNOWLEDGMENT: i32 = 1
/** Flags in the upper half, and the window as it is to stand in the header. */
export const OUT_FLAGS_WINDOW: i32 = 2
/** Of the pseudo header but for its length, at most 0x1ffff. */
export const OUT_PSEUDO: i32 = 3
/** Not 0: the checksum is to be complete. Otherwise the device completes it. */
export const OUT_COMPLETE: i32 = 4

const TYPE_IPV4: i32 = 0x0008
const TYPE_IPV6: i32 = 0xdd86
/** Headers of Ethernet and IPv6, and the longest of TCP. */
const MOST_HEADERS: i32 = 114

function swap(value: i32): i32 {
  return ((value & 0xff) << 8) | ((value >>> 8) & 0xff)
}

function setBig32(bytes: Bytes, at: i32, value: i32): void {
  set8(bytes, at, value >>> 24)
  set8(bytes, at + 1, (value >>> 16) & 0xff)
  set8(bytes, at + 2, (value >>> 8) & 0xff)
  set8(bytes, at + 3, value & 0xff)
}

/**
 * `size` bytes of `header` are all headers, without lengths and checksum of TCP, IPv4's checksum without that of its length. -1 when they
 * are no such headers, or headers and payload do not fit the frame.
 */
export function segmentOut(
  frame: Bytes,
  room: i32,
  header: Bytes,
  size: i32,
  payload: Bytes,
  offset: i32,
  length: i32,
  record: Bytes,
): i32 {
  if (size < 54 || size > MOST_HEADERS || length < 0 || length > 0xffff || size + length > room) return -1
  const kind: i32 = get16(header, 12)
  const tcp: i32 = kind === TYPE_IPV4 ? 34 : 54
  const segment: i32 = size - tcp + length
  const most: i32 = kind === TYPE_IPV4 ? 0xffff - 20 : 0xffff
  if ((kind !== TYPE_IPV4 && kind !== TYPE_IPV6) || size < tcp + 20 || segment > most) return -1
  copy(frame, 0, header, 0, size)
  if (length > 0) copy(frame, size, payload, offset, length)
  if (kind === TYPE_IPV4) {
    // It goes into the checksum too (RFC 1624).
    const bytes: i32 = swap(segment + 20)
    const total: i32 = (~get16(header, 24) & 0xffff) + bytes
    set16(frame, 16, bytes)
    set16(frame, 24, ~((total & 0xffff) + (total >>> 16)) & 0xffff)
  } else {
    set16(frame, 18, swap(segment))
  }
  setBig32(frame, tcp + 4, get32(record, OUT_SEQUENCE << 2))
  setBig32(frame, tcp + 8, get32(record, OUT_ACKNOWLEDGMENT << 2))
  const fields: i32 = get32(record, OUT_FLAGS_WINDOW << 2)
  set32(frame, tcp + 12, ((size - tcp) << 2) | (((fields >>> 16) & 0xff) << 8) | (swap(fields & 0xffff) << 16))
  const pseudo: i32 = get32(record, OUT_PSEUDO << 2) + swap(segment)
  if (get32(record, OUT_COMPLETE << 2) === 0) set16(frame, tcp + 16, ((pseudo & 0xffff) + (pseudo >>> 16)) & 0xffff)
  else set16(frame, tcp + 16, ~sum(frame, tcp, segment, pseudo) & 0xffff)
  return 0
}
