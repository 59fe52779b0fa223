/**
 * Builds segments in place, in frames of the device. What never changes on a connection (the headers of Ethernet and IP, which are the
 * route's, TCP's, the sum of the addresses) is prepared once and copied. Members are read one by one here, and wherever a packet comes
 * through: in the interpreter a pattern (`const { route } = c`) costs as much as ten of them.
 */
import {
  CHECKSUM,
  COMPLETE,
  DEPARTURE_BYTES,
  type Frame,
  OUT_ACKNOWLEDGMENT,
  OUT_COMPLETE,
  OUT_FLAGS_WINDOW,
  OUT_PSEUDO,
  OUT_SEQUENCE,
} from '@xen-ts/runtime/machine'
import type { Route } from '../ip/route.ts'
import { fold } from '../wire/checksum.ts'
import { swap16 } from '../wire/ethernet.ts'
import {
  ACK,
  FIN,
  PROTOCOL_TCP,
  RST,
  type Segment,
  SYN,
  type SynOptions,
  TCP_BYTES,
  TCP_CHECKSUM,
  TCP_OFFSET_FLAGS,
  TCP_OPTIONS,
  writeSack,
  writeSynOptions,
  writeTcp,
} from '../wire/tcp.ts'
import type { Connection } from './connection.ts'
import { receiveWindow } from './receive.ts'
import { SYN_RECEIVED } from './state.ts'

/** Bytes of payload in a packet of `mtu` bytes whose TCP header has no options: what the MSS option tells (RFC 6691). */
export const mssOf = (route: Route, mtu: number): number => mtu - route.headerBytes - TCP_BYTES

/**
 * Fills `frame` with a segment: `length` bytes of the send queue from `at` on. Unless `offload` is COMPLETE, the device finishes the
 * checksum. The headers must have been prepared. Returns the frame's length in bytes.
 */
export function buildSegment(
  c: Connection,
  frame: Frame,
  sequence: number,
  flags: number,
  at: number,
  length: number,
  offload: number,
): number {
  const u8 = frame.u8
  const overhead = c.route.overhead
  const headers = overhead + c.headerBytes
  const stamps = c.stamps
  if (stamps !== undefined) {
    const stamp = (c.environment.now() + stamps.offset) | 0
    if (stamp !== stamps.sent) stamps.write(stamp, (overhead >>> 1) + TCP_OPTIONS + 2)
  }
  let payload: Uint8Array | undefined = u8
  let offset = headers
  if (length > 0) {
    payload = c.send.find(at, length)
    if (payload === undefined) c.send.copy(at, length, (payload = u8), headers)
    else offset = c.send.found
  }
  let window = receiveWindow(c) >>> c.rcvShift
  if (window > 0xffff) window = 0xffff
  c.rcvAdv = (c.rcvNxt + (window << c.rcvShift)) | 0
  departure[OUT_SEQUENCE] = sequence
  departure[OUT_ACKNOWLEDGMENT] = c.rcvNxt
  departure[OUT_FLAGS_WINDOW] = (flags << 16) | window
  departure[OUT_PSEUDO] = c.pseudo
  departure[OUT_COMPLETE] = offload === COMPLETE ? 1 : 0
  c.environment.abi.segmentOut(u8, c.header!, payload, offset, length, departureBytes)
  return headers + length
}

/** Of the segment that is built: filled for each, and read by the ABI's segmentOut at once. */
const departure = new Int32Array(DEPARTURE_BYTES >> 2)
const departureBytes = new Uint8Array(departure.buffer)

/** Adds to an acknowledgment without data what has arrived beyond the hole, or twice. Returns the frame's length in bytes. */
export function addSack(c: Connection, { u8, u16 }: Frame): number {
  const { route } = c
  const { overhead } = route
  const tcp = overhead >>> 1
  // Beside timestamps there is room for three blocks of the four.
  const segment = c.headerBytes + writeSack(u16, tcp + (c.headerBytes >>> 1), c.reassembly!.blocks(c.stamps === undefined ? 4 : 3))
  c.environment.abi.copy(u8, 0, c.header!, 0, overhead) // as it was before it had a length
  route.setLength(u16, segment)
  u16[tcp + TCP_OFFSET_FLAGS] = (segment << 2) | (ACK << 8)
  u16[tcp + TCP_CHECKSUM] = 0
  u16[tcp + TCP_CHECKSUM] = ~c.environment.abi.checksum(u8, overhead, segment, c.pseudo + swap16(segment))
  return overhead + segment
}

/** Prepares the header template, for the first segment and whenever the next hop's address may have changed: `version` is the hop's. */
export function prepare(c: Connection, version: number): void {
  const route = c.route
  c.header ??= new Uint8Array(route.overhead + c.headerBytes)
  const u16 = new Uint16Array(c.header.buffer)
  const tcp = route.overhead >>> 1
  route.writeHeaders(u16, PROTOCOL_TCP)
  writeTcp(u16, tcp, c.localPort, c.remotePort, 0, 0, 0, 0)
  if (c.stamps !== undefined) {
    u16.set([0x0101, 0x0a08], tcp + TCP_OPTIONS)
    c.stamps.header = u16
  }
  c.pseudo = fold(route.sum + (PROTOCOL_TCP << 8))
  c.offload = route.checksums ? CHECKSUM : COMPLETE
  c.headerVersion = version
}

/** Writes a SYN, or SYN and ACK, with our MSS, and with those options that the peer has offered or may still. Returns its bytes. */
export function buildSyn(c: Connection, frame: Frame): number {
  const route = c.route
  const tcp = route.overhead >>> 1
  const answer = c.state === SYN_RECEIVED
  const scale = !answer ? c.rcvShift : c.scaling ? c.rcvShift : -1
  const window = Math.min(c.environment.limits.receiveWindow, 0xffff) // a SYN's window is not scaled
  const sack = !answer || c.sack
  const stamps = c.stamps && ([(c.environment.now() + c.stamps.offset) | 0, c.stamps.recent] as const)
  const length = TCP_BYTES + writeSynOptions(frame.u16, tcp + TCP_OPTIONS, { mss: mssOf(route, route.mtu), scale, sack, stamps })
  c.rcvAdv = (c.rcvNxt + window) | 0
  writeTcp(frame.u16, tcp, c.localPort, c.remotePort, c.iss, c.rcvNxt, answer ? SYN | ACK : SYN, window, length)
  return complete(route, frame, length)
}

/** Writes the SYN-ACK with the sequence number `cookie` that answers the SYN `s`. Returns its bytes. */
export function buildCookie(route: Route, s: Segment, cookie: number, receiveWindow: number, options: SynOptions, frame: Frame): number {
  const tcp = route.overhead >>> 1
  const length = TCP_BYTES + writeSynOptions(frame.u16, tcp + TCP_OPTIONS, options)
  const window = Math.min(receiveWindow, 0xffff)
  writeTcp(frame.u16, tcp, s.localPort, s.remotePort, cookie, (s.sequence + 1) | 0, SYN | ACK, window, length)
  return complete(route, frame, length)
}

/** Writes the reset that answers `s`. Returns its bytes. */
export function buildReset(route: Route, s: Segment, frame: Frame): number {
  const tcp = route.overhead >>> 1
  const length = s.length + ((s.flags & SYN) !== 0 ? 1 : 0) + ((s.flags & FIN) !== 0 ? 1 : 0)
  if ((s.flags & ACK) !== 0) writeTcp(frame.u16, tcp, s.localPort, s.remotePort, s.acknowledgment, 0, RST, 0)
  else writeTcp(frame.u16, tcp, s.localPort, s.remotePort, 0, (s.sequence + length) | 0, RST | ACK, 0)
  return complete(route, frame, TCP_BYTES)
}

/** Puts the checksum into a segment of `length` bytes. */
function complete(route: Route, frame: Frame, length: number): number {
  const overhead = route.overhead
  const sum = route.sum + (PROTOCOL_TCP << 8) + swap16(length)
  frame.u16[(overhead >>> 1) + TCP_CHECKSUM] = ~route.link.abi.checksum(frame.u8, overhead, length, sum)
  return length
}

/** Whether a received segment's checksum is right: `length` bytes with header at byte `at` of the frame. */
export function hasGoodChecksum(route: Route, frame: Frame, at: number, length: number): boolean {
  if (frame.checked === true) return true
  const pseudo = route.sum + (PROTOCOL_TCP << 8) + (((length & 0xff) << 8) | (length >>> 8))
  return route.link.abi.checksum(frame.u8, at, length, pseudo) === 0xffff
}
