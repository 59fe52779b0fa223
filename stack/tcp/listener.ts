/** A listening port: its half-open connections, bounded; what comes beyond them is answered with cookies (cookies.ts). */
import type { SocketHandler } from '../socket.ts'
import type { Connection, Opener } from './connection.ts'

export const DEFAULT_BACKLOG = 128

export class PortListener implements Opener {
  readonly isListener = true
  readonly backlog: number
  readonly halfOpen = new Set<Connection>()
  readonly #accept: (socket: Connection) => SocketHandler
  #closed = false

  constructor(backlog: number, accept: (socket: Connection) => SocketHandler) {
    this.backlog = backlog
    this.#accept = accept
  }

  opened(c: Connection): boolean {
    this.halfOpen.delete(c)
    if (this.#closed) {
      c.finish(undefined)
      return false
    }
    c.handler = this.#accept(c)
    return true
  }

  /** Gives up the half-open connections; those that are established go on. */
  close(): void {
    this.#closed = true
    for (const c of this.halfOpen) c.finish(undefined)
    this.halfOpen.clear()
  }
}
