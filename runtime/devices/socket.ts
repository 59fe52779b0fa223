/**
 * What every network stack has below its promises: byte streams as servers see them (HTTP is written against this), and the errors of
 * sockets. Our own stack implements it, and on target unix Node's sockets do.
 */
export interface Endpoint {
  /** `10.0.0.1`, or IPv6 as in RFC 5952. */
  readonly address: string
  readonly port: number
}

/** A connection without promises. */
export interface ByteSocket {
  readonly remote: Endpoint
  readonly local: Endpoint
  /**
   * Queues `length` bytes from `offset` on. They are not copied: they must not be changed until they were acknowledged, so give
   * bytes that nobody writes to before `room` is as it was at first. Ignored when the connection is over. Throws when `end` was called.
   */
  queue(bytes: Uint8Array, offset: number, length: number): void
  /** Sends what is queued. One flush after several `queue`s lets them share segments. */
  flush(): void
  /** Bytes that may be queued before the writer should wait for `onWritable`; zero or less when it should wait now. */
  readonly room: number
  /** Gives back `length` bytes of those that `onData` said it kept: opens the receive window again. */
  consumed(length: number): void
  /** No more bytes will be queued; what is queued is sent, then the peer sees the end. Reading goes on. */
  end(): void
  /** Ends both directions at once; what is queued is lost (TCP: RST). `onClosed` gets `error`. */
  abort(error?: Error): void
  /** Aborts the connection unless it is closed `milliseconds` from now (ETIMEDOUT); Infinity takes that back. */
  abortAfter(milliseconds: number): void
  /**
   * Asks the peer for a sign of life once nothing came from it for `milliseconds` and nothing is on its way to it either; five questions
   * without an answer end the connection (ETIMEDOUT). The pause between them is a fifth of that time, so a peer that is gone is noticed
   * after twice the time. undefined: never, which is the default. RFC 9293 section 3.8.4; a server whose handlers may wait for a peer
   * that has nothing to say does well with a minute. Throws a RangeError for a time that is not above 0.
   */
  keepAlive(milliseconds: number | undefined): void
  /**
   * Ends the connection (ETIMEDOUT) when the peer acknowledges nothing of what was sent for so long (RFC 9293 section 3.9.1: the user
   * timeout). Not there where the system does not say what was acknowledged.
   */
  giveUpAfter?(milliseconds: number): void
}

/** What happens on a connection. Called from the receive path: must return soon and not throw. */
export interface SocketHandler {
  /**
   * Bytes arrived, in order. They are valid during the call only. Returns how many of them stay charged against the receive window
   * until `consumed` is called: 0 when all were dealt with.
   */
  onData(bytes: Uint8Array, offset: number, length: number): number
  /** The peer sends nothing more. */
  onEnd(): void
  /** After `room` had been used up: there is room again. */
  onWritable(): void
  /** The connection is over, once; `error` tells why when it was not closed by both sides in good order. */
  onClosed(error: Error | undefined): void
}

export interface ListenOptions {
  /** Connections that may be half open at a time; beyond it nothing is kept of a SYN until it was answered (SYN cookies). Default 128. */
  readonly backlog?: number
  /** Stops listening when it aborts; connections that exist go on. */
  readonly signal?: AbortSignal
}

export interface Listener {
  /**
   * Calls `accept` for each new connection and uses the handler it returns. Throws, or rejects, with a SocketError when the port is taken
   * (EADDRINUSE) or not allowed (EACCES), with a RangeError when it is not 1..65535. Where it returns a promise, connections are accepted
   * once that has resolved: await it.
   */
  bind(port: number, options: ListenOptions, accept: (socket: ByteSocket) => SocketHandler): void | Promise<void>
}

/** The letters are those of Unix. */
export type SocketErrorCode =
  /** The peer ended the connection without order, or knows nothing of it. */
  | 'ECONNRESET'
  /** Nobody listens there. */
  | 'ECONNREFUSED'
  /** It was aborted on this side. */
  | 'ECONNABORTED'
  /** The addresses of this host have changed. */
  | 'ENETRESET'
  /** No answer in time. */
  | 'ETIMEDOUT'
  /** There is no way to that address, or no network. */
  | 'EHOSTUNREACH'
  /** Another socket has the port. */
  | 'EADDRINUSE'
  /** It needs a right that the program has not, or `broadcast`. */
  | 'EACCES'
  /** The datagram is larger than what can be sent there. */
  | 'EMSGSIZE'
  /** A limit of the stack: connections, ports. */
  | 'ENOBUFS'
  /** Written after the end of the own side. */
  | 'EPIPE'
  /** The socket was closed. */
  | 'EBADF'
  /** Anything else that the host says. */
  | 'EIO'

/** Why a socket failed; the text names the address. */
export class SocketError extends Error {
  override name = 'SocketError'
  readonly code: SocketErrorCode

  constructor(code: SocketErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
