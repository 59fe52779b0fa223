// ids in the order of time
import { decodeTime, isValid, monotonicFactory, ulid } from 'ulid'

export default async say => {
  const id = ulid(1700000000000)
  say([id.length, id.slice(0, 10), decodeTime(id), isValid(id)])
  const next = monotonicFactory()
  const [a, b] = [next(1), next(1)]
  say([a < b, a.slice(0, 10) === b.slice(0, 10)])
}
