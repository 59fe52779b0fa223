/** Sends a datagram that is larger than the path takes, as fragments (RFC 791 section 2.3, RFC 8200 section 4.5). Never TCP's: it has its MSS. */
import type { Frame } from '@xen-ts/runtime/machine'
import type { Neighbour } from './neighbour.ts'
import type { Route } from './route.ts'

/** `length` bytes of `datagram`, from `route.overhead` on. False when nothing was sent: there were not frames
 * enough, or they would have to wait for the neighbour's address. */
export function sendFragments(route: Route, hop: Neighbour, datagram: Frame, protocol: number, length: number): boolean {
  const { link, overhead, fragmentBytes } = route
  const { abi } = link
  const size = (route.pathMtu - route.headerBytes - fragmentBytes) & ~7
  if (!hop.hasRoom(Math.ceil(length / size))) {
    link.counters.noRoute++ // a part of it is of no use
    return false
  }
  const frames: Frame[] = []
  for (let at = 0; at < length; at += size) {
    const frame = link.reserve()
    if (frame === undefined) {
      for (const each of frames) link.device.discard(each)
      return false
    }
    frames.push(frame)
  }
  // Nobody can guess which comes next, so nobody can slip in a fragment of their own (RFC 7739).
  const random = new Uint32Array(1)
  abi.random(new Uint8Array(random.buffer))
  const [id] = random
  for (const [i, frame] of frames.entries()) {
    const offset = i * size
    const piece = Math.min(size, length - offset)
    route.writeFragment(frame.u16, protocol, { id, offset, more: offset + piece < length })
    route.setLength(frame.u16, fragmentBytes + piece)
    abi.copy(frame.u8, overhead + fragmentBytes, datagram.u8, overhead + offset, piece)
    link.transmit(hop, frame, overhead + fragmentBytes + piece)
  }
  link.counters.fragmented++
  return true
}
