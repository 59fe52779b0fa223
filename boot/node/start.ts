/** The thread of the engine, for those who will need it, and before anything else of it is loaded. */
import { prepareDeep } from './deep.ts'

/** Starts it, and loads there what makes a snapshot. */
export function startEngine(): void {
  const take = new URL('../image/take.ts', import.meta.url).href
  prepareDeep(take, 'load', undefined).catch(() => {}) // told by the call that needs it
}
