/**
 * The network stack: what a program may expect of it on every target. Our own stack (@xen-ts/stack) and, on target unix, Node's sockets
 * implement it, and pass the same cases (stack/testing/socket-cases.ts): a program cannot tell which one it has.
 *
 * Addresses are text: `10.0.0.1`, or IPv6 as in RFC 5952. Times are in milliseconds. What fails on the network is a SocketError, a name
 * that has no address an error with a `code` of `resolve`; the text of both names the address or the name. What is wrong with an argument
 * is a RangeError or TypeError.
 */
import { type Device, provided } from '../device.ts'
import type { Endpoint, Listener } from './socket.ts'
import type { StackCounters } from './stack-counters.ts'

export interface Stack {
  /** The address to reach this host at; undefined while there is no network, as in a qube without netvm. */
  readonly address: string | undefined
  /** All addresses of this host that others can reach, the first of them being `address`. Empty while there is no network. */
  readonly addresses: readonly StackAddress[]
  /**
   * Calls `handler` after the addresses have changed (another netvm was chosen, say), until the returned function is called. Connections
   * were reset then, those who listen go on listening. A host whose addresses are not ours to follow (target unix) never calls it.
   */
  watch(handler: (address: string | undefined) => void): () => void
  /**
   * The addresses of a name in the order to try them; an address is its own answer. Rejects with an error whose `code` is Node's: ENOTFOUND
   * (there is no such name), ENODATA (it has no address), ETIMEOUT, ESERVFAIL, EREFUSED, EBADNAME, ENOSERVER (there is no name server, or no
   * network), ECANCELLED; or with the reason of `signal`. `family`: addresses of IPv4 or of IPv6 only.
   */
  resolve(name: string, options?: { readonly family?: 4 | 6; readonly signal?: AbortSignal }): Promise<string[]>
  readonly tcp: TcpSockets
  readonly udp: UdpSockets
  readonly counters: StackCounters
}

export interface StackAddress {
  readonly address: string
  /** Bits of the network on the link: 0 to 32, or to 128. */
  readonly prefix: number
  readonly family: 4 | 6
}

/** TCP. `bind` is for servers that do without promises (Listener). */
export interface TcpSockets extends Listener {
  /**
   * `host` is an address, or a name whose addresses are tried (RFC 8305). Rejects when the name is not resolved (see `resolve`); with a
   * SocketError when the peer refuses (ECONNREFUSED), does not answer within `timeout` milliseconds (ETIMEDOUT; default: after a minute
   * or two), or cannot be reached (EHOSTUNREACH); with the reason of `signal` when that aborts before the connection is there.
   *
   * `userTimeout`: milliseconds after which a peer that acknowledges nothing of what was sent is given up (ETIMEDOUT). Default: after some
   * fifteen tries, minutes. No effect where the sockets are the host's.
   */
  connect(options: { host: string; port: number; timeout?: number; userTimeout?: number; signal?: AbortSignal }): Promise<TcpConnection>
  /**
   * Calls `accept` for each connection, until `signal` aborts; then resolves, and connections that exist go on. Rejects with a SocketError
   * when the port is taken (EADDRINUSE). `keepAlive`: as of a connection; a minute by default. `userTimeout`: as in `connect`.
   */
  listen(
    options: { port: number; signal?: AbortSignal; keepAlive?: number; userTimeout?: number },
    accept: (connection: TcpConnection) => void,
  ): Promise<void>
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
  readonly local: Endpoint
  /** Resolves when both sides have ended; rejects with a SocketError when the connection broke. Need not be watched. */
  readonly closed: Promise<void>
  /**
   * At least one byte; undefined once the peer ended its side and all was read. Rejects with a SocketError when the connection broke, or
   * when the deadline has passed: the next read has what comes later.
   */
  read(deadline?: Deadline): Promise<Uint8Array | undefined>
  /**
   * Resolves when more may be written. The array is not copied: it must not be changed any more. Rejects with a SocketError when the
   * connection broke, or after `end` (EPIPE). When the deadline has passed, the bytes are on their way all the same.
   */
  write(bytes: Uint8Array, deadline?: Deadline): Promise<void>
  /** Ends the own side after what was written. Reading goes on. */
  end(): void
  /** Lets go: what was written is sent, then the end; reads end. Also at the end of `using`. */
  close(): void
  /** Ends both sides at once, and the peer is told (a reset): what was written may be lost. */
  abort(): void
  /**
   * Asks a peer that says nothing for so many milliseconds for a sign of life: one that is gone is noticed after twice the time, and the
   * connection breaks (ETIMEDOUT). undefined, or Infinity in `listen`: never. Throws a RangeError for a time that is not above 0.
   */
  keepAlive(milliseconds: number | undefined): void
}

export interface UdpSockets {
  /**
   * A socket on `port`, without waiting for anything. Throws a SocketError when the port is taken (EADDRINUSE), or no random one is free
   * (ENOBUFS), and the reason of a `signal` that has aborted.
   */
  bind(options?: UdpOptions): UdpSocket
  /**
   * A socket that talks to one peer: datagrams of others are not taken, and what the network says about the peer becomes an error of the
   * socket. `host`: an address, or a name, of which the first address is taken. Rejects as `tcp.connect` does, but nobody is asked whether
   * the peer is there.
   */
  connect(options: UdpOptions & { readonly host: string; readonly port: number; readonly localPort?: number }): Promise<UdpSocket>
}

export interface UdpOptions {
  /** Of this host; of the peer in `connect`. Default: a random one that is free (RFC 6056). */
  readonly port?: number
  /** Closes the socket when it aborts. */
  readonly signal?: AbortSignal
  /** Bytes of datagrams that wait for the program; what comes beyond is dropped and counted. Default 128 KiB. */
  readonly queueBytes?: number
  /** Allows sending to broadcast addresses. */
  readonly broadcast?: boolean
  /** Is given what arrived, several at a time when they came together, in the place of reading. */
  readonly onDatagrams?: (datagrams: readonly Datagram[]) => void
  /** Is given errors of a connected socket, in the place of whoever reads or sends next. */
  readonly onError?: (error: Error) => void
}

export interface Datagram {
  /** The receiver's own. */
  readonly data: Uint8Array
  /** The sender. */
  readonly address: string
  readonly port: number
}

/** Iterating over it gives one datagram after the other until it is closed; leaving the loop does not close it. */
export interface UdpSocket extends AsyncIterable<Datagram>, Disposable, AsyncDisposable {
  /** Of this host. */
  readonly port: number
  /** Of a connected socket. */
  readonly remote: Endpoint | undefined
  /** Datagrams that were dropped because the queue was full. */
  readonly dropped: number
  /**
   * The next datagram; undefined once the socket is closed. Rejects with what the network says about the peer of a connected socket, once:
   * ECONNREFUSED, EHOSTUNREACH. The socket goes on then.
   */
  receive(): Promise<Datagram | undefined>
  /** The same, all that are there at a time: fewer steps for each. */
  batches(): AsyncIterable<readonly Datagram[]>
  /**
   * Sends one datagram, to the peer of a connected socket, else `to`, an address (resolve names first). Resolves when it was handed on:
   * whether it arrives, nobody says. Rejects with a SocketError when it is too large (EMSGSIZE), there is no way (EHOSTUNREACH), `to` is a
   * broadcast address and `broadcast` was not given (EACCES), the socket is closed (EBADF), or with what is told of an earlier datagram.
   * `data` may be changed once it has resolved.
   */
  send(data: Uint8Array, to?: Endpoint): Promise<void>
  /** Gives the port back. What was not read is dropped; reads end. */
  close(): void
}

/** The network stack of the target: one a domain, whoever asks for it. */
export const stack = (): Device<Stack> => provided('stack')
