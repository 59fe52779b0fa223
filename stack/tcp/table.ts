/** Connections by route, which is both addresses, and both ports; and who listens. */
import type { Route } from '../ip/route.ts'
import type { Connection } from './connection.ts'
import type { PortListener } from './listener.ts'

/** Both ports as one int32: the key of a connection among those of its route. */
export const portsOf = (localPort: number, remotePort: number): number => (localPort << 16) | remotePort

export class Table {
  /** Connections, TIME-WAIT included. */
  size = 0
  readonly listeners = new Map<number, PortListener>()
  readonly #routes = new Set<Route>()

  add(c: Connection): void {
    const route = c.route
    if (route.connections === undefined) {
      route.connections = new Map()
      route.keep()
      this.#routes.add(route)
    }
    route.connections.set(c.ports, c)
    this.size++
  }

  remove(c: Connection): void {
    const connections = c.route.connections
    if (connections?.get(c.ports) !== c) return
    connections.delete(c.ports)
    this.size--
    if (connections.size > 0) return
    c.route.connections = undefined
    c.route.forget()
    this.#routes.delete(c.route)
  }

  *all(): Iterable<Connection> {
    for (const { connections } of this.#routes) yield* connections!.values()
  }
}
