/** A look at the clock that costs little. */
import type { Timers } from './machine.ts'

/** The time of this turn of the event loop, on the clock of `now`, where the machine knows it; else `now`. */
export const recently = (timers: Timers): number => (timers.recent === undefined ? timers.now() : timers.recent())
