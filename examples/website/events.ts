/** Server-sent events: each new message of the board, and every ten seconds how long the program has been up. */
import type { Context } from 'hono'
import { streamSSE } from 'hono/streaming'
import type { Board } from './board.ts'

const INTERVAL = 10_000

export function events(c: Context, board: Board): Response {
  return streamSSE(c, async stream => {
    const { promise: over, resolve } = Promise.withResolvers<void>()
    const uptime = () => void stream.writeSSE({ event: 'uptime', data: `${Math.floor(performance.now() / 1000)}` })
    const unwatch = board.watch(message => void stream.writeSSE({ event: 'message', data: JSON.stringify(message), id: `${message.id}` }))
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
