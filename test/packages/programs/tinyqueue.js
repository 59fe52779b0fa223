// a priority queue
import TinyQueue from 'tinyqueue'

export default async say => {
  const queue = new TinyQueue([5, 1, 3])
  queue.push(2)
  say([queue.pop(), queue.pop(), queue.length])
}
