/** Description of the network stack: what a program may expect of it on every target. @xen-ts/stack and Node's sockets implement it. */
import { type Device, provided } from '../device.ts'

export interface Stack {
  /** The address to reach this host at; undefined while there is no network, as in a qube without netvm. */
  readonly address: string | undefined
  /** All addresses of this host that others can reach, the first of them being `address`. Empty while there is no network. */
  readonly addresses: readonly StackAddress[]
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
     * `timeout` milliseconds, or when `signal` aborts.
     */
    connect(options: { host: string; port: number; timeout?: number; signal?: AbortSignal }): Promise<TcpConnection>
    /** Calls `accept` for each connection, until `signal` aborts; then resolves. `keepAlive`: as of a connection; a minute by default. */
    listen(options: { port: number; signal?: AbortSignal; keepAlive?: number }, accept: (connection: TcpConnection) => void): Promise<void>
  }
}

export interface StackAddress {
  readonly address: string
  /** Bits of the network on the link: 0 to 32, or to 128. */
  readonly prefix: number
  readonly family: 4 | 6
}

export interface TcpConnection extends Disposable {
  readonly remoteAddress: string
  readonly remotePort: number
  /** At least one byte; undefined once the peer ended its side and all was read. Rejects when the connection broke. */
  read(): Promise<Uint8Array | undefined>
  /** Resolves when the bytes were taken over. */
  write(bytes: Uint8Array): Promise<void>
  /** Ends the own side after what was written. */
  end(): void
  /**
   * Asks a peer that says nothing for so many milliseconds for a sign of life: one that is gone is noticed after twice the time, and the
   * connection breaks (ETIMEDOUT). undefined, or Infinity in `listen`: never.
   */
  keepAlive(milliseconds: number | undefined): void
}

/** The network stack of the target: one a domain, whoever asks for it. */
export const stack = (): Device<Stack> => provided('stack')
