/** The engine of the builds of a project: what one process has found out of it the next one need not. */
import { type KeptFacts, warmEngine } from '@xen-ts/boot'
import { Cache } from './cache.ts'
import type { Project } from './project.ts'

const KEY = 'facts'

/** Makes the engine ready while other things are done, and keeps what that has found out. */
export async function readyEngine({ root }: Project): Promise<void> {
  const cache = new Cache<KeptFacts>(root, 'engine')
  const known = cache.known(KEY)
  const facts = await warmEngine(known)
  if (facts === undefined || facts.key === known?.key) return
  cache.set(KEY, facts)
  cache.save()
}
