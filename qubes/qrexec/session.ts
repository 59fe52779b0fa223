/** One connection with dom0's daemon, and the ports of calls that it has given out. */
import type { ByteChannel } from '@xen-ts/drivers/channel'
import { CONNECTION_TERMINATED, encodeNumbers, FIRST_DATA_PORT, LAST_DATA_PORT } from './wire.ts'

/** DOMID_FIRST_RESERVED (xen.h) */
const FIRST_RESERVED = 0x7ff0

/** Where the data channel of a call is. It belongs to the session that gave it out, and is given back to that one or to none. */
export interface Place {
  readonly session: Session
  readonly domain: number
  readonly port: number
}

export class Session {
  readonly version: number
  readonly #channel: ByteChannel
  /** Of calls under way. */
  readonly #ports = new Set<number>()
  readonly #over = new AbortController()

  constructor(channel: ByteChannel, version: number) {
    this.#channel = channel
    this.version = version
  }

  /** Aborts with the connection: who has not opened a data channel by then will not do so. */
  get over(): AbortSignal {
    return this.#over.signal
  }

  end(reason: Error): void {
    this.#over.abort(reason)
  }

  /** Takes the place of a call that dom0 announced. Gives the reason instead when there cannot be one. */
  take(domain: number, port: number): Place | string {
    if (port < FIRST_DATA_PORT || port > LAST_DATA_PORT) {
      return `port ${port} is not one of ${FIRST_DATA_PORT} to ${LAST_DATA_PORT}`
    }
    if (domain >= FIRST_RESERVED) return `domain ${domain} does not exist`
    const key = keyOf(domain, port)
    if (this.#ports.has(key)) return `port ${port} is in use by a call`
    this.#ports.add(key)
    return { session: this, domain, port }
  }

  /** Gives a port back: dom0 has 256 for this qube, and never takes one by itself. */
  giveBack({ domain, port }: Place): void {
    this.#ports.delete(keyOf(domain, port))
    if (this.#over.signal.aborted) return
    const message = encodeNumbers(CONNECTION_TERMINATED, domain, port)
    if (!this.#channel.tryWrite(message)) this.#channel.write(message).catch(() => {})
  }

  send(message: Uint8Array): Promise<void> {
    return this.#channel.write(message)
  }
}

const keyOf = (domain: number, port: number): number => domain * 1024 + port
