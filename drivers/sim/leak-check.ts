/**
 * To be imported by every test file that uses the simulated Xen: when its tests are over, no living domain of any simulation may hold
 * anything (event channels, handlers, pages, grants, mappings, timers, watches, transactions). A test that leaves something on purpose
 * destroys the domain.
 */
import test from 'ava'
import { leakCheck } from './xen.ts'

leakCheck.on = true

/** Milliseconds that deferred releases, of pages that a peer held, may take. */
const PATIENCE = 3000

test.after.always('every simulated domain has given everything back', async () => {
  const leaks: string[] = []
  for (const [xen, stack] of leakCheck.pending) {
    try {
      await xen.advance(PATIENCE)
      xen.assertNoLeaks()
    } catch (error) {
      const line = stack.split('\n').find(line => line.includes('.test.ts')) ?? stack.split('\n')[3] ?? ''
      leaks.push(`the simulation made ${line.trim()}: ${(error as Error).message}`)
    }
  }
  if (leaks.length > 0) throw new Error(leaks.join('\n'))
})
