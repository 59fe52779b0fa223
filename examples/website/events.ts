/** Server-sent events: each new message of the board, and every ten seconds how long the program has been up. */
import type { Context } from 'hono'
import { type SSEMessage, streamSSE } from 'hono/streaming'
import type { Board } from './board.ts'

const INTERVAL = 10_000
/** Events that wait for a reader who takes nothing; with more he has to come again. */
const MOST_WAITING = 50

export function events(c: Context, board: Board): Response {
  return streamSSE(c, async stream => {
    const { promise: over, resolve } = Promise.withResolvers<void>()
    let waiting = 0
    const send = async (event: SSEMessage) => {
      if (waiting >= MOST_WAITING) return stream.abort()
      waiting++
      await stream.writeSSE(event)
      waiting--
    }
    const uptime = () => void send({ event: 'uptime', data: `${Math.floor(performance.now() / 1000)}` })
    const unwatch = board.watch(message => void send({ event: 'message', data: JSON.stringify(message), id: `${message.id}` }))
    const timer = setInterval(uptime, INTERVAL)
    stream.onAbort(resolve)
    // The browser has left, or the program is to end.
    c.req.raw.signal.addEventListener('abort', () => stream.abort())
    uptime()
    await over
    clearInterval(timer)
    unwatch()
  })
}
