/** Description of the network stack: what a program may expect of it on every target. @xen-ts/stack and Node's sockets implement it. */
import { type Device, provided } from '../device.ts'

export interface Stack {
  /** Dotted decimal; undefined while there is no network, as in a qube without netvm. */
  readonly address: string | undefined
  /**
   * Calls `handler` after the addresses have changed (another netvm was chosen, say), until the returned function is called. Connections
   * were reset then, those who listen go on listening.
   */
  watch(handler: (address: string | undefined) => void): () => void
  /**
   * The addresses of a name in the order to try them; an address is its own answer. Rejects with an error whose `code` is Node's: ENOTFOUND
   * (there is no such name), ENODATA (it has no address), ETIMEOUT, ESERVFAIL, EREFUSED, EBADNAME, ENOSERVER (there is no name server, or no
   * network), ECANCELLED; or with the reason of `signal`. `family`: addresses of IPv4 or of IPv6 only.
   */
  resolve(name: string, options?: { readonly family?: 4 | 6; readonly signal?: AbortSignal }): Promise<string[]>
  readonly tcp: {
    /**
     * `host` is an address or a name. Rejects when the name is not resolved (see `resolve`), when the peer refuses or does not answer within
     * `timeout` milliseconds, or when `signal` aborts. `userTimeout`: the connection breaks (ETIMEDOUT) once the peer has taken nothing of what
     * was sent for so many milliseconds; two minutes or more by default.
     */
    connect(options: { host: string; port: number; timeout?: number; userTimeout?: number; signal?: AbortSignal }): Promise<TcpConnection>
    /**
     * Calls `accept` for each connection, until `signal` aborts; then resolves. `keepAlive`: as of a connection; a minute by default.
     * `userTimeout`: as of `connect`.
     */
    listen(
      options: { port: number; signal?: AbortSignal; keepAlive?: number; userTimeout?: number },
      accept: (connection: TcpConnection) => void,
    ): Promise<void>
  }
}

/** How long a call may wait. */
export interface Deadline {
  /** Milliseconds until it rejects with ETIMEDOUT; Infinity, or none: as long as the connection lasts. */
  readonly timeout?: number
  /** Makes it reject with the signal's reason. */
  readonly signal?: AbortSignal
}

export interface TcpConnection extends Disposable {
  readonly remoteAddress: string
  readonly remotePort: number
  /**
   * At least one byte; undefined once the peer ended its side and all was read. Rejects when the connection broke. When the deadline passes
   * nothing is lost: the next read gets what comes later.
   */
  read(deadline?: Deadline): Promise<Uint8Array | undefined>
  /** Resolves when the bytes were taken over. When the deadline passes, they are on their way nevertheless: `abort` if they must not arrive. */
  write(bytes: Uint8Array, deadline?: Deadline): Promise<void>
  /** Ends the own side after what was written. */
  end(): void
  /** Ends both sides at once; what was written and not taken yet is lost. */
  abort(): void
  /**
   * Asks a peer that says nothing for so many milliseconds for a sign of life: one that is gone is noticed after twice the time, and the
   * connection breaks (ETIMEDOUT). undefined, or Infinity in `listen`: never.
   */
  keepAlive(milliseconds: number | undefined): void
}

/** The network stack of the target: one a domain, whoever asks for it. */
export const stack = (): Device<Stack> => provided('stack')
