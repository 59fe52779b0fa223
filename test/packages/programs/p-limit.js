// promises with a limit
import pLimit from 'p-limit'

export default async say => {
  const limit = pLimit(2)
  let running = 0
  let most = 0
  const work = n =>
    limit(async () => {
      most = Math.max(most, ++running)
      await new Promise(resolve => setTimeout(resolve, 5))
      running--
      return n * 2
    })
  say([await Promise.all([1, 2, 3, 4, 5].map(work)), most, limit.pendingCount])
}
