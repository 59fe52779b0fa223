/** Data on its way to the handler, in order; and the window that is offered for more. */
import type { Connection } from './connection.ts'
import { acknowledge } from './output.ts'
import { Reassembly } from './reassembly.ts'
import { CLOSE_WAIT, CLOSED, CLOSING, ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2, TIME_WAIT } from './state.ts'

/** `length` bytes and perhaps a FIN that begin at rcvNxt. The window was checked. */
export function deliver(c: Connection, bytes: Uint8Array, offset: number, length: number, fin: boolean): void {
  take(c, bytes, offset, length, fin)
  while (c.reassembly !== undefined && !c.reassembly.isEmpty && c.isReceiving) {
    const piece = c.reassembly.take(c.rcvNxt)
    if (piece === undefined) break
    const skip = (c.rcvNxt - piece.sequence) | 0
    c.ackNow = true // a hole was filled: the peer should know at once (RFC 5681 section 4.2)
    take(c, piece.bytes, skip, piece.bytes.length - skip, piece.fin)
  }
}

function take(c: Connection, bytes: Uint8Array, offset: number, length: number, fin: boolean): void {
  if (c.retained > 0 && c.environment.memory.used + length > c.environment.memory.limit) {
    c.environment.counters.tcpNoMemory++ // not acknowledged, so the peer sends it again
    return
  }
  // Everything that the peer must learn from an acknowledgment is set before the handler runs: its answer carries it.
  c.rcvNxt = (c.rcvNxt + length + (fin ? 1 : 0)) | 0
  c.unacknowledged += length
  if (fin) finArrived(c)
  if (length > 0) {
    const kept = c.handler.onData(bytes, offset, length)
    if (kept > 0 && c.state !== CLOSED && c.state !== TIME_WAIT) {
      c.retained += kept
      c.environment.memory.used += kept
    }
  }
  if (fin) {
    c.handler.onEnd()
    if (c.state === FIN_WAIT_2) c.enterTimeWait()
  }
}

/** The peer's FIN is in order. TIME-WAIT is entered after the handler has seen all data, see `take`. */
function finArrived(c: Connection): void {
  c.ackNow = true
  c.reassembly?.clear()
  if (c.state === ESTABLISHED) c.state = CLOSE_WAIT
  else if (c.state === FIN_WAIT_1) c.state = CLOSING
}

/** A segment beyond a hole: keeps it if there is room, and says again what is expected, so that the peer notices the loss. */
export function keepForLater(c: Connection, sequence: number, bytes: Uint8Array, offset: number, length: number, fin: boolean): void {
  c.environment.counters.tcpOutOfOrder++
  if (!reassemblyOf(c).add(sequence, bytes, offset, length, fin)) c.environment.counters.tcpNoMemory++
  acknowledge(c)
}

/** Data that was delivered came once more: the next acknowledgment without data says so. */
export function arrivedTwice(c: Connection, sequence: number, length: number): void {
  if (c.sack) reassemblyOf(c).arrivedTwice(sequence, length)
}

const reassemblyOf = (c: Connection): Reassembly => (c.reassembly ??= new Reassembly(c.environment.abi, c.environment.memory))

/** The window to advertise, in bytes: moves its right edge in good steps only (RFC 9293 section 3.8.6.2.2), and never back. */
export function receiveWindow(c: Connection): number {
  const offered = (c.rcvAdv - c.rcvNxt) | 0
  if (c.retained === 0) return c.environment.limits.receiveWindow
  const free = c.environment.limits.receiveWindow - c.retained
  const step = c.mss < c.environment.limits.receiveWindow >>> 1 ? c.mss : c.environment.limits.receiveWindow >>> 1
  return free - offered >= step ? free : offered > 0 ? offered : 0
}
