/** Globals that stand on the machine and that not every program names: their modules add a function here, which is called when a domain starts. */
import type { Log } from '../log.ts'
import type { HostFunctions, Timers } from '../machine.ts'

/** What they stand on. */
export interface Making {
  /** In an image, all of the kernel's. */
  readonly abi: HostFunctions
  readonly timers: Timers
  /** Of the program. */
  readonly log: Log
}

export const makers: ((making: Making) => Readonly<Record<string, unknown>>)[] = []
