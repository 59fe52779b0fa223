/** Connections that had something to send when there was no free frame. */
import type { Connection } from './connection.ts'
import { output } from './output.ts'
import { CLOSED } from './state.ts'

export class Blocked {
  #connections: Connection[] = []

  add(c: Connection): void {
    if (c.inBlocked) return
    c.inBlocked = true
    this.#connections.push(c)
  }

  /** There is a free frame again. */
  framesFree(now: number): void {
    const blocked = this.#connections
    this.#connections = []
    for (const c of blocked) {
      c.inBlocked = false
      if (c.state !== CLOSED) output(c, now, false)
    }
  }
}
