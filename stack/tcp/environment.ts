/**
 * What a connection needs from the world: the protocol core (connection, input, output) reaches a device, a clock and other
 * connections only through this, and its peer through its route. engine.ts implements it for the stack.
 */
import type { HostFunctions } from '@xen-ts/runtime/machine'
import type { Limits } from '../config.ts'
import type { Counters } from '../counters.ts'
import type { Connection } from './connection.ts'
import type { MemoryBudget } from './reassembly.ts'

export interface Environment {
  readonly abi: HostFunctions
  readonly counters: Counters
  readonly limits: Limits
  readonly memory: MemoryBudget
  /** Monotonic milliseconds. */
  now(): number
  /** There was no free frame: `output` is to be called for the connection when there is one. */
  block(connection: Connection): void
  /** The earliest deadline of the connection moved forward to `connection.wakeAt`. */
  wake(connection: Connection): void
  /** Data was received and not acknowledged yet. */
  acknowledgeLater(connection: Connection): void
  /** The connection is in TIME-WAIT, for the first time or again. */
  timeWait(connection: Connection): void
  /** The connection is CLOSED: forget it. */
  closed(connection: Connection): void
}
