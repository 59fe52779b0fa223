/** Connections by local port, remote address and remote port. */
import type { Ipv4 } from '../address.ts'
import type { Connection } from './connection.ts'
import type { PortListener } from './listener.ts'

/** What stands on one local port. */
export class Port {
  listener: PortListener | undefined = undefined
  readonly connections = new Map<number, Connection>()
}

/** Address and port of the peer as one number of 48 bits: exact in a double, and a key without a string. */
const peer = (ip: Ipv4, port: number): number => ip * 65536 + port

export class Table {
  /** Connections, TIME-WAIT included. */
  size = 0
  readonly #ports = new Map<number, Port>()
  /** The port of the last look-up: a server's traffic is nearly all on one. */
  #lastNumber = -1
  #last: Port | undefined = undefined

  port(number: number): Port | undefined {
    if (number === this.#lastNumber) return this.#last
    const port = this.#ports.get(number)
    if (port !== undefined) {
      this.#lastNumber = number
      this.#last = port
    }
    return port
  }

  find(port: Port, ip: Ipv4, remotePort: number): Connection | undefined {
    return port.connections.get(peer(ip, remotePort))
  }

  open(number: number): Port {
    let port = this.#ports.get(number)
    if (port === undefined) {
      port = new Port()
      this.#ports.set(number, port)
    }
    return port
  }

  add(c: Connection): void {
    this.open(c.localPort).connections.set(peer(c.remoteIp, c.remotePort), c)
    this.size++
  }

  remove(c: Connection): void {
    const port = this.#ports.get(c.localPort)
    const key = peer(c.remoteIp, c.remotePort)
    if (port === undefined || port.connections.get(key) !== c) return
    port.connections.delete(key)
    this.size--
    this.tidy(c.localPort)
  }

  /** Forgets a port on which nothing stands any more. */
  tidy(number: number): void {
    const port = this.#ports.get(number)
    if (port === undefined || port.listener !== undefined || port.connections.size > 0) return
    this.#ports.delete(number)
    if (this.#lastNumber === number) this.#lastNumber = -1
  }

  *all(): Iterable<Connection> {
    for (const port of this.#ports.values()) yield* port.connections.values()
  }
}
