/** The thread of the engine, for those who will need it, and before anything else of it is loaded. */
import { prepareDeep } from './deep.ts'

/** Starts it, and loads there what makes a snapshot. */
export function startEngine(): void {
  const snapshot = new URL('../image/snapshot.ts', import.meta.url).href
  prepareDeep(snapshot, 'load', undefined).catch(() => {}) // told by the call that needs it
}
