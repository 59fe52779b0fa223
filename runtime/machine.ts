/**
 * What the stack, agents and drivers stand on. The guest's is made by guest.ts from the kernel's ABI; under Node it is
 * node/machine.ts, in tests also the simulated Xen's. Nothing below these interfaces is reached by import, so everything above them
 * can be tested.
 */
import type { Abi, CompiledName } from '@xen-ts/boot/abi'
import type { Log } from './log.ts'
import type { Suspension } from './suspension.ts'

/** Functions of the kernel that need no Xen, with its checks and errors: memory, text, randomness and clocks. Every host has them. */
export type HostFunctions = Pick<
  Abi,
  'copy' | 'checksum' | 'utf8Encode' | 'utf8Decode' | 'latin1Decode' | 'random' | 'clockMonotonic' | 'clockWall' | CompiledName
>

/** Any machine: a domain of Xen, or a process under Node. */
export interface Machine {
  readonly abi: HostFunctions
  readonly timers: Timers
  /** A log for a source, such as `net-xen:frontend`. */
  log(source: string): Log
}

/** A domain of Xen: what drivers stand on. */
export interface XenMachine extends Machine {
  readonly abi: Abi
  readonly ports: Ports
  /** How to get over a suspend: `suspension.onResume(cancelled => ...)`. */
  readonly suspension: Suspension
}

/** Event channel dispatch: one handler a port, called once for any number of notifications since the last call. */
export interface Ports {
  on(port: number, handler: () => void): void
  off(port: number): void
}

export interface Timers {
  /** Monotonic milliseconds with fractions. It stands still while the domain is suspended. */
  now(): number
  /** `now` at a moment of this turn of the event loop, at most 20 ms ago, for who asks for each packet: see `clockRecent` of the ABI. */
  recent?(): number
  /** Calls `run` once, `delay` milliseconds from now at the earliest. */
  set(delay: number, run: () => void): Timer
  /**
   * Calls `run` with `subject` at `deadline`, on the clock of `now`, for who knows it already: neither need the clock be read for it, nor a function
   * be made.
   */
  at?<T>(deadline: number, run: (subject: T) => void, subject: T): Timer
}

export interface Timer {
  cancel(): void
}
