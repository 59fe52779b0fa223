/**
 * What drivers and agents stand on. The guest's is made by guest.ts from the kernel's ABI; tests make theirs from the simulated
 * Xen or from Node's own timers. Nothing below this interface is reached by import, so everything above it can be tested.
 */
import type { Abi } from '@xen-ts/boot/abi/abi.ts'
import type { Log } from './log.ts'
import type { Suspension } from './suspension.ts'

export interface Machine {
  readonly abi: Abi
  readonly ports: Ports
  readonly timers: Timers
  /** How to get over a suspend: `suspension.onResume(cancelled => ...)`. */
  readonly suspension: Suspension
  /** A log for a source, such as `net-xen:frontend`. */
  log(source: string): Log
}

/** Event channel dispatch: one handler a port, called once for any number of notifications since the last call. */
export interface Ports {
  on(port: number, handler: () => void): void
  off(port: number): void
}

export interface Timers {
  /** Monotonic milliseconds with fractions. It stands still while the domain is suspended. */
  now(): number
  /** Calls `run` once, `delay` milliseconds from now at the earliest. */
  set(delay: number, run: () => void): Timer
}

export interface Timer {
  cancel(): void
}
