/** Sends segments: takes frames from the device, has them built (segments.ts), and sends them on the connection's route. */
import { COMPLETE } from '@xen-ts/runtime/machine'
import type { Route } from '../ip/route.ts'
import { ACK, PROTOCOL_TCP, RST, type Segment, type SynOptions } from '../wire/tcp.ts'
import type { Connection } from './connection.ts'
import { addSack, buildCookie, buildReset, buildSegment, buildSyn, prepare } from './segments.ts'

/**
 * Sends a segment with acknowledgment and window of now: `length` bytes of the send queue from `at` on; more than the connection's
 * MSS only as far as `largest` allows. False when there was no free frame: `output` is called for the connection when there is one.
 */
export function emit(c: Connection, sequence: number, flags: number, at: number, length: number): boolean {
  const route = c.route
  const link = route.link
  let hop = route.hop
  if (hop === undefined || hop.version === 0) hop = route.resolve()
  if (hop === undefined) {
    link.counters.noRoute++
    return true // lost, as on any wire
  }
  const isLarge = length > c.mss
  const frame = link.reserve(isLarge ? route.overhead + c.headerBytes + length : 0)
  if (frame === undefined) {
    c.environment.block(c)
    return false
  }
  if (hop.version !== c.headerVersion || hop.version === 0) prepare(c, hop.version)
  c.unacknowledged = 0
  c.ackNow = false
  let offload = isLarge ? c.mss : c.offload
  let size = buildSegment(c, frame, sequence, flags, at, length, offload)
  if (length === 0 && flags === ACK && c.sack && c.reassembly?.hasBlocks) {
    size = addSack(c, frame)
    offload = COMPLETE
  }
  link.transmit(hop, frame, size, offload)
  return true
}

/** The most bytes of payload that `emit` can send as one now, for the device to cut into segments; 0 or less when it does not. */
export const largest = (c: Connection): number => c.route.largest() - c.headerBytes

/** Sends SYN, or SYN and ACK in SYN-RECEIVED. A lost one is repeated by the timer. */
export function emitSyn(c: Connection): void {
  const frame = c.route.link.reserve()
  if (frame !== undefined) c.route.send(frame, PROTOCOL_TCP, buildSyn(c, frame))
}

/** Answers a SYN without keeping anything of it: with the sequence number `cookie` (cookies.ts). */
export function answerWithCookie(route: Route, s: Segment, cookie: number, window: number, options: SynOptions): void {
  const frame = route.link.reserve()
  if (frame !== undefined) route.send(frame, PROTOCOL_TCP, buildCookie(route, s, cookie, window, options, frame))
}

/** Answers a segment that belongs to no connection with RST (RFC 9293 section 3.10.7.1). */
export function sendReset(route: Route, s: Segment): void {
  if ((s.flags & RST) !== 0) return
  const frame = route.link.reserve()
  if (frame !== undefined) route.send(frame, PROTOCOL_TCP, buildReset(route, s, frame))
}
