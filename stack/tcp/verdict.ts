/** What becomes of a segment. */
import type { Connection } from './connection.ts'

/** What the caller must do with a segment that the connection has no use for. */
export const DONE = 0
export const SEND_RESET = 1
/** A SYN for a connection in TIME-WAIT: forget that one, and treat the segment as for a listener. */
export const NEW_CONNECTION = 2

/** Nothing is to be done with this segment: RFC 9293 says to drop it. */
export function ignored(c: Connection): number {
  c.environment.counters.tcpUnacceptable++
  return DONE
}
