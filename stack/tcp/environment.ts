/**
 * What a connection needs from the world: the protocol core (connection, input, output) reaches a device, a clock and other
 * connections only through this. engine.ts implements it for the stack.
 */
import type { HostFunctions } from '@xen-ts/runtime/machine'
import type { Ipv4 } from '../address.ts'
import type { Limits } from '../config.ts'
import type { Counters } from '../counters.ts'
import type { Connection } from './connection.ts'
import type { MemoryBudget } from './reassembly.ts'

export interface Environment {
  readonly abi: HostFunctions
  readonly counters: Counters
  readonly limits: Limits
  readonly memory: MemoryBudget
  readonly address: Ipv4
  /** Largest segment payload of the device, in bytes. */
  readonly mss: number
  /** Monotonic milliseconds. */
  now(): number
  /**
   * Sends a segment with acknowledgment and window of now: `length` bytes of the send queue from `at` on; more than the connection's
   * MSS only as far as `largest` allows. False when there was no
   * free frame: `output` is called for the connection when there is one.
   */
  emit(connection: Connection, sequence: number, flags: number, at: number, length: number): boolean
  /** The most bytes of payload that `emit` can send as one now, for the device to cut into segments; 0 when it does not. */
  largest(): number
  /** Sends SYN, or SYN and ACK in SYN-RECEIVED. A lost one is repeated by the timer. */
  emitSyn(connection: Connection): void
  /** The earliest deadline of the connection moved forward to `connection.wakeAt`. */
  wake(connection: Connection): void
  /** Data was received and not acknowledged yet. */
  acknowledgeLater(connection: Connection): void
  /** The connection is in TIME-WAIT, for the first time or again. */
  timeWait(connection: Connection): void
  /** The connection is CLOSED: forget it. */
  closed(connection: Connection): void
}
