// sizes, ages, fetches
import { LRUCache } from 'lru-cache'

export default async say => {
  const cache = new LRUCache({ max: 2, fetchMethod: async key => `${key}!` })
  cache.set('a', 1).set('b', 2)
  cache.get('a')
  cache.set('c', 3)
  say([[...cache.keys()], cache.has('b'), cache.size, await cache.fetch('d')])
  let now = 0
  const timed = new LRUCache({ max: 5, ttl: 10, ttlResolution: 0, perf: { now: () => ++now * 4 } })
  timed.set('x', 1)
  say([timed.get('x'), timed.get('x'), timed.get('x')])
}
